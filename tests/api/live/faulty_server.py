"""Two chat servers in a process of their own that often fail, and keep count of how.

`python -m tests.api.live.faulty_server --port N` listens for orders on that port and serves chats on two more, which
the orders' `/counts` names. A good answer says the number of the request that it answers, so that answers which went
to the wrong client show.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import http.client
import json
import random
import socket
import struct
import sys
from collections import Counter
from collections.abc import Callable, Coroutine
from typing import Any

from tests.support.server_process import HOST, ServerProcess, free_port

ANNOUNCEMENT = "tests.api.live.faulty_server: listening on"
MODELS = ("first", "second", "third", "fourth")
"""Two on each of the two servers."""
PATIENT, LEAVER = "patient", "leaver"
"""The first word of a prompt; the second is the number of the request."""

WEIGHTS = {
    "whole": 70.0,
    "drip": 5.0,  # a piece now and then
    "split": 5.0,  # comments, blank lines and torn frames in between
    "reset": 2.0,  # a RST in the head's place
    "error_500": 3.0,
    "loading": 2.0,
    "limited": 2.0,  # and come again at once
    "hang": 0.4,
    "comments": 0.4,  # keep-alives and nothing else
    "cut": 3.0,  # in mid-stream, in the middle of a frame
    "error_event": 2.0,
    "page": 2.0,
    "no_finish": 2.0,
    "no_json": 1.5,
    "garbage": 1.5,  # in the head's place
}
OUTCOMES = {
    "whole": "ok",
    "drip": "ok",
    "split": "ok",
    "reset": "connection",
    "error_500": "server_error",
    "loading": "server_loading",
    "limited": "rate_limited",
    "hang": "timeout",
    "comments": "timeout",
    "cut": "stream_cut",
    "error_event": "server_error",
    "page": "protocol",
    "no_finish": "stream_cut",
    "no_json": "protocol",
    "garbage": "connection",
}
"""What the usage log is to say of each."""
STORM_EVERY, STORM_LENGTH = 1500, 60
"""Of so many requests, so many fail one after another, whoever they are for."""

_RESET = struct.pack("ii", 1, 0)
_DRIP_SECONDS = 0.01
_COMMENT_SECONDS = 0.2
_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"


def pieces_of(number: int) -> list[str]:
    """The pieces of the right answer to a request."""
    return [f"answer to {number}:", *(f" {number * step % 9973}" for step in range(2, 8 + number % 5)), " крокодил."]


class Counts:
    """What was asked and answered."""

    def __init__(self) -> None:
        self.attempts: dict[str, Counter[str]] = {PATIENT: Counter(), LEAVER: Counter()}
        """By kind of client, `model kind`."""
        self.open: set[_Connection] = set()
        self.most_open = 0
        self.total = 0

    def to_dict(self) -> dict[str, Any]:
        return {"attempts": self.attempts, "open": len(self.open), "mostOpen": self.most_open, "total": self.total}


class _Connection(asyncio.Protocol):
    """One connection, kept as long as the answers on it are whole."""

    def __init__(self, counts: Counts, draw: random.Random) -> None:
        self._counts, self._draw = counts, draw
        self._data = b""
        self._transport: Any = None
        self._task: asyncio.Task[None] | None = None

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self._counts.open.add(self)
        self._counts.most_open = max(self._counts.most_open, len(self._counts.open))

    def connection_lost(self, exc: Exception | None) -> None:
        self._counts.open.discard(self)
        if self._task is not None:
            self._task.cancel()

    def drop(self) -> None:
        """Close it where nothing is under way."""
        if self._task is None or self._task.done():
            self._transport.close()

    def data_received(self, data: bytes) -> None:
        self._data += data
        head, found, body = self._data.partition(b"\r\n\r\n")
        if not found:
            return
        lines = head.decode("latin-1").lower().split("\r\n")
        length = next((int(line.partition(":")[2]) for line in lines if line.startswith("content-length:")), 0)
        if len(body) < length:
            return
        self._data = body[length:]
        if lines[0].startswith("get"):
            listed = {"object": "list", "data": [{"id": model, "object": "model"} for model in MODELS]}
            self._say(json.dumps(listed))
            return
        self._answer(json.loads(body[:length]))

    def _answer(self, asked: dict[str, Any]) -> None:
        counts = self._counts
        manner, number = asked["messages"][-1]["content"].split()
        stormy = counts.total % STORM_EVERY >= STORM_EVERY - STORM_LENGTH
        kind = "error_500" if stormy else self._draw.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
        counts.total += 1
        counts.attempts[manner][f"{asked['model']} {kind}"] += 1
        step = getattr(self, f"_{kind}")(Frames(asked["model"], int(number)))
        if step is not None:
            self._task = asyncio.get_running_loop().create_task(step)

    def _say(self, body: str, status: str = "200 OK", *, kind: str = "application/json", more: str = "") -> None:
        head = f"HTTP/1.1 {status}\r\ncontent-type: {kind}\r\n{more}content-length: {len(body.encode())}\r\n\r\n"
        self._transport.write((head + body).encode())

    def _chunk(self, data: bytes) -> None:
        self._transport.write(b"%x\r\n%b\r\n" % (len(data), data))

    def _stream(self, *frames: bytes) -> None:
        self._transport.write(_HEAD)
        for frame in frames:
            self._chunk(frame)
        self._transport.write(b"0\r\n\r\n")

    # One method for each kind.

    def _whole(self, frames: Frames) -> None:
        self._stream(*frames.good())

    async def _drip(self, frames: Frames) -> None:
        self._transport.write(_HEAD)
        for frame in frames.good():
            self._chunk(frame)
            await asyncio.sleep(_DRIP_SECONDS)
        self._transport.write(b"0\r\n\r\n")

    async def _split(self, frames: Frames) -> None:
        data = b": keep-alive\n\n".join(frames.good())
        self._transport.write(_HEAD)
        for start in range(0, len(data), 211):  # characters are torn, too
            self._chunk(data[start : start + 211])
            await asyncio.sleep(0)
        self._transport.write(b"0\r\n\r\n")

    def _reset(self, _: Frames) -> None:
        self._transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self._transport.abort()

    def _error_500(self, _: Frames) -> None:
        self._say('{"error": {"message": "it broke", "type": "server_error", "code": 500}}', "500 Oh no")

    def _loading(self, _: Frames) -> None:
        self._say('{"error": {"message": "Loading model", "type": "unavailable_error", "code": 503}}', "503 Busy")

    def _limited(self, _: Frames) -> None:
        self._say('{"error": {"message": "too fast"}}', "429 Too Many Requests", more="retry-after: 0\r\n")

    async def _hang(self, _: Frames) -> None:
        """Until the other side gives up."""
        await asyncio.Event().wait()

    async def _comments(self, _: Frames) -> None:
        self._transport.write(_HEAD)
        while True:
            self._chunk(b": keep-alive\n\n")
            await asyncio.sleep(_COMMENT_SECONDS)

    def _cut(self, frames: Frames) -> None:
        self._transport.write(_HEAD)
        for frame in frames.good()[:4]:
            self._chunk(frame)
        self._chunk(frames.good()[4][:20])
        self._transport.close()

    def _error_event(self, frames: Frames) -> None:
        error = b'data: {"error": {"message": "out of memory", "type": "server_error", "code": 500}}\n\n'
        self._stream(*frames.good()[:4], error)

    def _page(self, _: Frames) -> None:
        self._say("<html><body><h1>It works!</h1></body></html>", kind="text/html")

    def _no_finish(self, frames: Frames) -> None:
        self._stream(*frames.texts(), b"data: [DONE]\n\n")

    def _no_json(self, frames: Frames) -> None:
        self._stream(*frames.good()[:3], b"data: \xff\xfe nothing that anybody knows\n\n", *frames.good()[3:])

    def _garbage(self, _: Frames) -> None:
        self._transport.write(b"\x16\x03\x01\x02\x00 this is no HTTP \xff\r\n\r\n")
        self._transport.close()


class Frames:
    """The frames of one answer."""

    def __init__(self, model: str, number: int) -> None:
        self._model = model
        self._pieces = pieces_of(number)

    def texts(self) -> list[bytes]:
        """The answer without an end."""
        return [self._frame({"content": piece}) for piece in self._pieces]

    def good(self) -> list[bytes]:
        """All of it, with a finish reason."""
        usage = {"prompt_tokens": 7, "completion_tokens": len(self._pieces)}
        counted = f"data: {json.dumps({'model': self._model, 'choices': [], 'usage': usage})}\n\n".encode()
        begun, ended = self._frame({"role": "assistant", "content": ""}), self._frame({}, "stop")
        return [begun, *self.texts(), ended, counted, b"data: [DONE]\n\n"]

    def _frame(self, delta: dict[str, str], finish: str | None = None) -> bytes:
        chunk = {"model": self._model, "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}
        return f"data: {json.dumps(chunk, ensure_ascii=False)}\n\n".encode()


async def _orders(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, counts: Counts, ports: list[int]) -> None:
    """`/health`, `/counts`, and `/drop`, which closes the connections on which nothing is under way."""
    with contextlib.suppress(OSError, asyncio.IncompleteReadError):
        path = (await reader.readuntil(b"\r\n\r\n")).split(b" ")[1]
        if path == b"/drop":
            for connection in tuple(counts.open):
                connection.drop()
        body = json.dumps({**counts.to_dict(), "ports": ports}).encode()
        writer.write(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body))
        await writer.drain()
    writer.close()


async def serve(port: int, seed: int) -> None:
    """Serve until the process is killed."""
    counts, draw, loop = Counts(), random.Random(seed), asyncio.get_running_loop()
    servers = [await loop.create_server(lambda: _Connection(counts, draw), HOST, 0, backlog=2048) for _ in range(2)]
    ports = [server.sockets[0].getsockname()[1] for server in servers]
    orders = await asyncio.start_server(lambda *both: _orders(*both, counts, ports), HOST, port)
    print(ANNOUNCEMENT, port, flush=True)
    async with orders:
        await orders.serve_forever()


def fast_run(work: Coroutine[Any, Any, Any]) -> Any:
    """Run it on uvloop, where there is one."""
    factory: Callable[[], asyncio.AbstractEventLoop] | None = None
    with contextlib.suppress(ImportError):
        from uvloop import new_event_loop as factory
    with asyncio.Runner(loop_factory=factory) as runner:
        return runner.run(work)


class FaultyServer(ServerProcess):
    """The two of them, for the length of a `with` block."""

    title = "the faulty server"
    announcement = ANNOUNCEMENT
    taken = "address already in use"

    def __init__(self, *, seed: int = 1) -> None:
        super().__init__(port=free_port(), log=None, env=None, ready_seconds=30.0)
        self._seed = seed

    def _command(self) -> list[str]:
        module = "tests.api.live.faulty_server"
        return [sys.executable, "-m", module, f"--port={self.port}", f"--seed={self._seed}"]

    def counts(self) -> dict[str, Any]:
        """What was asked and answered so far, and the two ports."""
        return self._order("/counts")

    def drop(self) -> None:
        """Close the connections on which nothing is under way."""
        self._order("/drop")

    def _order(self, path: str) -> dict[str, Any]:
        connection = http.client.HTTPConnection(HOST, self.port, timeout=30)
        try:
            connection.request("GET", path)
            found: dict[str, Any] = json.loads(connection.getresponse().read())
            return found
        finally:
            connection.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    fast_run(serve(given.port, given.seed))


if __name__ == "__main__":
    main()
