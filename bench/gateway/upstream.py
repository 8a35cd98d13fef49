"""A model server that answers at once: `python -m bench.gateway.upstream PORT`. As little HTTP as can be."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import cast

import uvloop

CHUNKS = 50


def _framed(value: dict[str, object]) -> bytes:
    chunk = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", **value}
    data = b"data: " + json.dumps(chunk).encode() + b"\n\n"
    return b"%x\r\n%b\r\n" % (len(data), data)


def _choice(delta: dict[str, str], finish: str | None) -> dict[str, object]:
    return {"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}


_USAGE = {"prompt_tokens": 3, "completion_tokens": CHUNKS, "total_tokens": 3 + CHUNKS}
_FRAMES = [
    *([_framed(_choice({"content": "word "}, None))] * CHUNKS),
    _framed(_choice({}, "stop")),
    _framed({"choices": [], "usage": _USAGE}),
    b"e\r\ndata: [DONE]\n\n\r\n",
]
_STREAM_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
_MESSAGE = {"role": "assistant", "content": "Hello there, friend."}


def _json(value: dict[str, object]) -> bytes:
    data = json.dumps(value).encode()
    return b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b" % (len(data), data)


_WHOLE = _json(
    {
        "id": "c",
        "object": "chat.completion",
        "created": 1,
        "model": "m",
        "choices": [{"index": 0, "message": _MESSAGE, "finish_reason": "stop"}],
        "usage": _USAGE,
    }
)
_LIST = _json({"object": "list", "data": [{"id": "m", "object": "model", "owned_by": "nobody"}]})


class _Server(asyncio.Protocol):
    transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self._data = b""

    def data_received(self, data: bytes) -> None:
        self._data += data
        while (end := self._data.find(b"\r\n\r\n")) >= 0:
            head = self._data[:end].lower()
            place = head.find(b"content-length:")
            length = int(head[place + 15 :].split(b"\r\n")[0]) if place >= 0 else 0
            if len(self._data) < end + 4 + length:
                return
            body, self._data = self._data[end + 4 : end + 4 + length], self._data[end + 4 + length :]
            if b'"stream": true' in body or b'"stream":true' in body:
                task = asyncio.get_running_loop().create_task(self._stream())
                _TASKS.add(task)
                task.add_done_callback(_TASKS.discard)
            else:
                self.transport.write(_LIST if head.startswith(b"get") else _WHOLE)

    async def _stream(self) -> None:
        self.transport.write(_STREAM_HEAD)
        for frame in _FRAMES:
            self.transport.write(frame)
            await asyncio.sleep(0)  # each a packet of its own, as from a model
        self.transport.write(b"0\r\n\r\n")


_TASKS: set[asyncio.Task[None]] = set()


async def _serve(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(_Server, "127.0.0.1", port, backlog=1000)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(_serve(int(sys.argv[1])))
