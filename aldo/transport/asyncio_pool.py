"""`AsyncPool` for a gateway, which asks for many clients at once: over aiohttp, and for asyncio alone.

What httpx does for one request takes longer than all the rest of a gateway, and its pool looks through every
connection for every request. What aiohttp raises becomes what httpx would have raised, so that foreign errors are
still mapped in one place.
"""

from __future__ import annotations

import asyncio
import errno
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
import httpx
from yarl import URL

from aldo.transport.egress.asyncio_guard import guarded_connector
from aldo.transport.egress.guard import CONNECTIONS, KEPT_SECONDS
from aldo.transport.egress.policy import EgressPolicy
from aldo.transport.pool import Reach, Timeouts, check_open

_DRAIN_SECONDS = 1.0


class AsyncioPool:
    """Connections of one event loop, one set for each reach and host."""

    def __init__(self) -> None:
        self._closed = False
        self._sessions: dict[tuple[Reach, str | None], aiohttp.ClientSession] = {}
        self._draining: set[asyncio.Task[None]] = set()

    async def send(
        self, reach: Reach, url: str, content: bytes, headers: Mapping[str, str], timeouts: Timeouts, model: str
    ) -> _Answer:
        """Post a message for an entry; the answer's body is still to come."""
        session = self._session(reach, urlsplit(url).hostname if reach.guarded else None)
        patience = aiohttp.ClientTimeout(
            total=None, connect=timeouts.connect, sock_read=min(timeouts.read, timeouts.no_content)
        )
        with _as_httpx_raises():
            response = await session.post(
                URL(url, encoded=True),
                data=content,
                headers=headers,
                timeout=patience,
                allow_redirects=False,
                proxy=_proxy_of(url) if reach.proxies and not reach.guarded else None,
            )
        return _Answer(response, self._draining)

    async def aclose(self) -> None:
        """Close the connections."""
        self._closed = True
        for task in self._draining:
            task.cancel()
        for session in self._sessions.values():
            await session.close()
        self._sessions.clear()

    def _session(self, reach: Reach, host: str | None) -> aiohttp.ClientSession:
        check_open(self._closed)
        session = self._sessions.get((reach, host))
        if session is None:
            if host is None:
                connector = aiohttp.TCPConnector(limit=CONNECTIONS, keepalive_timeout=KEPT_SECONDS)
            else:
                connector = guarded_connector(EgressPolicy(reach.networks, private=reach.private), host)
            session = self._sessions[reach, host] = aiohttp.ClientSession(
                connector=connector,
                cookie_jar=aiohttp.DummyCookieJar(),  # cookies know no ports
                trust_env=False,  # it would add passwords of a .netrc
            )
        return session


class _Answer:
    """The answer of a server, as `AsyncPool` gives it."""

    def __init__(self, response: aiohttp.ClientResponse, draining: set[asyncio.Task[None]]) -> None:
        self._response = response
        self._draining = draining
        self.status = response.status
        self.headers: Mapping[str, str] = response.headers
        self.received = 0

    async def pieces(self) -> AsyncIterator[bytes]:
        """The body as it comes."""
        content = self._response.content
        while True:
            with _as_httpx_raises():
                try:
                    piece = await content.readany()
                except RuntimeError:  # the pool was closed under it
                    raise httpx.ReadError("the client is closed") from None
            if not piece:
                return
            self.received += len(piece)
            yield piece

    async def aclose(self) -> None:
        """Keep the connection where the body has ended, or ends in a moment; else close it.

        After its last event a stream has an end still to come, often in a packet of its own.
        """
        response = self._response
        if response.content.is_eof():
            response.release()
        elif response.content.exception() is not None or response.connection is None or not self._whole:
            response.close()
        else:
            task = asyncio.get_running_loop().create_task(_drained(response))
            self._draining.add(task)
            task.add_done_callback(self._draining.discard)

    _whole = False

    def whole(self) -> None:
        """Nothing that is still to come counts."""
        self._whole = True


async def _drained(response: aiohttp.ClientResponse) -> None:
    try:
        async with asyncio.timeout(_DRAIN_SECONDS):
            while await response.content.readany():
                pass
        response.release()
    except (TimeoutError, aiohttp.ClientError, asyncio.CancelledError):
        response.close()


def _proxy_of(url: str) -> str | None:
    """The proxy that the environment names for a URL."""
    parts = urlsplit(url)
    if proxy_bypass(parts.hostname or ""):
        return None
    proxies = getproxies()
    proxy = proxies.get(parts.scheme) or proxies.get("all")
    return proxy if proxy is None or "://" in proxy else f"http://{proxy}"


@contextmanager
def _as_httpx_raises() -> Iterator[None]:
    """None of the messages quotes what a server sent."""
    try:
        yield
    except aiohttp.ConnectionTimeoutError:
        raise httpx.ConnectTimeout("") from None
    except aiohttp.ServerTimeoutError:
        raise httpx.ReadTimeout("") from None
    except aiohttp.ClientProxyConnectionError as error:
        raise httpx.ProxyError(_reason(error)) from None
    except aiohttp.ClientConnectorError as error:
        refused = ConnectionRefusedError() if error.errno == errno.ECONNREFUSED else None
        raise httpx.ConnectError(_reason(error)) from refused
    except (aiohttp.InvalidURL, ValueError):
        raise httpx.InvalidURL("it is no address") from None
    except aiohttp.ServerDisconnectedError:
        raise httpx.RemoteProtocolError("Server disconnected without sending a response.") from None
    except aiohttp.ClientPayloadError as error:
        if "content-encoding" in str(error):
            raise httpx.DecodingError("its content-encoding is not what it says") from None
        raise httpx.RemoteProtocolError("peer closed connection without sending complete message body") from None
    except aiohttp.ClientResponseError:
        raise httpx.RemoteProtocolError("it does not keep to HTTP") from None
    except (aiohttp.ClientError, ConnectionError) as error:
        raise httpx.ReadError(_reason(error)) from None


def _reason(error: Any) -> str:
    """The operating system's words."""
    return str(getattr(error, "strerror", None) or type(error).__name__)
