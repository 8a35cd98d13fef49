"""Which failures are tried again, which fail over to the next entry, and which never do."""

from __future__ import annotations

from dataclasses import replace

import httpx
import pytest

from aldo.errors import TransportError
from aldo.router import route
from aldo.schema import Catalog, RouteRequest
from aldo.transport import (
    Retry,
    json_schema_format,
    resolve,
)
from tests.support.bound import ASK, STREAM, entry
from tests.support.fake_server import FakeServer, sse
from tests.transport.retries.chains import NO_CONNECTION, TEXTS, WAYS, Course, Say, Servers, followed, good

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
