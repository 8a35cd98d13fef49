"""The smallest changes that would make a refused request routable."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

from aldo.router.admit import FLOORS, admissions
from aldo.router.facts import Facts
from aldo.router.rank import Rank, rank
from aldo.router.sizes import Changes
from aldo.router.stages import Question
from aldo.router.table import RoutingTable
from aldo.schema.explanation import Change, Relaxation, apply_changes
from aldo.schema.request import RouteRequest
from aldo.schema.vocabulary import PRIVACY_TIERS

# The less it takes from the caller, the earlier: a word about privacy comes last.
_GENTLENESS = (
    "down",
    "exclude",
    "pin",
    "localities",
    "maxTokensOut",
    "budgetUsd",
    "requires",
    "tokensIn",
    "fallbackClasses",
    "privacy",
)

_Key = tuple[tuple[Fraction, ...], Rank]


def relaxations(table: RoutingTable, request: RouteRequest) -> tuple[Relaxation, ...]:
    """One relaxation for each smallest set of fields, fewest changes first, then the gentlest.

    Each makes the request routable, and none of its changes can be left out.
    """
    # One floor for all entries: a change that helps one entry must not be one that was kept from another.
    best = next((found for floor in FLOORS if (found := _best(table, request, floor))), {})
    smallest = [fields for fields in best if not any(other < fields for other in best)]
    smallest.sort(key=_order)
    return tuple(_relaxation(table, request, best[fields][1]) for fields in smallest)


def _best(table: RoutingTable, request: RouteRequest, floor: int) -> dict[frozenset[str], tuple[_Key, Changes]]:
    """Of all entries the nearest changes for each set of fields."""
    best: dict[frozenset[str], tuple[_Key, Changes]] = {}
    asked = table.question(request)
    for facts in table.facts.values():
        if not _is_advice(facts, request):
            continue
        for changes in admissions(facts, request, table.sensitive_localities, pin=False, floor=floor):
            fields = frozenset(change.field for change in changes)
            key = (_magnitude(changes), _rank(facts, asked, changes))
            if fields not in best or key < best[fields][0]:
                best[fields] = (key, changes)
    return best


def _is_advice(facts: Facts, request: RouteRequest) -> bool:
    """Another class may be proposed, but an embedding model is no help to a chat, nor the other way round."""
    asked = request.classes
    return facts.capability_class in asked or (facts.capability_class == "embeddings") == ("embeddings" in asked)


def _relaxation(table: RoutingTable, request: RouteRequest, changes: Changes) -> Relaxation:
    _, chosen = next(table.failover_chain(apply_changes(request, changes)))
    return Relaxation(changes=tuple(sorted(changes, key=lambda c: _GENTLENESS.index(c.field))), model=chosen.id)


def _order(fields: Iterable[str]) -> tuple[int, list[int]]:
    places = sorted((_GENTLENESS.index(field) for field in fields), reverse=True)
    return len(places), places


def _rank(facts: Facts, asked: Question, changes: Changes) -> Rank:
    """The rank of an entry in the changed request, whose order depends on the sizes alone."""
    after = {change.field: change.after for change in changes}
    sizes = after.get("tokensIn", asked.tokens_in), after.get("maxTokensOut", asked.tokens_out)
    return rank(facts, asked._replace(tokens_in=sizes[0], tokens_out=sizes[1]))


def _magnitude(changes: Changes) -> tuple[Fraction, ...]:
    """How far each field moves, in an order that does not depend on the entry."""
    return tuple(_distance(change) for change in sorted(changes, key=lambda change: change.field))


def _distance(change: Change) -> Fraction:
    before, after = change.before, change.after
    if change.field == "privacy":
        return Fraction(abs(PRIVACY_TIERS.index(before) - PRIVACY_TIERS.index(after)))
    if isinstance(before, tuple):
        return Fraction(abs(len(before) - len(after)))
    if before is None or after is None:
        return Fraction(1)
    return abs(Fraction(before) - Fraction(after))
