"""A model server on the loopback that says what it is told to, and keeps every byte that reached it.

It lives in an event loop of another thread; the tests look at what it has seen.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import struct
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final


@dataclass(frozen=True)
class Asked:
    """One request as it arrived."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def is_message(self) -> bool:
        """Whether it holds what a client said, rather than being a probe."""
        return self.method == "POST" and not self.target.startswith("/api/")


class Gate:
    """A server waits at it until the test opens it."""

    def __init__(self) -> None:
        self.reached = 0
        self._open = False
        self._waiting: set[asyncio.Event] = set()

    async def wait(self) -> None:
        event = asyncio.Event()
        event.loop = asyncio.get_running_loop()  # type: ignore[attr-defined]
        self._waiting.add(event)
        self.reached += 1
        if self._open:
            event.set()
        await event.wait()

    def open(self) -> None:
        self._open = True
        for event in list(self._waiting):
            event.loop.call_soon_threadsafe(event.set)  # type: ignore[attr-defined]


HANG: Final = "hang"
"""Say nothing more until the other side closes."""
CLOSE: Final = "close"
"""Close the connection."""
RESET: Final = "reset"
"""Break it."""
Step = bytes | Gate | str
Script = Callable[[Asked], Sequence[Step]]


def http(body: bytes | str | Mapping[str, Any] | list[Any] = b"", status: str = "200 OK", **headers: str) -> list[Step]:
    """An answer on a connection that is kept; header names in keywords, `_` for `-`."""
    if not isinstance(body, (bytes, str)):
        body = json.dumps(body)
    raw = body.encode() if isinstance(body, str) else body
    fields = {"content-type": "application/json", "content-length": str(len(raw))}
    fields |= {name.replace("_", "-"): value for name, value in headers.items()}
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return [f"HTTP/1.1 {status}\r\n{head}\r\n".encode() + raw]


STREAM_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
STREAM_END = b"0\r\n\r\n"


def chunk(raw: bytes) -> bytes:
    """One HTTP chunk."""
    return b"%x\r\n%s\r\n" % (len(raw), raw)


def event(value: Any) -> bytes:
    """One server-sent event as an HTTP chunk."""
    return chunk(f"data: {json.dumps(value)}\n\n".encode())


def delta(finish: str | None = None, **said: Any) -> bytes:
    """A chunk of a stream with one choice."""
    return event({"model": "served", "choices": [{"index": 0, "delta": said, "finish_reason": finish}]})


