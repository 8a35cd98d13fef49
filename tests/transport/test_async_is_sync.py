"""One reading of every answer: the blocking and the asynchronous client tell the same story, word for word.

A story is what was handed on, how it ended, what was asked in which order, the pauses and the usage rows. Only clocks
may differ. Told twice over a real socket for every transcript, and by transports of our own for all the rest.
"""

from __future__ import annotations

import gzip
import json
import random
import socket
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aldo.errors import AldoError, SchemaMismatch, TransportError
from aldo.router import route
from aldo.schema import Catalog, Decision, RouteRequest
from aldo.schema.usage import UsageRow
from aldo.transport import (
    ChatRequest,
    ChatResult,
    EmbeddingRequest,
    EmbeddingResult,
    Finished,
    Retry,
    json_schema_format,
    resolve,
    resolve_async,
)
from aldo.transport.asyncio_pool import AsyncioPool
from tests.support.bound import ASK, COMPLETION, ONCE, QUICK, STREAM, entry
from tests.support.fake_server import FakeServer, Reply, Script, chunked, http, sse

FOLDER = Path(__file__).parents[1] / "cases" / "streams"
NAMES = sorted(path.stem for path in FOLDER.glob("*.sse"))
BACKENDS = [
    "asyncio",
    "aiohttp",  # what the gateway asks through
    pytest.param(
        "trio",
        marks=[
            pytest.mark.skipif(find_spec("trio") is None, reason="trio is not installed"),
            pytest.mark.filterwarnings(
                "ignore:Async generator:ResourceWarning"
            ),  # of httpx, where [DONE] is not the end
        ],
    ),
]
CLOCKS = ("at", "latency_ms", "ttft_ms")
Way = str
Request = ChatRequest | EmbeddingRequest
TEXTS = EmbeddingRequest(("one", "two", "three"), batch_size=2)
SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}
MENDED = replace(ASK, response_format=json_schema_format(SCHEMA), repairs=1)


@dataclass
class Story:
    """All that a caller and a server could see of one call, without clocks."""

    events: list[Any] = field(default_factory=list)
    result: Any = None
    error: Any = None
    rows: list[Any] = field(default_factory=list)
    bodies: list[Any] = field(default_factory=list)
    pauses: list[float] = field(default_factory=list)

    def ended(self, failure: BaseException) -> None:
        """Any failure at all: one that is none of ours must at least be the same."""
        told: dict[str, Any] = {"type": type(failure).__name__, "ours": isinstance(failure, AldoError)}
        if isinstance(failure, TransportError):
            told |= {**failure.to_dict(), "where": failure.where, "attempts": failure.attempts, "text": str(failure)}
        if isinstance(failure, SchemaMismatch):
            told |= {"answer": timeless(failure.result)}
        self.error = told

    def note(self, row: UsageRow) -> None:
        self.rows.append(timeless(row))


def timeless(value: Any) -> Any:
    """A row or a result as plain data without its clocks, which are None on both sides or on none."""
    if value is None:
        return None
    if isinstance(value, UsageRow):
        data = value.model_dump(by_alias=False)
        return {name: item is None if name in CLOCKS else item for name, item in data.items()}
    assert isinstance(value, (ChatResult, EmbeddingResult))
    clocks = {name: None for name in CLOCKS if hasattr(value, name)}
    plain = replace(value, attempts=(), **clocks)
    missing = {name: getattr(value, name) is None for name in clocks}
    return plain, missing, [timeless(row) for row in value.attempts]


def told(event: Any) -> Any:
    return ("finished", timeless(event.result)) if isinstance(event, Finished) else event


def catalog(*models: Mapping[str, Any]) -> tuple[Catalog, Decision]:
    made = Catalog.model_validate({"models": list(models)})
    return made, route(made, RouteRequest.model_validate({"capabilityClass": "local-reasoning", "privacy": "public"}))


