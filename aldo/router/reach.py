"""Which entries can ever be the first choice while every model is up, decided for all requests at once.

Only an entry's most favourable requests have to be looked at: those that require all it provides and
admit its locality alone, because every other request has the same competitors or more. Budgets change
nothing: what is cheaper fits every budget that the dearer one fits. Sizes remain, at least one token in
and one out. Costs are linear in them, so along a ray of requests of one shape the ranking stays the
same, and the largest request that still fits has the fewest competitors. So it is enough to look at the
edge of the sizes that an entry takes: two segments, on which every competitor holds an interval.

Sizes are taken for real numbers there, as though tokens could be divided. So what is found is true of every
request; an entry that only the fraction of a token keeps from being outranked is not found.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from math import inf
from typing import TYPE_CHECKING, NamedTuple

from aldo.router.facts import Facts
from aldo.router.stages import may_see
from aldo.schema.vocabulary import PRIVACY_TIERS, PrivacyTier

if TYPE_CHECKING:
    from fractions import Fraction

    from aldo.schema.explanation import RankKey


class NeverFirst(NamedTuple):
    """An entry that others always outrank, and who does so for one of the tiers that it may see."""

    facts: Facts
    privacy: PrivacyTier
    winners: tuple[Facts, ...]
    """The one that always comes first, or several of which always one does."""

    @property
    def decided_by(self) -> RankKey | None:
        """What decides where there is one winner: cost, latency or id."""
        if len(self.winners) != 1:
            return None
        ours, theirs = self.winners[0], self.facts
        one_shape = theirs.context_tokens == 2  # one token in and one out: only the sum of the prices counts
        if (ours.pico_in, ours.pico_out) != (theirs.pico_in, theirs.pico_out) and not (
            one_shape and ours.pico_in + ours.pico_out == theirs.pico_in + theirs.pico_out
        ):
            return "cost"
        return "id" if _latency(ours) == _latency(theirs) else "latency"


MOST_COMPARISONS = 2_000_000
"""Enough for any catalog of 100 000 entries whose prices rise together. A list made so that no price is below
another on both sides takes the square of its length; what is not compared is then taken to be first somewhere."""


def never_first(facts: Iterable[Facts], sensitive_localities: frozenset[str]) -> Iterator[NeverFirst]:
    """Every enabled entry that some request can reach but none makes its first choice, once for each of its tiers."""
    left = MOST_COMPARISONS
    groups: dict[tuple[str, str], list[Facts]] = {}
    for entry in facts:
        if entry.enabled and _most_out(entry) >= 1:  # else no request of one token in and one out fits
            groups.setdefault((entry.capability_class, entry.locality), []).append(entry)
    for members in groups.values():
        group = _Group(members, sensitive_localities, left)
        yield from group.never_first()
        left = group.left


def tiers_of(entry: Facts, sensitive_localities: frozenset[str]) -> tuple[PrivacyTier, ...]:
    """The tiers whose requests can reach an entry."""
    return tuple(tier for tier in PRIVACY_TIERS if may_see(entry, tier, sensitive_localities) is None)


class _Group:
    """The entries of one class and locality, the likeliest winners first. Sets of them are bits of an int."""

    def __init__(self, members: list[Facts], sensitive_localities: frozenset[str], comparisons: int) -> None:
        self.left = comparisons
        self.members = sorted(members, key=lambda f: (f.pico_in, f.pico_out, _tie(f)))
        # Tiers that the same entries may see have the same verdicts: each stands for those that are alike.
        seeing = [tiers_of(entry, sensitive_localities) for entry in self.members]
        columns = {tier: tuple(tier in tiers for tiers in seeing) for tier in PRIVACY_TIERS}
        self._alike = {
            tier: [other for other in PRIVACY_TIERS if columns[other] == column] for tier, column in columns.items()
        }
        self.tiers = [tuple(tier for tier in tiers if self._alike[tier][0] == tier) for tiers in seeing]
        self._providing: dict[str, int] = {}
        self._top: dict[str, int] = {}  # per tier those that nobody is known to outrank
        for index, entry in enumerate(self.members):
            for tag in entry.provides:
                self._providing[tag] = self._providing.get(tag, 0) | (1 << index)
        self._listed: dict[int, list[Facts]] = {}

    def never_first(self) -> Iterator[NeverFirst]:
        above = [self._outranked_by(index) for index in range(len(self.members))]
        for index, entry in enumerate(self.members):
            verdicts = []
            for tier in self.tiers[index]:
                single = above[index].get(tier)
                winners = (single,) if single is not None else self._together(entry, tier)
                if not winners:
                    break
                verdicts += [NeverFirst(entry, alike, winners) for alike in self._alike[tier]]
            else:
                yield from verdicts

    def _outranked_by(self, index: int) -> dict[PrivacyTier, Facts]:
        """Per tier the entry that always comes before this one, if a single one does.

        To be asked in the order of the members: whoever is outranked has no say, because the one above it
        outranks all that it would.
        """
        entry, found = self.members[index], {}
        for tier in self.tiers[index]:
            before = self._rivals(entry, tier)
            while before and self.left > 0:
                self.left -= 1
                lowest = before & -before
                other = self.members[lowest.bit_length() - 1]
                if _outranks_always(other, entry):
                    found[tier] = other
                    break
                before ^= lowest
            else:
                self._top[tier] = self._top.get(tier, 0) | (1 << index)
        return found

    def _rivals(self, entry: Facts, tier: PrivacyTier) -> int:
        """Who survives the entry's most favourable request of a tier, as far as it is outranked by nobody."""
        rivals = self._top.get(tier, 0)
        for tag in entry.provides:
            rivals &= self._providing[tag]
        return rivals

    def _together(self, entry: Facts, tier: PrivacyTier) -> tuple[Facts, ...]:
        """Several entries of which always one comes first; none where the entry itself can."""
        others = [other for other in self._members_of(self._rivals(entry, tier)) if other is not entry]
        self.left -= len(others)
        if self.left <= 0 or any(_wins_at(entry, others, *sizes) for sizes in _corners(entry)):
            return ()
        self.left -= 20 * len(others)  # exact fractions take longer
        return _covering(entry, others)

    def _members_of(self, bits: int) -> list[Facts]:
        listed = self._listed.get(bits)
        if listed is None:
            digits = f"{bits:b}"[::-1]
            listed, at = [], digits.find("1")
            while at >= 0:
                listed.append(self.members[at])
                at = digits.find("1", at + 1)
            self._listed[bits] = listed
        return listed


