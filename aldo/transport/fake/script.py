"""What a played model is told to do, and what it was asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from aldo.errors import UsageError
from aldo.schema.usage import FinishReason
from aldo.transport.chat import ToolCall

Failure = Literal[
    "connection", "timeout", "rate_limited", "context_exceeded", "model_not_found", "server_loading", "bad_request",
    "unauthorized", "server_error", "stream_cut", "protocol",
]  # fmt: skip
"""The codes of `TransportError` that a server or the network can bring about."""


@dataclass(frozen=True, slots=True)
class Says:
    """An answer. Sizes are tokens."""

    text: str = ""
    reasoning: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    finish_reason: FinishReason | None = None
    """None: `tool_calls` where there are some, else `stop`."""
    tokens_in: int = 10
    tokens_out: int = 5


@dataclass(frozen=True, slots=True)
class Fails:
    """A failure, by the code of the `TransportError` that is raised; `stream_cut` ends in the middle of an answer."""

    code: Failure
    retry_after: float | None = None
    """Seconds that the server asks to wait, for `rate_limited` and `server_loading`."""

    def __post_init__(self) -> None:
        """Raises `UsageError` for a code that no server brings about."""
        if self.code not in get_args(Failure):
            raise UsageError(f"no server brings about {self.code!r}; known: {', '.join(get_args(Failure))}")


@dataclass(frozen=True, slots=True)
class Vectors:
    """The vectors for the texts of a request, in their order."""

    vectors: tuple[tuple[float, ...], ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as it would have gone out."""

    model: str
    """The catalog id of the entry that was asked."""
    kind: Literal["chat", "embeddings"]
    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: Mapping[str, Any] = field(repr=False)

    @property
    def prompt(self) -> str:
        """The text of the last message of a chat, or the texts of a request for vectors, a line each."""
        if self.kind == "embeddings":
            texts = self.body["input"]
            return texts if isinstance(texts, str) else "\n".join(texts)
        content = self.body["messages"][-1]["content"]
        if isinstance(content, str):
            return content
        return "\n".join(part["text"] for part in content or () if part.get("type") == "text")


Answer = str | Says | Fails | Vectors
Script = Answer | Sequence[Answer] | Callable[[Asked], Answer]
"""One answer for ever; some, one after the other; or a function of the request."""
