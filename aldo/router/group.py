"""The entries of one class, tier, requirement set and locality: which of them is first for given sizes."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from math import inf

from aldo.router.envelope import Envelope
from aldo.router.facts import Facts
from aldo.router.rank import tie

_MOST_ENVELOPES = 4096
_PATIENCE = 64  # comparisons an entry, on average, before the rest is kept unseen


class Group:
    """Entries that differ in sizes, prices and ties alone. Only those that can be first are kept.

    What fits changes at the contexts and output limits of the members alone, so between two of them one envelope
    answers for all sizes. Envelopes are made when they are first asked for.
    """

    __slots__ = ("_candidates", "_envelopes", "contexts", "limits", "members", "without")

    def __init__(self, members: Sequence[Facts]) -> None:
        """`members` in the order of a shelf: by the prices of input and output, then by tie."""
        self._candidates = len(members)
        self.members: tuple[Facts, ...] = _undominated(members)
        self.contexts: list[int] = sorted({facts.context_tokens for facts in self.members})
        self.limits: list[int] = sorted(
            {facts.max_output_tokens for facts in self.members if facts.max_output_tokens is not None}
        )
        self._envelopes: dict[tuple[int, int], Envelope | None] = {}
        self.without: dict[str, Group] = {}
        """The groups that are left when one member is out."""

    def __len__(self) -> int:
        """How many there are, with those that can never be first."""
        return self._candidates

    def best(self, tokens_in: int, tokens_out: int) -> Facts | None:
        """The first of those that take these sizes, or None."""
        at = bisect_left(self.contexts, tokens_in + tokens_out), bisect_left(self.limits, tokens_out)
        try:
            envelope = self._envelopes[at]
        except KeyError:
            envelope = self.envelope(*at)
        if envelope is None:
            return None
        sole = envelope.sole
        if sole is not None and tokens_in and tokens_out:
            return sole
        return envelope.best(tokens_in, tokens_out)

    def envelope_at(self, total: int, tokens_out: int) -> Envelope | None:
        """The envelope of those that take `tokensIn + maxTokensOut` and `maxTokensOut` tokens."""
        return self.envelope(bisect_left(self.contexts, total), bisect_left(self.limits, tokens_out))

    def envelope(self, context: int, limit: int) -> Envelope | None:
        """The envelope of those whose context and limit are at least the ones at these places; None for nobody."""
        at = context, limit
        if at in self._envelopes:
            return self._envelopes[at]
        made = self._made(context, limit)
        if len(self._envelopes) >= _MOST_ENVELOPES:
            self._envelopes.clear()
        self._envelopes[at] = made
        return made

    def _made(self, context: int, limit: int) -> Envelope | None:
        if context == len(self.contexts):
            return None
        least: float = self.contexts[context]
        longest: float = self.limits[limit] if limit < len(self.limits) else inf
        members = [f for f in self.members if f.context_tokens >= least and _limit(f) >= longest]
        return Envelope(members) if members else None


def _limit(facts: Facts) -> float:
    return inf if facts.max_output_tokens is None else facts.max_output_tokens


def _undominated(members: Sequence[Facts]) -> tuple[Facts, ...]:
    """Without those that another always comes before: no dearer, no smaller, and the winner of ties.

    Whoever is left out has no say, because the one above it outranks all that it would. Where too many would have
    to be compared, some that could go are kept: that costs time and changes nothing.
    """
    kept: list[Facts] = []
    measures: list[_Measure] = []
    patience = _PATIENCE * len(members)
    for facts in members:
        measure = facts.pico_out, facts.context_tokens, _limit(facts), tie(facts)
        if patience > 0:
            above = _dominator(measure, measures)
            patience -= above
            if above < len(measures):
                continue
        kept.append(facts)
        measures.append(measure)
    return tuple(kept)


_Measure = tuple[int, int, float, tuple[float, str]]
"""The price of output, context, limit and tie of an entry. In a shelf none is dearer for input than the ones after."""


def _dominator(measure: _Measure, kept: Sequence[_Measure]) -> int:
    """The place of the first of those kept that always comes before an entry; their number if none does."""
    price, context, limit, ties = measure
    for place, (their_price, their_context, their_limit, their_ties) in enumerate(kept):
        if their_price <= price and their_context >= context and their_limit >= limit and their_ties < ties:
            return place
    return len(kept)
