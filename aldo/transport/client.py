"""A client bound to one entry: chats, whole or streamed, over a guarded connection."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

import httpx

from aldo.errors import ProtocolError, StreamCut, TransportError, TransportTimeout, Where
from aldo.schema.money import pico_per_token, usd_text
from aldo.transport.accumulate import ChatAccumulator
from aldo.transport.adapter import Adapter
from aldo.transport.chat import ChatRequest, ChatResult, Event, Finished, Usage
from aldo.transport.faults import foreign_errors_mapped
from aldo.transport.redact import Redactor
from aldo.transport.sse import SseDecoder

_DONE = b"[DONE]"


@dataclass(frozen=True, slots=True)
class Timeouts:
    """In seconds. Local models may read a long prompt for minutes before the first token."""

    connect: float = 10.0
    read: float = 300.0
    no_content: float = 300.0
    """How long a stream may send nothing but keep-alives."""


class ModelClient:
    """Chats with one entry. Use as a context manager, or call `close`.

    Every method raises a child of `TransportError` for what the server or the network does.
    """

    def __init__(
        self,
        adapter: Adapter,
        url: str,
        http: httpx.Client,
        timeouts: Timeouts,
        environ: Mapping[str, str] = os.environ,
    ) -> None:
        self.entry = adapter.entry
        self.base_url = url
        self._adapter = adapter
        self._http = http
        self._timeouts = timeouts
        self._environ = environ

    def __enter__(self) -> ModelClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def chat(self, request: ChatRequest) -> ChatResult:
        """The whole answer at once."""
        started = time.monotonic()
        with self._located(), self._answer(request, stream=False) as response:
            with foreign_errors_mapped(self.base_url):
                body = response.read()
            accumulator = ChatAccumulator()
            accumulator.chunk(self._chunk(body, request))
            result = _result(accumulator.end())
        elapsed = _milliseconds(started)
        return self._completed(result, request, elapsed, elapsed)

    def stream(self, request: ChatRequest) -> Iterator[Event]:
        """The answer as it comes; the last event is `Finished` with the whole result.

        Closing the iterator closes the connection.
        """
        started = time.monotonic()
        first: float | None = None
        accumulator = ChatAccumulator()
        with self._located(), self._answer(request, stream=True) as response:
            for data in self._frames(response):
                for event in accumulator.chunk(self._chunk(data, request)):
                    if first is None:
                        first = _milliseconds(started)
                    yield event
            for event in accumulator.end():
                if isinstance(event, Finished):
                    result = self._completed(event.result, request, _milliseconds(started), first)
                    event = Finished(result)
                yield event

    def _frames(self, response: httpx.Response) -> Iterator[bytes]:
        """The data of each event. A body that is one JSON value, or a page, counts as one event."""
        decoder = SseDecoder()
        last_content = time.monotonic()
        with foreign_errors_mapped(self.base_url, streaming=True):
            chunks = response.iter_bytes()
            head = _head(chunks)
            if _is_no_stream(head):
                yield head + b"".join(chunks)
                return
            for chunk in chain((head,), chunks):
                frames = decoder.feed(chunk)
                if frames:
                    last_content = time.monotonic()
                elif time.monotonic() - last_content > self._timeouts.no_content:
                    raise TransportTimeout(f"{self.base_url} sent nothing but keep-alives for too long")
                for data in frames:
                    if data.strip() == _DONE:
                        return
                    yield data
        for data in decoder.end():
            if data.strip() != _DONE:
                yield _last(data)

    @contextmanager
    def _answer(self, request: ChatRequest, *, stream: bool) -> Iterator[httpx.Response]:
        """The open response to a chat, its status checked."""
        url = f"{self.base_url}/chat/completions"
        body = self._adapter.chat_body(request, stream=stream)
        with foreign_errors_mapped(url):
            message = self._http.build_request("POST", url, json=body, headers=self._adapter.headers(self._environ))
            response = self._http.send(message, stream=True)
        try:
            if response.status_code != 200:
                with foreign_errors_mapped(url):
                    answer = response.read()
                answer = self._redactor(request)(answer)
                raise self._adapter.error(response.status_code, response.headers, answer, url)
            yield response
        finally:
            response.close()

    def _chunk(self, data: bytes, request: ChatRequest) -> Any:
        """The JSON of one event; of an error object, without what the server echoes."""
        chunk = _json(data)
        if isinstance(chunk, Mapping) and chunk.get("error"):
            return _json(self._redactor(request)(data))
        return chunk

    def _redactor(self, request: ChatRequest) -> Redactor:
        return Redactor(request, self._adapter.headers(self._environ))

    @contextmanager
    def _located(self) -> Iterator[None]:
        """Every error says which entry it came from."""
        try:
            yield
        except TransportError as error:
            error.where = Where(self.entry.id, self.entry.provider, self._adapter.wire_model)
            raise

    def _completed(self, result: ChatResult, request: ChatRequest, latency: float, first: float | None) -> ChatResult:
        return replace(
            result,
            model=self.entry.id,
            provider=self.entry.provider,
            upstream_model=self._adapter.wire_model,
            usd=self._usd(result.usage),
            latency_ms=latency,
            ttft_ms=first,
            ignored=self._adapter.ignored(request),
        )

    def _usd(self, usage: Usage) -> str | None:
        """The list price of what was used: cached prompt tokens at their own price where the entry has one."""
        if usage.tokens_in is None or usage.tokens_out is None:
            return None
        cost = self.entry.cost
        cached = min(usage.cache_read_tokens or 0, usage.tokens_in) if cost.usd_per_mtok_cache_read is not None else 0
        pico = (usage.tokens_in - cached) * pico_per_token(cost.usd_per_mtok_in)
        pico += cached * pico_per_token(cost.usd_per_mtok_cache_read or cost.usd_per_mtok_in)
        return usd_text(pico + usage.tokens_out * pico_per_token(cost.usd_per_mtok_out))


def _result(events: list[Event]) -> ChatResult:
    last = events[-1]
    assert isinstance(last, Finished)
    return last.result


def _last(data: bytes) -> bytes:
    """What stood in the last event, which no blank line ended: whole, or cut."""
    try:
        json.loads(data)
    except ValueError:
        raise StreamCut("the connection ended in the middle of an event; the answer is not whole") from None
    return data


def _head(chunks: Iterator[bytes]) -> bytes:
    """The bytes up to the first that is no white space, and what came with it."""
    head = b""
    for chunk in chunks:
        head += chunk
        if head.strip():
            break
    return head


def _is_no_stream(head: bytes) -> bool:
    """Servers answer a stream request with plain JSON or a proxy's page, whatever the content type says.

    No line of an event stream begins with either character.
    """
    return head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in (b"{", b"[", b"<")


def _json(data: bytes) -> Any:
    try:
        return json.loads(data.decode("utf-8", "replace").removeprefix("\ufeff"))
    except ValueError:
        raise ProtocolError(f"the server sent something that is no JSON: {_excerpt(data)}") from None


def _excerpt(data: bytes) -> str:
    text = data[:60].decode("utf-8", "replace").strip()
    return "an HTML page" if text.startswith("<") else repr(text)


def _milliseconds(started: float) -> float:
    return round((time.monotonic() - started) * 1000, 3)
