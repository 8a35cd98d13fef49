"""Transports of httpx whose every connection passes the policy.

A guarded connection takes no proxy from the environment and follows no redirect. The name is resolved
once, here; only addresses that pass are connected to, as addresses, so that a name that resolves
differently the second time changes nothing; and the peer of the socket is checked once more.
"""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Iterable, Iterator
from typing import Any

import anyio
import httpcore
import httpx

from aldo.errors import EgressRefused
from aldo.transport.egress.policy import EgressPolicy, unresolved

CONNECTIONS = 1000  # at once; httpcore's own default of 10 would make the eleventh chat wait for the first
KEPT = 20  # idle ones that are kept for the next request
KEPT_SECONDS = 30.0


def _check_peer(policy: EgressPolicy, host: str, peer: Any) -> None:
    if peer is None or not policy.admits(host, str(peer[0])):
        raise EgressRefused(f"the connection to {host} reached another address than it should")


class _GuardedBackend(httpcore.NetworkBackend):
    """httpcore's network, with the policy between name and socket."""

    def __init__(self, policy: EgressPolicy) -> None:
        self._policy = policy
        self._network = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        addresses = self._policy.addresses(host, port)
        for number, address in enumerate(addresses, start=1):
            try:
                stream = self._network.connect_tcp(address, port, timeout, local_address, socket_options)
            except httpcore.ConnectError:
                if number == len(addresses):
                    raise
                continue
            try:
                _check_peer(self._policy, host, stream.get_extra_info("server_addr"))
            except EgressRefused:
                stream.close()
                raise
            return stream
        raise AssertionError("addresses() never gives an empty list")

    def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Iterable[Any] | None = None
    ) -> httpcore.NetworkStream:
        raise EgressRefused("a Unix socket is not an address that the guard knows")

    def sleep(self, seconds: float) -> None:
        self._network.sleep(seconds)


class _AsyncGuardedBackend(httpcore.AsyncNetworkBackend):
    """The same for asyncio and trio."""

    def __init__(self, policy: EgressPolicy) -> None:
        self._policy = policy
        self._network = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        addresses = self._policy.admitted(host, await self._resolved(host, port, timeout))
        for number, address in enumerate(addresses, start=1):
            try:
                stream = await self._network.connect_tcp(address, port, timeout, local_address, socket_options)
            except httpcore.ConnectError:
                if number == len(addresses):
                    raise
                continue
            try:
                _check_peer(self._policy, host, stream.get_extra_info("server_addr"))
            except EgressRefused:
                await stream.aclose()
                raise
            return stream
        raise AssertionError("admitted() never gives an empty list")

    async def _resolved(self, host: str, port: int, timeout: float | None) -> Iterable[tuple[Any, ...]]:
        try:
            with anyio.fail_after(timeout):
                return await anyio.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except TimeoutError:
            raise httpcore.ConnectTimeout(f"the name {host!r} takes too long to resolve") from None
        except (OSError, UnicodeError) as error:
            raise unresolved(host, error) from None

    async def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Iterable[Any] | None = None
    ) -> httpcore.AsyncNetworkStream:
        raise EgressRefused("a Unix socket is not an address that the guard knows")

    async def sleep(self, seconds: float) -> None:
        await self._network.sleep(seconds)


class _ResponseStream(httpx.SyncByteStream):
    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def __iter__(self) -> Iterator[bytes]:
        yield from self._stream

    def close(self) -> None:
        self._stream.close()


class _AsyncResponseStream(httpx.AsyncByteStream):
    def __init__(self, stream: Any) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for piece in self._stream:
            yield piece

    async def aclose(self) -> None:
        await self._stream.aclose()


def _for_httpcore(request: httpx.Request) -> httpcore.Request:
    url = request.url
    return httpcore.Request(
        request.method,
        httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
        headers=request.headers.raw,
        content=request.stream,
        extensions=request.extensions,
    )


def _for_httpx(answer: httpcore.Response, stream: httpx.SyncByteStream | httpx.AsyncByteStream) -> httpx.Response:
    # Without the words behind the status: httpx writes them into its log, and a server may write there what it likes.
    extensions = {name: value for name, value in answer.extensions.items() if name != "reason_phrase"}
    return httpx.Response(answer.status, headers=answer.headers, stream=stream, extensions=extensions)


class GuardedTransport(httpx.BaseTransport):
    """An httpx transport whose every connection passes the policy. It knows no proxies."""

    def __init__(self, policy: EgressPolicy) -> None:
        # httpcore makes its TLS context when the first https connection needs it: reading the
        # certificates takes longer than a local server's answer.
        self._pool = httpcore.ConnectionPool(
            max_connections=CONNECTIONS,
            max_keepalive_connections=KEPT,
            keepalive_expiry=KEPT_SECONDS,
            network_backend=_GuardedBackend(policy),
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        answer = self._pool.handle_request(_for_httpcore(request))
        return _for_httpx(answer, _ResponseStream(answer.stream))

    def close(self) -> None:
        self._pool.close()


class AsyncGuardedTransport(httpx.AsyncBaseTransport):
    """The same for asyncio and trio."""

    def __init__(self, policy: EgressPolicy) -> None:
        self._pool = httpcore.AsyncConnectionPool(
            max_connections=CONNECTIONS,
            max_keepalive_connections=KEPT,
            keepalive_expiry=KEPT_SECONDS,
            network_backend=_AsyncGuardedBackend(policy),
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        answer = await self._pool.handle_async_request(_for_httpcore(request))
        return _for_httpx(answer, _AsyncResponseStream(answer.stream))

    async def aclose(self) -> None:
        await self._pool.aclose()
