"""A task that is cancelled hangs up at once, wherever it was: connecting, resolving, reading, in a pause."""

from __future__ import annotations

import asyncio
import select
import socket
from collections.abc import Iterator
from contextlib import aclosing, contextmanager, suppress
from typing import Any

import anyio
import pytest

from aldo.errors import TransportError
from aldo.schema.usage import UsageRow
from aldo.transport import (
    AsyncModelClient,
    TextDelta,
    resolve_async,
)
from tests.support.bound import ASK
from tests.transport.connections.watched_server import (
    GIVE_UP,
    PATIENT,
    TEXTS,
    WAYS,
    Enough,
    Server,
    ask,
    awaiting,
    blocking,
    bound,
    eventually,
    outcomes,
)


async def cancelled(task: asyncio.Task[None]) -> None:
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("say", ["silence", "head", "comment", "begun"])
def test_a_cancelled_task_hangs_up_at_once_and_leaves_one_row(say: str, way: str) -> None:
    rows: list[UsageRow] = []

    async def run() -> None:
        async with awaiting(server, rows) as client:
            task = asyncio.create_task(ask(client, way))
            await eventually(server.asked.acquire)
            assert await anyio.to_thread.run_sync(server.said.wait, GIVE_UP)
            await cancelled(task)
            assert outcomes(rows) == ["cancelled"]
            await eventually(server.gone.acquire)
            server.say = "whole"
            await ask(client, way)  # the pool is none the worse

    with Server(say) as server:
        asyncio.run(run())
    assert outcomes(rows) == ["cancelled", "ok"]


def test_a_consumer_that_is_cancelled_in_its_own_loop_hangs_up(begun: Server) -> None:
    """While the generator is suspended: the task waits for something of its own."""
    rows: list[UsageRow] = []

    async def consume(client: AsyncModelClient, got: asyncio.Event) -> None:
        async with aclosing(client.stream(ASK)) as events:
            async for _ in events:
                got.set()
                await asyncio.Event().wait()

    async def run() -> None:
        async with awaiting(begun, rows) as client:
            got = asyncio.Event()
            task = asyncio.create_task(consume(client, got))
            await got.wait()
            await cancelled(task)
            assert outcomes(rows) == ["cancelled"]
            await eventually(begun.gone.acquire)

    asyncio.run(run())


@pytest.mark.parametrize("scope", ["asyncio.timeout", "move_on_after", "task group"])
def test_every_kind_of_cancellation_is_one(scope: str) -> None:
    rows: list[UsageRow] = []

    async def run() -> None:
        async with awaiting(server, rows) as client:
            if scope == "asyncio.timeout":
                with pytest.raises(TimeoutError):
                    async with asyncio.timeout(None) as limit:
                        limit.reschedule(asyncio.get_running_loop().time() - 1)
                        await client.chat(ASK)
            elif scope == "move_on_after":
                with anyio.CancelScope() as cancel:
                    async with anyio.create_task_group() as group:
                        group.start_soon(ask, client, "chat")
                        await eventually(server.asked.acquire)
                        cancel.cancel()
            else:
                with pytest.raises(ExceptionGroup):
                    async with anyio.create_task_group() as group:
                        group.start_soon(ask, client, "stream")
                        await eventually(server.asked.acquire)
                        raise Enough

    with Server("silence") as server:
        asyncio.run(run())
        if server.requests:
            assert server.gone.acquire(timeout=GIVE_UP)
    assert outcomes(rows) == ["cancelled"]


