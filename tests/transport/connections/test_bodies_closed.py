"""The body of an answer is closed by name, however its stream ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import aclosing, suppress

import httpx
import pytest

from aldo.errors import TransportError
from aldo.transport import (
    Retry,
    resolve,
    resolve_async,
)
from tests.support.bound import ASK, STREAM
from tests.transport.connections.watched_server import FIRST, bound


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
