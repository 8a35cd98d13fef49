"""The course of one call: which entry is asked next and after how long, and a usage row for every attempt. No I/O."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from aldo.errors import SchemaMismatch, TransportError, UsageError
from aldo.schema.usage import UsageRow
from aldo.transport.binding import Binding
from aldo.transport.calls import ChatExchange
from aldo.transport.chat import ChatResult, Event, Finished
from aldo.transport.exchange import Exchange
from aldo.transport.pool import Timeouts
from aldo.transport.retry import Retry, another_may_help
from aldo.transport.structured import Wanted


@dataclass(frozen=True, slots=True)
class Plan:
    """What a client was made with: the entries to ask, in order, and how."""

    bindings: Sequence[Binding]
    """In order. What comes after the first is looked at only when that fails."""
    timeouts: Timeouts
    retry: Retry
    on_usage: Callable[[UsageRow], None] | None = None


class Course:
    """Walks the entries of a plan. Every attempt ends in one of `succeeded`, `failed` and `abandoned`."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.rows: list[UsageRow] = []
        self._place = 0
        self._tries = 0
        self._asked_first: Exchange | None = None
        self.binding: Binding = plan.bindings[0]
        """The entry to ask now."""
        self.moved: bool = False
        """Whether the last failure led to another entry, rather than to the same once more."""

    def succeeded(self, exchange: Exchange) -> None:
        """It was answered. The next request of this call has all its tries again."""
        self._record(exchange, "ok")
        self._tries = 0

    def failed(self, exchange: Exchange, error: TransportError) -> float:
        """The seconds to wait before `binding` is asked. Raises the error where nobody is left to ask.

        The same server is asked again only before the first byte of an answer, another one only before
        anything was handed on.
        """
        if exchange.sent:
            self._record(exchange, error.code)
        self._tries += 1
        pause = None if exchange.first_byte else self.plan.retry.pause(error, self._tries)
        if pause is not None:
            self.moved = False
            return pause
        if exchange.told or not another_may_help(error) or self._place + 1 >= len(self.plan.bindings):
            if len(self.rows) > 1:
                error.attempts = tuple((row.model, row.outcome) for row in self.rows)
            raise error
        self._place += 1
        self.binding = self.plan.bindings[self._place]
        self._tries = 0
        self.moved = True
        return 0.0

    def abandoned(self, exchange: Exchange, reason: BaseException) -> None:
        """The caller wants no more of it. What fails before anything is sent, such as a key that no header can
        carry, has no row."""
        if exchange.sent or not isinstance(reason, Exception):
            self._record(exchange, "cancelled")

    def to_be_mended(self, exchange: Exchange, mismatch: SchemaMismatch) -> None:
        """It was answered, but not with what was asked for, and goes back."""
        self._record(exchange, mismatch.code)
        self._tries = 0
        self._asked_first = self._asked_first or exchange

    def answer(self, exchange: ChatExchange, asked: Wanted | None) -> tuple[list[Event], ChatResult]:
        """The closing events and the result of a chat whose body has ended, and its row written.

        Raises `SchemaMismatch` where the answer is not what was asked for.
        """
        with exchange.errors():
            ready, result = exchange.result()
            if asked is not None and not result.tool_calls:
                try:
                    result = replace(result, parsed=asked.read(result))
                except UsageError:  # the answer is whole; that it cannot be checked is the schema's fault
                    self.succeeded(exchange)
                    raise
                except SchemaMismatch as mismatch:
                    # Without what the caller said: what we said ourselves of an earlier answer may be told.
                    first = self._asked_first or exchange
                    mismatch.problems = tuple(map(first.redacted, mismatch.problems))
                    raise
        self.succeeded(exchange)
        result = replace(result, attempts=tuple(self.rows))
        return [*ready, Finished(result)], result

    def _record(self, exchange: Exchange, outcome: str) -> None:
        if exchange.recorded:
            return
        exchange.recorded = True
        row = exchange.row(outcome)
        self.rows.append(row)
        if self.plan.on_usage is not None:
            self.plan.on_usage(row)
