"""A long chat stream on loopback to typed events, against httpx's lines and json.loads."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx

from aldo.router import route
from aldo.schema import Catalog, RouteRequest
from aldo.transport import ChatRequest, resolve
from bench.catalogs import entries
from bench.measure import Row, per_call

CHUNKS = 20_000


def _stream() -> bytes:
    def frame(delta: dict[str, str], finish: str | None) -> bytes:
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        chunk = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}
        return b"data: " + json.dumps(chunk).encode() + b"\n\n"

    return frame({"content": "word "}, None) * CHUNKS + frame({}, "stop") + b"data: [DONE]\n\n"


class _Handler(BaseHTTPRequestHandler):
    body = b""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, format: str, *args: object) -> None:
        pass


def _lines(url: str) -> int:
    with httpx.stream("POST", url, json={"stream": True}, trust_env=False) as response:
        return sum(1 for line in response.iter_lines() if line.startswith("data: {") and json.loads(line[6:]))


def rows() -> Iterator[Row]:
    _Handler.body = _stream()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"
    served = {"provider": "mlx", "providerKind": "mlx", "locality": "local", "providerConfig": {}}
    entry = {**entries(1)[0], **served, "capabilityClass": "fast-draft", "provides": ["streaming"]}
    catalog = Catalog.model_validate({"models": [entry]})
    decision = route(catalog, RouteRequest(capability_class="fast-draft", privacy="public"))
    chat = ChatRequest(messages=({"role": "user", "content": "hello"},))
    with resolve(catalog, decision, environ={"MLX_BASE_URL": url}) as client:
        ours = per_call(lambda: sum(1 for _ in client.stream(chat)), rounds=5)
    theirs = per_call(lambda: _lines(f"{url}/v1/chat/completions"), rounds=5)
    server.shutdown()
    yield Row(f"chat stream of {CHUNKS} chunks", ours, "httpx lines + json.loads", theirs, "<= 2 x")
