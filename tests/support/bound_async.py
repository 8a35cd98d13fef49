"""The asynchronous half of `bound`, catalogs of several entries, and what a call comes to, in one word."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import httpx

from aldo.errors import AldoError
from aldo.router import route
from aldo.schema import Catalog, Decision, RouteRequest
from aldo.transport import (
    AsyncModelClient,
    AsyncPool,
    EmbeddingRequest,
    ModelClient,
    Pool,
    Retry,
    Timeouts,
    resolve,
    resolve_async,
)
from tests.support.bound import COMPLETION, ONCE, PROMPT, QUICK, SECRET, STREAM
from tests.support.fake_server import Seen, http, sse

Way = Literal["chat", "stream", "embed"]
WAYS: tuple[Way, ...] = ("chat", "stream", "embed")
TEXTS = EmbeddingRequest((PROMPT, "another text"))
VECTORS: dict[str, Any] = {
    "object": "list",
    "model": "served",
    "data": [{"index": 0, "embedding": [1.0, 0.5]}, {"index": 1, "embedding": [0.5, 1.0]}],
    "usage": {"prompt_tokens": 3, "total_tokens": 3},
}


def good(seen: Seen) -> bytes:
    """A `FakeServer` script: a right answer to a chat, a stream and an embedding of two texts."""
    if seen.target.endswith("/embeddings"):
        return http(json.dumps(VECTORS))
    return sse(STREAM) if seen.json.get("stream") else http(json.dumps(COMPLETION))


def kept(raw: bytes) -> bytes:
    """The same answer on a connection that is to be kept."""
    return raw.replace(b"connection: close\r\n", b"")


def decided(
    models: Sequence[Mapping[str, Any]], privacy: str = "sensitive", routing: Mapping[str, Any] | None = None
) -> tuple[Catalog, Decision]:
    """A catalog of these entries, and the decision for a request of a tier."""
    catalog = Catalog.model_validate({"models": list(models), "routing": dict(routing or {})})
    request = RouteRequest.model_validate({"capabilityClass": "local-reasoning", "privacy": privacy})
    return catalog, route(catalog, request)


def bind_async(
    *models: Mapping[str, Any],
    privacy: str = "sensitive",
    environ: Mapping[str, str] | None = None,
    http: httpx.AsyncBaseTransport | None = None,
    timeouts: Timeouts = QUICK,
    routing: Mapping[str, Any] | None = None,
    retry: Retry = ONCE,
    pool: AsyncPool | None = None,
    **more: Any,
) -> AsyncModelClient:
    """The asynchronous client of a catalog with these entries, for a sensitive request unless told otherwise."""
    catalog, decision = decided(models, privacy, routing)
    return resolve_async(
        catalog, decision, timeouts=timeouts, environ=environ or {}, http=http, retry=retry, pool=pool, **more
    )


def bind_chain(
    *models: Mapping[str, Any],
    privacy: str = "sensitive",
    environ: Mapping[str, str] | None = None,
    routing: Mapping[str, Any] | None = None,
    pool: Pool | None = None,
    **more: Any,
) -> ModelClient:
    """The blocking client of the same."""
    catalog, decision = decided(models, privacy, routing)
    return resolve(catalog, decision, timeouts=QUICK, environ=environ or {}, retry=ONCE, pool=pool, **more)


async def asked(client: AsyncModelClient, way: Way = "chat") -> str:
    """`ok`, or the code of the error. The client stays open."""
    try:
        if way == "chat":
            await client.chat(SECRET)
        elif way == "embed":
            await client.embed(TEXTS)
        else:
            async for _ in client.stream(SECRET):
                pass
    except AldoError as error:
        return error.code
    return "ok"


def outcome_async(client: AsyncModelClient, way: Way = "chat") -> str:
    """The same in a loop of its own; the client is closed."""

    async def run() -> str:
        async with client:
            return await asked(client, way)

    return asyncio.run(run())


def outcome(client: ModelClient, way: Way = "chat") -> str:
    """The same of a blocking client, which is closed."""
    with client:
        return asked_blocking(client, way)


def asked_blocking(client: ModelClient, way: Way = "chat") -> str:
    """`ok`, or the code of the error. The client stays open."""
    try:
        if way == "chat":
            client.chat(SECRET)
        elif way == "embed":
            client.embed(TEXTS)
        else:
            for _ in client.stream(SECRET):
                pass
    except AldoError as error:
        return error.code
    return "ok"
