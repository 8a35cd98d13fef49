"""Once a word was handed on nobody else is asked; what came before the first word does not count."""

from __future__ import annotations

import gzip
import json
import time

import httpx
import pytest

from aldo.errors import TransportError
from aldo.router import route
from aldo.schema import Catalog, RouteRequest
from aldo.transport import (
    Retry,
    TextDelta,
    resolve,
)
from tests.support.bound import ASK, QUICK, STREAM, entry
from tests.support.fake_server import FakeServer, chunked
from tests.transport.retries.chains import FRAMES, TEXTS, WAYS, Say, client_of, followed, good


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
