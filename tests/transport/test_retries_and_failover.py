"""When the same server is asked again, when the next one, and when nobody.

The laws are judged from outside: what the servers of a chain were asked in which order, the pauses between, what the
caller was handed and how it ended. No test sleeps: the pauses are noted instead.
"""

from __future__ import annotations

import gzip
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import pairwise
from typing import Any

import anyio
import httpx
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from aldo.errors import TransportError, UsageError
from aldo.router import route
from aldo.schema import Catalog, RouteRequest
from aldo.schema.usage import UsageRow
from aldo.transport import (
    EmbeddingRequest,
    Finished,
    ModelClient,
    Retry,
    TextDelta,
    json_schema_format,
    resolve,
    resolve_async,
)
from tests.support.bound import ASK, COMPLETION, ONCE, QUICK, STREAM, entry
from tests.support.fake_server import ACCEPT_POLL_SECONDS, FakeServer, Reply, chunked, http, sse

WAYS = ["chat", "stream", "embed"]
TEXTS = EmbeddingRequest(("one", "two"))
VECTORS = {"data": [{"index": n, "embedding": [0.5, n]} for n in range(2)], "usage": {"prompt_tokens": 2}}
FRAMES = [frame + b"\n\n" for frame in STREAM.split(b"\n\n") if frame]


# A chain of servers, and what they were asked


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


# The laws

NO_CONNECTION = [
    Say(None, failure=httpx.ConnectError, refused=True),
    Say(None, failure=httpx.ConnectError),
    Say(None, failure=httpx.ConnectTimeout),
    Say(None, failure=httpx.ReadTimeout),
    Say(None, failure=httpx.RemoteProtocolError),
    Say(None, failure=httpx.ReadError),
]
failures = st.sampled_from([None, None, httpx.ReadError, httpx.ReadTimeout, httpx.RemoteProtocolError])
messages = st.sampled_from([
    b"", b'{"error": {"message": "Loading model"}}', b'{"error": {"message": "context length exceeded"}}',
    b'{"error": {"message": "no"}}', b"<html>",
])  # fmt: skip
retry_afters = st.sampled_from([None, None, None, "0", "2", "59.5", "60", "61", "86400", "soon", "-3", "nan"])
ERROR_STATUSES = [204, 301, 400, 401, 403, 404, 408, 413, 422, 429, 500, 501, 502, 503, 504, 529]


@st.composite
def refusals(draw: st.DrawFn) -> Say:
    return Say(draw(st.sampled_from(ERROR_STATUSES)), (draw(messages),), draw(failures), retry_after=draw(retry_afters))


@st.composite
def bodies(draw: st.DrawFn, way: str) -> Say:
    """A 200 that is whole, cut anywhere, an error object, or nonsense."""
    whole = draw(
        st.sampled_from([
            *good(way).pieces, *good(way).pieces, b"", b"<html>", b"data: {\n\n", b'{"error": {"message": "x"}}',
            b'data: {"error": {"message": "x", "code": 503}}\n\n', b": keepalive\n\n", b'{"choices": []}',
            json.dumps({"choices": [{"message": {"content": "x", "tool_calls": [{"function": {}}]}, "finish_reason": "tool_calls"}]}).encode(),
        ])
    )  # fmt: skip
    cut = draw(st.integers(0, len(whole)))
    pieces = draw(st.sampled_from([(whole,), (whole[:cut], whole[cut:]), (whole[:cut],), ()]))
    return Say(200, pieces, draw(failures))


@dataclass(frozen=True)
class Plan:
    """What the servers will say, and how they are asked."""

    scripts: Mapping[str, Sequence[Say]]
    way: str
    retry: Retry


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    way = draw(st.sampled_from(WAYS))
    answer = st.sampled_from(NO_CONNECTION) | refusals() | refusals() | bodies(way)
    scripts = {host: draw(st.lists(answer, min_size=1, max_size=3)) for host in "abc"[: draw(st.integers(1, 3))]}
    return Plan(scripts, way, Retry(times=draw(st.integers(0, 2))))