def _latency(entry: Facts) -> float:
    return inf if entry.latency_p95_ms is None else entry.latency_p95_ms


def _tie(entry: Facts) -> tuple[float, str]:
    return _latency(entry), entry.id


def _most_out(entry: Facts) -> int:
    """The longest answer that fits beside one token of prompt."""
    most = entry.context_tokens - 1
    return most if entry.max_output_tokens is None else min(most, entry.max_output_tokens)


def _outranks_always(other: Facts, entry: Facts) -> bool:
    """Whether `other` takes every size that `entry` takes, and ranks before it for each."""
    if other.pico_in > entry.pico_in or other.pico_out > entry.pico_out:
        return False
    if other.context_tokens < entry.context_tokens or _most_out(other) < _most_out(entry):
        return False
    cheaper = other.pico_in < entry.pico_in or other.pico_out < entry.pico_out
    return cheaper or _tie(other) < _tie(entry)


def _corners(entry: Facts) -> Iterator[tuple[int, int]]:
    """Sizes (in, out) at which an entry is most likely to be first: the corners of what it takes."""
    context, most_out = entry.context_tokens, _most_out(entry)
    if most_out >= 1:
        yield context - 1, 1
        yield context - most_out, most_out
        yield 1, most_out


def _takes(entry: Facts, tokens_in: int, tokens_out: int) -> bool:
    return tokens_in + tokens_out <= entry.context_tokens and tokens_out <= _most_out(entry)


