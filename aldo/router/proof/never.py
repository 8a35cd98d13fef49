"""`never`: whether some request has some entry as its choice or as an alternate.

Each stage tests an entry by itself: whether it survives does not depend on the others. So an entry is reached by
some request of a kind exactly if it is reached by the request that asks the least of it: the smallest sizes, the
fewest tags, no budget, no localities, unless the statement says otherwise. One request an entry is enough.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from math import inf
from typing import NamedTuple

from aldo.router.facts import Facts
from aldo.router.proof.ranges import holds, holds_price, nearest
from aldo.router.regions.sectors import TYPICAL_SIZES
from aldo.router.stages import first_failure
from aldo.router.table import RoutingTable
from aldo.schema.policy import Chooses, When
from aldo.schema.request import RouteRequest
from aldo.schema.vocabulary import PRIVACY_TIERS


class Reached(NamedTuple):
    """A request and an entry that it reaches."""

    request: RouteRequest
    facts: Facts
    is_chosen: bool


def reached(table: RoutingTable, when: When, entries: Iterable[Facts]) -> Reached | None:
    """A request of `when` that reaches one of the entries; one that chooses it, where there is one."""
    alternate: Reached | None = None
    for facts in entries:
        for request in _least_demanding(table, when, facts):
            if not _survives(table, facts, request):
                continue
            chosen = table.first_or_none(request)
            if chosen is facts:
                return Reached(request, facts, is_chosen=True)
            if chosen is not None and alternate is None:
                alternate = Reached(request, facts, is_chosen=False)
    return alternate


def _least_demanding(table: RoutingTable, when: When, facts: Facts) -> Iterator[RouteRequest]:
    """For each tier the request of `when` that asks the least of an entry, with typical sizes first."""
    ways = _classes(table, when, facts)
    if ways is None or (when.pin is not None and facts.id not in when.pin):
        return
    capability_class, fallbacks = ways
    for privacy in when.privacy or PRIVACY_TIERS:
        for tokens_in, tokens_out in (*TYPICAL_SIZES, (0, 0)):
            yield RouteRequest(
                capability_class=capability_class,
                fallback_classes=fallbacks,
                privacy=privacy,
                requires=when.requires or (),
                tokens_in=nearest(when.tokens_in, tokens_in),
                max_tokens_out=nearest(when.max_tokens_out, tokens_out),
                budget_usd=when.budget_usd,
                localities=when.localities,
                pin=None if when.pin is None else facts.id,
                exclude=when.exclude or (),
                down=when.down or (),
            )


def _classes(table: RoutingTable, when: When, facts: Facts) -> tuple[str, tuple[str, ...]] | None:
    """Class and fallback classes with which the class of an entry is asked for; None if they leave it out."""
    mine, asked = facts.capability_class, when.capability_class or (facts.capability_class,)
    if mine in asked:
        return mine, when.fallback_classes or ()
    if when.fallback_classes is None:
        return asked[0], (mine,)
    return (asked[0], when.fallback_classes) if mine in when.fallback_classes else None


def _survives(table: RoutingTable, facts: Facts, request: RouteRequest) -> bool:
    return first_failure(facts, facts.capability_class, table.question(request)) is None


def matching(chooses: Chooses) -> Callable[[Facts], bool]:
    """Whether an entry is one of those that a statement speaks of."""
    cost = chooses.cost
    prices = (cost.usd_per_mtok_in, cost.usd_per_mtok_out) if cost else (None, None)

    def matches(facts: Facts) -> bool:
        limit = facts.max_output_tokens
        return (
            _is_one(chooses.id, facts.id)
            and _is_one(chooses.capability_class, facts.capability_class)
            and _is_one(chooses.locality, facts.locality)
            and _is_any(chooses.provides, facts.provides)
            and (chooses.lacks is None or not facts.provides.issuperset(chooses.lacks))
            and _is_any(chooses.privacy_allowed, facts.privacy_allowed)
            and holds(chooses.effective_context_tokens, facts.context_tokens)
            and holds(chooses.max_output_tokens, inf if limit is None else limit)
            and holds(chooses.latency_p95_ms, facts.latency_p95_ms)
            and holds_price(prices[0], facts.pico_in)
            and holds_price(prices[1], facts.pico_out)
            and chooses.enabled in (None, facts.enabled)
        )

    return matches


def _is_one(named: tuple[str, ...] | None, name: str) -> bool:
    return named is None or name in named


def _is_any(named: tuple[str, ...] | None, names: frozenset[str]) -> bool:
    return named is None or not names.isdisjoint(named)
