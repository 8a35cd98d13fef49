"""Requests as they arrived, answers whole or in frames, and the server that exchanges them."""

from __future__ import annotations

import contextlib
import json
import socket
import socketserver
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

GIVE_UP_SECONDS = 20.0


@dataclass(frozen=True)
class Asked:
    """One request as it arrived; `body` is its JSON, or None where there was none."""

    method: str
    target: str
    headers: Mapping[str, str]
    raw: bytes

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def body(self) -> Any:
        try:
            return json.loads(self.raw)
        except ValueError:
            return None


@dataclass(frozen=True)
class Answer:
    """A body in one piece, or frames of a stream, each in an HTTP chunk of its own. Not `whole`: the end is missing."""

    status: int = 200
    raw: bytes = b""
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    frames: tuple[bytes, ...] | None = None
    whole: bool = True


class Refused(Exception):
    """An answer that ends the handling of a request."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer


def dumped(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def sse_frame(value: Any) -> bytes:
    return b"data: " + dumped(value) + b"\n\n"


DONE = b"data: [DONE]\n\n"


class Server(ThreadingHTTPServer):
    """A thread per connection; closing it ends the connections that clients keep alive, and waits for the threads."""

    daemon_threads = False
    request_queue_size = 64

    def __init__(self, play: Callable[[Asked], Answer]) -> None:
        self.play = play
        self.errors: list[BaseException] = []
        self._open: set[socket.socket] = set()
        super().__init__(("127.0.0.1", 0), _Handler)

    def server_bind(self) -> None:
        socketserver.TCPServer.server_bind(self)  # HTTPServer's would look a name up
        self.server_name, self.server_port = self.server_address[:2]

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        error = sys.exception()
        if error is not None and not isinstance(error, OSError):  # that the client hung up is no news
            self.errors.append(error)

    def stop(self) -> None:
        self.shutdown()
        for connection in list(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = GIVE_UP_SECONDS
    server: Server

    def _serve(self) -> None:
        raw = self.rfile.read(int(self.headers.get("content-length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        answer = self.server.play(Asked(self.command, self.path, headers, raw))
        if not answer.whole:
            self.close_connection = True
        self.send_response_only(answer.status)
        self.send_header("Content-Type", answer.content_type)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if answer.frames is None:
            self.send_header("Content-Length", str(len(answer.raw)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(answer.raw if answer.whole else answer.raw[: len(answer.raw) // 2])
            return
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for frame in answer.frames:
            self.wfile.write(b"%x\r\n%s\r\n" % (len(frame), frame))
        if answer.whole:
            self.wfile.write(b"0\r\n\r\n")

    def __getattr__(self, name: str) -> Any:
        if name.startswith("do_"):  # every method alike
            return self._serve
        raise AttributeError(name)

    def log_message(self, format: str, *args: Any) -> None:
        pass
