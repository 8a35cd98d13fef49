"""Redundancy: requests that fewer or more models can serve than before, whoever is first.

What counts is the set of candidates: by class, tier, requirement set and sizes. An entry is a candidate of a request
whose tags it provides and whose sizes it takes, so candidates grow when any of the three is lowered, and among the
requests that the same changed entries take, the most demanding is the meet of those entries: the tags that all of
them provide, the smallest context, the smallest output limit. So the meets are all that has to be looked at, each
also met with the entries that are alike on both sides, where somebody must be left.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from aldo.router.difference.side import only_in
from aldo.router.facts import Facts
from aldo.router.regions.effort import Effort
from aldo.router.regions.lattice import LARGEST


class Demand(NamedTuple):
    """What a request asks, as far as a candidate is concerned. `total` is tokensIn + maxTokensOut."""

    requires: frozenset[str]
    total: int
    tokens_out: int


class Reserve(NamedTuple):
    """A request and how many candidates it has on both sides."""

    demand: Demand
    base: int
    head: int


_Taken = tuple[int, int, int]
"""A demand with its tags as bits: meets are taken by the million."""


def most_demanding(facts: Facts) -> Demand:
    """The largest request that an entry takes."""
    total = min(facts.context_tokens, 2 * LARGEST)
    limit = LARGEST if facts.max_output_tokens is None else facts.max_output_tokens
    return Demand(facts.provides, total, min(limit, total, LARGEST))


def lost_and_gained(base: Sequence[Facts], head: Sequence[Facts], effort: Effort) -> Iterator[Reserve]:
    """The requests with fewest candidates left that lose some, and that gain some; at most one of each."""
    tags = _Tags((*base, *head))
    gone, come = tags.taken(only_in(base, head)), tags.taken(only_in(head, base))
    there = {id(facts) for facts in head}
    alike = tags.taken(facts for facts in base if id(facts) in there)
    # What is alike but for prices and ties changes no reserve.
    both = Counter(gone) & Counter(come)
    gone, come = list((Counter(gone) - both).elements()), list((Counter(come) - both).elements())
    reserves = list(_reserves(gone, come, [*alike, *both.elements()], effort))
    lost = [(tags.demand(met), before, after) for met, before, after in reserves if 1 <= after < before]
    gained = [(tags.demand(met), before, after) for met, before, after in reserves if 1 <= before < after]
    if lost:
        yield Reserve(*min(lost, key=lambda r: (r[2], _plain(r[0]))))
    if gained:
        yield Reserve(*min(gained, key=lambda r: (r[1], _plain(r[0]))))


def _plain(demand: Demand) -> tuple[int, list[str], int, int]:
    return len(demand.requires), sorted(demand.requires), -demand.total, -demand.tokens_out


class _Tags:
    """Which bit stands for which tag."""

    def __init__(self, entries: Iterable[Facts]) -> None:
        self._names = sorted(frozenset[str]().union(*(facts.provides for facts in entries)))
        self._bits = {tag: 1 << place for place, tag in enumerate(self._names)}

    def taken(self, entries: Iterable[Facts]) -> list[_Taken]:
        demands = map(most_demanding, entries)
        return [(sum(self._bits[tag] for tag in d.requires), d.total, d.tokens_out) for d in demands]

    def demand(self, taken: _Taken) -> Demand:
        names = frozenset(tag for tag, bit in self._bits.items() if taken[0] & bit)
        return Demand(names, taken[1], taken[2])


def _reserves(
    gone: Sequence[_Taken], come: Sequence[_Taken], alike: Sequence[_Taken], effort: Effort
) -> Iterator[tuple[_Taken, int, int]]:
    for met in _meets([*gone, *come], effort):
        effort.spend(1 + (len(gone) + len(come)) // 32)
        more, fewer = _takers(met, come), _takers(met, gone)
        if more == fewer:
            continue
        is_loss = more < fewer
        for lower in (met, *_meets_with(met, alike)):
            effort.spend(1 + len(alike) // 32)
            common = _takers(lower, alike)
            base, head = _takers(lower, gone) + common, _takers(lower, come) + common
            if base != head:
                yield lower, base, head
                # Whoever else had to be looked for is there, and the request shows what `met` would show.
                if base and head and (head < base) == is_loss:
                    break


def _takers(asked: _Taken, entries: Sequence[_Taken]) -> int:
    tags, total, out = asked
    return sum(1 for most in entries if not tags & ~most[0] and total <= most[1] and out <= most[2])


def _meets_with(met: _Taken, others: Iterable[_Taken]) -> Iterator[_Taken]:
    """The most demanding requests that everybody takes who takes both."""
    tags, total, out = met
    for other in others:
        yield tags & other[0], min(total, other[1]), min(out, other[2])


def _meets(demands: Sequence[_Taken], effort: Effort) -> Iterable[_Taken]:
    """Every meet of some of them."""
    found: set[_Taken] = set()
    for demand in sorted(set(demands)):
        effort.spend(1 + len(found) // 4)  # before they are made: they may double each time
        found.update(_meets_with(demand, found.copy()))
        found.add(demand)
    return sorted(found)
