"""`always`: whether every request of a kind is served, with models down, and at what cost.

An entry that takes a request takes every smaller one, so the fewest models serve the largest sizes, and with `k`
models down something is left exactly if more than `k` serve them. The dearest choice is looked for band by band and
sector by sector, in which the choice stays the same: the cost is linear there, so whether some request costs more
than the bound is a question of whole points in a convex polygon. With models down the same is asked without one
after the other of those that come first somewhere; who comes first nowhere makes no difference by being down.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import NamedTuple

from aldo.router.facts import Facts
from aldo.router.group import Group
from aldo.router.proof.never import matching
from aldo.router.proof.ranges import least, most
from aldo.router.regions.bands import Band, bands
from aldo.router.regions.effort import Effort
from aldo.router.regions.lattice import HalfPlane, Point
from aldo.router.regions.sectors import Sector, sectors
from aldo.router.table import RoutingTable
from aldo.schema.decimals import pico_usd, usd_text
from aldo.schema.policy import Always, TokenRange
from aldo.schema.request import RouteRequest
from aldo.schema.vocabulary import LOCALITIES, Locality


class Refuted(NamedTuple):
    """A request that refutes a statement, and what comes of it in words."""

    witness: RouteRequest
    detail: str


def refuted(table: RoutingTable, statement: Always, effort: Effort) -> Refuted | None:
    """A request that the statement speaks of and that it is not true for, or None if it is proven."""
    for request in _largest(statement):
        found = _unserved(table, request, statement.survives or 0)
        if found is None and (statement.costs_at_most is not None or statement.chooses is not None):
            found = _wrong_choice(table, statement, request, effort)
        if found is not None:
            return found
    return None


def _largest(statement: Always) -> Iterator[RouteRequest]:
    """For each class, tier and pin the request with the largest sizes."""
    when = statement.when
    pins = (None,) if when.pin is None else when.pin
    for name, privacy, pin in product(when.capability_class or (), when.privacy or (), pins):
        request = RouteRequest(
            capability_class=name,
            privacy=privacy,
            fallback_classes=when.fallback_classes or (),
            requires=when.requires or (),
            budget_usd=when.budget_usd,
            localities=when.localities,
            pin=pin,
            exclude=when.exclude or (),
            down=when.down or (),
        )
        sizes = {"tokens_in": when.tokens_in, "max_tokens_out": when.max_tokens_out}
        yield request.model_copy(update={field: most(given) for field, given in sizes.items() if given})


def _unserved(table: RoutingTable, request: RouteRequest, outages: int) -> Refuted | None:
    serving = [facts.id for _, facts in table.failover_chain(request)]
    if len(serving) > outages:
        return None
    witness = request.model_copy(update={"down": (*request.down, *serving)})
    what = "nothing serves it" if not serving else f"with {', '.join(serving)} down nothing is left"
    return Refuted(witness, what)


def _wrong_choice(table: RoutingTable, statement: Always, request: RouteRequest, effort: Effort) -> Refuted | None:
    """Sizes, and models that are down, with which the first choice is too dear or not one that was meant."""
    box = _box(request, statement)
    # Without one model after the other; each set of them once.
    waiting, seen = [request.down], {frozenset(request.down)}
    while waiting:
        down = waiting.pop()
        spare = (statement.survives or 0) - (len(down) - len(request.down))
        for choice in _choices(table, request.model_copy(update={"down": down}), box, effort):
            found = _fault(statement, choice, box)
            if found is not None:
                sizes, detail = found
                update = {"tokens_in": sizes[0], "max_tokens_out": sizes[1], "down": down}
                return Refuted(request.model_copy(update=update), detail)
            fewer = (*down, choice.facts.id)
            if spare > 0 and frozenset(fewer) not in seen:
                seen.add(frozenset(fewer))
                waiting.append(fewer)
    return None


def _fault(statement: Always, choice: _Choice, box: tuple[HalfPlane, ...]) -> tuple[Point, str] | None:
    """Sizes at which a choice is not as stated, and what it is then."""
    facts = choice.facts
    if statement.costs_at_most is not None:
        sizes = choice.point(box, _costs_more(facts, pico_usd(statement.costs_at_most)))
        if sizes is not None:
            return sizes, f"{facts.id} serves it for {usd_text(facts.cost(*sizes))} USD"
    if statement.chooses is not None and not matching(statement.chooses)(facts):
        sizes = choice.point(box)
        assert sizes is not None, "choices without whole points are left out"
        return sizes, f"{facts.id} ({facts.locality}) is chosen"
    return None


class _Choice(NamedTuple):
    """Sizes at which one entry is the choice: a sector of a band, as far as `more` conditions hold."""

    facts: Facts
    band: Band
    sector: Sector
    more: tuple[HalfPlane, ...]

    def point(self, box: tuple[HalfPlane, ...], *more: HalfPlane) -> Point | None:
        """Sizes of the box at which it is, and at which `more` conditions hold."""
        return self.sector.point(self.band, *self.more, *box, *more)


def _choices(
    table: RoutingTable, request: RouteRequest, box: tuple[HalfPlane, ...], effort: Effort
) -> Iterator[_Choice]:
    """All sizes of the box, by the entry that they choose. Sectors that hold no whole point are left out."""
    budget = None if request.budget_usd is None else pico_usd(request.budget_usd)
    groups = _groups(table, request)
    effort.spend(sum(map(len, groups)))
    for band in bands(groups):
        effort.spend(1 + sum(len(group.members) for group in groups) // 8)
        open_sectors: list[tuple[HalfPlane, ...]] = [()]  # where no place so far serves
        for group in groups:
            envelope = group.envelope_at(band.total, band.limit)
            if envelope is None:
                continue
            still_open: list[tuple[HalfPlane, ...]] = []
            for more, sector in product(open_sectors, sectors(envelope, None)):
                effort.spend()
                facts = sector.base
                assert facts is not None
                if sector.point(band, *more, *box) is None:
                    continue
                if budget is None:
                    yield _Choice(facts, band, sector, more)
                    continue
                if sector.point(band, *more, *box, paid := _costs_at_most(facts, budget)) is not None:
                    yield _Choice(facts, band, sector, (*more, paid))
                still_open.append((*more, *sector.half_planes, _costs_more(facts, budget)))
            open_sectors = still_open
            if not open_sectors:
                break


def _groups(table: RoutingTable, request: RouteRequest) -> list[Group]:
    """Who may serve requests of this kind, in the order in which they are asked."""
    requires, gone = frozenset(request.requires), {*request.exclude, *request.down}
    found = []
    for capability_class, locality in product(request.classes, _places(request)):
        members = table.shelf(capability_class, request.privacy, locality).providing(requires)
        staying = [f for f in members if f.id not in gone and request.pin in (None, f.id)]
        if staying:
            found.append(Group(staying))
    return found


def _places(request: RouteRequest) -> list[Locality]:
    return [place for place in LOCALITIES if request.localities is None or place in request.localities]


def _box(request: RouteRequest, statement: Always) -> tuple[HalfPlane, ...]:
    when = statement.when
    return (
        (-1, 0, -_least(when.tokens_in, request.tokens_in)),
        (1, 0, request.tokens_in),
        (0, -1, -_least(when.max_tokens_out, request.max_tokens_out)),
        (0, 1, request.max_tokens_out),
    )


def _least(given: TokenRange | None, default: int) -> int:
    return default if given is None else least(given)


def _costs_more(facts: Facts, pico: int) -> HalfPlane:
    return -facts.pico_in, -facts.pico_out, -pico - 1


def _costs_at_most(facts: Facts, pico: int) -> HalfPlane:
    return facts.pico_in, facts.pico_out, pico
