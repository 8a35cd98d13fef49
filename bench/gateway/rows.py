"""What each gateway adds to a request, and how many it takes a second: ours, LiteLLM's proxy, Portkey's gateway.

All of them in one run before the same server that answers at once, under the same load: one request after another for
what is added, 16 at once for how many a second. They take turns, so that all meet the same weather.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.measure import Row

ROUNDS = 3
AT_ONCE = 16
_KEY = "sk-0123456789abcdef0123456789abcdef"
_READY_SECONDS = 90.0
_CATALOG = """\
apiVersion: aldo/models.v1
kind: ModelCatalog
models:
  - id: m
    provider: somebody
    providerKind: openai-compat
    locality: local
    capabilityClass: fast-draft
    provides: [streaming]
    privacyAllowed: [public, internal, sensitive]
    effectiveContextTokens: 32768
    cost: {{ usdPerMtokIn: 0, usdPerMtokOut: 0 }}
    providerConfig: {{ baseUrl: "http://127.0.0.1:{port}" }}
"""
_LITELLM = """\
model_list:
  - model_name: m
    litellm_params: {{ model: openai/m, api_base: "http://127.0.0.1:{port}/v1", api_key: none }}
"""


@dataclass
class Door:
    """Where the load goes, and what it must say there."""

    name: str
    port: int
    requests: int
    headers: dict[str, str] = field(default_factory=dict)
    seen: dict[tuple[bool, int], list[dict[str, float]]] = field(default_factory=dict)

    def best(self, streamed: bool, at_once: int, figure: str) -> float:
        return min(found[figure] for found in self.seen[streamed, at_once])


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def _running(command: Sequence[str], port: int, folder: Path, **environment: str) -> Iterator[None]:
    with (folder / f"{port}.log").open("wb") as log:
        process = subprocess.Popen(
            command, stdout=log, stderr=log, env={**os.environ, **environment}, start_new_session=True
        )
        try:
            deadline = time.monotonic() + _READY_SECONDS
            while True:
                with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                    break
                if process.poll() is not None or time.monotonic() > deadline:
                    said = (folder / f"{port}.log").read_text("utf-8", "replace").strip().splitlines()
                    raise RuntimeError(said[-1] if said else "it did not start")
                time.sleep(0.1)
            yield
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()


def _load(door: Door, streamed: bool, at_once: int) -> None:
    said = {
        "port": door.port,
        "streamed": streamed,
        "at_once": at_once,
        "requests": max(door.requests, at_once),
        "headers": door.headers,
    }
    done = subprocess.run(
        [sys.executable, "-m", "bench.gateway.load", json.dumps(said)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{door.name}: {(done.stderr.strip().splitlines() or ['it failed'])[-1]}")
    door.seen.setdefault((streamed, at_once), []).append(json.loads(done.stdout))


def _ours(stack: contextlib.ExitStack, upstream: int, folder: Path) -> Door:
    port, catalog = _free_port(), folder / "models.yaml"
    catalog.write_text(_CATALOG.format(port=upstream), "utf-8")
    command = [sys.executable, "-m", "aldo.cli.main", "serve", "--catalog", str(catalog), "--port", str(port)]
    stack.enter_context(_running(command, port, folder))
    return Door("aldo serve", port, 1000, {"x-aldo-privacy": "sensitive"})


def _litellm(stack: contextlib.ExitStack, upstream: int, folder: Path) -> Door:
    program = Path(os.environ.get("ALDO_LITELLM_BIN", "")) / "litellm"
    if not program.is_file():
        raise RuntimeError("LiteLLM's proxy is not installed")
    port, config = _free_port(), folder / "litellm.yaml"
    config.write_text(_LITELLM.format(port=upstream), "utf-8")
    quiet = {"LITELLM_LOG": "ERROR", "LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_MASTER_KEY": _KEY}
    command = [str(program), "--config", str(config), "--port", str(port), "--host", "127.0.0.1"]
    stack.enter_context(_running(command, port, folder, **quiet))
    return Door("LiteLLM proxy", port, 100, {"authorization": f"Bearer {_KEY}"})


def _portkey(stack: contextlib.ExitStack, upstream: int, folder: Path) -> Door:
    script = Path(os.environ.get("ALDO_PORTKEY", "")) / "node_modules/@portkey-ai/gateway/build/start-server.js"
    node = shutil.which("node")
    if node is None or not script.is_file():
        raise RuntimeError("Portkey's gateway is not installed")
    port = _free_port()
    stack.enter_context(_running([node, str(script), f"--port={port}", "--headless"], port, folder))
    to = {"x-portkey-provider": "openai", "x-portkey-custom-host": f"http://127.0.0.1:{upstream}/v1"}
    return Door("Portkey gateway", port, 400, {**to, "authorization": "Bearer none"})


def rows() -> Iterator[Row | str]:
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        folder, upstream = Path(name), _free_port()
        stack.enter_context(_running([sys.executable, "-m", "bench.gateway.upstream", str(upstream)], upstream, folder))
        direct, ours = Door("direct", upstream, 1000), _ours(stack, upstream, folder)
        doors = [direct, ours]
        for peer in (_portkey, _litellm):
            try:
                doors.append(peer(stack, upstream, folder))
            except RuntimeError as error:
                yield f"a gateway is left out: {error}"
        for _ in range(ROUNDS):
            for streamed in (False, True):
                for at_once in (1, AT_ONCE):
                    for door in doors:
                        _load(door, streamed, at_once)
        for streamed in (False, True):
            what = "a streamed chat" if streamed else "a plain chat"
            for peer in doors[2:]:
                for figure in ("p50", "p99"):
                    own = direct.best(streamed, 1, figure)
                    added = [max(door.best(streamed, 1, figure) - own, 1e-9) for door in (ours, peer)]
                    yield Row(f"gateway: added to {what}, {figure}", added[0], peer.name, added[1], "<= 1 x")
                each = [door.best(streamed, AT_ONCE, "each") for door in (ours, peer)]
                yield Row(f"gateway: {what}, {AT_ONCE} at once, each", each[0], peer.name, each[1], "<= 1 x")
                tail = [door.best(streamed, AT_ONCE, "p99") for door in (ours, peer)]
                yield Row(f"gateway: {what}, {AT_ONCE} at once, p99", tail[0], peer.name, tail[1], "<= 1 x")
