"""A chat's answer as a `chat.completion`, and a stream's events as `chat.completion.chunk`s.

Whatever the server sent, a client gets one form: the role first, text and reasoning as they come, every tool call
whole, a finish reason of the protocol's own, then usage where it was asked for. `model` is the catalog id that
answered.
"""

from __future__ import annotations

import json
import time
import uuid
from typing import Any

from aldo.schema.usage import FinishReason
from aldo.transport.chat import (
    ChatResult,
    Event,
    Finished,
    ReasoningDelta,
    RefusalDelta,
    TextDelta,
    ToolCall,
    ToolCallReady,
    Usage,
)

DONE = b"data: [DONE]\n\n"
_FINISH: dict[FinishReason, str] = {"other": "stop"}
"""OpenAI's own set is closed, and clients in stricter languages fail at a word outside of it."""


def completion(result: ChatResult, text: str) -> dict[str, Any]:
    """The whole answer. `text` is what the client is to read: of structured output the bare JSON."""
    message: dict[str, Any] = {"role": "assistant", "content": text if text or not result.tool_calls else None}
    message["refusal"] = result.refusal or None
    if result.refusal and not text:
        message["content"] = None
    if result.reasoning:
        message["reasoning_content"] = result.reasoning
    if result.tool_calls:
        message["tool_calls"] = [_call(call) for call in result.tool_calls]
    choice = {
        "index": 0,
        "message": message,
        "logprobs": {"content": list(result.logprobs)} if result.logprobs else None,
        "finish_reason": _finish(result.finish_reason),
    }
    return {
        "id": _identity(),
        "object": "chat.completion",
        "created": int(time.time()),
        "model": result.model,
        "choices": [choice],
        "usage": usage_of(result.usage),
    }


class Chunks:
    """The chunks of one stream, as bytes of an event stream."""

    def __init__(self, model: str, *, usage: bool, bare: bool = False) -> None:
        """`bare`: the text is JSON, and comes without the fence that models like to put around it."""
        head = {"id": _identity(), "object": "chat.completion.chunk", "created": int(time.time()), "model": model}
        self._head = f"data: {json.dumps(head)[:-1]}, "
        self._tail = ', "usage": null}\n\n' if usage else "}\n\n"
        self._before = f'{self._head}"choices": [{{"index": 0, "delta": {{"content": '
        self._after = f'}}, "logprobs": null, "finish_reason": null}}]{self._tail}'
        self._usage = usage
        self._calls = 0
        self._fence = Unfenced() if bare else None

    def begin(self) -> bytes:
        """The role."""
        return self._delta({"role": "assistant", "content": ""})

    def text(self, text: str) -> bytes:
        """A piece of the answer."""
        return f"{self._before}{json.dumps(text)}{self._after}".encode("ascii")

    def of(self, event: Event) -> bytes:
        """An event, the last one with all that ends a stream."""
        if isinstance(event, TextDelta):
            text = event.text if self._fence is None else self._fence.feed(event.text)
            return self.text(text) if text else b""
        if isinstance(event, ReasoningDelta):
            return self._delta({"reasoning_content": event.text})
        if isinstance(event, RefusalDelta):
            return self._delta({"refusal": event.text})
        if isinstance(event, ToolCallReady):
            self._calls += 1
            return self._delta({"tool_calls": [{"index": self._calls - 1, **_call(event.call)}]})
        return self._end(event)

    def _end(self, event: Finished) -> bytes:
        result = event.result
        logprobs = {"content": list(result.logprobs)} if result.logprobs else None
        rest = self._fence.end() if self._fence is not None else ""
        pieces = [self.text(rest)] if rest else []
        pieces += [self._delta({}, _finish(result.finish_reason), logprobs)]
        if self._usage:
            pieces.append(f'{self._head}"choices": [], "usage": {json.dumps(usage_of(result.usage))}}}\n\n'.encode())
        return b"".join((*pieces, DONE))

    def _delta(self, delta: dict[str, Any], finish: str | None = None, logprobs: Any = None) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": logprobs, "finish_reason": finish}
        return f'{self._head}"choices": [{json.dumps(choice)}]{self._tail}'.encode("ascii")


class Unfenced:
    """Text as it comes, without a Markdown fence around all of it. Holds back only what may be a part of one."""

    def __init__(self) -> None:
        self._held = ""
        self._inside: bool | None = None
        """Whether it began with a fence; None until that is clear."""

    def feed(self, text: str) -> str:
        """What is clear by now."""
        self._held += text
        if self._inside is None:
            begun = self._held.lstrip()
            line, end, rest = begun.partition("\n")
            if not end and "```json".startswith(line.rstrip().lower()):
                return ""
            self._inside = bool(end) and line.rstrip().lower() in ("```", "```json")
            self._held = rest if self._inside else self._held
        if not self._inside:
            text, self._held = self._held, ""
            return text
        kept = len(self._held.rstrip().rstrip("`"))
        text, self._held = self._held[:kept], self._held[kept:]
        return text

    def end(self) -> str:
        """What was held back and is no fence."""
        held, self._held = self._held, ""
        return "" if self._inside and held.strip() == "```" else held


def usage_of(usage: Usage) -> dict[str, Any]:
    """Tokens as OpenAI names them. What the server did not count is 0 here; the usage log has a null."""
    tokens_in, tokens_out = usage.tokens_in or 0, usage.tokens_out or 0
    shown: dict[str, Any] = {
        "prompt_tokens": tokens_in,
        "completion_tokens": tokens_out,
        "total_tokens": tokens_in + tokens_out,
    }
    if usage.cache_read_tokens is not None:
        shown["prompt_tokens_details"] = {"cached_tokens": usage.cache_read_tokens}
    return shown


def _call(call: ToolCall) -> dict[str, Any]:
    arguments = json.dumps(call.arguments, ensure_ascii=False)
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": arguments}}


def _finish(reason: FinishReason) -> str:
    return _FINISH.get(reason, reason)


def _identity() -> str:
    return f"chatcmpl-{uuid.uuid4().hex}"
