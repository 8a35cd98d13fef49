"""Calls that take several requests, written once: generators that yield what is to be done and are told what came.

The blocking and the asynchronous client drive the same steps, so that retries, failover, batches and repairs
are the same in both.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeVar

from aldo.errors import SchemaMismatch, TransportError
from aldo.schema.decimals import pico_usd, usd_text
from aldo.schema.usage import UsageRow
from aldo.transport.calls import ChatExchange, EmbeddingExchange
from aldo.transport.chat import ChatRequest, ChatResult, Usage
from aldo.transport.course import Course, Plan
from aldo.transport.embedding import EmbeddingRequest, EmbeddingResult
from aldo.transport.exchange import Exchange
from aldo.transport.structured import repaired, wanted

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Pause:
    """Wait this many seconds."""

    seconds: float


Steps = Generator[Exchange | Pause, None, Result]
"""An `Exchange` is to be sent and fed to its end; its errors are thrown back in."""


def asked(course: Course, exchange: Exchange) -> Steps[bool]:
    """One exchange. False where it failed and is to be made again, with what is then `course.binding`."""
    try:
        yield exchange
    except TransportError as error:
        pause = course.failed(exchange, error)
        if pause:
            yield Pause(pause)
        return False
    except BaseException as reason:
        course.abandoned(exchange, reason)
        raise
    return True


def chatting(plan: Plan, request: ChatRequest) -> Steps[ChatResult]:
    """A whole answer, sent back to be mended as often as the request allows."""
    course, schema = Course(plan), wanted(request.response_format)
    while True:
        exchange = ChatExchange(course.binding, plan.timeouts, request, stream=False)
        if not (yield from asked(course, exchange)):
            continue
        try:
            return course.answer(exchange, schema)[1]
        except SchemaMismatch as mismatch:
            if request.repairs < 1 or mismatch.result.finish_reason == "length" or not mismatch.result.text:
                course.failed(exchange, mismatch)  # more of the same would not be better
            course.to_be_mended(exchange, mismatch)
            request = repaired(request, mismatch)
        except TransportError as error:
            course.failed(exchange, error)


def embedding(plan: Plan, request: EmbeddingRequest) -> Steps[EmbeddingResult]:
    """All batches, one after another. When another entry takes over it begins anew: vectors do not mix."""
    course = Course(plan)
    batches = list(request.batches())
    done: list[EmbeddingExchange] = []
    while len(done) < len(batches):
        exchange = EmbeddingExchange(course.binding, plan.timeouts, request, batches[len(done)])
        if (yield from asked(course, exchange)):
            try:
                with exchange.errors():
                    exchange.check_length(len((done or [exchange])[0].vectors[0]))
            except TransportError as error:
                course.failed(exchange, error)
            else:
                course.succeeded(exchange)
                done.append(exchange)
                continue
        if course.moved:
            done.clear()
    return _joined(done, tuple(course.rows))


def _joined(done: list[EmbeddingExchange], rows: tuple[UsageRow, ...]) -> EmbeddingResult:
    vectors = tuple(vector for exchange in done for vector in exchange.vectors)
    tokens = [exchange.usage().tokens_in for exchange in done]
    usd = [exchange.usd() for exchange in done]
    last = done[-1]
    return EmbeddingResult(
        vectors=vectors,
        usage=Usage(None if None in tokens else sum(token or 0 for token in tokens), 0),
        returned_model=last.returned_model(),
        model=last.binding.entry.id,
        provider=last.binding.entry.provider,
        upstream_model=last.binding.adapter.wire_model,
        usd=None if None in usd else usd_text(sum(pico_usd(Decimal(amount or 0)) for amount in usd)),
        latency_ms=round(sum(exchange.latency_ms or 0.0 for exchange in done), 3),
        attempts=rows,
    )
