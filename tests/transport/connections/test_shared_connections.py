"""Whole answers share their connections, clients share a pool, and threads and tasks share a client."""

from __future__ import annotations

import asyncio
import os
import socket
import struct
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from typing import Any

import pytest

from aldo.errors import TransportError
from aldo.schema.usage import UsageRow
from aldo.transport import (
    AsyncModelClient,
    AsyncPool,
    EmbeddingRequest,
    Finished,
    Pool,
    Retry,
    TextDelta,
    resolve_async,
)
from tests.support.bound import ASK
from tests.transport.connections.watched_server import (
    GIVE_UP,
    PATIENT,
    Handler,
    Server,
    awaiting,
    blocking,
    bound,
    eventually,
    outcomes,
)


def test_whole_answers_and_vectors_of_one_client_take_one_connection() -> None:
    with Server("whole") as server:
        with blocking(server) as client:
            for _ in range(5):
                assert client.chat(ASK).text == "hi"
                assert client.embed(EmbeddingRequest(("a", "b", "c"), batch_size=1)).dimensions == 2
        assert (server.accepts, len(server.requests)) == (1, 20)
        assert server.ended.acquire(timeout=GIVE_UP)  # its own pool is closed with it


def test_the_asynchronous_client_takes_one_connection_too() -> None:
    async def run() -> None:
        async with awaiting(server) as client:
            for _ in range(5):
                assert (await client.chat(ASK)).text == "hi"
                await client.embed(EmbeddingRequest(("a", "b", "c"), batch_size=1))
        await eventually(server.ended.acquire)

    with Server("whole") as server:
        asyncio.run(run())
        assert (server.accepts, len(server.requests)) == (1, 20)


def test_a_refused_request_keeps_the_connection_for_the_next() -> None:
    with Server("busy") as server, blocking(server, retry=Retry(times=0)) as client:
        for _ in range(3):
            with pytest.raises(TransportError):
                client.chat(ASK)
        server.say = "whole"
        client.chat(ASK)
        assert server.accepts == 1


def test_clients_that_share_a_pool_share_connections_and_closing_one_takes_none_from_the_others() -> None:
    with Server("whole") as server:
        pool = Pool()
        with blocking(server, pool=pool) as one, blocking(server, pool=pool) as other:
            one.chat(ASK)
            other.chat(ASK)
        with blocking(server, pool=pool) as third:
            third.chat(ASK)
            assert server.accepts == 1
            assert not server.ended.acquire(blocking=False)
        pool.close()
        assert server.ended.acquire(timeout=GIVE_UP)
        pool.close()


def test_a_shared_asynchronous_pool_is_closed_by_nobody_but_its_owner() -> None:
    async def run() -> None:
        pool = AsyncPool()
        for _ in range(3):
            async with awaiting(server, pool=pool) as client:
                await client.chat(ASK)
        assert server.accepts == 1
        assert not server.ended.acquire(blocking=False)
        await pool.aclose()
        await eventually(server.ended.acquire)

    with Server("whole") as server:
        asyncio.run(run())


def test_a_stream_of_one_client_goes_on_when_another_client_of_its_pool_is_closed(begun: Server) -> None:
    pool = Pool()
    with blocking(begun, pool=pool) as client:
        stream = client.stream(ASK)
        next(stream)
        blocking(begun, pool=pool).close()
        assert not begun.gone.acquire(blocking=False)
        stream.close()
        assert begun.gone.acquire(timeout=GIVE_UP)
    pool.close()


def prompt(number: int) -> Any:
    return type(ASK)(messages=({"role": "user", "content": f"number {number}"},), max_tokens=8)


def test_threads_share_a_client_and_each_gets_its_own_answer() -> None:
    """No more connections than threads, however many requests."""
    rows: list[UsageRow] = []
    with Server("whole") as server, blocking(server, rows) as client, ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda number: client.chat(prompt(number)).text, range(120)))
        assert 1 <= server.accepts <= 8
    assert answers == [f"number {number}" for number in range(120)]
    assert outcomes(rows) == ["ok"] * 120


def test_threads_share_a_pool_from_its_first_moment() -> None:
    """The pool is empty: eight threads with a client each come at once, and one set of connections is made."""
    start = threading.Barrier(8)

    def work(number: int) -> list[str]:
        start.wait(GIVE_UP)
        with blocking(server, pool=pool) as client:
            return [client.chat(prompt(number)).text for _ in range(10)]

    with Server("whole") as server, ThreadPoolExecutor(8) as threads:
        pool = Pool()
        answers = list(threads.map(work, range(8)))
        assert 1 <= server.accepts <= 8
        pool.close()
        for _ in range(server.accepts):
            assert server.ended.acquire(timeout=GIVE_UP)
    assert answers == [[f"number {number}"] * 10 for number in range(8)]


async def texts(client: AsyncModelClient, number: int) -> str:
    found = ""
    async with aclosing(client.stream(prompt(number))) as events:
        async for event in events:
            found += event.text if isinstance(event, TextDelta) else ""
    assert isinstance(event, Finished)
    return found


@pytest.mark.parametrize("cloud", [False, True], ids=["guarded", "open"])
def test_fifty_streams_are_under_way_at_once(cloud: bool) -> None:
    """The server answers nobody before all fifty have asked."""
    rows: list[UsageRow] = []

    async def run() -> list[str]:
        more = {"locality": "cloud", "privacyAllowed": ["public"]} if cloud else {}
        bindings = bound(server.url, **more)
        async with resolve_async(*bindings, timeouts=PATIENT, on_usage=rows.append, environ={}) as client:
            return await asyncio.gather(*(texts(client, number) for number in range(50)))

    with Server("whole", together=50) as server:
        answers = asyncio.run(run())
        assert server.accepts == 50
    assert answers == [f"number {number}" for number in range(50)]
    assert outcomes(rows) == ["ok"] * 50


def test_tasks_share_a_client_and_take_no_more_connections_than_are_under_way() -> None:
    async def work(client: AsyncModelClient, numbers: range) -> list[str]:
        return [(await client.chat(prompt(number))).text for number in numbers]

    async def run() -> list[list[str]]:
        async with awaiting(server) as client:
            return await asyncio.gather(*(work(client, range(n, n + 10)) for n in range(0, 80, 10)))

    with Server("whole") as server:
        answers = asyncio.run(run())
        assert server.accepts <= 8
    assert [text for some in answers for text in some] == [f"number {number}" for number in range(80)]


def test_a_reset_by_the_server_frees_the_place_in_the_pool() -> None:
    def reset(handler: Handler) -> None:
        handler.rfile.read(int(handler.headers["content-length"]))
        handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        os.close(handler.connection.detach())
        handler.close_connection = True

    with Server("whole") as server, blocking(server, retry=Retry(times=0)) as client:
        client.chat(ASK)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Handler, "do_POST", reset)
            for _ in range(3):
                with pytest.raises(TransportError):
                    client.chat(ASK)
        assert client.chat(ASK).text == "hi"
