"""The seam: what a provider kind must bring. Kinds are found through the entry points `aldo.transports`.

An adapter does no I/O; it says what to send and what an answer means, and `ModelClient` does the rest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Protocol

from aldo.errors import TransportError, UsageError
from aldo.schema.entry import ModelEntry
from aldo.schema.kinds import ENTRY_POINTS, KindData
from aldo.transport.chat import ChatRequest
from aldo.transport.embedding import EmbeddingRequest


class Adapter(Protocol):
    """One entry's view of its server's protocol. A kind's entry point is called with the entry."""

    entry: ModelEntry
    data: KindData

    @property
    def wire_model(self) -> str:
        """The model name that is sent."""
        ...

    def headers(self, environ: Mapping[str, str]) -> dict[str, str]: ...
    def chat_body(self, request: ChatRequest, *, stream: bool) -> dict[str, Any]: ...
    def embedding_body(self, request: EmbeddingRequest, batch: Sequence[str]) -> dict[str, Any]: ...
    def ignored(self, request: ChatRequest) -> tuple[str, ...]: ...
    def error(self, status: int, headers: Mapping[str, str], body: bytes, url: str) -> TransportError: ...


@cache
def _kinds() -> dict[str, EntryPoint]:
    """What is installed: looking it up takes longer than a local server's answer."""
    return {point.name: point for point in entry_points(group=ENTRY_POINTS)}


def adapter_for(entry: ModelEntry) -> Adapter:
    """The adapter of an entry's `providerKind`. Raises `UsageError` for a kind that nothing brings."""
    kinds = _kinds()
    point = kinds.get(entry.provider_kind)
    if point is None:
        near = get_close_matches(entry.provider_kind, kinds, n=1)
        known = ", ".join(sorted(kinds)) or "none; is aldo-gateway installed?"
        hint = f"did you mean {near[0]!r}?" if near else f"known: {known}"
        raise UsageError(f"{entry.id}: no transport for providerKind {entry.provider_kind!r}; {hint}")
    adapter: Adapter = point.load()(entry)
    return adapter
