"""The body of an answer, piece by piece: its events or its whole, and whether anything in it was content."""

from __future__ import annotations

import json
from typing import Any

from aldo.errors import ProtocolError, StreamCut
from aldo.transport.wire.sse import BOM, SseDecoder

_DONE = b"[DONE]"
_raw_decode = json.JSONDecoder().raw_decode  # half of what json.loads does is for text that no server sends


class EventReader:
    """Feed the pieces of a stream, get the data of each event. A body that is one JSON value, or a page,
    counts as one event."""

    def __init__(self) -> None:
        self._decoder = SseDecoder()
        self._head: (
            list[bytes] | None
        ) = []  # what came before the first byte that is neither white space nor a byte order mark
        self._page: list[bytes] | None = None  # the pieces of a body that is no stream
        self.done: bool = False
        """Whether `[DONE]` has come; nothing after it counts."""
        self.content: bool = False
        """Whether the last piece held content, not only keep-alives and white space."""

    def feed(self, piece: bytes) -> list[bytes]:
        if self._head is not None:
            self._head.append(piece)
            self.content = bool(piece.strip())
            head = b"".join(self._head) if self.content else b""
            if not head.removeprefix(BOM).strip() or BOM.startswith(head):
                return []
            self._head = None
            if _is_no_stream(head):
                self._page = [head]
                return []
            piece = head
        elif self._page is not None:
            self.content = bool(piece.strip())
            self._page.append(piece)
            return []
        found = self._decoder.feed(piece)
        self.content = bool(found)
        for place, data in enumerate(found):
            if data.strip() == _DONE:
                self.done = True
                return found[:place]
        return found

    def end(self) -> list[bytes]:
        """What the end of the body leaves: an event that no blank line ended, or the page."""
        if self.done:
            return []
        if self._page is not None:
            return [b"".join(self._page)]
        return [_last(data) for data in self._decoder.end() if data.strip() != _DONE]


class WholeReader:
    """The same for a body that is one value: the end gives all of it."""

    done: bool = False

    def __init__(self, most: int | None = None) -> None:
        self._pieces: list[bytes] = []
        self._left = most
        self.content: bool = False

    def feed(self, piece: bytes) -> list[bytes]:
        self.content = bool(piece.strip())
        if self._left is not None:
            piece = piece[: self._left]
            self._left -= len(piece)
            self.done = self._left == 0
        self._pieces.append(piece)
        return []

    def end(self) -> list[bytes]:
        return [b"".join(self._pieces)]


def parsed(data: bytes, what: str = "a chat answer") -> Any:
    """The JSON of an event or a body. Raises `ProtocolError` without a word of what stood there,
    `StreamCut` for an object that has no end."""
    text = data.decode("utf-8", "replace")
    try:
        value, end = _raw_decode(text)
        if end == len(text):
            return value
    except (ValueError, RecursionError):
        pass  # white space or a byte order mark before it, perhaps
    try:
        return json.loads(text.removeprefix("\ufeff"))
    except (ValueError, RecursionError):
        if data.lstrip()[:1] == b"{" and not data.rstrip().endswith(b"}"):
            raise StreamCut("the answer ended in the middle of its JSON; it is not whole") from None
        found = "an HTML page" if data.lstrip()[:1] == b"<" else f"{len(data)} bytes that are no JSON"
        raise ProtocolError(f"the server sent {found} where {what} belongs") from None


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
