"""From a decision to a stream of typed events: resolver, adapters, SSE, the egress guard.

What may enter: an entry, a decision, bytes. The only room that knows httpx; nothing of httpx leaves it.
"""

from aldo.transport.adapter import Adapter
from aldo.transport.chat import (
    ChatRequest,
    ChatResult,
    Event,
    Finished,
    FinishReason,
    ReasoningDelta,
    TextDelta,
    ToolCall,
    ToolCallReady,
    Usage,
)
from aldo.transport.client import ModelClient, Timeouts
from aldo.transport.resolver import resolve

__all__ = [
    "Adapter",
    "ChatRequest",
    "ChatResult",
    "Event",
    "FinishReason",
    "Finished",
    "ModelClient",
    "ReasoningDelta",
    "TextDelta",
    "Timeouts",
    "ToolCall",
    "ToolCallReady",
    "Usage",
    "resolve",
]
