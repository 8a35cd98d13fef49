"""What is audited: an entry with its server, and the ways to ask it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from aldo.errors import TransportError
from aldo.schema.entry import ModelEntry
from aldo.schema.frozen import thawed
from aldo.transport.audit.claims import says_nothing
from aldo.transport.binding import Binding
from aldo.transport.calls import RawExchange
from aldo.transport.chat import ChatRequest, ChatResult, Finished
from aldo.transport.client import ModelClient
from aldo.transport.pool import Timeouts
from aldo.transport.probes.served import ServedModel
from aldo.transport.structured import wanted
from aldo.transport.wire.accumulate import ChatAccumulator


@dataclass(frozen=True, slots=True)
class Subject:
    """One entry under audit."""

    binding: Binding
    timeouts: Timeouts
    client: ModelClient
    served: ServedModel | None
    """What the server says of the model, where it says anything."""

    @property
    def entry(self) -> ModelEntry:
        return self.binding.entry

    def chat_without_words(self, request: ChatRequest) -> ChatResult:
        """A chat whose `response_format` is not also told to the model in words: it is the server that is audited.

        Raises what `ModelClient.chat` raises, `SchemaMismatch` too.
        """
        body = self.binding.adapter.chat_body(replace(request, response_format=None), stream=False)
        value = self._asked("/chat/completions", {**body, "response_format": thawed(request.response_format)})
        answer = ChatAccumulator()
        answer.chunk(value)
        *_, last = answer.end()
        assert isinstance(last, Finished)
        asked = wanted(request.response_format)
        return replace(last.result, parsed=asked.read(last.result) if asked else None)

    def post(self, path: str, body: Mapping[str, Any]) -> tuple[int, Any]:
        """A request that chats and embeddings have no place for. Status and JSON, None where it was refused.

        Raises a `TransportError` that says nothing about what was asked.
        """
        try:
            return 200, self._asked(path, {**body, "model": self.binding.adapter.wire_model})
        except TransportError as error:
            if says_nothing(error) or error.status is None:
                raise
            return error.status, None

    def _asked(self, path: str, body: Mapping[str, Any]) -> Any:
        exchange = RawExchange(self.binding, self.timeouts, path, body)
        self.client.perform(exchange)
        return exchange.value
