"""A client bound to one entry, or to a failover chain of them: chats, whole or streamed, and embeddings.

`ModelClient` blocks, `AsyncModelClient` is for asyncio and trio; they are of one shape.
"""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator
from contextlib import aclosing, asynccontextmanager, contextmanager
from dataclasses import dataclass
from types import TracebackType

import anyio
import httpx

from aldo.errors import TransportError
from aldo.schema.entry import ModelEntry
from aldo.transport.calls import ChatExchange
from aldo.transport.chat import ChatRequest, ChatResult, Event
from aldo.transport.course import Course, Plan
from aldo.transport.embedding import EmbeddingRequest, EmbeddingResult
from aldo.transport.exchange import Exchange
from aldo.transport.pool import MODEL, Answer, Connections, Pool
from aldo.transport.steps import Pause, Result, Steps, chatting, embedding
from aldo.transport.structured import wanted


class _Client:
    """What both share."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan

    @property
    def entry(self) -> ModelEntry:
        """The entry that is asked first."""
        return self._plan.bindings[0].entry

    @property
    def entries(self) -> tuple[ModelEntry, ...]:
        """All that may be asked, in order."""
        return tuple(binding.entry for binding in self._plan.bindings)

    @property
    def base_url(self) -> str:
        """Where the first one's server is, without a password."""
        return self._plan.bindings[0].url

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.entry.id!r}, {self.base_url!r})"


@dataclass(frozen=True, slots=True)
class Answering:
    """A stream that has begun."""

    entry: ModelEntry
    """Who answers."""
    first: Event
    rest: AsyncGenerator[Event, None]
    """The events after it. To be closed by who does not read it to its end."""


