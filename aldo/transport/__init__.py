"""From a decision to a stream of typed events: resolver, adapters, clients, the egress guard, probes.

What may enter: an entry, a decision, bytes. The only room that knows httpx; nothing of httpx leaves it.
`wire` reads what servers send, `egress` says where bytes may go, `probes` asks live servers what they are.
"""

from aldo.transport.adapter import Adapter
from aldo.transport.chat import (
    ChatRequest,
    ChatResult,
    Event,
    Finished,
    ReasoningDelta,
    RefusalDelta,
    TextDelta,
    ToolCall,
    ToolCallReady,
    Usage,
    json_schema_format,
)
from aldo.transport.client import AsyncModelClient, ModelClient
from aldo.transport.embedding import EmbeddingRequest, EmbeddingResult
from aldo.transport.pool import AsyncPool, Pool, Timeouts
from aldo.transport.resolver import Resolver, resolve, resolve_async
from aldo.transport.retry import Retry
from aldo.transport.usage_log import UsageLog

__all__ = [
    "Adapter",
    "AsyncModelClient",
    "AsyncPool",
    "ChatRequest",
    "ChatResult",
    "EmbeddingRequest",
    "EmbeddingResult",
    "Event",
    "Finished",
    "ModelClient",
    "Pool",
    "ReasoningDelta",
    "RefusalDelta",
    "Resolver",
    "Retry",
    "TextDelta",
    "Timeouts",
    "ToolCall",
    "ToolCallReady",
    "Usage",
    "UsageLog",
    "json_schema_format",
    "resolve",
    "resolve_async",
]
