"""Clients for tests: an entry in the catalog's own words, routed, and bound to its server."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import httpx

from aldo.router import route
from aldo.schema import Catalog, RouteRequest
from aldo.transport import ChatRequest, ModelClient, Retry, Timeouts, resolve

PROMPT = 'Zebra-7 "launch code"\nis крокодил 0042-delta'
USER = {"role": "user", "content": "hi"}
ASK = ChatRequest(messages=(USER,), max_tokens=8, seed=1)
SECRET = ChatRequest(messages=({"role": "user", "content": PROMPT},), max_tokens=8)
ONCE = Retry(times=0)
QUICK = Timeouts(connect=5.0, read=5.0, no_content=5.0)

COMPLETION: dict[str, Any] = {
    "id": "c-1",
    "object": "chat.completion",
    "model": "served",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hello"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 3, "completion_tokens": 1, "total_tokens": 4},
}
STREAM = (
    b'data: {"model":"served","choices":[{"index":0,"delta":{"role":"assistant","content":"Hello"}}]}\n\n'
    b'data: {"model":"served","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n'
    b'data: {"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":1}}\n\n'
    b"data: [DONE]\n\n"
)


def entry(kind: str = "openai-compat", config: Mapping[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """A local entry of a kind; `config` is its providerConfig, keywords its other fields."""
    return {
        "id": "the-entry",
        "provider": "mlx" if kind == "mlx" else "acme",
        "providerKind": kind,
        "locality": "local",
        "capabilityClass": "local-reasoning",
        "provides": ["streaming", "tool-use", "vision"],
        "privacyAllowed": ["public", "internal", "sensitive"],
        "effectiveContextTokens": 32768,
        "cost": {"usdPerMtokIn": 0, "usdPerMtokOut": 0},
        "providerConfig": dict(config or {}),
    } | more


def bind(
    model: Mapping[str, Any],
    *,
    privacy: str = "public",
    environ: Mapping[str, str] | None = None,
    http: httpx.BaseTransport | None = None,
    timeouts: Timeouts = QUICK,
    routing: Mapping[str, Any] | None = None,
    retry: Retry = ONCE,
    **more: Any,
) -> ModelClient:
    """The client of a catalog with this one entry. The environment is empty unless given; nothing is asked twice."""
    catalog = Catalog.model_validate({"models": [model], "routing": dict(routing or {})})
    decision = route(catalog, RouteRequest.model_validate({"capabilityClass": "local-reasoning", "privacy": privacy}))
    return resolve(catalog, decision, timeouts=timeouts, environ=environ or {}, http=http, retry=retry, **more)


class Wire(httpx.BaseTransport):
    """In the network's place: keeps each request and gives each the same answer, or what `answer` makes."""

    def __init__(self, answer: Callable[[httpx.Request], httpx.Response] | None = None) -> None:
        self.requests: list[httpx.Request] = []
        self._answer = answer

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.read()
        self.requests.append(request)
        if self._answer is not None:
            return self._answer(request)
        if json.loads(request.content).get("stream"):
            return httpx.Response(200, headers={"content-type": "text/event-stream"}, content=STREAM)
        return httpx.Response(200, json=COMPLETION)

    @property
    def bodies(self) -> list[Any]:
        return [json.loads(request.content) for request in self.requests]


class Pieces(httpx.SyncByteStream):
    """A response body in given pieces, with an error after them where there is one."""

    def __init__(self, pieces: Iterable[bytes], error: Exception | None = None) -> None:
        self._pieces = list(pieces)
        self._error = error
        self.closed = False

    def __iter__(self) -> Any:
        yield from self._pieces
        if self._error is not None:
            raise self._error

    def close(self) -> None:
        self.closed = True
