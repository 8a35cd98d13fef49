"""`aldo chat` in a process of its own: interruptions, readers that go, terminals."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import threading
from pathlib import Path

import pytest

from tests.cli.chat_options.chatting import FIRST, GIVE_UP, command, good, rows
from tests.support.bound import COMPLETION, STREAM
from tests.support.fake_server import FakeServer, Reply, Seen, http, sse


@pytest.mark.parametrize("way", ["streamed", "whole"])
def test_an_interruption_ends_with_130_and_leaves_one_cancelled_row(way: str, tmp_path: Path) -> None:
    asked = threading.Event()

    def hang(seen: Seen) -> Reply:
        asked.set()
        return Reply(sse(FIRST) if way == "streamed" else b"", after="hang")

    with FakeServer([hang]) as server:
        line, env = command(tmp_path, *(["--json"] if way == "whole" else []), url=server.url)
        process = subprocess.Popen(
            line, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        assert asked.wait(GIVE_UP)
        if way == "streamed":
            assert process.stdout
            assert process.stdout.read(5) == b"Hello"
        process.send_signal(signal.SIGINT)
        out, errors = process.communicate(timeout=GIVE_UP)
    assert (process.returncode, errors) == (130, b"")
    assert out.strip() == b""
    assert [row["outcome"] for row in rows(tmp_path / "usage.jsonl")] == ["cancelled"]


def test_a_reader_that_has_gone_ends_the_call_and_leaves_one_cancelled_row(tmp_path: Path) -> None:
    """As `aldo chat … | head -c 1` does. The server goes on for ever; the client hangs up."""
    read, write = os.pipe()
    os.close(read)
    with FakeServer([Reply(sse(FIRST * 3), after="hang")]) as server:
        line, env = command(tmp_path, url=server.url)
        process = subprocess.Popen(line, env=env, stdin=subprocess.DEVNULL, stdout=write, stderr=subprocess.PIPE)
        os.close(write)
        _, errors = process.communicate(timeout=GIVE_UP)
    assert (process.returncode, errors) == (0, b"")
    assert [row["outcome"] for row in rows(tmp_path / "usage.jsonl")] == ["cancelled"]


class Screen:
    """A terminal for the standard error of a process; `until` reads on until something is shown."""

    def __init__(self) -> None:
        self._ours, self.theirs = pty.openpty()
        self.shown = ""

    def until(self, words: str) -> None:
        while words not in self.shown:
            assert self._read(), self.shown

    def rest(self) -> str:
        while self._read():
            pass
        os.close(self._ours)
        return self.shown

    def _read(self) -> bool:
        try:
            piece = os.read(self._ours, 4096)
        except OSError:  # Linux: the other end is closed
            return False
        self.shown += piece.decode("utf-8", "replace")
        return bool(piece)


@pytest.mark.parametrize("way", ["streamed", "schema"])
def test_on_a_terminal_something_moves_and_a_summary_follows_and_neither_is_in_the_answer(
    way: str, tmp_path: Path
) -> None:
    go = threading.Event()

    def wait(seen: Seen) -> bytes:
        assert go.wait(GIVE_UP)
        return sse(STREAM) if way == "streamed" else http(json.dumps(COMPLETION).replace("Hello", "[1]"))

    (tmp_path / "s.json").write_text("{}")
    screen = Screen()
    with FakeServer([wait]) as server:
        more = ["--schema", str(tmp_path / "s.json")] if way == "schema" else []
        line, env = command(tmp_path, *more, url=server.url)
        process = subprocess.Popen(
            line, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=screen.theirs
        )
        os.close(screen.theirs)
        screen.until(" e0 ")  # it moves while the server is silent
        go.set()
        out, _ = process.communicate(timeout=GIVE_UP)
    shown = screen.rest()
    assert process.returncode == 0
    assert out == (b"Hello\n" if way == "streamed" else b"[\n  1\n]\n")
    moving, _, after = shown.rpartition("\r\x1b[K")
    assert " e0 " in moving
    for word in ("e0", "1 tokens", "stop", "first after", "0 USD"):
        assert word in after
    assert "Hello" not in shown


def test_without_a_terminal_nothing_moves(tmp_path: Path) -> None:
    with FakeServer([good]) as server:
        line, env = command(tmp_path, url=server.url)
        done = subprocess.run(line, env=env, stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"Hello\n", b"")
