"""Servers on the loopback that say what the test wants, and `aldo chat` asked of them."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from aldo.cli.main import cli
from tests.support.bound import COMPLETION, STREAM, entry
from tests.support.cases import ROOT
from tests.support.fake_server import FakeServer, Script, Seen, http, sse

REQUEST = ("--class", "local-reasoning", "--privacy", "sensitive")
FIRST = STREAM[: STREAM.index(b"\n\n") + 2]
GIVE_UP = 20.0


def good(seen: Seen) -> bytes:
    return sse(STREAM) if seen.json["stream"] else http(json.dumps(COMPLETION))


def saying(text: str, **more: Any) -> Script:
    """A server whose model says this, streamed or not."""
    choice = {"message": {"content": text}, "finish_reason": "stop"} | more

    def script(seen: Seen) -> bytes:
        if not seen.json["stream"]:
            return http(json.dumps({**COMPLETION, "choices": [choice]}))
        chunk = {"choices": [{"delta": choice["message"], "finish_reason": choice["finish_reason"]}]}
        return sse(f"data: {json.dumps(chunk)}\n\ndata: [DONE]\n\n".encode())

    return script


def busy(seen: Seen) -> bytes:
    return http('{"error": {"message": "busy"}}', status="503 No", retry_after="0")


def catalog(folder: Path, *urls: str, **more: Any) -> str:
    """A catalog of local entries e0, e1, … at these addresses."""
    models = [entry(config={"baseUrl": url}, id=f"e{number}") | more for number, url in enumerate(urls)]
    path = folder / "models.json"
    path.write_text(json.dumps({"apiVersion": "aldo/models.v1", "kind": "ModelCatalog", "models": models}))
    return str(path)


class Aldo:
    """`aldo chat` in this process, with a catalog of its own; its standard output is no terminal."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def file(self, name: str, content: str | bytes | Any) -> str:
        path = self.folder / name
        if not isinstance(content, (str, bytes)):
            content = json.dumps(content)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return str(path)

    def chat(
        self, *arguments: str, servers: Sequence[FakeServer], stdin: str | bytes | None = None, **environ: str
    ) -> Result:
        chosen = catalog(self.folder, *(server.url for server in servers))
        env: dict[str, str | None] = {name: None for name in os.environ if name.startswith("ALDO_")}
        command = ["chat", *REQUEST, "--catalog", chosen, *arguments]
        result = CliRunner().invoke(cli, command, input=stdin, env={**env, **environ})
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result


def one_line(text: str) -> str:
    """What was folded for the terminal."""
    return " ".join(text.split())


def refused(result: Result, server: FakeServer, *words: str) -> None:
    """Bad usage, told in words, and nobody was asked."""
    assert (result.exit_code, result.stdout) == (2, ""), result.output
    for word in words:
        assert word in one_line(result.stderr)
    assert "Traceback" not in result.stderr
    assert server.connections == 0


def body(server: FakeServer) -> Any:
    (seen,) = server.seen
    return seen.json


def tool(name: str = "f", **more: Any) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name, "parameters": {"type": "object"}, **more}}


CALL = [{"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"x": "é"}'}}]
CALLING = saying("", message={"content": None, "tool_calls": CALL}, finish_reason="tool_calls")


def rows(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def command(folder: Path, *arguments: str, url: str) -> tuple[list[str], dict[str, str]]:
    env = {name: value for name, value in os.environ.items() if not name.startswith(("ALDO_", "GITHUB_"))}
    env |= {"PYTHONIOENCODING": "utf-8", "PYTHONPATH": str(ROOT), "TERM": "xterm"}
    chosen = ["--catalog", catalog(folder, url), "--usage", str(folder / "usage.jsonl")]
    return [sys.executable, "-m", "aldo.cli.main", "chat", *REQUEST, *chosen, *arguments, "hello"], env
