"""Server-sent events as the WHATWG defines them (https://html.spec.whatwg.org/#server-sent-events),
from bytes to the data of each event, however the bytes were split."""

from __future__ import annotations

BOM = b"\xef\xbb\xbf"


class SseDecoder:
    """Feed bytes, get the data of the events that they complete. Time is linear in the bytes."""

    def __init__(self) -> None:
        self._tail: list[bytes] = []  # pieces of a line that has not ended
        self._data: list[bytes] = []  # data lines of an event that has not ended
        self._after_cr = False
        self._started = False

    def feed(self, chunk: bytes) -> list[bytes]:
        """The data of every event that ends within this chunk."""
        if self._after_cr and chunk:
            self._after_cr = False
            chunk = chunk.removeprefix(b"\n")  # the other half of a CRLF
        if b"\n" not in chunk and b"\r" not in chunk:
            if chunk:
                self._tail.append(chunk)
            return []
        if self._tail:
            self._tail.append(chunk)
            chunk = b"".join(self._tail)
            self._tail.clear()
        if not self._started:
            self._started = True
            chunk = chunk.removeprefix(BOM)
        lines = chunk.splitlines()  # for bytes: \n, \r\n and \r only
        self._after_cr = chunk.endswith(b"\r")
        if not chunk.endswith((b"\n", b"\r")):
            self._tail.append(lines.pop())
        return self._take(lines)

    def end(self) -> list[bytes]:
        """What an end of the stream without a blank line leaves."""
        tail = b"".join(self._tail)
        self._tail.clear()
        return self._take([tail if self._started else tail.removeprefix(BOM), b""])

    def _take(self, lines: list[bytes]) -> list[bytes]:
        events: list[bytes] = []
        data = self._data
        for line in lines:
            if not line:
                if data:
                    events.append(data[0] if len(data) == 1 else b"\n".join(data))
                    data.clear()
            elif line.startswith(b"data:"):
                data.append(line[6:] if line.startswith(b"data: ") else line[5:])
            elif line.startswith(b"error:"):  # llama.cpp's older builds put an error into a field of this name
                data.append(b'{"error":' + (line[6:].strip() or b"null") + b"}")
            elif line == b"data":
                data.append(b"")
        return events
