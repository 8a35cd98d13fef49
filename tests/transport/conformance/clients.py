"""One way of asking for every check: blocking or asynchronous, whole or streamed, always as a sensitive chat."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, aclosing, contextmanager
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any, Literal, Self
from unittest.mock import patch

import anyio
import anyio.from_thread
import anyio.lowlevel

import aldo.transport.client
from aldo.router import route
from aldo.schema import Catalog, RouteRequest
from aldo.schema.usage import UsageRow
from aldo.transport import (
    AsyncModelClient,
    ChatRequest,
    ChatResult,
    EmbeddingRequest,
    EmbeddingResult,
    Event,
    Finished,
    ModelClient,
    ReasoningDelta,
    Retry,
    TextDelta,
    Timeouts,
    ToolCallReady,
    resolve,
    resolve_async,
)
from tests.support.bound import ONCE, entry

Client = Literal["blocking", "async"]
Way = Literal["whole", "stream"]
CLIENTS: tuple[Client, ...] = ("blocking", "async")
WHOLE_AND_STREAM: tuple[Way, ...] = ("whole", "stream")

PATIENT = Timeouts(connect=10.0, read=120.0, no_content=120.0)


@dataclass(frozen=True)
class Target:
    """A model of a server, as a catalog would name it."""

    base_url: str
    model: str | None = None
    provider: str = "llamacpp"
    kind: str = "openai-compat"
    extra: dict[str, Any] = field(default_factory=dict)

    def with_model(self, name: str) -> Target:
        return replace(self, model=name)

    def entry(self) -> dict[str, Any]:
        config = {"baseUrl": self.base_url, "model": self.model, "extra": self.extra}
        given = {name: value for name, value in config.items() if value}
        return entry(self.kind, given, provider=self.provider)


class Asker:
    """Asks in one way, and holds every answer against what is true of all answers. Use as a context manager."""

    def __init__(self, client: Client, way: Way) -> None:
        self.client = client
        self.way = way
        self.rows: list[UsageRow] = []
        self._stack = ExitStack()
        self._bound: dict[tuple[str, Retry], Any] = {}

    def __enter__(self) -> Self:
        self._stack.__enter__()
        if self.client == "async":
            self._portal = self._stack.enter_context(anyio.from_thread.start_blocking_portal())
        return self

    def __exit__(self, *reason: Any) -> None:
        self._stack.__exit__(*reason)

    def chat(self, target: Target, request: ChatRequest, retry: Retry = ONCE) -> ChatResult:
        """The answer to a chat."""
        bound = self._client(target, retry)
        if self.way == "whole":
            return self._run(bound.chat, request)
        *before, last = self.events(target, request, retry)
        assert isinstance(last, Finished)
        assert not any(isinstance(event, Finished) for event in before)
        result = last.result
        assert "".join(event.text for event in before if isinstance(event, TextDelta)) == result.text
        assert "".join(event.text for event in before if isinstance(event, ReasoningDelta)) == result.reasoning
        assert tuple(event.call for event in before if isinstance(event, ToolCallReady)) == result.tool_calls
        return result

    def embed(self, target: Target, request: EmbeddingRequest, retry: Retry = ONCE) -> EmbeddingResult:
        """The vectors of some texts."""
        return self._run(self._client(target, retry).embed, request)

    def events(
        self,
        target: Target,
        request: ChatRequest,
        retry: Retry = ONCE,
        seen: Callable[[Event], None] = lambda event: None,
    ) -> list[Event]:
        """Every event of a stream; `seen` is told each as it comes."""
        bound = self._client(target, retry)
        events: list[Event] = []

        def take(event: Event) -> None:
            events.append(event)
            seen(event)

        def streamed() -> None:
            for event in bound.stream(request):
                take(event)

        async def streamed_async() -> None:
            async with aclosing(bound.stream(request)) as stream:
                async for event in stream:
                    take(event)

        self._run(streamed if self.client == "blocking" else streamed_async)
        return events

    def begin_and_cancel(self, target: Target, request: ChatRequest, *, waiting: bool) -> Event:
        """The first event of a stream that nobody wants after it.

        The blocking one is closed. The asynchronous one is cancelled: `waiting` for the next event, which must not
        have come yet, or while its reader is busy with the first.
        """
        bound = self._client(target, ONCE)

        def closed() -> Event:
            stream = bound.stream(request)
            first: Event = next(stream)
            stream.close()
            return first

        async def cancelled() -> Event:
            found: list[Event] = []
            with anyio.CancelScope() as scope:
                async with aclosing(bound.stream(request)) as stream:
                    async for event in stream:
                        found.append(event)
                        scope.cancel()
                        if not waiting:
                            await anyio.lowlevel.checkpoint()
            assert scope.cancelled_caught
            return found[0]

        first: Event = self._run(closed if self.client == "blocking" else cancelled)
        return first

    def _client(self, target: Target, retry: Retry) -> Any:
        key = (repr(target), retry)
        if key not in self._bound:
            self._bound[key] = self._bind(target, retry)
            assert all(binding.reach.guarded for binding in self._bound[key]._plan.bindings)
        return self._bound[key]

    def _bind(self, target: Target, retry: Retry) -> ModelClient | AsyncModelClient:
        catalog = Catalog.model_validate({"models": [target.entry()]})
        wanted = {"capabilityClass": "local-reasoning", "privacy": "sensitive"}
        decision = route(catalog, RouteRequest.model_validate(wanted))
        settings: dict[str, Any] = {"timeouts": PATIENT, "environ": {}, "retry": retry, "on_usage": self.rows.append}
        if self.client == "blocking":
            return self._stack.enter_context(resolve(catalog, decision, **settings))
        bound = resolve_async(catalog, decision, **settings)
        self._stack.callback(self._portal.call, bound.aclose)
        return bound

    def _run(self, call: Callable[..., Any], *arguments: Any) -> Any:
        if self.client == "blocking":
            return call(*arguments)
        return self._portal.call(call, *arguments)


@contextmanager
def sleeps() -> Iterator[list[float]]:
    """The pauses of the client, noted and not made."""
    made: list[float] = []

    async def note(seconds: float) -> None:
        made.append(seconds)

    with (
        patch.object(aldo.transport.client, "time", SimpleNamespace(sleep=made.append)),
        patch.object(aldo.transport.client, "anyio", SimpleNamespace(sleep=note)),
    ):
        yield made