def blocking(bound: tuple[Catalog, Decision], way: Way, request: Request, **more: Any) -> Story:
    story = Story()
    with resolve(*bound, failover=True, timeouts=QUICK, environ={}, on_usage=story.note, **more) as client:
        try:
            if way == "stream":
                assert isinstance(request, ChatRequest)
                for event in client.stream(request):
                    story.events.append(told(event))
            else:
                story.result = timeless(getattr(client, way)(request))
        except Exception as failure:
            story.ended(failure)
    return story


def awaited(bound: tuple[Catalog, Decision], way: Way, request: Request, backend: str, **more: Any) -> Story:
    story = Story()

    async def call() -> None:
        async with resolve_async(
            *bound, failover=True, timeouts=QUICK, environ={}, on_usage=story.note, **more
        ) as client:
            try:
                if way == "stream":
                    assert isinstance(request, ChatRequest)
                    async with aclosing(client.stream(request)) as events:
                        async for event in events:
                            story.events.append(told(event))
                else:
                    story.result = timeless(await getattr(client, way)(request))
            except Exception as failure:
                story.ended(failure)

    if backend == "aiohttp":
        more["pool"] = pool = AsyncioPool()

        async def call_and_close() -> None:
            await call()
            await pool.aclose()

        anyio.run(call_and_close)
    else:
        anyio.run(call, backend=backend)
    return story


# Over a socket


def same_over_a_socket(script: Script, way: Way, request: Request, backend: str, kind: str = "openai-compat") -> Story:
    """Both ask one server, which says the same to each. What systems and libraries call it is theirs."""
    with FakeServer([script]) as server:
        bound = catalog(entry(kind, {"baseUrl": server.url}))
        first = blocking(bound, way, request, retry=ONCE)
        asked = server.connections
        second = awaited(bound, way, request, backend, retry=ONCE)
        assert server.connections == 2 * asked
        assert [seen.json for seen in server.seen[:asked]] == [seen.json for seen in server.seen[asked:]]
        headers = [{**seen.headers, "connection": "as it likes"} for seen in server.seen]
        assert headers[:asked] == headers[asked:]
    for story in (first, second):
        for words in ("broke: ", "decoded: "):
            if story.error and words in story.error.get("text", ""):
                story.error |= {name: story.error[name].partition(words)[0] for name in ("text", "message")}
    assert first == second
    return first


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", NAMES)
def test_every_transcript_means_the_same_to_both_over_a_socket(name: str, backend: str) -> None:
    raw = (FOLDER / f"{name}.sse").read_bytes()
    expected = yaml.safe_load((FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))
    kind = expected.get("contentType", "text/event-stream")
    script = Reply(sse(raw, content_type=kind), cuts=range(5, len(raw), 11))
    story = same_over_a_socket(script, "stream", ASK, backend, expected["kind"])
    assert len(story.rows) == 1
    assert (story.error is None) == (story.rows[0]["outcome"] == "ok")
    assert story.error is None or story.error["code"] in expected.get("error", [])
    assert "result" in expected or story.error is not None


def embeddings(seen: Any) -> bytes:
    data = [{"index": n, "embedding": [n + 0.5, len(text)]} for n, text in enumerate(seen.json.get("input", []))]
    return http(json.dumps({"data": data, "model": "e", "usage": {"prompt_tokens": 2}}))


