"""Connections that are kept and shared, one set for each reach: what may cross the open network and what may not."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.cookiejar import CookieJar, DefaultCookiePolicy

import httpx

from aldo.errors import ConnectionFailed, UsageError
from aldo.transport.egress import AsyncGuardedTransport, EgressPolicy, GuardedTransport
from aldo.transport.egress.guard import CONNECTIONS, KEPT, KEPT_SECONDS

_LIMITS = httpx.Limits(max_connections=CONNECTIONS, max_keepalive_connections=KEPT, keepalive_expiry=KEPT_SECONDS)


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


def _check_open(closed: bool) -> None:
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

    def __init__(self, http: httpx.BaseTransport | None = None) -> None:
        self._http = http
        self._closed = False
        self._clients: dict[Reach, httpx.Client] = {}
        self._lock = threading.Lock()

    def client(self, reach: Reach) -> httpx.Client:
        """The connections of one reach. Raises `UsageError` once the pool is closed."""
        with self._lock:
            _check_open(self._closed)
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


class AsyncPool:
    """The same for asyncio and trio."""

    def __init__(self, http: httpx.AsyncBaseTransport | None = None) -> None:
        self._http = http
        self._closed = False
        self._clients: dict[Reach, httpx.AsyncClient] = {}

    def client(self, reach: Reach) -> httpx.AsyncClient:
        """The connections of one reach. Raises `UsageError` once the pool is closed."""
        _check_open(self._closed)
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

    async def aclose(self) -> None:
        """Close the connections."""
        self._closed = True
        for client in self._clients.values():
            await client.aclose()
        self._clients.clear()