def law(test: Callable[[Course, Plan], None]) -> Callable[[], None]:
    """Holds the test against many courses."""

    def run(plan: Plan) -> None:
        test(followed(plan.scripts, plan.way, plan.retry), plan)

    run.__name__ = run.__qualname__ = test.__name__
    return settings(max_examples=70, suppress_health_check=[HealthCheck.too_slow])(given(plans())(run))


@law
def test_law_no_request_is_repeated_once_a_byte_of_a_200s_body_has_come(course: Course, plan: Plan) -> None:
    for (host, say), (after, _) in pairwise(course.asked):
        assert not (say.began and host == after)


@law
def test_law_another_entry_is_asked_only_before_any_event_was_handed_on(course: Course, plan: Plan) -> None:
    """So all that was handed on is of one answer, the last that was asked for."""
    if plan.way == "stream":
        host, say = course.asked[-1]
        alone = followed({host: [say]}, "stream", ONCE)
        assert strip(course.handed) == strip(alone.handed)


def strip(events: Sequence[Any]) -> list[Any]:
    return [event.result.text if isinstance(event, Finished) else event for event in events]


@law
def test_law_entries_are_asked_in_the_order_of_the_decision_and_none_more_than_once_and_times(
    course: Course, plan: Plan
) -> None:
    assert course.hosts == sorted(course.hosts)  # nobody goes back
    order = list(dict.fromkeys(course.hosts))
    assert order == list(plan.scripts)[: len(order)]
    assert all(course.hosts.count(host) <= plan.retry.times + 1 for host in order)


@law
def test_law_each_request_has_one_row_in_order_and_only_the_last_may_be_ok(course: Course, plan: Plan) -> None:
    assert [row.model for row in course.rows] == course.hosts
    assert all(row.outcome not in ("ok", "cancelled") for row in course.rows[:-1])
    assert (course.rows[-1].outcome == "ok") == (course.error is None)


@law
def test_law_what_comes_back_tells_of_every_attempt(course: Course, plan: Plan) -> None:
    if course.error is None:
        assert list(course.result.attempts) == course.rows
        assert course.result.model == course.hosts[-1]
        told = course.result.to_dict()["attempts"]
        assert told == [{"model": model, "outcome": code} for model, code in course.outcomes]
    else:
        assert course.error.code == course.rows[-1].outcome
        assert course.error.where.model == course.hosts[-1]
        assert course.error.attempts == (tuple(course.outcomes) if len(course.rows) > 1 else ())
        json.dumps(course.error.to_dict(), allow_nan=False)


@law
def test_law_a_pause_is_what_the_server_asked_for_or_our_own_and_the_same_server_is_next(
    course: Course, plan: Plan
) -> None:
    for number, seconds in course.pauses.items():
        assert 0 < number < len(course.asked), "a pause after which nobody is asked"
        (host, say), (after, _) = course.asked[number - 1 : number + 1]
        assert host == after
        if say.retry_after and say.retry_after[0].isdigit():
            assert seconds == float(say.retry_after) <= plan.retry.longest_asked
        else:
            longest = min(
                plan.retry.first_pause * 2 ** (course.hosts[:number].count(host) - 1), plan.retry.longest_pause
            )
            assert longest / 2 <= seconds <= longest


@law
def test_law_who_asks_for_too_long_a_pause_is_not_asked_again(course: Course, plan: Plan) -> None:
    for (host, say), (after, _) in pairwise(course.asked):
        assert not (say.retry_after in ("61", "86400") and host == after)


NEVER = ("bad_request", "egress_refused", "schema_mismatch", "tool_call_unparsable")


@law
def test_law_what_would_be_the_same_elsewhere_ends_the_chain(course: Course, plan: Plan) -> None:
    assert all(row.outcome not in NEVER for row in course.rows[:-1])


@law
def test_law_a_chain_is_given_up_only_at_its_end_or_after_a_word_or_for_what_would_be_the_same_elsewhere(
    course: Course, plan: Plan
) -> None:
    if course.error is None or course.error.code in NEVER or course.handed:
        return
    assert course.hosts[-1] == list(plan.scripts)[-1]


# Case by case

