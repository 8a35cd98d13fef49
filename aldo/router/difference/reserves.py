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

    def meets(self, other: Demand) -> Demand:
        """The most demanding request that everybody takes who takes one of the two."""
        return Demand(
            self.requires & other.requires, min(self.total, other.total), min(self.tokens_out, other.tokens_out)
        )

    def is_taken_by(self, most: Demand) -> bool:
        return self.requires <= most.requires and self.total <= most.total and self.tokens_out <= most.tokens_out


class Reserve(NamedTuple):
    """A request and how many candidates it has on both sides."""

    demand: Demand
    base: int
    head: int


def most_demanding(facts: Facts) -> Demand:
    """The largest request that an entry takes."""
    total = min(facts.context_tokens, 2 * LARGEST)
    limit = LARGEST if facts.max_output_tokens is None else facts.max_output_tokens
    return Demand(facts.provides, total, min(limit, total, LARGEST))


def lost_and_gained(base: Sequence[Facts], head: Sequence[Facts], effort: Effort) -> Iterator[Reserve]:
    """The requests with fewest candidates left that lose some, and that gain some; at most one of each."""
    reserves = list(_reserves(base, head, effort))
    lost = [reserve for reserve in reserves if 1 <= reserve.head < reserve.base]
    gained = [reserve for reserve in reserves if 1 <= reserve.base < reserve.head]
    if lost:
        yield min(lost, key=lambda r: (r.head, _plain(r.demand)))
    if gained:
        yield min(gained, key=lambda r: (r.base, _plain(r.demand)))


def _plain(demand: Demand) -> tuple[int, list[str], int, int]:
    return len(demand.requires), sorted(demand.requires), -demand.total, -demand.tokens_out


def _reserves(base: Sequence[Facts], head: Sequence[Facts], effort: Effort) -> Iterator[Reserve]:
    gone, come = _demands(only_in(base, head)), _demands(only_in(head, base))
    there = {id(facts) for facts in head}
    alike = _demands(facts for facts in base if id(facts) in there)
    # What is alike but for prices and ties changes no reserve.
    both = Counter(gone) & Counter(come)
    gone, come = list((Counter(gone) - both).elements()), list((Counter(come) - both).elements())
    alike += both.elements()
    if not gone and not come:
        return
    for demand in _meets([*gone, *come], effort):
        effort.spend(1 + (len(gone) + len(come)) // 8)
        net = _takers(demand, come) - _takers(demand, gone)
        if net == 0:
            continue
        some = 0
        for met in (demand, *(demand.meets(other) for other in alike)):
            effort.spend(1 + len(alike) // 8)
            common = _takers(met, alike)
            reserve = Reserve(met, _takers(met, gone) + common, _takers(met, come) + common)
            yield reserve
            some = min(reserve.base, reserve.head)
            if some:  # nobody has to be looked for
                break


def _demands(entries: Iterable[Facts]) -> list[Demand]:
    return [most_demanding(facts) for facts in entries]


def _takers(demand: Demand, demands: Sequence[Demand]) -> int:
    return sum(1 for most in demands if demand.is_taken_by(most))


def _meets(demands: Sequence[Demand], effort: Effort) -> Iterable[Demand]:
    """Every meet of some of them."""
    found: dict[Demand, None] = {}
    for demand in dict.fromkeys(demands):
        effort.spend(1 + len(found) // 8)
        found |= dict.fromkeys([demand, *(demand.meets(other) for other in found)])
    return found
