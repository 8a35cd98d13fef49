"""A real `aldo serve` as a subprocess of the tests, and the catalog that it serves."""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import yaml

from tests.support.server_process import READY_SECONDS, ServerProcess

PATIENCE = 30.0
TIERS = ["public", "internal", "sensitive"]

Found = TypeVar("Found")


def entry(name: str, base_url: str, **fields: Any) -> dict[str, Any]:
    """A free local entry for all tiers."""
    return {
        "id": name,
        "provider": "llamacpp",
        "providerKind": "openai-compat",
        "locality": "local",
        "capabilityClass": "fast-draft",
        "provides": ["streaming"],
        "privacyAllowed": TIERS,
        "effectiveContextTokens": 32768,
        "cost": {"usdPerMtokIn": 0, "usdPerMtokOut": 0},
        "providerConfig": {"baseUrl": base_url},
    } | fields


def write_catalog(path: Path, entries: Sequence[Mapping[str, Any]]) -> Path:
    """The file of a catalog."""
    catalog = {"apiVersion": "aldo/models.v1", "kind": "ModelCatalog", "models": [dict(one) for one in entries]}
    path.write_text(yaml.safe_dump(catalog, sort_keys=False), "utf-8")
    return path


class GatewayProcess(ServerProcess):
    """`aldo serve` on a free port for the length of a `with` block."""

    title = "aldo serve"
    announcement = "aldo serves"
    taken = "cannot be listened on"

    def __init__(self, catalog: Path, *options: str, usage: Path, ready_seconds: float = READY_SECONDS) -> None:
        super().__init__(port=None, log=None, env=None, ready_seconds=ready_seconds)
        self.usage = usage
        self._options = [f"--catalog={catalog}", f"--usage={usage}", *options]

    def _command(self) -> list[str]:
        return [sys.executable, "-m", "aldo.cli.main", "serve", f"--port={self.port}", *self._options]

    def _environment(self) -> dict[str, str]:
        env = super()._environment()
        return {name: value for name, value in env.items() if not name.startswith("ALDO_") and "_BASE_URL" not in name}

    @property
    def api(self) -> str:
        """What a client takes for its base URL."""
        return f"{self.base_url}/v1"

    def rows(self) -> list[dict[str, Any]]:
        """The usage rows that are whole by now."""
        if not self.usage.exists():
            return []
        whole, _, _ = self.usage.read_bytes().rpartition(b"\n")
        return [json.loads(line) for line in whole.splitlines()]

    def descriptors(self) -> int:
        """How many files and sockets the process has open."""
        return len(os.listdir(f"/proc/{self.pid}/fd"))  # noqa: PTH208

    def resident_bytes(self) -> int:
        """Its memory."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")


def eventually(look: Callable[[], Found], wanted: Callable[[Found], bool] = bool, seconds: float = PATIENCE) -> Found:
    """What `look` finds once it is what is wanted. `AssertionError` with the last that was found otherwise."""
    deadline, pause = time.monotonic() + seconds, threading.Event()
    while not wanted(found := look()):
        assert time.monotonic() < deadline, f"still {found!r} after {seconds:g} s"
        pause.wait(0.02)
    return found
