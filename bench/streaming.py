"""A long chat stream on loopback to typed events, and a plain chat, against httpx itself and the openai SDK.

All of them ask one server, a thread of this process. The SDK runs in an interpreter of its own.
"""

from __future__ import annotations

import json
import subprocess
import sys
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


_MESSAGE = {"role": "assistant", "content": "Hello"}
_ANSWER = json.dumps(
    {
        "id": "c",
        "object": "chat.completion",
        "created": 1,
        "model": "m",
        "choices": [{"index": 0, "message": _MESSAGE, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 3, "completion_tokens": 1, "total_tokens": 4},
    }
).encode()

_SDK = """
import json, sys, time
from openai import OpenAI
url, rounds = sys.argv[1], int(sys.argv[2])
client = OpenAI(base_url=url, api_key="none", max_retries=0)
messages = [{"role": "user", "content": "hello"}]
def stream():
    return sum(1 for _ in client.chat.completions.create(model="m", messages=messages, stream=True))
def plain():
    return client.chat.completions.create(model="m", messages=messages)
def best(call, number):
    call()
    found = []
    for _ in range(rounds):
        started = time.perf_counter()
        for _ in range(number):
            call()
        found.append((time.perf_counter() - started) / number)
    return min(found)
print(json.dumps([best(stream, 1), best(plain, 50)]))
"""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else the second write of an answer waits for an acknowledgement
    body = b""

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        streamed = asked.get("stream", False)
        body = self.body if streamed else _ANSWER
        self.send_response(200)
        self.send_header("content-type", "text/event-stream" if streamed else "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


def _lines(url: str) -> int:
    with httpx.stream("POST", url, json={"stream": True}, trust_env=False) as response:
        return sum(1 for line in response.iter_lines() if line.startswith("data: {") and json.loads(line[6:]))


def _of_the_sdk(url: str) -> tuple[float, float] | str:
    """Seconds of the stream and of a plain chat, or why there are none."""
    done = subprocess.run(
        [sys.executable, "-c", _SDK, f"{url}/v1", "3"], capture_output=True, text=True, timeout=600, check=False
    )
    if done.returncode:
        return f"the openai SDK is left out: {(done.stderr.strip().splitlines() or ['it failed'])[-1]}"
    stream, plain = json.loads(done.stdout)
    return stream, plain


def rows() -> Iterator[Row | str]:
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
        plain = per_call(lambda: client.chat(chat), seconds=0.3)
    theirs = per_call(lambda: _lines(f"{url}/v1/chat/completions"), rounds=5)
    with httpx.Client(trust_env=False) as bare:
        body = {"model": "m", "messages": [{"role": "user", "content": "hello"}], "max_tokens": 1024}
        own = per_call(lambda: bare.post(f"{url}/v1/chat/completions", json=body).json(), seconds=0.3)
    sdk = _of_the_sdk(url)
    server.shutdown()
    yield Row(f"chat stream of {CHUNKS} chunks", ours, "httpx lines + json.loads", theirs, "<= 2 x")
    yield Row("a plain chat", plain, "httpx post + json", own)
    yield Row("what a plain chat adds to it", max(plain - own, 0.0), "a millisecond", 0.001, "<= 1 x")
    if isinstance(sdk, str):
        yield sdk
    else:
        yield Row(f"chat stream of {CHUNKS} chunks", ours, "openai SDK", sdk[0], "<= 0.1 x")
        yield Row("a plain chat", plain, "openai SDK", sdk[1])
