"""The exchanges there are: a chat, a batch of embeddings, and anything else that is JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from aldo.errors import ProtocolError
from aldo.schema.usage import FinishReason
from aldo.transport.binding import Binding
from aldo.transport.chat import ChatRequest, ChatResult, Event, Finished, Usage
from aldo.transport.embedding import EmbeddingRequest
from aldo.transport.exchange import Exchange
from aldo.transport.pool import Timeouts
from aldo.transport.wire.accumulate import ChatAccumulator
from aldo.transport.wire.reader import EventReader, WholeReader, parsed
from aldo.transport.wire.redact import said_in
from aldo.transport.wire.vectors import Vector, vectors_of


class ChatExchange(Exchange):
    """A chat, streamed or whole."""

    path = "/chat/completions"

    def __init__(self, binding: Binding, timeouts: Timeouts, request: ChatRequest, *, stream: bool) -> None:
        super().__init__(binding, timeouts)
        self.request = request
        self._stream = stream
        self.hands_on = stream
        self._answer = ChatAccumulator()

    def body(self) -> Mapping[str, Any]:
        return self.binding.adapter.chat_body(self.request, stream=self._stream)

    def texts(self) -> Iterable[str]:
        return said_in((*self.request.messages, self.request.more))

    def new_reader(self, headers: Mapping[str, str]) -> EventReader | WholeReader:
        """Some servers stream whether they were asked to or not."""
        streams = self._stream or "text/event-stream" in headers.get("content-type", "").lower()
        return EventReader() if streams else WholeReader()

    def usage(self) -> Usage:
        return self._answer.usage

    def returned_model(self) -> str | None:
        return self._answer.returned_model

    def finish_reason(self) -> FinishReason | None:
        return self._answer.reason

    def whole_already(self) -> bool:
        """After a finish reason only usage may follow: a server that goes silent then has ended."""
        return self._stream and self._answer.finished

    def _events(self, found: Iterable[bytes]) -> Iterator[Event]:
        for data in found:
            yield from self._answer.chunk(parsed(data))
            if self._stream and self._answer.calling:
                self.began()  # of a call nothing is handed on before it is whole

    def result(self) -> tuple[list[Event], ChatResult]:
        """Once the body has ended: the closing events but the last, and the answer as a whole.

        Raises `StreamCut` without a finish reason, `ToolCallUnparsable` for calls that nobody can read.
        """
        *ready, last = self._answer.end()
        assert isinstance(last, Finished)
        adapter = self.binding.adapter
        whole = replace(
            last.result,
            model=self.binding.entry.id,
            provider=self.binding.entry.provider,
            upstream_model=adapter.wire_model,
            usd=self.usd(),
            latency_ms=self.latency_ms,
            ttft_ms=self.ttft_ms,
            ignored=adapter.ignored(self.request),
        )
        return ready, whole


class RawExchange(Exchange):
    """A request that chats and embeddings have no place for, and the JSON of its answer."""

    def __init__(self, binding: Binding, timeouts: Timeouts, path: str, body: Mapping[str, Any]) -> None:
        self.path = path
        super().__init__(binding, timeouts)
        self._body = body
        self.value: Any = None

    def body(self) -> Mapping[str, Any]:
        return self._body

    def texts(self) -> Iterable[str]:
        return said_in((self._body,))

    def _events(self, found: Iterable[bytes]) -> Iterator[Event]:
        for data in found:
            self.value = parsed(data, "an answer")
        return iter(())


class EmbeddingExchange(Exchange):
    """One batch of texts."""

    path = "/embeddings"

    def __init__(self, binding: Binding, timeouts: Timeouts, request: EmbeddingRequest, batch: Sequence[str]) -> None:
        super().__init__(binding, timeouts)
        self._request = request
        self._batch = batch
        self._usage = Usage()
        self._returned_model: str | None = None
        self.vectors: list[Vector] = []

    def check_length(self, length: int) -> None:
        """Raises `ProtocolError` where the vectors are not as long as those of an earlier batch."""
        if len(self.vectors[0]) != length:
            raise ProtocolError("the server sent embeddings of different lengths for different batches")

    def body(self) -> Mapping[str, Any]:
        return self.binding.adapter.embedding_body(self._request, self._batch)

    def texts(self) -> Iterable[str]:
        return self._batch

    def usage(self) -> Usage:
        return self._usage

    def returned_model(self) -> str | None:
        return self._returned_model

    def _events(self, found: Iterable[bytes]) -> Iterator[Event]:
        for data in found:
            answer = parsed(data, "embeddings")
            self.vectors, self._usage, self._returned_model = vectors_of(answer, len(self._batch))
        return iter(())
