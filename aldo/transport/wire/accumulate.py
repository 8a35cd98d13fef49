"""From the chunks of a chat stream to typed events and one result. No I/O: chunks in, events out.

Holds against what servers really send: usage on every chunk or on none, null or missing choices, tool
calls without an index or an id, a name sent again, an error object inside a 200, an end without a
finish reason.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aldo.errors import ProtocolError, StreamCut, ToolCallUnparsable
from aldo.schema.usage import FinishReason
from aldo.transport.chat import (
    ChatResult,
    Event,
    Finished,
    ReasoningDelta,
    RefusalDelta,
    TextDelta,
    ToolCallReady,
    Usage,
)
from aldo.transport.wire.faults import error_in_body
from aldo.transport.wire.read import count, mapping, sequence, text
from aldo.transport.wire.tools import ToolCallBuffer

_FINISH: dict[str, FinishReason] = {
    "stop": "stop",
    "eos": "stop",
    "end_turn": "stop",
    "length": "length",
    "max_tokens": "length",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
    "content_filter": "content_filter",
}


def finish_reason(word: str) -> FinishReason:
    """A server's word in our closed set."""
    return _FINISH.get(word, "other")


class ChatAccumulator:
    """Takes `chat.completion.chunk` objects (or one whole `chat.completion`) in order."""

    def __init__(self) -> None:
        self._text: list[str] = []
        self._reasoning: list[str] = []
        self._refusal: list[str] = []
        self._logprobs: list[Any] = []
        self._tools = ToolCallBuffer()
        self._finish: str | None = None
        self._usage = Usage()
        self._returned_model: str | None = None

    def chunk(self, chunk: Any) -> list[Event]:
        """The events of one chunk. Raises a typed error for an error object inside the stream."""
        if not isinstance(chunk, Mapping):
            raise ProtocolError("the stream holds something that is not a JSON object")
        if chunk.get("error"):
            raise error_in_body(chunk)
        if chunk.get("usage"):
            self._usage = usage_of(chunk["usage"])
        self._returned_model = self._returned_model or text(chunk.get("model")) or None
        choices = sequence(chunk.get("choices"), "choices")
        if not choices:
            return []
        choice = mapping(choices[0], "a choice")
        events = self._delta(mapping(choice.get("delta") or choice.get("message"), "a delta"))
        logprobs = choice.get("logprobs")
        if isinstance(logprobs, Mapping):
            self._logprobs += sequence(logprobs.get("content"), "logprobs")
        self._finish = text(choice.get("finish_reason")) or self._finish
        return events

    def _delta(self, delta: Mapping[str, Any]) -> list[Event]:
        if len(delta) == 1 and "content" in delta:  # nearly every chunk of a stream
            content = text(delta["content"])
            if not content:
                return []
            self._text.append(content)
            return [TextDelta(content)]
        events: list[Event] = []
        reasoning = text(delta.get("reasoning_content")) or text(delta.get("reasoning"))
        if reasoning:
            self._reasoning.append(reasoning)
            events.append(ReasoningDelta(reasoning))
        content = text(delta.get("content"))
        if content:
            self._text.append(content)
            events.append(TextDelta(content))
        refusal = text(delta.get("refusal"))
        if refusal:
            self._refusal.append(refusal)
            events.append(RefusalDelta(refusal))
        for fragment in sequence(delta.get("tool_calls"), "tool_calls"):
            self._tools.fragment(mapping(fragment, "a tool call"))
        return events

    @property
    def usage(self) -> Usage:
        """The tokens, as far as the server has told."""
        return self._usage

    @property
    def calling(self) -> bool:
        """Whether a tool call has begun."""
        return bool(self._tools)

    @property
    def returned_model(self) -> str | None:
        """The model that the server named."""
        return self._returned_model

    @property
    def reason(self) -> FinishReason | None:
        """Why the answer ended, in our words; None where it has not."""
        return finish_reason(self._finish) if self._finish else None

    @property
    def finished(self) -> bool:
        """Whether a finish reason has come; only usage may follow."""
        return self._finish is not None

    def end(self) -> list[Event]:
        """The closing events. Raises `StreamCut` without a finish reason, `ToolCallUnparsable` where tool
        calls were announced and none can be read."""
        if not self._finish:
            raise StreamCut("the stream ended without a finish reason; the answer is not whole")
        calls = self._tools.calls()
        reason = finish_reason(self._finish)
        if reason == "tool_calls" and not calls:
            raise ToolCallUnparsable("the model ended with tool calls, but the server sent none that can be read")
        if calls and reason == "stop":  # vLLM with a named tool_choice
            reason = "tool_calls"
        result = ChatResult(
            text="".join(self._text),
            reasoning="".join(self._reasoning),
            refusal="".join(self._refusal),
            logprobs=tuple(self._logprobs),
            tool_calls=calls,
            finish_reason=reason,
            usage=self._usage,
            returned_model=self._returned_model,
        )
        return [*(ToolCallReady(call) for call in calls), Finished(result)]


def usage_of(value: Any) -> Usage:
    """The tokens that a server counted, whatever it left out."""
    if not isinstance(value, Mapping):
        return Usage()
    details = value.get("prompt_tokens_details")
    cached = details.get("cached_tokens") if isinstance(details, Mapping) else None
    return Usage(count(value.get("prompt_tokens")), count(value.get("completion_tokens")), count(cached))
