"""The body of an answer: its bytes, its events, and the clock that ends a server which sends no content."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from itertools import chain
from typing import Any

import httpx

from aldo.errors import ProtocolError, StreamCut, TransportTimeout
from aldo.transport.faults import foreign_errors_mapped
from aldo.transport.sse import BOM, SseDecoder

_DONE = b"[DONE]"


class Body:
    """Reads one response. `no_content` is in seconds; `url` is for messages."""

    def __init__(self, response: httpx.Response, url: str, no_content: float) -> None:
        self._response = response
        self._url = url
        self._no_content = no_content
        self._last_content = time.monotonic()

    def whole(self) -> bytes:
        """All of it."""
        pieces: list[bytes] = []
        with foreign_errors_mapped(self._url, streaming=True):
            for piece in self._response.iter_bytes():
                self._saw(content=bool(piece.strip()))
                pieces.append(piece)
        return b"".join(pieces)

    def events(self) -> Iterator[bytes]:
        """The data of each event. A body that is one JSON value, or a page, counts as one event."""
        decoder = SseDecoder()
        with foreign_errors_mapped(self._url, streaming=True):
            pieces = self._response.iter_bytes()
            head = self._head(pieces)
            if _is_no_stream(head):
                yield head + b"".join(pieces)
                return
            for piece in chain((head,), pieces):
                found = decoder.feed(piece)
                self._saw(content=bool(found))
                for data in found:
                    if data.strip() == _DONE:
                        return
                    yield data
        for data in decoder.end():
            if data.strip() != _DONE:
                yield _last(data)

    def _head(self, pieces: Iterator[bytes]) -> bytes:
        """The bytes up to the first that is no white space, and what came with it."""
        head: list[bytes] = []
        for piece in pieces:
            head.append(piece)
            if piece.strip():
                break
            self._saw(content=False)
        return b"".join(head)

    def _saw(self, *, content: bool) -> None:
        now = time.monotonic()
        if content:
            self._last_content = now
        elif now - self._last_content > self._no_content:
            raise TransportTimeout(f"{self._url} sent nothing but keep-alives for too long")


def parsed(data: bytes) -> Any:
    """The JSON of an event or a body. Raises `ProtocolError` without a word of what stood there,
    `StreamCut` for an object that has no end."""
    try:
        return json.loads(data.decode("utf-8", "replace").removeprefix("\ufeff"))
    except (ValueError, RecursionError):
        if data.lstrip()[:1] == b"{" and not data.rstrip().endswith(b"}"):
            raise StreamCut("the answer ended in the middle of its JSON; it is not whole") from None
        what = "an HTML page" if data.lstrip()[:1] == b"<" else f"{len(data)} bytes that are no JSON"
        raise ProtocolError(f"the server sent {what} where a chat answer belongs") from None


def _is_no_stream(head: bytes) -> bool:
    """Servers answer a stream request with plain JSON or a proxy's page, whatever the content type says.

    No line of an event stream begins with one of these characters.
    """
    return head.removeprefix(BOM).lstrip()[:1] in (b"{", b"[", b"<")


def _last(data: bytes) -> bytes:
    """What stood in the last event, which no blank line ended: whole, or cut."""
    try:
        json.loads(data)
    except ValueError:
        raise StreamCut("the connection ended in the middle of an event; the answer is not whole") from None
    return data
