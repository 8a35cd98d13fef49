"""What the gateway's connections do beside what `AsyncPool`'s do: the rest of their tests are those of the others."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator

import pytest

from aldo.errors import EgressRefused, TransportError, UsageError
from aldo.transport.asyncio_pool import AsyncioPool
from aldo.transport.chat import Finished
from aldo.transport.egress.asyncio_guard import guarded_connector
from aldo.transport.egress.policy import EgressPolicy
from tests.support.bound import ASK, STREAM, entry
from tests.support.bound_async import asked, bind_async, good
from tests.support.fake_server import FakeServer


@pytest.fixture
def proxy(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeServer]:
    with FakeServer([good]) as running:
        monkeypatch.setenv("http_proxy", running.url)
        yield running


def code(url: str, locality: str, privacy: str) -> str:
    async def run() -> str:
        pool = AsyncioPool()
        try:
            return await asked(
                bind_async(entry("mlx", {"baseUrl": url}, locality=locality), privacy=privacy, pool=pool)
            )
        finally:
            await pool.aclose()

    return asyncio.run(run())


def test_a_public_request_to_the_cloud_takes_the_proxy_of_the_environment(proxy: FakeServer) -> None:
    assert code("http://models.test", "cloud", "public") == "ok"
    assert [seen.target for seen in proxy.seen] == ["http://models.test/v1/chat/completions"]


@pytest.mark.parametrize("excepted", ["models.test", "*", ".test"])
def test_no_proxy_excepts_hosts(excepted: str, proxy: FakeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", excepted)
    assert code("http://models.test", "cloud", "public") == "connection"
    assert proxy.connections == 0


@pytest.mark.parametrize("privacy", ["public", "sensitive"])
def test_a_local_entry_takes_no_proxy(privacy: str, proxy: FakeServer) -> None:
    with FakeServer([good]) as server:
        assert code(server.url, "local", privacy) == "ok"
    assert proxy.connections == 0


class _Keeping:
    """A server that keeps its connections, and sends the end of a stream in a packet of its own."""

    def __init__(self) -> None:
        self.connections = 0
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        self._threads: list[threading.Thread] = []
        self._open: list[socket.socket] = []
        self._accepting = threading.Thread(target=self._accept, daemon=True)
        self._accepting.start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.connections += 1
            self._open.append(connection)
            self._threads.append(threading.Thread(target=self._answer, args=(connection,), daemon=True))
            self._threads[-1].start()

    def _answer(self, connection: socket.socket) -> None:
        data = b""
        while True:
            try:
                piece = connection.recv(65536)
            except OSError:
                return
            if not piece:
                return
            data += piece
            if data.endswith(b"}"):
                data = b""
                head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
                connection.sendall(head + b"%x\r\n%b\r\n" % (len(STREAM), STREAM))
                connection.sendall(b"0\r\n\r\n")

    def close(self) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._accepting.join(10)
        for connection in self._open:
            connection.close()


def test_a_connection_is_kept_after_a_stream_whose_end_comes_behind_its_last_event() -> None:
    server = _Keeping()

    async def run() -> None:
        pool = AsyncioPool()
        client = bind_async(entry("mlx", {"baseUrl": server.url}), pool=pool)
        for _ in range(5):
            *_, last = [event async for event in client.stream(ASK)]
            assert isinstance(last, Finished)
            async with asyncio.timeout(10):
                while pool._draining:
                    await asyncio.sleep(0)
        await pool.aclose()

    try:
        asyncio.run(run())
    finally:
        server.close()
    assert server.connections == 1


def test_a_closed_pool_says_so() -> None:
    async def run() -> None:
        pool = AsyncioPool()
        await pool.aclose()
        with pytest.raises(UsageError, match="closed"):
            await bind_async(entry("mlx", {"baseUrl": "http://127.0.0.1:9"}), pool=pool).chat(ASK)

    asyncio.run(run())


def test_no_socket_is_made_for_an_address_that_the_policy_does_not_admit() -> None:
    """Also where nobody resolved anything: the URL is an address already."""

    async def run() -> None:
        connector = guarded_connector(EgressPolicy(), "93.184.216.34")
        factory = connector._socket_factory
        assert factory is not None
        with pytest.raises(EgressRefused):
            factory((socket.AF_INET, socket.SOCK_STREAM, 6, "", ("93.184.216.34", 80)))
        factory((socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 80))).close()
        await connector.close()

    asyncio.run(run())
    assert issubclass(EgressRefused, TransportError)
