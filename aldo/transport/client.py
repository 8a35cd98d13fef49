"""A client bound to one entry: chats, whole or streamed, over a guarded connection."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace

import httpx

from aldo.errors import StreamCut, TransportError, TransportTimeout, Where
from aldo.schema.decimals import pico_per_token, usd_text
from aldo.transport.accumulate import ChatAccumulator
from aldo.transport.adapter import Adapter
from aldo.transport.baseurl import without_user
from aldo.transport.body import Body, parsed
from aldo.transport.chat import ChatRequest, ChatResult, Event, Finished, Usage
from aldo.transport.faults import foreign_errors_mapped
from aldo.transport.redact import Redactor


@dataclass(frozen=True, slots=True)
class Timeouts:
    """In seconds. Local models may read a long prompt for minutes before the first token."""

    connect: float = 10.0
    read: float = 300.0
    """How long a server may send nothing at all."""
    no_content: float = 300.0
    """How long it may send nothing but keep-alives and white space."""


class ModelClient:
    """Chats with one entry. Use as a context manager, or call `close`.

    Every method raises a child of `TransportError` for what the server or the network does, and
    `UsageError` for a key that cannot be sent.
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
        self.base_url = without_user(url)
        self._url = f"{url}/chat/completions"
        self._adapter = adapter
        self._http = http
        self._timeouts = timeouts
        self._environ = environ

    def __enter__(self) -> ModelClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"ModelClient({self.entry.id!r}, {self.base_url!r})"

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def chat(self, request: ChatRequest) -> ChatResult:
        """The whole answer at once."""
        started = time.monotonic()
        accumulator = ChatAccumulator()
        with self._answer(request, stream=False) as body:
            accumulator.chunk(parsed(body.whole()))
            result = _result(accumulator.end())
        elapsed = _milliseconds(started)
        return self._completed(result, request, elapsed, elapsed)

    def stream(self, request: ChatRequest) -> Generator[Event, None, None]:
        """The answer as it comes; the last event is `Finished` with the whole result.

        Closing the generator closes the connection.
        """
        started = time.monotonic()
        first: float | None = None
        accumulator = ChatAccumulator()
        with self._answer(request, stream=True) as body:
            for data in _until_finished(body, accumulator):
                for event in accumulator.chunk(parsed(data)):
                    if first is None:
                        first = _milliseconds(started)
                    yield event
            for event in accumulator.end():
                if isinstance(event, Finished):
                    event = Finished(self._completed(event.result, request, _milliseconds(started), first))
                yield event

    @contextmanager
    def _answer(self, request: ChatRequest, *, stream: bool) -> Iterator[Body]:
        """The body of the answer to a chat, its status checked.

        Every error that passes through here says which entry it came from, and nothing of what was sent.
        """
        headers = self._adapter.headers(self._environ)
        try:
            with self._response(request, headers, stream=stream) as response:
                body = Body(response, self.base_url, self._timeouts.no_content)
                if response.status_code != 200:
                    url = without_user(self._url)
                    raise self._adapter.error(response.status_code, response.headers, body.whole(), url)
                yield body
        except TransportError as error:
            error.said = Redactor(request, headers)(error.said)
            error.where = Where(self.entry.id, self.entry.provider, self._adapter.wire_model)
            raise

    @contextmanager
    def _response(self, request: ChatRequest, headers: dict[str, str], *, stream: bool) -> Iterator[httpx.Response]:
        # ASCII with escapes: a lone surrogate in a prompt has no UTF-8, but it has JSON.
        content = json.dumps(self._adapter.chat_body(request, stream=stream), allow_nan=False).encode("ascii")
        headers = {**headers, "content-type": "application/json"}
        with foreign_errors_mapped(without_user(self._url)):
            message = self._http.build_request("POST", self._url, content=content, headers=headers)
            response = self._http.send(message, stream=True)
        try:
            yield response
        finally:
            response.close()

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
        if cost.usd_per_mtok_cache_read is not None:
            pico += cached * pico_per_token(cost.usd_per_mtok_cache_read)
        return usd_text(pico + usage.tokens_out * pico_per_token(cost.usd_per_mtok_out))


def _until_finished(body: Body, accumulator: ChatAccumulator) -> Iterator[bytes]:
    """The events. After a finish reason only usage may follow: a server that goes silent then has ended."""
    try:
        yield from body.events()
    except (StreamCut, TransportTimeout):
        if not accumulator.finished:
            raise


def _result(events: list[Event]) -> ChatResult:
    last = events[-1]
    assert isinstance(last, Finished)
    return last.result


def _milliseconds(started: float) -> float:
    return round((time.monotonic() - started) * 1000, 3)