@contextmanager
def deaf() -> Iterator[int]:
    """The port of a server whose queue is full: a connection to it is neither made nor refused."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        fillers: list[socket.socket] = []
        try:
            for _ in range(16):
                filler = socket.socket()
                fillers.append(filler)
                filler.setblocking(False)
                with suppress(BlockingIOError):
                    filler.connect(listener.getsockname())
                if not select.select([], [filler], [], 0)[1]:
                    break
            else:
                pytest.skip("this system takes every connection")
            yield listener.getsockname()[1]
        finally:
            for filler in fillers:
                filler.close()


@pytest.mark.parametrize("way", WAYS)
def test_a_task_that_is_cancelled_while_it_connects_closes_the_socket(
    way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows: list[UsageRow] = []
    trying: list[socket.socket] = []
    connect = socket.socket.connect

    def noted(self: socket.socket, address: Any) -> None:
        trying.append(self)
        connect(self, address)

    async def run(port: int) -> None:
        connecting = resolve_async(
            *bound(f"http://127.0.0.1:{port}"), timeouts=PATIENT, on_usage=rows.append, environ={}
        )
        async with connecting as client:
            task = asyncio.create_task(ask(client, way))
            while not trying:
                await asyncio.sleep(0)
            await cancelled(task)
            assert [one.fileno() for one in trying] == [-1]
            assert outcomes(rows) == ["cancelled"]

    with deaf() as port:
        monkeypatch.setattr(socket.socket, "connect", noted)
        asyncio.run(run(port))


@pytest.mark.parametrize("way", WAYS)
def test_a_task_that_is_cancelled_while_a_name_resolves_leaves_one_row(
    way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows: list[UsageRow] = []

    async def run() -> None:
        looking = asyncio.Event()

        async def getaddrinfo(*_: Any, **__: Any) -> Any:
            looking.set()
            await asyncio.Event().wait()

        monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", getaddrinfo)
        async with resolve_async(*bound("http://somewhere:1"), on_usage=rows.append, environ={}) as client:
            task = asyncio.create_task(ask(client, way))
            await looking.wait()
            await cancelled(task)

    asyncio.run(run())
    assert outcomes(rows) == ["cancelled"]


@pytest.mark.parametrize("way", WAYS)
def test_a_task_that_is_cancelled_in_a_pause_asks_no_more_and_its_rows_are_the_requests_that_were_sent(
    way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is under way in a pause, so nothing is cancelled: a row is a request."""
    rows: list[UsageRow] = []

    async def run() -> None:
        pausing = asyncio.Event()

        async def pause(seconds: float) -> None:
            assert seconds == 30
            pausing.set()
            await asyncio.Event().wait()

        monkeypatch.setattr(anyio, "sleep", pause)
        async with awaiting(server, rows) as client:
            task = asyncio.create_task(ask(client, way))
            await pausing.wait()
            await cancelled(task)

    with Server("busy") as server:
        asyncio.run(run())
        assert server.ended.acquire(timeout=GIVE_UP)
        assert len(server.requests) == 1
    assert outcomes(rows) == ["rate_limited"]


def test_an_interruption_in_a_pause_asks_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    rows: list[UsageRow] = []

    def pause(seconds: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("time.sleep", pause)
    with Server("busy") as server:
        for way in WAYS:
            with blocking(server, rows) as client, pytest.raises(KeyboardInterrupt):
                list(client.stream(ASK)) if way == "stream" else getattr(client, way)(TEXTS if way == "embed" else ASK)
        assert len(server.requests) == 3
    assert outcomes(rows) == ["rate_limited"] * 3


def test_leaving_an_asynchronous_loop_and_closing_the_generator_hangs_up(begun: Server) -> None:
    rows: list[UsageRow] = []

    async def run() -> None:
        async with awaiting(begun, rows) as client:
            stream = client.stream(ASK)
            async for event in stream:
                assert event == TextDelta("Hello")
                break
            await stream.aclose()
            assert outcomes(rows) == ["cancelled"]
            await eventually(begun.gone.acquire)

    asyncio.run(run())


def test_an_asynchronous_loop_that_was_just_left_hangs_up_too(begun: Server) -> None:
    """Nobody closes the generator; the loop does, when nothing refers to it any more."""
    rows: list[UsageRow] = []

    async def run() -> None:
        async with awaiting(begun, rows) as client:
            async for _ in client.stream(ASK):
                break
            await eventually(begun.gone.acquire)

    asyncio.run(run())
    assert outcomes(rows) == ["cancelled"]


def test_closing_the_asynchronous_client_under_a_stream_hangs_up_and_the_stream_ends_in_our_error(
    begun: Server,
) -> None:
    rows: list[UsageRow] = []

    async def run() -> None:
        async with awaiting(begun, rows) as client:
            stream = client.stream(ASK)
            assert await anext(stream) == TextDelta("Hello")
        await eventually(begun.gone.acquire)
        with pytest.raises(TransportError):
            await anext(stream)

    asyncio.run(run())
    assert len(rows) == 1


def test_many_cancellations_leave_the_pool_as_it_was() -> None:
    """No place in the pool stays taken, and the rows are as many as the requests."""
    rows: list[UsageRow] = []

    async def run() -> None:
        async with awaiting(server, rows) as client:
            for _ in range(3):
                tasks = [asyncio.create_task(ask(client, way)) for way in WAYS * 5]
                for _ in tasks:
                    await eventually(server.asked.acquire)
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
                for _ in tasks:
                    await eventually(server.gone.acquire)
            server.say = "whole"
            await ask(client, "chat")

    with Server("begun") as server:
        asyncio.run(run())
    assert outcomes(rows) == ["cancelled"] * 45 + ["ok"]