AGAIN = {
    "429": Say(429),
    "500": Say(500),
    "502, a page": Say(502, (b"<html>",)),
    "503": Say(503),
    "503, loading": Say(503, (b'{"error": {"message": "Loading model", "code": 503}}',)),
    "504": Say(504),
    "529": Say(529),
    "a connection that broke at once": Say(None, failure=httpx.RemoteProtocolError),
    "a 200 that broke before its first byte": Say(200, (), httpx.ReadError),
}
NEXT = {
    "refused": NO_CONNECTION[0],
    "connecting took too long": Say(None, failure=httpx.ConnectTimeout),
    "our own patience": Say(None, failure=httpx.ReadTimeout),
    "401": Say(401),
    "404": Say(404, (b'{"error": {"message": "no such model"}}',)),
    "404, no such API": Say(404),
    "501": Say(501),
    "too long": Say(400, (b'{"error": {"message": "maximum context length is 5"}}',)),
    "a page": Say(200, (b"<html>",)),
    "half a body": Say(200, (b'{"cho',), httpx.ReadError),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("times", [0, 1, 3])
@pytest.mark.parametrize("name", AGAIN)
def test_what_passes_by_itself_is_asked_again_so_often_and_then_the_next(name: str, times: int, way: str) -> None:
    course = followed({"a": [AGAIN[name]], "b": [AGAIN[name]], "c": [good(way)]}, way, Retry(times=times))
    assert course.hosts == ["a"] * (times + 1) + ["b"] * (times + 1) + ["c"]
    assert course.error is None
    recovered = followed({"a": [AGAIN[name]] * times + [good(way)], "b": [good(way)]}, way, Retry(times=times))
    assert recovered.hosts == ["a"] * (times + 1)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", NEXT)
def test_what_does_not_pass_is_asked_once_and_the_next_at_once(name: str, way: str) -> None:
    course = followed({"a": [NEXT[name]], "b": [NEXT[name]], "c": [good(way)]}, way, Retry(times=3))
    assert (course.hosts, course.pauses, course.error) == (["a", "b", "c"], {}, None)


@pytest.mark.parametrize("way", WAYS)
def test_without_failover_nobody_else_is_asked(way: str) -> None:
    course = followed({"a": [Say(401)], "b": [good(way)]}, way, failover=False)
    assert (course.hosts, course.error and course.error.code) == (["a"], "unauthorized")


BAD = {
    "bad_request": ("chat", Say(400, (b'{"error": {"message": "no"}}',)), None),
    "bad_request ": ("stream", Say(422), None),
    "bad_request  ": ("embed", Say(400), None),
    "bad_request   ": ("stream", Say(200, (b'data: {"error": {"message": "no", "code": 400}}\n\n',)), None),
    "schema_mismatch": ("chat", good("chat"), replace(ASK, response_format={"type": "json_object"})),
    "schema_mismatch ": ("stream", good("stream"), replace(ASK, response_format=json_schema_format({}))),
    "tool_call_unparsable": (
        "chat",
        Say(200, (b'{"choices": [{"message": {"content": null}, "finish_reason": "tool_calls"}]}',)),
        None,
    ),
    "tool_call_unparsable ": (
        "stream",
        Say(200, (b'data: {"choices": [{"delta": {}, "finish_reason": "tool_calls"}]}\n\n',)),
        None,
    ),
}  # fmt: skip


@pytest.mark.parametrize("code", BAD)
def test_a_request_or_an_answer_that_would_be_the_same_elsewhere_never_fails_over(code: str) -> None:
    way, say, request = BAD[code]
    course = followed({"a": [say], "b": [good(way)]}, way, request=request)
    assert course.error is not None
    assert (course.hosts, course.error.code) == (["a"], code.strip())
    assert course.outcomes == [("a", code.strip())]


@pytest.mark.parametrize("way", WAYS)
def test_an_address_that_the_guard_refuses_never_fails_over(way: str) -> None:
    with FakeServer([sse(STREAM)]) as server:
        models = [
            entry(config={"baseUrl": "http://192.0.2.1:9"}, id="a"),
            entry(config={"baseUrl": server.url}, id="b"),
        ]
        catalog = Catalog.model_validate({"models": models})
        decision = route(
            catalog, RouteRequest.model_validate({"capabilityClass": "local-reasoning", "privacy": "sensitive"})
        )
        with resolve(catalog, decision, failover=True, environ={}) as client, pytest.raises(TransportError) as caught:
            list(client.stream(ASK)) if way == "stream" else getattr(client, way)(TEXTS if way == "embed" else ASK)
        assert (caught.value.code, server.connections) == ("egress_refused", 0)


@pytest.mark.parametrize("way", WAYS)
def test_when_all_fail_the_last_error_is_told_with_every_attempt(way: str) -> None:
    course = followed(
        {"a": [Say(429)], "b": [NO_CONNECTION[0]], "c": [Say(404, (b'{"error": "?"}',))]}, way, Retry(times=1)
    )
    assert course.error is not None
    assert course.error.code == "model_not_found"
    assert course.error.attempts == (
        ("a", "rate_limited"), ("a", "rate_limited"), ("b", "connection"), ("c", "model_not_found")
    )  # fmt: skip
    assert course.error.to_dict()["attempts"][2] == {"model": "b", "outcome": "connection"}


def test_later_classes_come_after_all_of_the_first_and_each_row_names_its_own() -> None:
    course = Course()
    ids = {"z": "local-reasoning", "y": "local-reasoning", "b": "fast-draft", "a": "reasoning-small"}
    models = [entry(config={"baseUrl": f"http://{id}"}, id=id, capabilityClass=kind) for id, kind in ids.items()]
    catalog = Catalog.model_validate({"models": models})
    request = {"capabilityClass": "local-reasoning", "fallbackClasses": ["fast-draft", "reasoning-small"]}
    decision = route(catalog, RouteRequest.model_validate({**request, "privacy": "internal"}))
    servers = Servers(course, {**{id: [Say(401)] for id in "zyb"}, "a": [good("chat")]})
    with resolve(catalog, decision, failover=True, environ={}, http=servers, on_usage=course.rows.append) as client:
        assert [one.id for one in client.entries] == ["y", "z", "b", "a"]
        assert client.chat(ASK).model == "a"
    assert course.hosts == ["y", "z", "b", "a"]
    assert [row.capability_class for row in course.rows] == [ids[id] for id in "yzba"]
    assert {row.privacy for row in course.rows} == {"internal"}


# What is handed on, and what is not


@pytest.mark.parametrize("events", [1, 2])
@pytest.mark.parametrize("end", [None, httpx.ReadError, httpx.ReadTimeout])
def test_after_a_word_was_handed_on_nobody_else_is_asked(events: int, end: type[Exception] | None) -> None:
    """The second answer would begin anew, and the caller has half of the first."""
    more = (FRAMES[0],) * events
    course = followed({"a": [Say(200, more, end)], "b": [good("stream")]}, "stream")
    assert (course.hosts, course.handed) == (["a"], [TextDelta("Hello")] * events)
    assert course.error is not None
    assert course.error.code in ("stream_cut", "timeout")


@pytest.mark.parametrize("bytes_", [b": keepalive\n\n", b'data: {"choices": []}\n\n', b"data: {", b"\n"])
def test_after_bytes_that_were_no_word_the_same_is_not_asked_again_but_the_next_is(bytes_: bytes) -> None:
    course = followed({"a": [Say(200, (bytes_,), httpx.ReadError)], "b": [good("stream")]}, "stream", Retry(times=5))
    assert (course.hosts, course.error) == (["a", "b"], None)


WHOLE_BUT = {
    "no finish reason": {"choices": [{"message": {"content": "Hello"}}]},
    "cut within a tool call": {"choices": [{"message": {"content": "x", "tool_calls": [{"function": {"name": "f"}}]}}]},
}


@pytest.mark.parametrize("name", WHOLE_BUT)
def test_a_whole_answer_that_fails_has_handed_nothing_on_so_the_next_is_asked(name: str) -> None:
    course = followed({"a": [Say(200, (json.dumps(WHOLE_BUT[name]).encode(),))], "b": [good("chat")]}, "chat")
    assert (course.outcomes, course.error) == ([("a", "stream_cut"), ("b", "ok")], None)


@pytest.mark.parametrize("way", ["chat", "stream"])
def test_a_compressed_byte_is_a_byte_of_the_body_too(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    head = b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ntransfer-encoding: chunked\r\n\r\na\r\n"
    with FakeServer([head + gzip.compress(STREAM)[:10] + b"\r\n"]) as server:
        catalog = Catalog.model_validate({"models": [entry(config={"baseUrl": server.url})]})
        decision = route(
            catalog, RouteRequest.model_validate({"capabilityClass": "local-reasoning", "privacy": "public"})
        )
        with resolve(catalog, decision, environ={}, timeouts=QUICK) as client, pytest.raises(TransportError):
            list(client.stream(ASK)) if way == "stream" else client.chat(ASK)
        assert server.connections == 1


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("cut", [1, 40, 100])
def test_over_a_socket_an_answer_that_began_is_never_asked_for_again(way: str, cut: int) -> None:
    with FakeServer([chunked(good(way).pieces[0][:cut], 8, whole=False)]) as server:
        with client_of(server.url) as client, pytest.raises(TransportError):
            list(client.stream(ASK)) if way == "stream" else getattr(client, way)(TEXTS if way == "embed" else ASK)
        assert server.connections == 1


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("status", "code"), [(400, "bad_request"), (401, "unauthorized"), (429, "rate_limited")])
def test_a_refusal_whose_body_breaks_off_is_still_what_its_status_says(status: int, code: str, way: str) -> None:
    say = Say(status, (b'{"error": {"mess',), httpx.RemoteProtocolError, retry_after="86400")
    course = followed({"a": [say], "b": [good(way)]}, way, failover=False)
    assert course.outcomes == [("a", code)]


# Retry-After


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(("said", "seconds"), [("7", 7.0), ("0.25", 0.25), ("60", 60.0), ("0", None)])
def test_retry_after_in_seconds_is_waited_for_exactly(status: int, said: str, seconds: float | None, way: str) -> None:
    course = followed({"a": [Say(status, retry_after=said), good(way)]}, way)
    assert course.hosts == ["a", "a"]
    assert course.pauses == ({} if seconds is None else {1: seconds})


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("ahead", "seconds"), [(30, 30.0), (-30, None), (0, None)])
def test_retry_after_as_a_date_counts_from_the_servers_own_clock(ahead: int, seconds: float | None, way: str) -> None:
    now = datetime(2001, 2, 3, 4, 5, 6, tzinfo=UTC)  # a server whose clock is wrong
    date, then = (format_datetime(at, usegmt=True) for at in (now, now + timedelta(seconds=ahead)))
    course = followed({"a": [Say(429, retry_after=then, date=date), good(way)]}, way)
    assert course.hosts == ["a", "a"]
    assert course.pauses == ({} if seconds is None else {1: seconds})


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("said", ["61", "86400", "1e300", "Fri, 31 Dec 2100 23:59:59 GMT"])
def test_a_server_that_asks_for_absurdly_long_is_given_up(said: str, way: str) -> None:
    course = followed({"a": [Say(429, retry_after=said)], "b": [good(way)]}, way)
    assert (course.hosts, course.pauses) == (["a", "b"], {})
    alone = followed({"a": [Say(429, retry_after=said)]}, way)
    assert alone.hosts == ["a"]
    assert alone.error is not None
    assert alone.error.code == "rate_limited"
    assert alone.error.retry_after
    assert alone.error.retry_after > 60


