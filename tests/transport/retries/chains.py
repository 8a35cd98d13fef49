"""A chain of servers: what each says, and what they were asked in which order, with which pauses between.

No test sleeps: the pauses are noted instead.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from aldo.errors import TransportError
from aldo.router import route
from aldo.schema import Catalog, RouteRequest
from aldo.schema.usage import UsageRow
from aldo.transport import (
    EmbeddingRequest,
    ModelClient,
    Retry,
    resolve,
)
from tests.support.bound import ASK, COMPLETION, QUICK, STREAM, entry

WAYS = ["chat", "stream", "embed"]
TEXTS = EmbeddingRequest(("one", "two"))
VECTORS = {"data": [{"index": n, "embedding": [0.5, n]} for n in range(2)], "usage": {"prompt_tokens": 2}}
FRAMES = [frame + b"\n\n" for frame in STREAM.split(b"\n\n") if frame]


@dataclass(frozen=True)
class Say:
    """One answer. `status` None: none comes, `failure` does; else it breaks with `failure` after the pieces."""

    status: int | None = 200
    pieces: tuple[bytes, ...] = ()
    failure: type[Exception] | None = None
    refused: bool = False
    retry_after: str | None = None
    date: str | None = None

    @property
    def began(self) -> bool:
        """Whether a byte of a 200's body came."""
        return self.status == 200 and any(self.pieces)

    def error(self) -> Exception:
        assert self.failure
        error = self.failure("made up")
        if self.refused:
            error.__cause__ = ConnectionRefusedError(111, "Connection refused")
        return error


class Body(httpx.SyncByteStream, httpx.AsyncByteStream):
    def __init__(self, say: Say) -> None:
        self._say = say

    def __iter__(self) -> Iterator[bytes]:
        yield from self._say.pieces
        if self._say.failure:
            raise self._say.error()

    async def __aiter__(self) -> Any:
        for piece in self:
            yield piece


def good(way: str) -> Say:
    body = STREAM if way == "stream" else json.dumps(COMPLETION if way == "chat" else VECTORS).encode()
    return Say(pieces=(body,))


@dataclass
class Course:
    """What happened."""

    asked: list[tuple[str, Say]] = field(default_factory=list)
    pauses: dict[int, float] = field(default_factory=dict)
    """Seconds before request n, where somebody waited."""
    handed: list[Any] = field(default_factory=list)
    rows: list[UsageRow] = field(default_factory=list)
    result: Any = None
    error: TransportError | None = None

    @property
    def hosts(self) -> list[str]:
        return [host for host, _ in self.asked]

    @property
    def outcomes(self) -> list[tuple[str, str]]:
        return [(row.model, row.outcome) for row in self.rows]


class Servers(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Server `host` gives its nth caller its nth answer; the last one stays."""

    def __init__(self, course: Course, scripts: Mapping[str, Sequence[Say]]) -> None:
        self._course = course
        self._scripts = scripts

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        script = self._scripts[request.url.host]
        say = script[min(self._course.hosts.count(request.url.host), len(script) - 1)]
        self._course.asked.append((request.url.host, say))
        if say.status is None:
            raise say.error()
        headers = {"retry-after": say.retry_after, "date": say.date}
        return httpx.Response(say.status, headers={k: v for k, v in headers.items() if v is not None}, stream=Body(say))

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return self.handle_request(request)


def followed(
    scripts: Mapping[str, Sequence[Say]],
    way: str,
    retry: Retry | None = None,
    request: Any = None,
    failover: bool = True,
) -> Course:
    """One call over the chain; the hosts are the entries' ids, in the order of failover."""
    course = Course()
    models = [entry(config={"baseUrl": f"http://{host}"}, id=host) for host in scripts]
    catalog = Catalog.model_validate({"models": models})
    decision = route(
        catalog, RouteRequest.model_validate({"capabilityClass": "local-reasoning", "privacy": "sensitive"})
    )
    assert [decision.model, *decision.alternates] == sorted(scripts)
    request = request or (TEXTS if way == "embed" else ASK)
    with pytest.MonkeyPatch.context() as patch:

        def pause(seconds: float) -> None:
            if seconds:
                assert len(course.asked) not in course.pauses
                course.pauses[len(course.asked)] = seconds

        patch.setattr(time, "sleep", pause)
        client = resolve(
            catalog, decision, failover=failover, retry=retry, timeouts=QUICK, on_usage=course.rows.append,
            environ={}, http=Servers(course, scripts),
        )  # fmt: skip
        with client:
            try:
                if way == "stream":
                    for event in client.stream(request):
                        course.handed.append(event)
                    course.result = course.handed[-1].result
                else:
                    course.result = getattr(client, way)(request)
            except TransportError as error:
                course.error = error
    return course


NO_CONNECTION = [
    Say(None, failure=httpx.ConnectError, refused=True),
    Say(None, failure=httpx.ConnectError),
    Say(None, failure=httpx.ConnectTimeout),
    Say(None, failure=httpx.ReadTimeout),
    Say(None, failure=httpx.RemoteProtocolError),
    Say(None, failure=httpx.ReadError),
]


def client_of(*urls: str, failover: bool = True, **more: Any) -> ModelClient:
    models = [entry(config={"baseUrl": url}, id=f"e{number}") for number, url in enumerate(urls)]
    catalog = Catalog.model_validate({"models": models})
    request = {"capabilityClass": "local-reasoning", "privacy": "sensitive"}
    decision = route(catalog, RouteRequest.model_validate(request))
    return resolve(catalog, decision, failover=failover, timeouts=QUICK, environ={}, **more)