SCRIPTS: dict[str, Script] = {
    "whole": http(json.dumps(COMPLETION)),
    "embeddings": embeddings,
    "compressed": http(gzip.compress(json.dumps(COMPLETION).encode()), content_encoding="gzip"),
    "not compressed though it says so": http(b"plain", content_encoding="gzip"),
    "in chunks": chunked(json.dumps(COMPLETION).encode(), 3),
    "a page": http("<html>no</html>"),
    "nothing": b"",
    "no HTTP": b"220 smtp.example\r\n",
    "half a head": b"HTTP/1.1 200 OK\r\ncontent-ty",
    "half a body": http("{" * 5).replace(b"length: 5", b"length: 500"),
    "a reset": Reply(b"", after="reset"),
    "a reset in the body": Reply(chunked(b"{", 1, whole=False), after="reset"),
    "429": http('{"error": {"message": "slow"}}', status="429 No", retry_after="7"),
    "503": http('{"error": {"message": "Loading model"}}', status="503 No"),
    "401": http('{"error": "Unauthorized"}', status="401 No"),
    "307": http("", status="307 No", location="http://127.0.0.1:9/"),
    "an error in a 200": http('{"error": {"message": "boom", "code": 500}}'),
    "two answers": http(json.dumps(COMPLETION)) * 2,
}


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("way", ["chat", "embed", "stream"])
@pytest.mark.parametrize("name", SCRIPTS)
def test_every_answer_means_the_same_to_both_over_a_socket(name: str, way: Way, backend: str) -> None:
    if (name, backend) == ("two answers", "aiohttp"):
        pytest.skip("aiohttp reads no answer at all from a server that says more than one")
    story = same_over_a_socket(SCRIPTS[name], way, TEXTS if way == "embed" else ASK, backend)
    good = {("chat", "whole"), ("chat", "compressed"), ("chat", "in chunks"), ("chat", "two answers"),
            ("stream", "whole"), ("stream", "compressed"), ("stream", "in chunks"), ("stream", "two answers"),
            ("embed", "embeddings")}  # fmt: skip
    assert ((way, name) in good) == (story.error is None)
    assert [row["outcome"] for row in story.rows][-1] == (story.error["code"] if story.error else "ok")


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("way", ["chat", "embed", "stream"])
def test_where_nothing_listens_both_fail_alike_and_ask_the_next(way: Way, backend: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        nobody = f"http://127.0.0.1:{listener.getsockname()[1]}"
    request = TEXTS if way == "embed" else ASK
    script = embeddings if way == "embed" else chunked(STREAM, 9) if way == "stream" else SCRIPTS["whole"]
    with FakeServer([script]) as server:
        bound = catalog(
            entry(config={"baseUrl": nobody}, id="a"), entry(config={"baseUrl": server.url, "model": "x"}, id="b")
        )
        stories = [blocking(bound, way, request), awaited(bound, way, request, backend)]
    assert stories[0] == stories[1]
    assert [row["outcome"] for row in stories[0].rows][:2] == ["connection", "ok"]


# By transports of our own


@dataclass(frozen=True)
class Answer:
    """What one request meets: an answer in pieces, perhaps with a failure after them; no status, no answer."""

    status: int | None = 200
    pieces: tuple[bytes, ...] = ()
    failure: type[Exception] | None = None
    headers: tuple[tuple[str, str], ...] = ()


class _Pieces(httpx.SyncByteStream, httpx.AsyncByteStream):
    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    def __iter__(self) -> Iterator[bytes]:
        yield from self._answer.pieces
        if self._answer.failure:
            raise self._answer.failure("made up")

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self:
            yield piece


class _Line(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Gives request n answer n; the last one stays."""

    def __init__(self, answers: Sequence[Answer]) -> None:
        self._answers = answers
        self.bodies: list[Any] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        answer = self._answers[min(len(self.bodies), len(self._answers) - 1)]
        self.bodies.append((request.url.host, json.loads(request.content)))
        if answer.status is None:
            raise (answer.failure or httpx.ConnectError)("made up")
        return httpx.Response(answer.status, headers=list(answer.headers), stream=_Pieces(answer))

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return self.handle_request(request)


CHAIN = catalog(*(entry(config={"baseUrl": f"http://{name}"}, id=name) for name in ("a", "b", "c")))


def same_by_transports(answers: Sequence[Answer], way: Way, request: Request, retry: Retry = ONCE) -> Story:
    """The pauses count too; those of chance are made the same for both."""
    stories = []
    for backend in (None, "asyncio"):
        line, pauses = _Line(answers), []

        async def pause(seconds: float, pauses: list[float] = pauses) -> None:
            pauses.append(seconds)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(random, "uniform", lambda low, high: high)
            patch.setattr(time, "sleep", pauses.append)
            patch.setattr(anyio, "sleep", pause)
            if backend is None:
                story = blocking(CHAIN, way, request, http=line, retry=retry)
            else:
                story = awaited(CHAIN, way, request, backend, http=line, retry=retry)
        story.bodies = line.bodies
        story.pauses = [seconds for seconds in pauses if seconds]
        stories.append(story)
    assert stories[0] == stories[1]
    return stories[0]


@given(name=st.sampled_from(NAMES), data=st.data())
@settings(max_examples=60)
def test_law_a_transcript_means_the_same_to_both_however_its_bytes_are_split(name: str, data: st.DataObject) -> None:
    raw = (FOLDER / f"{name}.sse").read_bytes()
    cuts = sorted(data.draw(st.sets(st.integers(0, len(raw)), max_size=8)))
    pieces = tuple(raw[a:b] for a, b in zip([0, *cuts], [*cuts, len(raw)], strict=True))
    once = same_by_transports([Answer(pieces=pieces)], "stream", ASK)
    whole = same_by_transports([Answer(pieces=(raw,))], "stream", ASK)
    assert once == whole


broken = st.sampled_from([httpx.ReadError, httpx.ReadTimeout, httpx.RemoteProtocolError, httpx.DecodingError])
never = st.sampled_from([httpx.ConnectError, httpx.ConnectTimeout, httpx.RemoteProtocolError, httpx.PoolTimeout])
bodies = st.sampled_from([
    STREAM, STREAM[:100], STREAM[:230], b"", b"{", b"<html>", b"data: [DONE]\n\n", b": ping\n\n",
    json.dumps(COMPLETION).encode(), json.dumps({"error": {"message": "boom", "code": 503}}).encode(),
    json.dumps({**COMPLETION, "choices": [{"message": {"content": '{"a": 1}'}, "finish_reason": "stop"}]}).encode(),
    json.dumps({"data": [{"index": 1, "embedding": [1]}, {"index": 0, "embedding": [0]}]}).encode(),
    json.dumps({"data": [{"index": 0, "embedding": [2, 3]}]}).encode(),
])  # fmt: skip
statuses = st.sampled_from([200, 200, 200, 204, 301, 400, 401, 404, 408, 429, 500, 502, 503, 504, 529, 599])
waits = st.sampled_from([(), (), (("retry-after", "3"),), (("retry-after", "9999"),), (("retry-after", "soon"),)])


@st.composite
def answers(draw: st.DrawFn) -> Answer:
    if not draw(st.integers(0, 4)):
        return Answer(None, failure=draw(never))
    body = draw(bodies)
    cut = draw(st.integers(0, len(body)))
    pieces = draw(st.sampled_from([(body,), (body[:cut], body[cut:]), (body[:cut],)]))
    return Answer(draw(statuses), pieces, draw(st.none() | broken), draw(waits))


@given(
    script=st.lists(answers(), min_size=1, max_size=7),
    request=st.sampled_from([("chat", ASK), ("stream", ASK), ("chat", MENDED), ("stream", MENDED), ("embed", TEXTS)]),
    times=st.integers(0, 2),
)
@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
def test_law_retries_failover_repairs_and_batches_take_the_same_course_in_both(
    script: list[Answer], request: tuple[Way, Request], times: int
) -> None:
    story = same_by_transports(script, *request, retry=Retry(times=times))
    assert len(story.bodies) == len(story.rows)
    assert story.error is None or story.error["ours"], story.error


@pytest.mark.parametrize("backend", [one for one in BACKENDS if one != "aiohttp"])  # which takes no transport
def test_both_read_every_backend_alike_after_a_retry_and_a_failover(
    backend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []

    async def pause(seconds: float) -> None:
        slept.append(seconds)

    monkeypatch.setattr(anyio, "sleep", pause)
    line = _Line([Answer(429, headers=(("retry-after", "3"),)), Answer(401), Answer(pieces=(STREAM,))])
    story = awaited(CHAIN, "stream", ASK, backend, http=line, retry=Retry(times=1))
    assert ([row["outcome"] for row in story.rows], [seconds for seconds in slept if seconds]) == (
        ["rate_limited", "unauthorized", "ok"],
        [3.0],
    )
    assert [host for host, _ in line.bodies] == ["a", "a", "b"]
