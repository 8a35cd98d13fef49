"""Sizes and budget can be traded for each other: the smallest sets of the three that let an entry through."""

from __future__ import annotations

from collections.abc import Iterator

from aldo.router.facts import Facts
from aldo.router.stages import fits
from aldo.schema.decimals import LARGEST, pico_usd, usd_decimal
from aldo.schema.explanation import Change
from aldo.schema.request import RouteRequest

Changes = tuple[Change, ...]


def size_changes(facts: Facts, request: RouteRequest, floor: int) -> list[Changes]:
    """Every smallest set of changes of tokensIn, maxTokensOut and budgetUsd after which the entry fits.

    One empty set where it fits already, no set where nothing helps. No size is lowered below `floor`.
    """
    found: dict[frozenset[str], Changes] = {}
    for changes in _Sizer(facts, request, floor).candidates():
        fields = frozenset(change.field for change in changes)
        if not any(smaller <= fields for smaller in found):
            found[fields] = changes
    return list(found.values())


class _Sizer:
    """Tries the sets of fields in turn; no set comes before one that it contains."""

    def __init__(self, facts: Facts, request: RouteRequest, floor: int) -> None:
        self.facts = facts
        self.request = request
        self.floor = floor
        self.tokens_in = request.tokens_in
        self.tokens_out = request.max_tokens_out
        self.budget = None if request.budget_usd is None else pico_usd(request.budget_usd)

    def candidates(self) -> Iterator[Changes]:
        for limit in (self.budget, None):
            yield from self._sized(self.tokens_in, self.tokens_out, limit)
            yield from self._sized(self.tokens_in, self._shorter_out(limit), limit)
            yield from self._sized(self._shorter_in(self.tokens_out, limit), self.tokens_out, limit)
        for limit in (self.budget, None):
            out = self._halved_out(limit)
            yield from self._sized(self._shorter_in(out, limit), out, limit)

    def _shorter_out(self, limit: int | None) -> int:
        """The longest answer beside the prompt as it is."""
        room = min(self.tokens_out, self._longest_out(self.tokens_in))
        if limit is None or self.facts.pico_out == 0:
            return room
        return min(room, (limit - self.tokens_in * self.facts.pico_in) // self.facts.pico_out)

    def _shorter_in(self, tokens_out: int, limit: int | None) -> int:
        """The longest prompt beside an answer of this length."""
        room = min(self.tokens_in, self.facts.context_tokens - tokens_out)
        if limit is None or self.facts.pico_in == 0:
            return room
        return min(room, (limit - tokens_out * self.facts.pico_out) // self.facts.pico_in)

    def _halved_out(self, limit: int | None) -> int:
        """An answer that takes at most half of the context and of the budget, and leaves enough for a prompt."""
        out = min(self.tokens_out, self._longest_out(0), max(self.floor, self.facts.context_tokens // 2))
        if limit is not None and self.facts.pico_out:
            least_prompt = self.floor * self.facts.pico_in
            out = min(out, min(limit // 2, limit - least_prompt) // self.facts.pico_out)
        return max(self.floor, out)

    def _longest_out(self, tokens_in: int) -> int:
        """May be negative."""
        room = self.facts.context_tokens - tokens_in
        return room if self.facts.max_output_tokens is None else min(room, self.facts.max_output_tokens)

    def _sized(self, tokens_in: int, tokens_out: int, limit: int | None) -> Iterator[Changes]:
        """The changes to these sizes, if they help; without a limit the budget grows as far as it must."""
        sizes = (("tokensIn", self.tokens_in, tokens_in), ("maxTokensOut", self.tokens_out, tokens_out))
        changed = [Change(field=field, before=old, after=new) for field, old, new in sizes if old != new]
        if any(change.after < self.floor for change in changed) or not fits(self.facts, tokens_in, tokens_out):
            return
        cost = self.facts.cost(tokens_in, tokens_out)
        if limit is not None and cost > limit:
            return
        if self.budget is not None and cost > self.budget:
            # Above the largest budget that a request may say it has to do without one.
            enough = usd_decimal(cost) if cost <= pico_usd(LARGEST) else None
            changed.append(Change(field="budgetUsd", before=self.request.budget_usd, after=enough))
        yield tuple(changed)
