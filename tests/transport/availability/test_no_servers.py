"""What is no model server, or none yet: something else, locked, loading, silent, endless."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from aldo.schema import Catalog
from tests.support.fake_runtimes import FakeOllama, OllamaModel
from tests.support.fake_server import FakeServer, Reply
from tests.support.fake_server import http as raw_http
from tests.transport.availability.asking import HASTY, PROVIDERS, asked, local, one, over, vllm

SAME_ANSWER_TO_EVERYTHING = [
    b"",
    b" \n",
    b"<!doctype html><title>Welcome</title>",
    b"OK",
    b"null",
    b"true",
    b"0",
    b'"ok"',
    b"{}",
    b"[]",
    b"[[], {}, null, 1]",
    b'[{"id": "the-model", "name": "the-model"}]',
    b'{"error": "no"}',
    b'{"error": {"message": "no"}}',
    b'{"status": "ok"}',
    b'{"data": null}',
    b'{"data": {"id": "the-model"}}',
    b'{"data": [null, 1, "the-model", ["the-model"]]}',
    b'{"models": ["the-model", null]}',
    b'{"models": "the-model"}',
    b'{"data": [{"id": ["the-model"]}], "models": [{"name": {"the-model": 1}}]}',
    b'{"object": "list", "data": []}',
    b'\xff\xfe{"data": 1',
    b'{"data": [{"id": "the-model"}], "error": "but no"}',
    b"[" * 100_000,
    b'{"a":' * 2_000,
    b"9" * 10_000,
    b'{"version": "1"}',
]


@pytest.mark.parametrize("body", SAME_ANSWER_TO_EVERYTHING, ids=lambda body: repr(body[:24]))
def test_what_answers_the_same_to_everything_is_no_server(body: bytes) -> None:
    models = [local(provider, provider, "http://localhost:1", "the-model") for provider in PROVIDERS]
    catalog = Catalog.model_validate({"models": models})
    for status in (200, 204, 302, 401, 404, 503):
        answer = httpx.Response(status, content=body)
        found = over(lambda _, answer=answer: answer, catalog)
        assert list(found) == list(PROVIDERS)
        assert not any(value.available or value.live for value in found.values()), (status, found)
        assert all(value.detail for value in found.values())


def test_an_envelope_with_a_status_and_data_is_no_mlx_server() -> None:
    catalog = Catalog.model_validate({"models": [local("mlx", "mlx", "http://localhost:1")]})
    found = over(lambda _: httpx.Response(200, content=b'{"status": "ok", "data": []}'), catalog)
    assert not found["mlx"].live


def test_a_web_server_is_no_model_server() -> None:
    page = raw_http("<html><body>It works!</body></html>", content_type="text/html")
    with FakeServer([page]) as server:
        found = asked(*(local(provider, provider, server.url) for provider in PROVIDERS))
    assert not any(value.available for value in found.values())


def test_a_server_that_wants_a_key_is_asked_with_the_entrys_key() -> None:
    with FakeServer([vllm("m", key="right")]) as server:
        url = server.url
        found = asked(
            local("none", "vllm", url, "m"),
            local("unset", "vllm", url, "m", config={"apiKeyEnv": "UNSET_KEY"}),
            local("wrong", "vllm", url, "m", config={"apiKeyEnv": "WRONG_KEY"}),
            local("right", "vllm", url, "m", config={"apiKeyEnv": "RIGHT_KEY"}),
            local("generic", "acme", url, "m"),
            WRONG_KEY="wrong",
            RIGHT_KEY="right",
        )
    assert [value.live for value in found.values()] == [False, False, False, True, False]
    assert {found[name].detail for name in ("none", "unset", "wrong", "generic")} == {"it wants a key"}


def test_headers_of_an_entry_travel_with_the_question() -> None:
    with FakeServer([vllm("m")]) as server:
        one(local("x", "vllm", server.url, "m", config={"headers": {"x-team": "blue"}}))
        assert {seen.headers.get("x-team") for seen in server.seen} == {"blue"}


def test_a_password_in_the_address_is_used_and_not_shown() -> None:
    with FakeServer([vllm("m")]) as server:
        found = one(local("x", "vllm", server.url.replace("//", "//me:hunter2@"), "m"))
        assert all("authorization" in seen.headers for seen in server.seen)
    assert found.live
    assert "hunter2" not in json.dumps(found.to_dict())


def test_a_server_that_loads_its_model_says_so() -> None:
    loading = raw_http(json.dumps({"error": {"code": 503, "message": "Loading model"}}), "503 Service Unavailable")
    with FakeServer([loading]) as server:
        found = asked(*(local(provider, provider, server.url) for provider in PROVIDERS))
    assert not any(value.available for value in found.values())
    assert "loading" in found["llamacpp"].detail


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize(
    "reply",
    [
        Reply(b"", after="hang"),
        Reply(b"HTTP/1.1 200 OK\r\ncontent-type: app", after="hang"),
        Reply(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{", after="hang"),
    ],
    ids=["nothing", "half a head", "half a body"],
)
def test_a_server_that_falls_silent_is_given_up(provider: str, reply: Reply) -> None:
    with FakeServer([reply]) as server:
        found = one(local("x", provider, server.url), seconds=HASTY)
    assert (found.available, found.live) == (False, False)
    assert "0.3 s" in found.detail


def test_a_silent_server_does_not_silence_the_others() -> None:
    with FakeServer([Reply(b"", after="hang")]) as mute, FakeOllama([OllamaModel("m")]) as ollama:
        found = asked(local("mute", "vllm", mute.url), local("alive", "ollama", ollama.base_url, "m"), seconds=1.5)
    assert [value.live for value in found.values()] == [False, True]


@pytest.mark.parametrize("head", [b"content-length: 1000000\r\n", b""], ids=["of a length", "of none"])
def test_a_server_that_drips_is_given_up_too(head: bytes) -> None:
    raw = b"HTTP/1.1 200 OK\r\n" + head + b"\r\n{"
    with FakeServer([Reply(raw, after="drip", drip=b" ")]) as server:
        found = one(local("x", "ollama", server.url), seconds=HASTY)
    assert found.live is False
    assert not server.ran_dry


def test_of_a_huge_body_no_more_is_read_than_a_list_needs() -> None:
    raw = raw_http(b'{"models": [' + b'{"name": "m"},' * 1_500_000 + b'{"name": "m"}]}')
    with FakeServer([raw]) as server:
        assert one(local("x", "ollama", server.url, "m")).live is False


def test_a_list_of_thousands_is_read_whole_and_only_some_are_asked_about() -> None:
    models = [OllamaModel(f"m{number}") for number in range(3000)]
    with FakeOllama(models) as ollama:
        assert one(local("x", "ollama", ollama.base_url, "m2999")).live
        assert len(ollama.seen) <= 60


@pytest.mark.parametrize("after", ["close", "reset"])
@pytest.mark.parametrize("raw", [b"", b"HTTP/1.1 200 OK\r\n", b"\x16\x03\x01\x02\x00", b"220 mail ready\r\n"])
def test_what_speaks_no_http_is_told(raw: bytes, after: Any) -> None:
    with FakeServer([Reply(raw, after=after)]) as server:
        found = asked(*(local(provider, provider, server.url) for provider in PROVIDERS))
    assert not any(value.available for value in found.values())
    assert all(value.detail for value in found.values())


def test_nothing_listens_there() -> None:
    with FakeServer([b""]) as server:
        url = server.url
    found = one(local("x", "ollama", url))
    assert (found.available, found.live, found.detail) == (False, False, "nothing listens there")
