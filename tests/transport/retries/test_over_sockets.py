"""Retries and failover over sockets: refused, busy, and kept connections that the server has closed."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable
from typing import Any

import anyio
import pytest

from aldo.errors import TransportError, UsageError
from aldo.router import route
from aldo.schema import Catalog, RouteRequest
from aldo.schema.usage import UsageRow
from aldo.transport import (
    Retry,
    resolve,
    resolve_async,
)
from tests.support.bound import ASK, COMPLETION, ONCE, QUICK, entry
from tests.support.fake_server import ACCEPT_POLL_SECONDS, FakeServer, Reply, http, sse
from tests.transport.retries.chains import TEXTS, WAYS, client_of, good


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
