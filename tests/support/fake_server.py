"""A server on the loopback that says exactly the bytes it was told to, and remembers what it was asked.

It knows no protocol beyond reading one request per connection, so it can break every rule on purpose.
"""

from __future__ import annotations

import contextlib
import json
import socket
import struct
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from types import TracebackType
from typing import Any, Literal

ACCEPT_POLL_SECONDS = 0.01
DRIP_SECONDS = 0.02
MOST_DRIPS = 150
GIVE_UP_SECONDS = 20.0

After = Literal["close", "reset", "hang", "drip"]
"""What follows the last byte: a clean end, a RST, silence, or `Reply.drip` again and again for a while."""


@dataclass(frozen=True)
class Seen:
    """One request as it arrived."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Reply:
    """The raw bytes of an answer, where to cut them (`cuts`: offsets; `bytewise`: everywhere), and its end."""

    raw: bytes
    cuts: Sequence[int] = ()
    bytewise: bool = False
    after: After = "close"
    drip: bytes = b": keepalive\n\n"

    def pieces(self) -> Iterable[bytes]:
        if self.bytewise:
            return (self.raw[i : i + 1] for i in range(len(self.raw)))
        edges = [0, *sorted(self.cuts), len(self.raw)]
        return [self.raw[a:b] for a, b in pairwise(edges) if b > a]


Script = Reply | bytes | Callable[[Seen], "Reply | bytes"]


def http(body: bytes | str = b"", status: str = "200 OK", length: bool = True, **headers: str) -> bytes:
    """An HTTP/1.1 answer; header names in keywords, `_` for `-`. Without `length` its end is the connection's."""
    raw = body.encode() if isinstance(body, str) else body
    fields = {"content-type": "application/json"} | {name.replace("_", "-"): value for name, value in headers.items()}
    if length:
        fields["content-length"] = str(len(raw))
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"HTTP/1.1 {status}\r\n{head}connection: close\r\n\r\n".encode() + raw


def sse(body: bytes, **headers: str) -> bytes:
    """A stream as mlx_lm.server frames it: delimited by the end of the connection alone."""
    return http(body, length=False, **({"content_type": "text/event-stream"} | headers))


def chunked(body: bytes, size: int, *, whole: bool = True) -> bytes:
    """A stream in HTTP chunks of `size` bytes; with `whole=False` the closing chunk never comes."""
    parts = [body[i : i + size] for i in range(0, len(body), size)]
    framed = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts)
    head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
    return head + framed + (b"0\r\n\r\n" if whole else b"")


@dataclass
class FakeServer:
    """Answers connection n with script n; the last script serves all later ones. Use as a context manager."""

    scripts: Sequence[Script]
    host: str = "127.0.0.1"
    seen: list[Seen] = field(default_factory=list)
    connections: int = 0
    ran_dry: bool = False  # whether somebody listened to a whole drip

    def __post_init__(self) -> None:
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        self._listener = socket.socket(family, socket.SOCK_STREAM)
        self._listener.bind((self.host, 0))
        self._listener.listen(64)
        self._listener.settimeout(ACCEPT_POLL_SECONDS)
        self.port: int = self._listener.getsockname()[1]
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._accept, daemon=True)]

    @property
    def url(self) -> str:
        """The base URL without `/v1`."""
        return f"http://[{self.host}]:{self.port}" if ":" in self.host else f"http://{self.host}:{self.port}"

    def __enter__(self) -> FakeServer:
        self._threads[0].start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._over.set()
        for thread in list(self._threads):
            thread.join(GIVE_UP_SECONDS)
        self._listener.close()

    def _accept(self) -> None:
        while not self._over.is_set():
            try:
                connection, _ = self._listener.accept()
            except TimeoutError:
                continue
            script = self.scripts[min(self.connections, len(self.scripts) - 1)]
            self.connections += 1
            thread = threading.Thread(target=self._serve, args=(connection, script), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket, script: Script) -> None:
        connection.settimeout(GIVE_UP_SECONDS)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with connection, contextlib.suppress(OSError):
            request = _read(connection)
            if request is None:
                return
            self.seen.append(request)
            reply = script(request) if callable(script) else script
            reply = reply if isinstance(reply, Reply) else Reply(reply)
            for piece in reply.pieces():
                connection.sendall(piece)
            self._finish(connection, reply)

    def _finish(self, connection: socket.socket, reply: Reply) -> None:
        if reply.after == "reset":
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        elif reply.after == "hang":
            connection.settimeout(ACCEPT_POLL_SECONDS)
            while not self._over.is_set():
                with contextlib.suppress(TimeoutError):
                    if not connection.recv(1024):
                        return
        elif reply.after == "drip":
            for _ in range(MOST_DRIPS):
                if self._over.wait(DRIP_SECONDS):
                    return
                connection.sendall(reply.drip)
            self.ran_dry = True


def _read(connection: socket.socket) -> Seen | None:
    """One whole request, or None where the client hung up first."""
    data = b""
    while b"\r\n\r\n" not in data:
        more = connection.recv(65536)
        if not more:
            return None
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    first, *rest = head.decode("latin-1").split("\r\n")
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in rest)}
    while len(body) < int(headers.get("content-length", "0")):
        more = connection.recv(65536)
        if not more:
            return None
        body += more
    method, target, *_ = first.split(" ")
    return Seen(method, target, headers, body)
