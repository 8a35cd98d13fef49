"""How many requests are under way at once, and what happens when clients leave or read nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.api.running import (
    CHAT,
    DEADLINE,
    STREAMED,
    Gateway,
    House,
    is_closed,
    model,
    posting,
    read_answer,
    until,
)
from tests.api.upstream import (
    DONE,
    HANG,
    STREAM_END,
    STREAM_HEAD,
    Gate,
    Upstream,
    answering,
    completion,
    delta,
    good,
    http,
)


def test_what_is_more_than_the_crowd_is_told_to_come_again(house: House) -> None:
    gate = Gate()
    server = house.upstream(answering(gate, *http(completion())))
    gateway = house.gateway(model("near", server.url), most_requests=3)
    with ExitStack() as stack:
        for _ in range(3):
            stack.enter_context(connection := gateway.connect())
            connection.sendall(posting("/v1/chat/completions", CHAT))
        until(lambda: gate.reached == 3, "three requests under way")
        assert gateway.metric("aldo_requests_in_flight") == 3
        for answer in (gateway.chat(), gateway.chat(stream=True), gateway.embed("x")):
            assert (answer.status_code, answer.json()["error"]["code"]) == (429, "too_many_requests")
            assert int(answer.headers["retry-after"]) >= 1
        for path in ("/health", "/metrics", "/v1/models"):
            assert gateway.http.get(path).status_code == 200
        assert gateway.route(capabilityClass="fast-draft", privacy="public").status_code == 200
        assert len(server.asked) == 3
        gate.open()
        until(lambda: not gateway.inner.calls, "the end of the calls")
    server.script = good
    assert gateway.chat().status_code == 200


def test_a_place_in_the_crowd_is_free_again_whatever_ended_the_request(house: House) -> None:
    server = house.upstream(answering(HANG))
    gateway = house.gateway(model("near", server.url), most_requests=1)
    for stream in (CHAT, STREAMED):
        with gateway.connect() as connection:
            connection.sendall(posting("/v1/chat/completions", stream))
            until(lambda: gateway.inner.calls, "a request under way")
            assert gateway.chat().status_code == 429
        until(lambda: not gateway.inner.calls, "the end of the call")
    for bad in ({"n": 2}, {"privacy": None}, {"model": "x"}):
        assert gateway.chat(**bad).status_code in (400, 404)  # type: ignore[arg-type]
    server.script = good
    assert gateway.chat().status_code == 200


BEGUN: dict[str, Any] = {
    "before the head of an answer": [HANG],
    "before its first piece": [STREAM_HEAD, HANG],
    "in the middle of a stream": [STREAM_HEAD, delta(content="Hel"), HANG],
}


@pytest.mark.parametrize("body", [CHAT, STREAMED], ids=["whole", "stream"])
@pytest.mark.parametrize("place", BEGUN)
def test_a_client_that_hangs_up_ends_the_connection_to_the_server(
    place: str, body: bytes, house: House, tmp_path: Path
) -> None:
    server, usage = house.upstream(answering(*BEGUN[place])), tmp_path / "usage.jsonl"
    other = house.upstream()
    gateway = house.gateway(model("a", server.url), model("b", other.url), usage=str(usage), retries=3)
    with gateway.connect() as connection:
        connection.sendall(posting("/v1/chat/completions", body))
        until(lambda: server.asked, "the request to the server")
        if place.startswith("in") and body == STREAMED:
            assert connection.recv(65536).startswith(b"HTTP/1.1 200")
    until(lambda: server.closed == 1, "the end of the connection to the server")
    (row,) = until(lambda: [json.loads(line) for line in usage.read_text().splitlines()], "the usage row")
    assert (row["model"], row["outcome"]) == ("a", "cancelled")
    until(lambda: not gateway.inner.calls, "the end of the call")
    assert (len(server.asked), other.asked) == (1, [])
    assert gateway.health_of("a")["state"] == "up"


def test_clients_that_hang_up_put_no_model_down(house: House) -> None:
    server = house.upstream(answering(HANG))
    gateway = house.gateway(model("near", server.url))
    for number in range(4):
        with gateway.connect() as connection:
            connection.sendall(posting("/v1/chat/completions", CHAT))
            until(lambda: len(server.asked) == number + 1, "the request to the server")  # noqa: B023
        until(lambda: not gateway.inner.calls, "the end of the call")
    assert gateway.health_of("near")["state"] == "up"


ENDLESS = b"x" * 200_000


@pytest.fixture
def unread(house: House) -> Iterator[tuple[Gateway, Upstream]]:
    """A stream without an end, and a gateway that waits for nobody."""
    server = house.upstream(
        answering(STREAM_HEAD, *[delta(content="x" * 100_000)] * 400, delta("stop"), DONE, STREAM_END)
    )
    yield house.gateway(model("near", server.url), write_seconds=0.2), server


def test_a_client_that_reads_nothing_of_a_stream_is_dropped(unread: tuple[Gateway, Upstream]) -> None:
    gateway, server = unread
    with gateway.connect() as connection:
        connection.sendall(posting("/v1/chat/completions", STREAMED))
        until(lambda: gateway.inner.calls, "the request")
        until(lambda: not gateway.inner.calls, "that it is dropped")
        until(lambda: server.closed == 1, "the end of the connection to the server")
        until(lambda: not gateway.server.server_state.connections, "the end of its connection")


def test_a_client_that_reads_nothing_of_a_whole_answer_is_dropped(house: House) -> None:
    server = house.upstream(answering(*http(completion("x" * 20_000_000))))
    gateway = house.gateway(model("near", server.url), write_seconds=0.2)
    with gateway.connect() as connection:
        connection.sendall(posting("/v1/chat/completions", CHAT))
        until(lambda: server.asked, "the request")
        until(lambda: not gateway.inner.calls, "the end of the call")
        until(lambda: not gateway.server.server_state.connections, "the end of its connection")


def test_a_client_that_reads_slowly_but_reads_is_not_dropped(house: House) -> None:
    server = house.upstream(
        answering(STREAM_HEAD, *[delta(content="x" * 50_000)] * 60, delta("stop"), DONE, STREAM_END)
    )
    gateway = house.gateway(model("near", server.url), write_seconds=5.0)
    data = b""
    with gateway.connect() as connection:
        connection.sendall(posting("/v1/chat/completions", STREAMED))
        while b"[DONE]" not in data[-200:]:
            data += connection.recv(20_000)
    assert data.count(b"x") >= 3_000_000


def test_the_connection_of_a_client_is_kept_from_one_request_to_the_next(gateway: Gateway, server: Upstream) -> None:
    with gateway.connect() as connection:
        for _ in range(3):
            connection.sendall(posting("/v1/chat/completions", CHAT))
            assert read_answer(connection)[0] == 200
        connection.sendall(posting("/v1/chat/completions", b'{"model": 5}'))
        assert read_answer(connection)[0] == 400
        connection.sendall(posting("/v1/chat/completions", CHAT))
        assert read_answer(connection)[0] == 200


def test_nonsense_instead_of_http_ends_that_connection_alone(gateway: Gateway, server: Upstream) -> None:
    for raw in (b"\x16\x03\x01\x02\x00\x01\x00", b"nonsense\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"\r\n" * 50):
        with gateway.connect() as connection:
            connection.sendall(raw)
            connection.shutdown(1)
            until(lambda: is_closed(connection), "the end of the connection")
    assert gateway.chat().status_code == 200


def test_two_gateways_do_not_share_a_crowd(house: House) -> None:
    server = house.upstream(answering(HANG))
    one, other = (house.gateway(model("near", server.url), most_requests=1) for _ in range(2))
    with one.connect() as connection:
        connection.sendall(posting("/v1/chat/completions", CHAT))
        until(lambda: one.inner.calls, "a request under way")
        server.script = good
        with httpx.Client(base_url=other.url, trust_env=False, timeout=DEADLINE) as http_:
            assert http_.get("/health").status_code == 200
        assert other.chat().status_code == 200
