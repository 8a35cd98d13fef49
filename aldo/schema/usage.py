"""A usage row: what one request to one server took and gave. The line of a usage log (JSONL).

Prompts, answers, keys and header values are not in it.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from aldo.schema.base import Frozen, Whole
from aldo.schema.printed import dumps
from aldo.schema.vocabulary import PrivacyTier

FinishReason = Literal["stop", "length", "tool_calls", "content_filter", "other"]

TokenCount = Annotated[int, Field(ge=0, le=10**15), Whole]
Milliseconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class UsageRow(Frozen):
    """One attempt. What the server did not say is null."""

    at: Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,6})?Z$")]
    """When the request was sent, UTC."""
    provider: str
    model: str
    """The catalog id."""
    upstream_model: str
    """The name that was sent on the wire."""
    returned_model: str | None = None
    """The name that the server answered with."""
    capability_class: str
    privacy: PrivacyTier
    tokens_in: TokenCount | None = None
    tokens_out: TokenCount | None = None
    cache_read_tokens: TokenCount | None = None
    usd: Annotated[str, Field(pattern=r"^\d+(\.\d{1,12})?$")] | None = None
    """Cost at list price in USD, an exact decimal text."""
    latency_ms: Milliseconds | None = None
    """Until the answer was whole, or failed."""
    ttft_ms: Milliseconds | None = None
    """Until the first piece of text, reasoning or tool call; null for an answer that was not streamed."""
    finish_reason: FinishReason | None = None
    outcome: str
    """`ok`, `cancelled`, or the code of the error."""
    routing_digest: str

    def to_json(self) -> str:
        """One line, without its end."""
        return dumps(self.model_dump(mode="json"))