USAGE = event({"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 2}})
DONE = chunk(b"data: [DONE]\n\n")


def stream(*deltas: bytes, usage: bool = True) -> list[Step]:
    """A whole stream of these chunks."""
    return [STREAM_HEAD, *deltas, *([USAGE] if usage else []), DONE, STREAM_END]


def completion(text: str | None = "Hello", finish: str = "stop", **message: Any) -> dict[str, Any]:
    """A chat.completion."""
    said = {"role": "assistant", "content": text, **message}
    return {
        "id": "c-1",
        "object": "chat.completion",
        "model": "served",
        "choices": [{"index": 0, "message": said, "finish_reason": finish}],
        "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5},
    }


def vectors(texts: int) -> dict[str, Any]:
    """Embeddings of so many texts."""
    return {
        "object": "list",
        "model": "served",
        "data": [{"object": "embedding", "index": n, "embedding": [1.5, -0.25, float(n)]} for n in range(texts)],
        "usage": {"prompt_tokens": 2 * texts, "total_tokens": 2 * texts},
    }


def probed(asked: Asked) -> list[Step] | None:
    """What an mlx_lm.server says to a probe; None for what is no probe."""
    if asked.method != "GET":
        return None
    if asked.target.endswith("/health"):
        return http({"status": "ok"})
    if asked.target.endswith("/v1/models"):
        return http({"object": "list", "data": [{"id": "default_model", "object": "model", "created": 1}]})
    return http("Not Found", status="404 Not Found", content_type="text/html")


def saying(text: str, finish: str = "stop") -> Script:
    """A server that answers every chat with one text, whole or word by word."""

    def script(asked: Asked) -> Sequence[Step]:
        if (found := probed(asked)) is not None:
            return found
        if asked.target.endswith("/embeddings"):
            return http(vectors(len(asked.json["input"])))
        if asked.json.get("stream"):
            pieces = [text[at : at + 3] for at in range(0, len(text), 3)]
            return stream(delta(role="assistant"), *(delta(content=piece) for piece in pieces), delta(finish))
        return http(completion(text, finish))

    return script


good = saying("Hello there")


def failing(status: str, body: Any = None, **headers: str) -> Script:
    """A server that is up for probes and refuses all that is asked."""
    said = {"error": {"message": "no"}} if body is None else body

    def script(asked: Asked) -> Sequence[Step]:
        return probed(asked) or http(said, status=status, **headers)

    return script


def answering(*steps: Step) -> Script:
    """A server that is up for probes and says just this."""

    def script(asked: Asked) -> Sequence[Step]:
        return probed(asked) or list(steps)

    return script


CUT = answering(STREAM_HEAD, delta(role="assistant"), delta(content="Hel"), CLOSE)
"""A stream that ends without a finish reason; to a whole chat, an answer that is no JSON."""
FAULTS: dict[str, Script] = {
    "500": failing("500 Internal Server Error"),
    "502": failing("502 Bad Gateway", "<html>bad gateway</html>"),
    "503": failing("503 Service Unavailable", {"error": {"message": "Loading model", "code": 503}}),
    "429": failing("429 Too Many Requests"),
    "401": failing("401 Unauthorized"),
    "404": failing("404 Not Found", {"error": {"message": "model not found", "code": "model_not_found"}}),
    "400": failing("400 Bad Request", {"error": {"message": "what is that?"}}),
    "context": failing("400 Bad Request", {"error": {"message": "maximum context", "code": "context_length_exceeded"}}),
    "302": failing("302 Found", "", location="http://127.0.0.1:1/"),
    "html": answering(*http("<html>hello</html>", content_type="text/html")),
    "empty": answering(*http("{}")),
    "close": answering(CLOSE),
    "reset": answering(RESET),
    "cut": CUT,
    "half a head": answering(b"HTTP/1.1 200 O", CLOSE),
    "no HTTP": answering(b"SSH-2.0-OpenSSH\r\n", CLOSE),
}


@dataclass
class Upstream:
    """A server. `script` may be changed while it runs; a request is answered by the script that it meets."""

    script: Script = good
    asked: list[Asked] = field(default_factory=list)
    connections: int = 0
    closed: int = 0
    """Connections that have ended."""
    raw: bytearray = field(default_factory=bytearray)
    """Every byte that reached it."""
    port: int = 0
    _server: asyncio.Server | None = None
    _tasks: set[asyncio.Task[Any]] = field(default_factory=set)

    @property
    def url(self) -> str:
        """The base URL without `/v1`."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def messages(self) -> list[Asked]:
        """What was asked of it, without probes."""
        return [one for one in list(self.asked) if one.is_message]

    def forget(self) -> None:
        """As if nothing had been asked."""
        self.asked.clear()
        self.raw.clear()
        self.connections = self.closed = 0

    async def start(self) -> None:
        """Listen on a free port, or again on the one it had."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Be gone: nothing listens any more, and no connection is left."""
        if self._server is not None:
            self._server.close()
            for task in list(self._tasks):
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            await self._server.wait_closed()
            self._server = None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.connections += 1
        try:
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                while (asked := await self._read(reader)) is not None:
                    self.asked.append(asked)
                    if not await self._answer(self.script(asked), reader, writer):
                        break
        finally:
            self._tasks.discard(task)
            writer.close()
            with contextlib.suppress(ConnectionError, asyncio.CancelledError):
                await writer.wait_closed()
            self.closed += 1

    async def _read(self, reader: asyncio.StreamReader) -> Asked | None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError as error:
            self.raw += error.partial
            return None
        self.raw += head
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        self.raw += body
        method, target, *_ = first.split(" ")
        return Asked(method, target, headers, body)

    async def _answer(self, steps: Iterable[Step], reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Whether the connection is kept."""
        gone = asyncio.ensure_future(reader.read(1)) if any(not isinstance(step, bytes) for step in steps) else None
        try:
            for step in steps:
                if isinstance(step, bytes):
                    writer.write(step)
                    await writer.drain()
                elif isinstance(step, Gate):
                    waiting = asyncio.ensure_future(step.wait())
                    assert gone is not None
                    await asyncio.wait((waiting, gone), return_when=asyncio.FIRST_COMPLETED)
                    if not waiting.done():
                        waiting.cancel()
                        return False
                elif step == HANG:
                    assert gone is not None
                    await asyncio.wait((gone,))
                    return False
                else:
                    if step == RESET:
                        raw = writer.get_extra_info("socket")
                        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    return False
            return gone is None or not gone.done()
        finally:
            if gone is not None:
                gone.cancel()
                with contextlib.suppress(asyncio.CancelledError, ConnectionError):
                    await gone
