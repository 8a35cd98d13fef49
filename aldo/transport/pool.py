"""Connections that are kept and shared, one set for each reach: what may cross the open network and what may not."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import ClassVar, Protocol

import httpx

from aldo.errors import ConnectionFailed, UsageError
from aldo.transport.egress import AsyncGuardedTransport, EgressPolicy, GuardedTransport
from aldo.transport.egress.guard import CONNECTIONS, KEPT, KEPT_SECONDS

_LIMITS = httpx.Limits(max_connections=CONNECTIONS, max_keepalive_connections=KEPT, keepalive_expiry=KEPT_SECONDS)

MODEL = "aldo_model"
"""The extension of a request that names its entry, for who plays the network; it is not sent."""


@dataclass(frozen=True, slots=True)
class Timeouts:
    """In seconds. Local models may read a long prompt for minutes before the first token."""

    connect: float = 10.0
    read: float = 300.0
    """How long a server may send nothing at all."""
    no_content: float = 300.0
    """How long it may send nothing but keep-alives and white space."""

    def for_http(self) -> httpx.Timeout:
        """The same in httpx's words. The no-content timer runs beside it."""
        return httpx.Timeout(min(self.read, self.no_content), connect=self.connect)


@dataclass(frozen=True, slots=True)
class Reach:
    """Where a request's bytes may go.

    `guarded`: loopback and `networks` alone (with `private` the private ranges too), no proxy, no redirect.
    Otherwise anywhere; `proxies` says whether those of the environment are taken.
    """

    guarded: bool
    networks: tuple[str, ...] = ()
    private: bool = False
    proxies: bool = False


def check_open(closed: bool) -> None:
    """Raises `UsageError` once the pool is closed."""
    if closed:
        raise UsageError("the client is closed")


def _no_cookies() -> CookieJar:
    """A jar that stays empty. Cookies know no ports: one server's would travel to the next on this machine."""
    return CookieJar(DefaultCookiePolicy(allowed_domains=()))


@contextmanager
def _environment_errors_mapped() -> Iterator[None]:
    """httpx reads proxies and certificates from the environment when a client is made."""
    try:
        yield
    except (OSError, ValueError):
        raise ConnectionFailed(
            "no connection can be made: a proxy or certificate variable of the environment makes no sense"
        ) from None


class Pool:
    """Connections for any number of clients and threads. A client that is given none has its own.

    `http` takes the place of the network in tests.
    """

    network: ClassVar[httpx.BaseTransport | None] = None
    """What takes its place where a pool is given none; see `FakeModels.installed`."""

    def __init__(self, http: httpx.BaseTransport | None = None) -> None:
        self._http = http or self.network
        self._closed = False
        self._clients: dict[Reach, httpx.Client] = {}
        self._lock = threading.Lock()

    def client(self, reach: Reach) -> httpx.Client:
        """The connections of one reach. Raises `UsageError` once the pool is closed."""
        with self._lock:
            check_open(self._closed)
            if reach not in self._clients:
                guard = GuardedTransport(EgressPolicy(reach.networks, private=reach.private)) if reach.guarded else None
                trusting = reach.proxies and self._http is None
                with _environment_errors_mapped():
                    self._clients[reach] = httpx.Client(
                        transport=self._http or guard,
                        trust_env=trusting,
                        follow_redirects=False,
                        limits=_LIMITS,
                        cookies=_no_cookies(),
                    )
            return self._clients[reach]

    def close(self) -> None:
        """Close the connections."""
        with self._lock:
            self._closed = True
            for client in self._clients.values():
                client.close()
            self._clients.clear()


class Answer(Protocol):
    """A server's answer whose body is still to come."""

    @property
    def status(self) -> int: ...
    @property
    def headers(self) -> Mapping[str, str]: ...
    @property
    def received(self) -> int:
        """Bytes of the body so far."""
        ...

    def pieces(self) -> AsyncIterator[bytes]: ...
    def whole(self) -> None:
        """What is still to come of the body does not count."""
        ...

    async def aclose(self) -> None: ...


class Connections(Protocol):
    """What an asynchronous client asks through."""

    async def send(
        self, reach: Reach, url: str, content: bytes, headers: Mapping[str, str], timeouts: Timeouts, model: str
    ) -> Answer:
        """Post a message for an entry; the answer's body is still to come."""
        ...

    async def aclose(self) -> None: ...


class _HttpxAnswer:
    def __init__(self, response: httpx.Response) -> None:
        self._response = response
        self.status = response.status_code
        self.headers: Mapping[str, str] = response.headers

    @property
    def received(self) -> int:
        return self._response.num_bytes_downloaded

    def pieces(self) -> AsyncIterator[bytes]:
        return self._response.aiter_bytes()

    def whole(self) -> None:
        pass

    async def aclose(self) -> None:
        await self._response.aclose()


class AsyncPool:
    """The same for asyncio and trio."""

    network: ClassVar[httpx.AsyncBaseTransport | None] = None

    def __init__(self, http: httpx.AsyncBaseTransport | None = None) -> None:
        self._http = http or self.network
        self._closed = False
        self._clients: dict[Reach, httpx.AsyncClient] = {}

    def client(self, reach: Reach) -> httpx.AsyncClient:
        """The connections of one reach. Raises `UsageError` once the pool is closed."""
        check_open(self._closed)
        if reach not in self._clients:
            policy = EgressPolicy(reach.networks, private=reach.private)
            guard = AsyncGuardedTransport(policy) if reach.guarded else None
            trusting = reach.proxies and self._http is None
            with _environment_errors_mapped():
                self._clients[reach] = httpx.AsyncClient(
                    transport=self._http or guard,
                    trust_env=trusting,
                    follow_redirects=False,
                    limits=_LIMITS,
                    cookies=_no_cookies(),
                )
        return self._clients[reach]

    async def send(
        self, reach: Reach, url: str, content: bytes, headers: Mapping[str, str], timeouts: Timeouts, model: str
    ) -> Answer:
        """Post a message for an entry; the answer's body is still to come."""
        http = self.client(reach)
        request = http.build_request(
            "POST", url, content=content, headers=headers, timeout=timeouts.for_http(), extensions={MODEL: model}
        )
        return _HttpxAnswer(await http.send(request, stream=True))

    async def aclose(self) -> None:
        """Close the connections."""
        self._closed = True
        for client in self._clients.values():
            await client.aclose()
        self._clients.clear()