def _wins_at(entry: Facts, others: list[Facts], tokens_in: int, tokens_out: int) -> bool:
    cost, tie = entry.cost(tokens_in, tokens_out), _tie(entry)
    for other in others:
        theirs = other.cost(tokens_in, tokens_out)
        ranks_before = theirs < cost or (theirs == cost and _tie(other) < tie)
        if ranks_before and _takes(other, tokens_in, tokens_out):
            return False
    return True


class _Interval(NamedTuple):
    """Where a competitor comes first on a segment. An end that is open does not belong to it."""

    start: Fraction
    start_open: bool
    end: Fraction
    end_open: bool
    holder: Facts


def _covering(entry: Facts, others: list[Facts]) -> tuple[Facts, ...]:
    """Those of the others that together hold the whole edge; none where a part of it is left to the entry."""
    context, most_out = entry.context_tokens, _most_out(entry)
    if most_out < 1:
        return ()
    found: dict[str, Facts] = {}
    # (in, out) as base + t * step: the whole context filled, and the longest answer to shorter prompts.
    segments = [((context, 0), (-1, 1), 1, most_out)]
    if context - most_out > 1:
        segments.append(((0, most_out), (1, 0), 1, context - most_out))
    for base, step, first, last in segments:
        held = [i for other in others if (i := _held(entry, other, base, step, first, last)) is not None]
        chain = _chain(held, first, last)
        if not chain:
            return ()
        found |= {holder.id: holder for holder in chain}
    return tuple(found.values())


def _held(
    entry: Facts, other: Facts, base: tuple[int, int], step: tuple[int, int], first: int, last: int
) -> _Interval | None:
    """The part of a segment that `other` takes and on which it ranks before `entry`."""
    from fractions import Fraction  # few catalogs come this far

    start, end = Fraction(first), Fraction(last)
    start_open = end_open = False
    # `other` takes base + t * step while both sizes fit it; each limit is linear in t.
    limits = (
        (other.context_tokens - base[0] - base[1], step[0] + step[1]),
        (_most_out(other) - base[1], step[1]),
    )
    for room, per_step in limits:
        if per_step == 0 and room < 0:
            return None
        if per_step > 0 and Fraction(room + 1, per_step) <= end:  # tokens are whole: up to 8 is below 9
            end, end_open = Fraction(room + 1, per_step), True
    more_in, more_out = other.pico_in - entry.pico_in, other.pico_out - entry.pico_out
    at_base = more_in * base[0] + more_out * base[1]
    slope = more_in * step[0] + more_out * step[1]
    wins_ties = _tie(other) < _tie(entry)
    if slope == 0:
        if at_base > 0 or (at_base == 0 and not wins_ties):
            return None
    else:
        even = Fraction(-at_base, slope)  # where both cost the same
        if slope > 0 and (even < end or (even == end and not end_open)):
            end, end_open = even, not wins_ties
        elif slope < 0 and even >= start:
            start, start_open = even, not wins_ties
    if start > end or (start == end and (start_open or end_open)):
        return None
    return _Interval(start, start_open, end, end_open, other)


def _chain(held: list[_Interval], first: int, last: int) -> list[Facts]:
    """Holders of intervals that leave no point between `first` and `last` free, or nothing."""
    from fractions import Fraction

    holders: list[Facts] = []
    reached, reached_open = Fraction(first), True  # `reached` itself is still free
    for interval in sorted(held, key=lambda i: (i.start, i.start_open, -i.end)):
        if interval.start > reached or (interval.start == reached and interval.start_open and reached_open):
            return []
        beyond = interval.end > reached or (interval.end == reached and reached_open and not interval.end_open)
        if beyond:
            holders.append(interval.holder)
            reached, reached_open = interval.end, interval.end_open
    return holders if reached == last and not reached_open else []
