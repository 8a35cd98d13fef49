"""A directory with a base catalog and one overlay, and what the commands that edit do and refuse there."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from aldo.catalog import read_document
from aldo.catalog.editing.edits import Below
from tests.support.cli import aldo

BASE = """\
apiVersion: aldo/models.v1
kind: ModelCatalog
lock: [privacyAllowed, locality]
models:
  # the box under the desk
  - id: qwen
    provider: ollama
    providerKind: openai-compat
    locality: local
    capabilityClass: local-reasoning
    provides: [streaming, tool-use]   # checked
    privacyAllowed: [public, internal]
    effectiveContextTokens: 32768
    cost: { usdPerMtokIn: 0, usdPerMtokOut: 0 }
    latencyP95Ms: 900
    providerConfig:
      baseUrl: http://localhost:11434
      headers: { x.trace: "on", Plain: a }

  - id: gpt.4o
    provider: openai
    providerKind: openai-compat
    locality: cloud
    capabilityClass: reasoning-large
    provides: [streaming, vision]
    privacyAllowed: [public]
    effectiveContextTokens: 128000
    cost: { usdPerMtokIn: 1.25, usdPerMtokOut: 10 }
    asOf: 2026-11-01
    source: https://openai.example/prices
    providerConfig: { apiKeyEnv: OPENAI_API_KEY }
"""
HEAD = "apiVersion: aldo/models.v1\nkind: ModelCatalogOverlay\n"
MINE = """\
# Ours   # keep
apiVersion: aldo/models.v1
kind: ModelCatalogOverlay

override:
  qwen:   # the box under the desk
    latencyP95Ms: 1200   # measured

  # the cloud one
  gpt.4o:
    $unset: [source]     # gone
    maxOutputTokens: 4096
"""
HOUSE = {
    "id": "house",
    "provider": "ollama",
    "providerKind": "openai-compat",
    "locality": "local",
    "capabilityClass": "local-reasoning",
    "provides": ["streaming", "tool-use"],
    "privacyAllowed": ["public", "internal"],
    "effectiveContextTokens": 32768,
    "cost": {"usdPerMtokIn": 0, "usdPerMtokOut": 0.5},
    "providerConfig": {"baseUrl": "http://localhost:11434"},
}
OPTIONS = (
    *("--provider", "ollama", "--provider-kind", "openai-compat", "--locality", "local", "--class", "local-reasoning"),
    *("--provides", "streaming, tool-use", "--privacy", "public,internal", "--context", "32768"),
    *("--price-in", "0", "--price-out", "0.5", "--base-url", "http://localhost:11434"),
)
KEY = "sk-proj-abcdefghijklmnopqrstuvwxyz0123456789ABCDEF"


class Place:
    """A directory with a base catalog and one overlay."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.write("base.yaml", BASE)
        self.write("mine.yaml", MINE)

    def write(self, name: str, text: str | bytes) -> Path:
        (self.path / name).write_bytes(text if isinstance(text, bytes) else text.encode())
        return self.path / name

    def text(self, name: str = "mine.yaml") -> str:
        return (self.path / name).read_bytes().decode()

    def run(
        self, command: str, *arguments: str, file: str | None = "mine.yaml", **options: Any
    ) -> subprocess.CompletedProcess[str]:
        named = () if file is None else ("--in", file)
        environment = {"ALDO_CATALOG": "base.yaml", **options}
        done = aldo("catalog", command, *arguments, *named, cwd=self.path, **environment)
        assert "Traceback" not in done.stdout + done.stderr, done.stderr
        return done

    def done(self, command: str, *arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
        """A run that succeeds."""
        done = self.run(command, *arguments, **options)
        assert done.returncode == 0, done.stderr + done.stdout
        return done

    def refused(self, command: str, *arguments: str, file: str = "mine.yaml", **options: Any) -> str:
        """What a run says that is refused, on one line; it has written nothing anywhere."""
        before = {path.name: path.read_bytes() for path in self.path.iterdir() if path.is_file()}
        done = self.run(command, *arguments, file=file, **options)
        assert done.returncode == 2, (done.returncode, done.stdout, done.stderr)
        assert done.stdout == "" or "--json" in arguments
        assert {path.name: path.read_bytes() for path in self.path.iterdir() if path.is_file()} == before
        return " ".join((done.stderr + done.stdout).split())

    def merged(self, model: str, *overlays: str) -> dict[str, Any]:
        """The entry as `render` prints it."""
        layers = [part for overlay in overlays or ("mine.yaml",) for part in ("--overlay", overlay)]
        done = aldo("catalog", "render", "--json", "--catalog", "base.yaml", *layers, cwd=self.path)
        assert done.returncode == 0, done.stderr
        value = json.loads(done.stdout)
        return next(entry for entry in value.get("catalog", value)["models"] if entry["id"] == model)


def names(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


def below(directory: Path) -> Below:
    """The layers below an overlay that lies on the base alone."""
    return Below({entry["id"]: entry for entry in read_document(str(directory / "base.yaml")).value["models"]})


def changed(before: str, after: str) -> tuple[list[str], list[str]]:
    """Lines gone and lines new, where the order of the others is the same."""
    old, new = before.splitlines(), after.splitlines()
    gone, made = [line for line in old if line not in new], [line for line in new if line not in old]
    assert [line for line in old if line not in gone] == [line for line in new if line not in made]
    return gone, made
