"""A server that tells when a connection came, was asked, and ended, and clients of it.

What the server sees is an event that the test waits for: nothing here sleeps or looks at a clock.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from contextlib import aclosing, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

import anyio

from aldo.router import route
from aldo.schema import Catalog, Decision, RouteRequest
from aldo.schema.usage import UsageRow
from aldo.transport import (
    AsyncModelClient,
    EmbeddingRequest,
    ModelClient,
    Timeouts,
    resolve,
    resolve_async,
)
from tests.support.bound import ASK, COMPLETION, STREAM, entry

GIVE_UP = 20.0
TEXTS = EmbeddingRequest(("one", "two"))
FIRST = STREAM[: STREAM.index(b"\n\n") + 2]
PATIENT = Timeouts(connect=GIVE_UP, read=GIVE_UP, no_content=GIVE_UP)
WAYS = ["chat", "stream", "embed"]


class Handler(BaseHTTPRequestHandler):
    """Keeps its connection. What it says is `server.say`: whole answers, or a part and then silence."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Server

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server.requests.append((self.client_address[1], body))
        self.server.asked.release()
        if self.server.say == "whole":
            self._whole(body)
            return
        if self.server.say == "busy":
            self._send(b'{"error": {"message": "busy"}}', 429, [("retry-after", "30")])
            return
        self.close_connection = True
        self.connection.settimeout(GIVE_UP)
        with suppress(ConnectionResetError, BrokenPipeError):  # it may be gone before a word was said
            self._begin()
            self.server.said.set()
            if self.connection.recv(1):
                return
        self.server.gone.release()

    def _begin(self) -> None:
        if self.server.say in ("head", "begun", "comment"):
            self.wfile.write(
                b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
            )
        for piece in {"begun": [FIRST], "comment": [b": keepalive\n\n"]}.get(self.server.say, []):
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))

    def _whole(self, body: Any) -> None:
        if self.server.together:
            self.server.together.wait(GIVE_UP)
        if body.get("stream"):
            self._send(STREAM.replace(b"Hello", body["messages"][0]["content"].encode()))
        elif "input" in body:
            data = [{"index": n, "embedding": [n, 1]} for n in range(len(body["input"]))]
            self._send(json.dumps({"data": data}).encode())
        else:
            message = {"role": "assistant", "content": body["messages"][0]["content"]}
            choice = {"message": message, "finish_reason": "stop"}
            self._send(json.dumps({**COMPLETION, "choices": [choice]}).encode())

    def _send(self, data: bytes, status: int = 200, more: list[tuple[str, str]] | None = None) -> None:
        self.send_response(status)
        for name, value in (("content-length", str(len(data))), *(more or [])):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def handle(self) -> None:
        with suppress(ConnectionResetError, BrokenPipeError):
            super().handle()
        self.server.ended.release()

    def log_message(self, *_: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    """Counts connections and tells when one has ended (`ended`), or has while an answer was under way (`gone`)."""

    request_queue_size = 256
    daemon_threads = True

    def __init__(self, say: str, together: int = 0) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.say = say
        self.together = threading.Barrier(together) if together else None
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.accepts = 0
        self.requests: list[tuple[int, Any]] = []
        self.asked = threading.Semaphore(0)
        self.said = threading.Event()
        self.gone = threading.Semaphore(0)
        self.ended = threading.Semaphore(0)
        self._thread = threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True)

    def process_request(self, request: Any, client_address: Any) -> None:
        self.accepts += 1
        super().process_request(request, client_address)

    def __enter__(self) -> Server:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.shutdown()
        self._thread.join(GIVE_UP)
        self.socket.close()  # the threads of connections are daemons: a test that fails may leave one waiting


def bound(url: str, **more: Any) -> tuple[Catalog, Decision]:
    catalog = Catalog.model_validate({"models": [entry(config={"baseUrl": url}, **more)]})
    request = {"capabilityClass": "local-reasoning", "privacy": "public"}
    return catalog, route(catalog, RouteRequest.model_validate(request))


def blocking(server: Server, rows: list[UsageRow] | None = None, **more: Any) -> ModelClient:
    note = None if rows is None else rows.append
    return resolve(*bound(server.url), timeouts=PATIENT, on_usage=note, environ={}, **more)


def awaiting(server: Server, rows: list[UsageRow] | None = None, **more: Any) -> AsyncModelClient:
    note = None if rows is None else rows.append
    return resolve_async(*bound(server.url), timeouts=PATIENT, on_usage=note, environ={}, **more)


def outcomes(rows: list[UsageRow]) -> list[str]:
    return [row.outcome for row in rows]


class Enough(Exception):
    pass


async def eventually(acquire: Callable[..., bool]) -> None:
    """Until another thread says so."""
    assert await anyio.to_thread.run_sync(lambda: acquire(timeout=GIVE_UP))


async def ask(client: AsyncModelClient, way: str) -> None:
    if way == "stream":
        async with aclosing(client.stream(ASK)) as events:
            async for _ in events:
                pass
    else:
        await (client.embed(TEXTS) if way == "embed" else client.chat(ASK))