class ModelClient(_Client):
    """Talks to the model of a decision. Use as a context manager, or call `close`; threads may share it.

    Every method raises a child of `TransportError` for what the server or the network does, and
    `UsageError` for a key that cannot be sent.
    """

    def __init__(self, plan: Plan, pool: Pool, *, owns_pool: bool) -> None:
        super().__init__(plan)
        self._pool = pool
        self._owns_pool = owns_pool

    def __enter__(self) -> ModelClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections, unless they are of a pool that others use."""
        if self._owns_pool:
            self._pool.close()

    def chat(self, request: ChatRequest) -> ChatResult:
        """The whole answer at once."""
        return self._driven(chatting(self._plan, request))

    def embed(self, request: EmbeddingRequest) -> EmbeddingResult:
        """A vector for every text."""
        return self._driven(embedding(self._plan, request))

    def stream(self, request: ChatRequest) -> Generator[Event, None, None]:
        """The answer as it comes; the last event is `Finished` with the whole result.

        Closing the generator closes the connection.
        """
        course, schema = Course(self._plan), wanted(request.response_format)
        while True:
            exchange = ChatExchange(course.binding, self._plan.timeouts, request, stream=True)
            try:
                yield from self._events(exchange)
                closing, _ = course.answer(exchange, schema)
            except TransportError as error:
                pause = course.failed(exchange, error)
            except BaseException as reason:
                course.abandoned(exchange, reason)
                raise
            else:
                yield from closing
                return
            time.sleep(pause)

    def perform(self, exchange: Exchange) -> None:
        """Send one exchange and read it to its end, once."""
        for _ in self._events(exchange):
            pass

    def _driven(self, steps: Steps[Result]) -> Result:
        try:
            step = next(steps)
            while True:
                try:
                    if isinstance(step, Pause):
                        time.sleep(step.seconds)
                    else:
                        self.perform(step)
                except BaseException as error:
                    step = steps.throw(error)
                else:
                    step = next(steps)
        except StopIteration as ended:
            result: Result = ended.value
            return result

    def _events(self, exchange: Exchange) -> Iterator[Event]:
        with exchange.errors(), self._answer(exchange) as response:
            for piece in response.iter_bytes():
                yield from exchange.feed(piece)
                if exchange.done:
                    break
        with exchange.errors():
            yield from exchange.end()

    @contextmanager
    def _answer(self, exchange: Exchange) -> Iterator[httpx.Response]:
        http = self._pool.client(exchange.binding.reach)
        content, headers, timeout = exchange.content(), exchange.headers(), exchange.timeouts.for_http()
        message = http.build_request(
            "POST",
            exchange.url,
            content=content,
            headers=headers,
            timeout=timeout,
            extensions={MODEL: exchange.binding.entry.id},
        )
        exchange.sent = True
        response = http.send(message, stream=True)
        try:
            exchange.opened(response.status_code, response.headers)
            yield response
        finally:
            exchange.received(response.num_bytes_downloaded)
            response.close()


class AsyncModelClient(_Client):
    """`ModelClient` for asyncio and trio: the same methods, to be awaited or iterated with `async for`.

    Cancelling a call closes its connection.
    """

    def __init__(self, plan: Plan, pool: Connections, *, owns_pool: bool) -> None:
        super().__init__(plan)
        self._pool = pool
        self._owns_pool = owns_pool

    async def __aenter__(self) -> AsyncModelClient:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections, unless they are of a pool that others use."""
        if self._owns_pool:
            await self._pool.aclose()

    async def chat(self, request: ChatRequest) -> ChatResult:
        """The whole answer at once."""
        return await self._driven(chatting(self._plan, request))

    async def embed(self, request: EmbeddingRequest) -> EmbeddingResult:
        """A vector for every text."""
        return await self._driven(embedding(self._plan, request))

    async def stream(self, request: ChatRequest) -> AsyncGenerator[Event, None]:
        """The answer as it comes; the last event is `Finished` with the whole result.

        Who leaves the loop early closes the generator (`contextlib.aclosing`), and so the connection.
        """
        async with aclosing(self._stream(Course(self._plan), request)) as events:
            async for event in events:
                yield event

    async def begin(self, request: ChatRequest) -> Answering:
        """The same once an answer has begun: until then the failover chain is walked, after that nobody takes over."""
        course = Course(self._plan)
        events = self._stream(course, request)
        first = await anext(events)
        return Answering(course.binding.entry, first, events)

    async def _stream(self, course: Course, request: ChatRequest) -> AsyncGenerator[Event, None]:
        schema = wanted(request.response_format)
        while True:
            exchange = ChatExchange(course.binding, self._plan.timeouts, request, stream=True)
            try:
                async with aclosing(self._events(exchange)) as events:
                    async for event in events:
                        yield event
                closing, _ = course.answer(exchange, schema)
            except TransportError as error:
                pause = course.failed(exchange, error)
            except BaseException as reason:
                course.abandoned(exchange, reason)
                raise
            else:
                for event in closing:
                    yield event
                return
            await anyio.sleep(pause)

    async def perform(self, exchange: Exchange) -> None:
        """Send one exchange and read it to its end, once."""
        async with aclosing(self._events(exchange)) as events:
            async for _ in events:
                pass

    async def _driven(self, steps: Steps[Result]) -> Result:
        try:
            step = next(steps)
            while True:
                try:
                    if isinstance(step, Pause):
                        await anyio.sleep(step.seconds)
                    else:
                        await self.perform(step)
                except BaseException as error:
                    step = steps.throw(error)
                else:
                    step = next(steps)
        except StopIteration as ended:
            result: Result = ended.value
            return result

    async def _events(self, exchange: Exchange) -> AsyncGenerator[Event, None]:
        with exchange.errors():
            async with self._answer(exchange) as answer:
                async for piece in answer.pieces():
                    for event in exchange.feed(piece):
                        yield event
                    if exchange.done:
                        answer.whole()
                        break
        with exchange.errors():
            for event in exchange.end():
                yield event

    @asynccontextmanager
    async def _answer(self, exchange: Exchange) -> AsyncIterator[Answer]:
        content, headers = exchange.content(), exchange.headers()
        exchange.sent = True
        binding = exchange.binding
        answer = await self._pool.send(
            binding.reach, exchange.url, content, headers, exchange.timeouts, binding.entry.id
        )
        try:
            exchange.opened(answer.status, answer.headers)
            yield answer
        finally:
            exchange.received(answer.received)
            await answer.aclose()
