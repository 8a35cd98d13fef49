"""The same load for everybody: `python -m bench.gateway.load '{"port": …}'` prints what it saw as JSON.

A client as cheap as can be, so that what is timed is the other side.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from dataclasses import dataclass, field
from typing import cast

import uvloop


@dataclass
class Load:
    """Times are seconds."""

    port: int
    streamed: bool
    at_once: int
    requests: int
    headers: dict[str, str] = field(default_factory=dict)
    model: str = "m"

    def message(self) -> bytes:
        body = {"model": self.model, "messages": [{"role": "user", "content": "hello"}], "max_tokens": 100}
        data = json.dumps({**body, "stream": True} if self.streamed else body).encode()
        head = {"host": f"127.0.0.1:{self.port}", "content-type": "application/json", "content-length": len(data)}
        lines = "".join(f"{name}: {value}\r\n" for name, value in {**head, **self.headers}.items())
        return f"POST /v1/chat/completions HTTP/1.1\r\n{lines}\r\n".encode() + data


class _Client(asyncio.Protocol):
    transport: asyncio.Transport

    def __init__(self, load: Load, left: list[int], seen: list[float]) -> None:
        self._message, self._streamed = load.message(), load.streamed
        self._left, self._seen = left, seen
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self._next()

    def _next(self) -> None:
        if self._left[0] <= 0:
            self.transport.close()
            return
        self._left[0] -= 1
        self._data = b""
        self._began = time.perf_counter()
        self.transport.write(self._message)

    def data_received(self, data: bytes) -> None:
        self._data += data
        end = self._data.find(b"\r\n\r\n")
        if end < 0:
            return
        head = self._data[:end].lower()
        place = head.find(b"content-length:")
        if place >= 0:
            if len(self._data) < end + 4 + int(head[place + 15 :].split(b"\r\n")[0]):
                return
        elif not self._data.endswith(b"0\r\n\r\n"):
            return
        if not head.startswith(b"http/1.1 200") or (self._streamed and b"[DONE]" not in self._data):
            self.done.set_exception(RuntimeError(self._data[:500].decode("utf-8", "replace")))
            self.transport.close()
            return
        self._seen.append(time.perf_counter() - self._began)
        self._next()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self.done.set_result(None)


async def _run(load: Load, requests: int) -> tuple[float, list[float]]:
    seen: list[float] = []
    left, clients = [requests], []
    loop = asyncio.get_running_loop()
    began = time.perf_counter()
    for _ in range(load.at_once):
        _, client = await loop.create_connection(lambda: _Client(load, left, seen), "127.0.0.1", load.port)
        clients.append(client.done)
    await asyncio.gather(*clients)
    return time.perf_counter() - began, seen


async def _main(load: Load) -> None:
    await _run(load, max(load.at_once, load.requests // 5))
    seconds, seen = await _run(load, load.requests)
    seen.sort()
    assert len(seen) == load.requests, (len(seen), load.requests)
    found = {"p50": seen[len(seen) // 2], "p99": seen[int(len(seen) * 0.99)], "each": seconds / len(seen)}
    print(json.dumps(found))


if __name__ == "__main__":
    uvloop.run(_main(Load(**json.loads(sys.argv[1]))))
