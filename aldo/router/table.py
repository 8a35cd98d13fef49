"""The routing table: facts by id, who may serve which class and tier, and the first choice for any request.

Built once per catalog, then only read, but for what is kept of questions once answered: the groups of entries that
a class, a tier and a requirement set leave. A request whose kind was seen before costs a few lookups and the
search in sorted thresholds, however many entries there are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property
from operator import itemgetter
from typing import Any

from aldo.errors import UnknownNameError
from aldo.router.cells import cells
from aldo.router.facts import Facts, project
from aldo.router.group import Group
from aldo.router.names import KnownNames
from aldo.router.rank import rank, tie
from aldo.router.shelf import Shelf
from aldo.router.stages import Question, first_failure, fits, later_failure, question
from aldo.schema.canonical import digest
from aldo.schema.catalog import Catalog
from aldo.schema.decimals import pico_decimal
from aldo.schema.request import RouteRequest
from aldo.schema.vocabulary import LOCALITIES, Locality

_MOST_KEPT = 10_000
_MOST_PEELED = 3  # of the best that are out, before the others are looked through one by one
_MOST_WITHOUT = 8

# Straight from the request's dictionary: that is three times as fast as attribute by attribute.
_shape = itemgetter("capability_class", "privacy", "fallback_classes", "requires", "localities")
_rest = itemgetter("tokens_in", "max_tokens_out", "budget_usd", "pin", "exclude", "down")

GroupKey = tuple[str, str, frozenset[str], str]
"""Class, tier, requirement set and locality."""


def _best_of(members: Iterable[Facts], banned: frozenset[str], tokens_in: int, tokens_out: int) -> Facts | None:
    """The first of the entries of a group that fits and is not banned."""
    left = (f for f in members if f.id not in banned and fits(f, tokens_in, tokens_out))
    return min(left, key=lambda f: (f.cost(tokens_in, tokens_out), *tie(f)), default=None)


class RoutingTable:
    """Routing facts by id, and per class × tier the entries that pass enabled, privacy and class."""

    def __init__(self, catalog: Catalog) -> None:
        self.sensitive_localities: frozenset[Locality] = frozenset(catalog.routing.sensitive_localities)
        self.facts: dict[str, Facts] = {model: project(catalog.by_id[model]) for model in sorted(catalog.by_id)}
        self.names: KnownNames = KnownNames(self.facts.values(), catalog.vocabulary)
        self._cells = cells(self.facts.values(), self.sensitive_localities)
        self._shelves: dict[tuple[str, str, str], Shelf] = {}
        self._orders: dict[Any, tuple[tuple[GroupKey, Group], ...]] = {}
        self._groups: dict[GroupKey, Group] = {}
        self.kept: dict[str, object] = {}
        """What traces keep of each tier."""

    def cell(self, capability_class: str, privacy: str) -> tuple[Facts, ...]:
        """The enabled entries of a class that may see this tier."""
        return self._cells.get((capability_class, privacy), ())

    def group(self, key: GroupKey) -> Group:
        """The entries of a cell and a locality that provide what is required."""
        group = self._groups.get(key)
        if group is None:
            if len(self._groups) >= _MOST_KEPT:
                self._groups.clear()
            group = self._groups[key] = Group(self._members(key))
        return group

    def first(self, request: RouteRequest) -> Facts | None:
        """The first choice for a request, or None. Raises `UnknownNameError` for a name that nobody knows."""
        fields = request.__dict__
        shape = _shape(fields)
        try:
            order = self._orders[shape]
        except KeyError:
            order = self._order(request, shape)
        tokens_in, tokens_out, budget, pin, exclude, down = _rest(fields)
        if pin is not None:
            return self._pinned(request)
        banned = exclude + down if exclude or down else ()
        for key, group in order:
            best = group.best(tokens_in, tokens_out)
            if banned:
                best = self._best_but(key, group, best, tokens_in, tokens_out, frozenset(banned))
            # The cheapest stands for its group: where it is too dear, all of them are.
            if best is not None and (
                budget is None or tokens_in * best.pico_in + tokens_out * best.pico_out <= pico_decimal(budget)
            ):
                return best
        return None

    def first_or_none(self, request: RouteRequest) -> Facts | None:
        """The same, with None also for a request that names what nobody knows."""
        try:
            return self.first(request)
        except UnknownNameError:
            return None

    def seen_by(self, privacy: str) -> Iterator[Facts]:
        """The enabled entries of all classes that may see this tier."""
        for (_, tier), cell in self._cells.items():
            if tier == privacy:
                yield from cell

    def plain_first(
        self, capability_class: str, privacy: str, requires: frozenset[str], tokens_in: int, tokens_out: int
    ) -> Facts | None:
        """The first choice of one class for a request that says no more than this. Names are not checked."""
        for locality in LOCALITIES:
            best = self.group((capability_class, privacy, requires, locality)).best(tokens_in, tokens_out)
            if best is not None:
                return best
        return None

    def question(self, request: RouteRequest) -> Question:
        return question(request, self.sensitive_localities)

    def survivors(self, capability_class: str, asked: Question) -> list[Facts]:
        """The entries of a class that pass every stage, best first."""
        cell = self.cell(capability_class, asked.privacy)
        passing = [facts for facts in cell if later_failure(facts, asked) is None]
        passing.sort(key=lambda facts: rank(facts, asked))
        return passing

    def failover_chain(self, request: RouteRequest) -> Iterator[tuple[str, Facts]]:
        """Every survivor with the class it was found in: class by class, best first."""
        asked = self.question(request)
        for capability_class in request.classes:
            for facts in self.survivors(capability_class, asked):
                yield capability_class, facts

    @cached_property
    def routing_digest(self) -> str:
        """Digest of all that routing depends on, and of nothing else."""
        return digest(
            {
                "facts": [facts._asdict() for facts in self.facts.values()],
                "sensitiveLocalities": self.sensitive_localities,
                "names": self.names.declared,
            }
        )

    def _order(self, request: RouteRequest, shape: Any) -> tuple[tuple[GroupKey, Group], ...]:
        """The groups to ask in turn for requests of a shape; those without members are left out."""
        self.names.check(request)
        if len(self._orders) >= _MOST_KEPT:
            self._orders.clear()
        requires = frozenset(request.requires)
        keys = [
            (capability_class, request.privacy, requires, locality)
            for capability_class in request.classes
            for locality in LOCALITIES
            if request.localities is None or locality in request.localities
        ]
        order = tuple((key, group) for key in keys if (group := self.group(key)).members)
        self._orders[shape] = order
        return order

    def shelf(self, capability_class: str, privacy: str, locality: str) -> Shelf:
        """The entries of a cell that are in one place."""
        key = capability_class, privacy, locality
        shelf = self._shelves.get(key)
        if shelf is None:
            cell = self.cell(capability_class, privacy)
            shelf = Shelf(facts for facts in cell if facts.locality == locality)
            if cell:
                self._shelves[key] = shelf
        return shelf

    def _members(self, key: GroupKey) -> list[Facts]:
        capability_class, privacy, requires, locality = key
        return self.shelf(capability_class, privacy, locality).providing(requires)

    def _best_but(
        self, key: GroupKey, group: Group, best: Facts | None, tokens_in: int, tokens_out: int, banned: frozenset[str]
    ) -> Facts | None:
        """The best that is not banned. Who is out is out again soon, so the groups without one or a few are kept."""
        gone: set[str] = set()
        while best is not None and best.id in banned:
            gone.add(best.id)
            if len(gone) > _MOST_PEELED:
                return _best_of(self._members(key), banned, tokens_in, tokens_out)
            rest = group.without.get(best.id)
            if rest is None:
                if len(group.without) >= _MOST_WITHOUT:
                    group.without.clear()
                rest = group.without[best.id] = Group([f for f in self._members(key) if f.id not in gone])
            group = rest
            best = group.best(tokens_in, tokens_out)
        return best

    def _pinned(self, request: RouteRequest) -> Facts | None:
        """The pinned entry, if it passes every stage."""
        pin = request.pin
        self.names.check(request)
        assert pin is not None
        facts = self.facts[pin]
        if facts.capability_class not in request.classes:
            return None
        return facts if first_failure(facts, facts.capability_class, self.question(request)) is None else None
