"""What goes into a chat and what comes out: one request, typed events, one typed result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import TYPE_CHECKING, Any

from aldo.errors import UsageError
from aldo.schema.usage import FinishReason, UsageRow


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """A chat in OpenAI's shape. Sizes are tokens.

    Temperature and top_p are sent explicitly, because servers differ in their defaults: 1.0 is the
    protocol's own.
    """

    messages: tuple[Mapping[str, Any], ...]
    max_tokens: int = 1024
    temperature: float = 1.0
    top_p: float = 1.0
    seed: int | None = None
    stop: tuple[str, ...] = ()
    tools: tuple[Mapping[str, Any], ...] = ()
    tool_choice: str | Mapping[str, Any] | None = None
    parallel_tool_calls: bool | None = None
    response_format: Mapping[str, Any] | None = None
    """`{"type": "json_object"}`, or a JSON Schema as `json_schema_format` writes it. The answer is checked here,
    whatever the server made of it."""
    repairs: int = 0
    """How often a whole answer that fails that check is sent back to be mended. A stream is never repaired."""
    logprobs: bool = False
    top_logprobs: int | None = None
    more: Mapping[str, Any] = field(default_factory=dict)
    """Further fields of the protocol, sent as they are, such as `frequency_penalty`. None of them takes the place
    of a field above."""

    if TYPE_CHECKING:  # lists are as good as tuples: they are copied

        def __init__(
            self,
            messages: Sequence[Mapping[str, Any]],
            max_tokens: int = 1024,
            temperature: float = 1.0,
            top_p: float = 1.0,
            seed: int | None = None,
            stop: str | Sequence[str] = (),
            tools: Sequence[Mapping[str, Any]] = (),
            tool_choice: str | Mapping[str, Any] | None = None,
            parallel_tool_calls: bool | None = None,
            response_format: Mapping[str, Any] | None = None,
            repairs: int = 0,
            logprobs: bool = False,
            top_logprobs: int | None = None,
            more: Mapping[str, Any] = ...,
        ) -> None: ...

    def __post_init__(self) -> None:
        """Raises `UsageError` for messages and tools that are none, for no room to answer, and for sampling that is no
        number. `stop` may be one text, as in OpenAI's API."""
        if isinstance(self.messages, (str, Mapping)) or not all(isinstance(m, Mapping) for m in self.messages):
            raise UsageError('messages is a list such as [{"role": "user", "content": "Hello"}]')
        if not (isfinite(self.temperature) and isfinite(self.top_p)):
            raise UsageError("temperature and top_p are finite numbers")
        if isinstance(self.tools, (str, Mapping)) or not all(isinstance(tool, Mapping) for tool in self.tools):
            raise UsageError('tools is a list such as [{"type": "function", "function": {"name": ...}}]')
        if self.max_tokens < 1:
            raise UsageError("max_tokens is at least 1: nothing would be answered")
        object.__setattr__(self, "messages", tuple(self.messages))
        object.__setattr__(self, "tools", tuple(self.tools))
        object.__setattr__(self, "stop", (self.stop,) if isinstance(self.stop, str) else tuple(self.stop))

    @property
    def needs(self) -> tuple[str, ...]:
        """The capability tags without which a model could do nothing with it: it has tools, pictures or sound."""
        kinds = {
            part.get("type")
            for message in self.messages
            if isinstance(content := message.get("content"), (list, tuple))
            for part in content
            if isinstance(part, Mapping)
        }
        tags = (("tool-use", bool(self.tools)), ("vision", "image_url" in kinds), ("audio-in", "input_audio" in kinds))
        return tuple(tag for tag, needed in tags if needed)


def json_schema_format(schema: Mapping[str, Any], name: str = "answer") -> dict[str, Any]:
    """The `response_format` that asks for JSON of this schema."""
    return {"type": "json_schema", "json_schema": {"name": name, "strict": True, "schema": schema}}


@dataclass(frozen=True, slots=True)
class ToolCall:
    """One whole call. `arguments` is the parsed JSON object."""

    id: str
    name: str
    arguments: Any


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens as the server counted them; None where it did not say."""

    tokens_in: int | None = None
    tokens_out: int | None = None
    cache_read_tokens: int | None = None

    def to_dict(self) -> dict[str, int | None]:
        return {
            "tokensIn": self.tokens_in,
            "tokensOut": self.tokens_out,
            "cacheReadTokens": self.cache_read_tokens,
        }


@dataclass(frozen=True, slots=True)
class TextDelta:
    """A piece of the answer."""

    text: str


@dataclass(frozen=True, slots=True)
class ReasoningDelta:
    """A piece of the model's reasoning, which is not part of the answer."""

    text: str


@dataclass(frozen=True, slots=True)
class RefusalDelta:
    """A piece of what the model says instead of an answer."""

    text: str


@dataclass(frozen=True, slots=True)
class ToolCallReady:
    """A tool call whose arguments are complete."""

    call: ToolCall


@dataclass(frozen=True, slots=True)
class Finished:
    """The last event of every stream that succeeded."""

    result: ChatResult


Event = TextDelta | ReasoningDelta | RefusalDelta | ToolCallReady | Finished


@dataclass(frozen=True, slots=True)
class ChatResult:
    """A whole answer. It exists only with a finish reason and without an error."""

    text: str
    reasoning: str
    tool_calls: tuple[ToolCall, ...]
    finish_reason: FinishReason
    usage: Usage
    returned_model: str | None
    refusal: str = ""
    """What the model said instead of an answer, where its server tells the two apart."""
    logprobs: tuple[Any, ...] = ()
    """As the server sent them, one a token."""
    parsed: Any = None
    """The JSON value of the text, where a `response_format` asked for one; it fits the schema."""
    model: str = ""
    """The catalog id."""
    provider: str = ""
    upstream_model: str = ""
    """The name that was sent on the wire."""
    usd: str | None = None
    """Cost at list price in USD, an exact decimal text; None where the server did not count."""
    latency_ms: float | None = None
    ttft_ms: float | None = None
    """Time to the first piece of text, reasoning or tool call; None for an answer that was not streamed."""
    ignored: tuple[str, ...] = field(default=())
    """Request fields that this kind of server is known to ignore."""
    attempts: tuple[UsageRow, ...] = ()
    """Every request that was sent to get here, the one that was answered last."""

    def to_dict(self) -> dict[str, Any]:
        """The JSON of `aldo chat --json`, without the decision."""
        return {
            "text": self.text,
            "reasoning": self.reasoning,
            "toolCalls": [{"id": c.id, "name": c.name, "arguments": c.arguments} for c in self.tool_calls],
            "refusal": self.refusal or None,
            "finishReason": self.finish_reason,
            "usage": self.usage.to_dict(),
            "model": self.model,
            "provider": self.provider,
            "upstreamModel": self.upstream_model,
            "returnedModel": self.returned_model,
            "usd": self.usd,
            "latencyMs": self.latency_ms,
            "ttftMs": self.ttft_ms,
            "ignored": list(self.ignored),
            "attempts": [{"model": row.model, "outcome": row.outcome} for row in self.attempts],
            **({"logprobs": list(self.logprobs)} if self.logprobs else {}),
        }