def test_how_long_is_absurd_is_the_callers_to_say() -> None:
    script = {"a": [Say(503, retry_after="3600"), good("chat")]}
    assert followed(script, "chat", Retry(longest_asked=3600)).pauses == {1: 3600.0}
    assert followed(script, "chat", Retry(longest_asked=3599)).hosts == ["a"]


HEADER = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=40)
DATE = st.builds(
    "{}, {} {} {} {} {}".format, st.sampled_from(["Wed", "x"]), st.integers(0, 40), st.sampled_from(["Oct", "Foo"]),
    st.integers(0, 10**6), st.sampled_from(["07:28:00", "99:99:99", "7:28"]), st.sampled_from(["GMT", "+0100", "-9999", "+99999", "-0000", ""]),
)  # fmt: skip


@given(said=HEADER | DATE, date=st.none() | DATE)
@example("5", "Wed, 21 Oct 2015 07:28:00 -0000")
@settings(max_examples=60)
def test_law_whatever_retry_after_says_the_outcome_is_ours(said: str, date: str | None) -> None:
    course = followed({"a": [Say(429, retry_after=said, date=date), good("chat")]}, "chat")
    assert course.hosts[0] == "a"
    assert all(0 <= seconds <= 60 for seconds in course.pauses.values())


@pytest.mark.parametrize("said", [f"Wed, 21 Oct 2015 07:28:00 +{'9' * 20}", f"Wed, 21 Oct {'9' * 20} 07:28:00 GMT"])
def test_a_date_with_absurd_numbers_is_no_date(said: str) -> None:
    assert followed({"a": [Say(429, retry_after=said)]}, "chat", ONCE).error is not None


