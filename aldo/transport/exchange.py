"""One request to one server and what its answer means. No I/O: a client sends what is said here and feeds back
what comes, so that the blocking and the asynchronous client read every answer alike.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from aldo._version import __version__
from aldo.errors import ProtocolError, StreamCut, TransportError, TransportTimeout, Where
from aldo.schema.decimals import pico_per_token, usd_text
from aldo.schema.usage import FinishReason, UsageRow
from aldo.transport.binding import Binding
from aldo.transport.chat import Event, Usage
from aldo.transport.pool import Timeouts
from aldo.transport.wire.faults import foreign_errors_mapped
from aldo.transport.wire.reader import EventReader, WholeReader
from aldo.transport.wire.redact import Redactor

_LONGEST_ERROR = 100_000  # bytes of an answer that is no success: its message stands at the beginning
_LONGEST_NAME = 200
_AGENT = f"aldo/{__version__}"


class Exchange:
    """What all of them share: the request, the status, the clocks, and errors that hold nothing of what was sent."""

    path: str = ""
    hands_on: bool = False
    """Whether its events go to the caller as they come."""

    def __init__(self, binding: Binding, timeouts: Timeouts) -> None:
        self.binding = binding
        self.timeouts = timeouts
        self.url: str = binding.url + self.path
        self.at: datetime = datetime.now(UTC)
        self.first_byte: bool = False
        """Whether the answer has begun: a byte of the body of a 200, as it was sent."""
        self.sent = False
        """Whether the request is on its way."""
        self.told: bool = False
        """Whether anything of the answer has been handed on."""
        self.recorded = False
        """Whether its usage row is written."""
        self.latency_ms: float | None = None
        self.ttft_ms: float | None = None
        self._status: int | None = None
        self._ended = False
        self._answer_headers: Mapping[str, str] = {}
        self._reader: EventReader | WholeReader = WholeReader()
        self._started = self._last_content = time.monotonic()

    def body(self) -> Mapping[str, Any]:
        """The JSON of the request."""
        raise NotImplementedError

    def texts(self) -> Iterable[str]:
        """All of it that no error and no log may hold."""
        raise NotImplementedError

    def usage(self) -> Usage:
        """The tokens of the answer, as far as they are known."""
        return Usage()

    def returned_model(self) -> str | None:
        """The model that the server named."""
        return None

    def finish_reason(self) -> FinishReason | None:
        """Why the answer ended; None where it did not, or has no such thing."""
        return None

    def new_reader(self, headers: Mapping[str, str]) -> EventReader | WholeReader:
        """What reads the body of a 200 with these headers."""
        return WholeReader()

    def headers(self) -> dict[str, str]:
        """The headers to send. Raises `Unauthorized` where a key is needed and missing."""
        headers = {**self.binding.headers(), "content-type": "application/json"}
        if not any(name.lower() == "user-agent" for name in headers):  # the catalog may name another
            headers["user-agent"] = _AGENT
        return headers

    def content(self) -> bytes:
        """The bytes to send: ASCII with escapes, because a lone surrogate in a prompt has no UTF-8, but it has JSON."""
        return json.dumps(self.body(), allow_nan=False).encode("ascii")

    @property
    def done(self) -> bool:
        """Whether nothing that is still to come counts."""
        return self._reader.done

    def received(self, body_bytes: int) -> None:
        """So many bytes of the body have come, before they were decoded."""
        self.first_byte = self.first_byte or (self._status == 200 and body_bytes > 0)

    def opened(self, status: int, headers: Mapping[str, str]) -> None:
        """The answer's status and headers are here."""
        self._status = status
        self._answer_headers = headers
        self._reader = self.new_reader(headers) if status == 200 else WholeReader(_LONGEST_ERROR)

    def feed(self, piece: bytes) -> Iterator[Event]:
        """A piece of the body has come. Gives what it completes, one by one: an error comes after what was before it.

        Raises `TransportTimeout` where the server has sent no content for too long, however much it sent.
        """
        yield from self._told(self._reader.feed(piece))
        now = time.monotonic()
        if self._reader.content:
            self._last_content = now
        elif now - self._last_content > self.timeouts.no_content:
            raise TransportTimeout(f"{self.binding.url} sent nothing but keep-alives for too long")

    def end(self) -> Iterator[Event]:
        """The body has ended. Gives what was left of it."""
        self._ended = True
        rest = self._reader.end()
        if self._status != 200:
            raise self.binding.adapter.error(self._status or 0, self._answer_headers, b"".join(rest), self.url)
        yield from self._told(rest)
        self.latency_ms = _milliseconds(self._started)

    def began(self) -> None:
        """Something of the answer is here."""
        if self.ttft_ms is None:
            self.ttft_ms = _milliseconds(self._started)

    def whole_already(self) -> bool:
        """Whether a connection that ends now, in whatever way, takes nothing from the answer."""
        return False

    def _settled(self, error: TransportError) -> bool:
        """Whether what came before the error says enough: a whole answer, or a status that is a refusal."""
        if self._ended or not isinstance(error, (StreamCut, TransportTimeout, ProtocolError)):
            return False
        if self._status not in (None, 200):
            return True
        return self.whole_already() and not isinstance(error, ProtocolError)

    @contextmanager
    def errors(self) -> Iterator[None]:
        """Runs I/O. Every error that leaves says which entry it came from, and nothing of what was sent."""
        try:
            with foreign_errors_mapped(self.url, begun=lambda: self._status is not None):
                yield
        except TransportError as error:
            if self._settled(error):
                return
            error.__context__ = None  # another library's error, which may quote what came
            error.said = self.redacted(error.said) if error.said else ""
            error.where = Where(self.binding.entry.id, self.binding.entry.provider, self.binding.adapter.wire_model)
            raise

    def redacted(self, said: str) -> str:
        """What a server said, without what was sent to it."""
        try:
            headers = self.headers()
        except TransportError:
            headers = {}  # no key: none was sent
        headers.pop("content-type", None)
        if headers.get("user-agent") == _AGENT:
            del headers["user-agent"]
        return Redactor([*self.texts(), *self.binding.passwords], headers)(said)

    def row(self, outcome: str) -> UsageRow:
        """The usage row of this attempt."""
        entry, usage, returned = self.binding.entry, self.usage(), self.returned_model()
        if returned is not None and returned != self.binding.adapter.wire_model:
            returned = self.redacted(returned[:_LONGEST_NAME])
        return UsageRow(
            at=self.at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            provider=entry.provider,
            model=entry.id,
            upstream_model=self.binding.adapter.wire_model,
            returned_model=returned,
            capability_class=entry.capability_class,
            privacy=self.binding.privacy,
            tokens_in=usage.tokens_in,
            tokens_out=usage.tokens_out,
            cache_read_tokens=usage.cache_read_tokens,
            usd=self.usd(),
            latency_ms=self.latency_ms if self.latency_ms is not None else _milliseconds(self._started),
            ttft_ms=self.ttft_ms,
            finish_reason=self.finish_reason(),
            outcome=outcome,
            routing_digest=self.binding.routing_digest,
        )

    def usd(self) -> str | None:
        """The list price of what was used: cached prompt tokens at their own price where the entry has one."""
        usage, cost = self.usage(), self.binding.entry.cost
        if usage.tokens_in is None or usage.tokens_out is None:
            return None
        cached = min(usage.cache_read_tokens or 0, usage.tokens_in) if cost.usd_per_mtok_cache_read is not None else 0
        pico = (usage.tokens_in - cached) * pico_per_token(cost.usd_per_mtok_in)
        if cost.usd_per_mtok_cache_read is not None:
            pico += cached * pico_per_token(cost.usd_per_mtok_cache_read)
        return usd_text(pico + usage.tokens_out * pico_per_token(cost.usd_per_mtok_out))

    def _told(self, found: Iterable[bytes]) -> Iterator[Event]:
        for event in self._events(found):
            if self.hands_on:
                self.told = True
                self.began()
            yield event

    def _events(self, found: Iterable[bytes]) -> Iterator[Event]:
        raise NotImplementedError


def _milliseconds(started: float) -> float:
    return round((time.monotonic() - started) * 1000, 3)
