"""What is audited: an entry with its server, and the ways to ask it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import httpx

from aldo.schema.entry import ModelEntry
from aldo.schema.frozen import thawed
from aldo.transport.binding import Binding
from aldo.transport.chat import ChatRequest, ChatResult, Finished
from aldo.transport.client import ModelClient
from aldo.transport.pool import Pool, Timeouts
from aldo.transport.probes.served import ServedModel
from aldo.transport.structured import wanted
from aldo.transport.wire.accumulate import ChatAccumulator
from aldo.transport.wire.faults import foreign_errors_mapped
from aldo.transport.wire.reader import parsed

_MOST_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class Subject:
    """One entry under audit."""

    binding: Binding
    pool: Pool
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
        adapter = self.binding.adapter
        body = adapter.chat_body(replace(request, response_format=None), stream=False)
        response = self._sent("/chat/completions", {**body, "response_format": thawed(request.response_format)})
        if response.status_code != 200:
            raise adapter.error(response.status_code, response.headers, response.content, self.binding.url)
        answer = ChatAccumulator()
        answer.chunk(parsed(response.content))
        *_, last = answer.end()
        assert isinstance(last, Finished)
        asked = wanted(request.response_format)
        return replace(last.result, parsed=asked.read(last.result) if asked else None)

    def post(self, path: str, body: Mapping[str, Any]) -> tuple[int, Any]:
        """A request that chats and embeddings have no place for. Status and JSON, None for a body that is none."""
        response = self._sent(path, {**body, "model": self.binding.adapter.wire_model})
        try:
            return response.status_code, json.loads(response.content[:_MOST_BYTES])
        except (ValueError, RecursionError):
            return response.status_code, None

    def _sent(self, path: str, body: Mapping[str, Any]) -> httpx.Response:
        url = self.binding.url + path
        headers = {**self.binding.headers(), "content-type": "application/json"}
        with foreign_errors_mapped(url):
            return self.pool.client(self.binding.reach).post(
                url, content=json.dumps(body), headers=headers, timeout=self.timeouts.for_http()
            )