def test_each_further_pause_is_longer_but_for_chance_and_none_passes_the_longest() -> None:
    retry = Retry(times=9, first_pause=1.0, longest_pause=8.0)
    course = followed({"a": [Say(503)]}, "chat", retry)
    lengths = [1.0, 2.0, 4.0, 8.0, 8.0, 8.0, 8.0, 8.0, 8.0]
    assert all(most / 2 <= one <= most for one, most in zip(course.pauses.values(), lengths, strict=True))
    pauses = {followed({"a": [Say(503)]}, "chat", Retry(times=1)).pauses[1] for _ in range(8)}
    assert len(pauses) > 1, "all come back at once"


# Over sockets


def client_of(*urls: str, failover: bool = True, **more: Any) -> ModelClient:
    models = [entry(config={"baseUrl": url}, id=f"e{number}") for number, url in enumerate(urls)]
    catalog = Catalog.model_validate({"models": models})
    request = {"capabilityClass": "local-reasoning", "privacy": "sensitive"}
    decision = route(catalog, RouteRequest.model_validate(request))
    return resolve(catalog, decision, failover=failover, timeouts=QUICK, environ={}, **more)


@pytest.fixture
def nobody() -> str:
    """An address where nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"http://127.0.0.1:{listener.getsockname()[1]}"


@pytest.fixture
def no_sleep(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    slept: list[float] = []
    monkeypatch.setattr(time, "sleep", lambda seconds: slept.append(seconds) if seconds else None)
    return slept


@pytest.mark.parametrize("way", WAYS)
def test_a_refused_connection_is_not_tried_again_but_fails_over(
    way: str, nobody: str, no_sleep: list[float], connections: Any
) -> None:
    rows: list[UsageRow] = []
    with (
        FakeServer([sse(good(way).pieces[0])]) as server,
        client_of(nobody, server.url, on_usage=rows.append) as client,
    ):
        list(client.stream(ASK)) if way == "stream" else getattr(client, way)(TEXTS if way == "embed" else ASK)
    assert [row.outcome for row in rows] == ["connection", "ok"]
    assert [f"http://127.0.0.1:{port}" for _, port in connections.addresses] == [nobody, server.url]
    assert no_sleep == []


@pytest.mark.parametrize("way", WAYS)
def test_over_sockets_a_busy_server_is_asked_again_and_then_the_next(way: str, no_sleep: list[float]) -> None:
    busy = http('{"error": {"message": "busy"}}', status="503 No", retry_after="4")
    with FakeServer([busy]) as first, FakeServer([busy, sse(good(way).pieces[0])]) as second:
        with client_of(first.url, second.url) as client:
            list(client.stream(ASK)) if way == "stream" else getattr(client, way)(TEXTS if way == "embed" else ASK)
        assert (first.connections, second.connections, no_sleep) == (3, 2, [4.0] * 3)
        bodies = [seen.json | {"model": ""} for seen in (*first.seen, *second.seen)]
        assert all(body == bodies[0] for body in bodies)


class Keeper:
    """Answers the first request of a connection and keeps it open; `then` says how it ends.

    `fin`: it hangs up at once. `late`: it hangs up when the next request has come, as a server does whose idle
    timer ran out in that moment. Later connections are served for good.
    """

    def __init__(self, then: str, stale: int = 1) -> None:
        self._then = then
        self._stale = stale
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(ACCEPT_POLL_SECONDS)
        self._over = False
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.requests: list[int] = []
        self.hung_up = threading.Event()
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Keeper:
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        self._over = True
        for thread in self._threads:
            thread.join(20)
        self._listener.close()

    def _start(self, target: Callable[..., None], *arguments: Any) -> None:
        self._threads.append(threading.Thread(target=target, args=arguments, daemon=True))
        self._threads[-1].start()

    def _accept(self) -> None:
        number = 0
        while not self._over:
            try:
                connection, _ = self._listener.accept()
            except TimeoutError:
                continue
            self._start(self._serve, connection, number)
            number += 1

    def _serve(self, connection: socket.socket, number: int) -> None:
        connection.settimeout(20)
        with connection, connection.makefile("rb") as file:
            answered = False
            while True:
                length = self._head(file)
                if length is None:
                    return
                file.read(length)
                self.requests.append(number)
                if answered and number < self._stale:
                    break
                body = json.dumps(COMPLETION).encode()
                connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(body) + body)
                answered = True
                if self._then == "fin" and number < self._stale:
                    break
        self.hung_up.set()

    @staticmethod
    def _head(file: Any) -> int | None:
        length = 0
        while True:
            line = file.readline()
            if not line:
                return None
            if line == b"\r\n":
                return length
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])


@pytest.mark.parametrize("retry", [Retry(), ONCE], ids=["by default", "even without retries"])
def test_a_kept_connection_that_the_server_closed_is_survived(retry: Retry, no_sleep: list[float]) -> None:
    rows: list[UsageRow] = []
    with Keeper("fin") as server, client_of(server.url, retry=retry, on_usage=rows.append) as client:
        client.chat(ASK)
        assert server.hung_up.wait(20)
        client.chat(ASK)
        client.chat(ASK)
        assert server.requests == [0, 1, 1]
    assert [row.outcome for row in rows] == ["ok"] * 3
    assert no_sleep == []


def test_a_kept_connection_that_closes_under_the_request_is_survived_without_a_pause(no_sleep: list[float]) -> None:
    rows: list[UsageRow] = []
    with Keeper("late") as server, client_of(server.url, on_usage=rows.append) as client:
        client.chat(ASK)
        assert client.chat(ASK).text == "Hello"
        assert server.requests == [0, 0, 1]
    assert [row.outcome for row in rows] == ["ok", "connection", "ok"]
    assert no_sleep == []


def test_the_asynchronous_client_survives_a_stale_connection_too() -> None:
    rows: list[UsageRow] = []

    async def call(server: Keeper) -> None:
        models = [entry(config={"baseUrl": server.url})]
        catalog = Catalog.model_validate({"models": models})
        request = {"capabilityClass": "local-reasoning", "privacy": "sensitive"}
        decision = route(catalog, RouteRequest.model_validate(request))
        async with resolve_async(catalog, decision, timeouts=QUICK, environ={}, on_usage=rows.append) as client:
            for _ in range(2):
                assert (await client.chat(ASK)).text == "Hello"

    for then in ("fin", "late"):
        rows.clear()
        with Keeper(then) as server:
            anyio.run(call, server)
        assert rows[-1].outcome == "ok"


def test_a_dead_server_is_not_taken_for_a_stale_connection_for_ever(no_sleep: list[float]) -> None:
    with FakeServer([Reply(b"")]) as server, client_of(server.url, retry=Retry(times=3)) as client:
        with pytest.raises(TransportError) as caught:
            client.chat(ASK)
        assert server.connections == 4
    assert caught.value.code == "connection"
    assert len(no_sleep) == 2  # the first time might have been a stale connection
    assert caught.value.attempts == (("e0", "connection"),) * 4


def test_a_decision_of_another_catalog_is_refused_before_anything() -> None:
    one, other = (Catalog.model_validate({"models": [entry(id=id)]}) for id in ("a", "b"))
    decision = route(one, RouteRequest.model_validate({"capabilityClass": "local-reasoning", "privacy": "public"}))
    with pytest.raises(UsageError):
        resolve(other, decision)
