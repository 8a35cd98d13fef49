"""Who wants no more of an answer hangs up at once, and the server sees it; whole answers share their connections.

What the server sees is an event that the test waits for: nothing here sleeps or looks at a clock.
"""

from __future__ import annotations

import asyncio
import json
import os
import select
import signal
import socket
import struct
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, closing, contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

import anyio
import httpx
import pytest

from aldo.errors import TransportError
from aldo.router import route
from aldo.schema import Catalog, Decision, RouteRequest
from aldo.schema.usage import UsageRow
from aldo.transport import (
    AsyncModelClient,
    AsyncPool,
    EmbeddingRequest,
    Finished,
    ModelClient,
    Pool,
    Retry,
    TextDelta,
    Timeouts,
    resolve,
    resolve_async,
)
from tests.support.bound import ASK, COMPLETION, STREAM, entry

GIVE_UP = 20.0
TEXTS = EmbeddingRequest(("one", "two"))
FIRST = STREAM[: STREAM.index(b"\n\n") + 2]
PATIENT = Timeouts(connect=GIVE_UP, read=GIVE_UP, no_content=GIVE_UP)
WAYS = ["chat", "stream", "embed"]


class Handler(BaseHTTPRequestHandler):
    """Keeps its connection. What it says is `server.say`: whole answers, or a part and then silence."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Server

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server.requests.append((self.client_address[1], body))
        self.server.asked.release()
        if self.server.say == "whole":
            self._whole(body)
            return
        if self.server.say == "busy":
            self._send(b'{"error": {"message": "busy"}}', 429, [("retry-after", "30")])
            return
        self.close_connection = True
        self.connection.settimeout(GIVE_UP)
        with suppress(ConnectionResetError, BrokenPipeError):  # it may be gone before a word was said
            self._begin()
            self.server.said.set()
            if self.connection.recv(1):
                return
        self.server.gone.release()

    def _begin(self) -> None:
        if self.server.say in ("head", "begun", "comment"):
            self.wfile.write(
                b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
            )
        for piece in {"begun": [FIRST], "comment": [b": keepalive\n\n"]}.get(self.server.say, []):
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))

    def _whole(self, body: Any) -> None:
        if self.server.together:
            self.server.together.wait(GIVE_UP)
        if body.get("stream"):
            self._send(STREAM.replace(b"Hello", body["messages"][0]["content"].encode()))
        elif "input" in body:
            data = [{"index": n, "embedding": [n, 1]} for n in range(len(body["input"]))]
            self._send(json.dumps({"data": data}).encode())
        else:
            message = {"role": "assistant", "content": body["messages"][0]["content"]}
            choice = {"message": message, "finish_reason": "stop"}
            self._send(json.dumps({**COMPLETION, "choices": [choice]}).encode())

    def _send(self, data: bytes, status: int = 200, more: list[tuple[str, str]] | None = None) -> None:
        self.send_response(status)
        for name, value in (("content-length", str(len(data))), *(more or [])):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def handle(self) -> None:
        with suppress(ConnectionResetError, BrokenPipeError):
            super().handle()
        self.server.ended.release()

    def log_message(self, *_: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    """Counts connections and tells when one has ended (`ended`), or has while an answer was under way (`gone`)."""

    request_queue_size = 256
    daemon_threads = True

    def __init__(self, say: str, together: int = 0) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.say = say
        self.together = threading.Barrier(together) if together else None
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.accepts = 0
        self.requests: list[tuple[int, Any]] = []
        self.asked = threading.Semaphore(0)
        self.said = threading.Event()
        self.gone = threading.Semaphore(0)
        self.ended = threading.Semaphore(0)
        self._thread = threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True)

    def process_request(self, request: Any, client_address: Any) -> None:
        self.accepts += 1
        super().process_request(request, client_address)

    def __enter__(self) -> Server:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.shutdown()
        self._thread.join(GIVE_UP)
        self.socket.close()  # the threads of connections are daemons: a test that fails may leave one waiting


def bound(url: str, **more: Any) -> tuple[Catalog, Decision]:
    catalog = Catalog.model_validate({"models": [entry(config={"baseUrl": url}, **more)]})
    request = {"capabilityClass": "local-reasoning", "privacy": "public"}
    return catalog, route(catalog, RouteRequest.model_validate(request))


def blocking(server: Server, rows: list[UsageRow] | None = None, **more: Any) -> ModelClient:
    note = None if rows is None else rows.append
    return resolve(*bound(server.url), timeouts=PATIENT, on_usage=note, environ={}, **more)


def awaiting(server: Server, rows: list[UsageRow] | None = None, **more: Any) -> AsyncModelClient:
    note = None if rows is None else rows.append
    return resolve_async(*bound(server.url), timeouts=PATIENT, on_usage=note, environ={}, **more)


def outcomes(rows: list[UsageRow]) -> list[str]:
    return [row.outcome for row in rows]


# Leaving a stream


@pytest.fixture
def begun() -> Iterator[Server]:
    """A server that says one word and then nothing."""
    with Server("begun") as server:
        yield server


class Enough(Exception):
    pass


def close_it(client: ModelClient) -> None:
    stream = client.stream(ASK)
    assert next(stream) == TextDelta("Hello")
    stream.close()


def leave_closing(client: ModelClient) -> None:
    with suppress(Enough), closing(client.stream(ASK)) as stream:
        for _ in stream:
            raise Enough


def leave_the_loop(client: ModelClient) -> None:
    for _ in client.stream(ASK):
        break


def fail_in_the_loop(client: ModelClient) -> None:
    with suppress(Enough):
        for _ in client.stream(ASK):
            raise Enough


def interrupt_in_the_loop(client: ModelClient) -> None:
    with suppress(KeyboardInterrupt):
        for _ in client.stream(ASK):
            raise KeyboardInterrupt


def interrupt_the_stream(client: ModelClient) -> None:
    stream = client.stream(ASK)
    next(stream)
    with pytest.raises(KeyboardInterrupt):
        stream.throw(KeyboardInterrupt())


@pytest.mark.parametrize(
    "leave",
    [close_it, leave_closing, leave_the_loop, fail_in_the_loop, interrupt_in_the_loop, interrupt_the_stream],
)
def test_who_leaves_a_stream_hangs_up_at_once_and_leaves_one_row(
    leave: Callable[[ModelClient], None], begun: Server
) -> None:
    rows: list[UsageRow] = []
    with blocking(begun, rows) as client:
        leave(client)
        assert begun.gone.acquire(timeout=GIVE_UP)  # the client is still open: it is not its end that hung up
        assert outcomes(rows) == ["cancelled"]
        begun.say = "whole"
        assert client.chat(ASK).text == "hi"
    assert outcomes(rows) == ["cancelled", "ok"]
    assert begun.accepts == 2


def test_an_exception_thrown_into_a_stream_leaves_a_row_too(begun: Server) -> None:
    rows: list[UsageRow] = []
    with blocking(begun, rows) as client:
        stream = client.stream(ASK)
        next(stream)
        with pytest.raises(Enough):
            stream.throw(Enough())
        assert begun.gone.acquire(timeout=GIVE_UP)
    assert len(rows) == 1


def test_a_stream_that_was_never_begun_asks_nobody_and_leaves_no_row(begun: Server) -> None:
    rows: list[UsageRow] = []
    with blocking(begun, rows) as client:
        client.stream(ASK).close()
    assert (begun.accepts, rows) == (0, [])


def test_a_row_of_a_cancelled_stream_says_what_is_known(begun: Server) -> None:
    rows: list[UsageRow] = []
    with blocking(begun, rows) as client:
        close_it(client)
    (row,) = rows
    assert (row.outcome, row.returned_model, row.finish_reason, row.tokens_in) == ("cancelled", "served", None, None)
    assert row.ttft_ms is not None
    assert row.latency_ms is not None
    assert row.latency_ms >= row.ttft_ms


def test_closing_the_client_under_a_stream_hangs_up_and_the_stream_ends_in_our_error(begun: Server) -> None:
    rows: list[UsageRow] = []
    with blocking(begun, rows) as client:
        stream = client.stream(ASK)
        next(stream)
    assert begun.gone.acquire(timeout=GIVE_UP)
    with pytest.raises(TransportError):
        next(stream)
    assert len(rows) == 1


def test_leaving_the_clients_block_with_a_stream_in_hand_leaves_one_cancelled_row(begun: Server) -> None:
    rows: list[UsageRow] = []
    with blocking(begun, rows) as client:
        stream = client.stream(ASK)
        next(stream)
    assert begun.gone.acquire(timeout=GIVE_UP)
    stream.close()
    assert outcomes(rows) == ["cancelled"]


def test_after_a_stream_was_closed_a_second_close_does_nothing(begun: Server) -> None:
    rows: list[UsageRow] = []
    with blocking(begun, rows) as client:
        stream = client.stream(ASK)
        next(stream)
        stream.close()
        stream.close()
        assert list(stream) == []
    assert outcomes(rows) == ["cancelled"]


def test_a_stream_that_ended_leaves_no_second_row_when_it_is_closed() -> None:
    rows: list[UsageRow] = []
    with Server("whole") as server, blocking(server, rows) as client:
        stream = client.stream(ASK)
        while not isinstance(next(stream), Finished):
            pass
        stream.close()
    assert outcomes(rows) == ["ok"]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("say", ["silence", "head", "comment"])
def test_an_interruption_while_waiting_hangs_up_and_leaves_one_row(say: str, way: str) -> None:
    """Ctrl-C: the signal arrives while the client waits for the server, which has read the whole request."""
    if threading.current_thread() is not threading.main_thread():
        pytest.skip("signals arrive in the main thread")
    rows: list[UsageRow] = []
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with Server(say) as server, blocking(server, rows) as client:

            def interrupt() -> None:
                assert server.asked.acquire(timeout=GIVE_UP)
                assert server.said.wait(GIVE_UP)
                signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

            thread = threading.Thread(target=interrupt)
            thread.start()
            with pytest.raises(KeyboardInterrupt):
                list(client.stream(ASK)) if way == "stream" else getattr(client, way)(TEXTS if way == "embed" else ASK)
            thread.join(GIVE_UP)
            assert server.gone.acquire(timeout=GIVE_UP)
            assert outcomes(rows) == ["cancelled"]
    finally:
        signal.signal(signal.SIGINT, before)


# Cancelling a task


async def eventually(acquire: Callable[..., bool]) -> None:
    """Until another thread says so."""
    assert await anyio.to_thread.run_sync(lambda: acquire(timeout=GIVE_UP))


async def ask(client: AsyncModelClient, way: str) -> None:
    if way == "stream":
        async with aclosing(client.stream(ASK)) as events:
            async for _ in events:
                pass
    else:
        await (client.embed(TEXTS) if way == "embed" else client.chat(ASK))


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


class Body(httpx.SyncByteStream, httpx.AsyncByteStream):
    """One word, or all; notes that it was closed, and not by the garbage collector."""

    def __init__(self, pieces: Sequence[bytes]) -> None:
        self._pieces = pieces
        self.closed = 0

    def __iter__(self) -> Iterator[bytes]:
        yield from self._pieces

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self._pieces:
            yield piece

    def close(self) -> None:
        self.closed += 1

    async def aclose(self) -> None:
        self.closed += 1


class Transport(httpx.BaseTransport, httpx.AsyncBaseTransport):
    def __init__(self, status: int, pieces: Sequence[bytes]) -> None:
        self._status = status
        self.body = Body(pieces)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return httpx.Response(self._status, stream=self.body)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return self.handle_request(request)


ENDINGS = {
    "whole": (200, [STREAM]), "left early": (200, [FIRST, FIRST]), "cut": (200, [FIRST]), "an error": (500, [b"{}"]),
    "no answer": (200, [b"<html>"]), "an error in it": (200, [b'data: {"error": "x"}\n\n', FIRST]),
    "more after the end": (200, [STREAM, FIRST]),
}  # fmt: skip


@pytest.mark.parametrize("ending", ENDINGS)
def test_the_body_is_closed_by_name_however_a_stream_ends(ending: str) -> None:
    transport = Transport(*ENDINGS[ending])
    with resolve(*bound("http://x"), http=transport, retry=Retry(times=0), environ={}) as client:
        stream = client.stream(ASK)
        with suppress(TransportError):
            for _ in stream:
                if ending == "left early":
                    break
        stream.close()
        assert transport.body.closed


@pytest.mark.parametrize("ending", ENDINGS)
def test_the_body_is_closed_by_name_however_an_asynchronous_stream_ends(ending: str) -> None:
    async def run() -> None:
        transport = Transport(*ENDINGS[ending])
        async with resolve_async(*bound("http://x"), http=transport, retry=Retry(times=0), environ={}) as client:
            async with aclosing(client.stream(ASK)) as stream:
                with suppress(TransportError):
                    async for _ in stream:
                        if ending == "left early":
                            break
            assert transport.body.closed

    asyncio.run(run())


# One connection for many requests


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
