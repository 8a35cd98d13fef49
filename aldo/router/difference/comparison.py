"""The work of `diff`: compares class by class and makes changes of what is found."""

from __future__ import annotations

from collections.abc import Iterator

from aldo.router.difference.cell import CellComparison, requirement_sets
from aldo.router.difference.changes import privacy_changes, redundancy_changes, route_change
from aldo.router.difference.found import Found, Key
from aldo.router.difference.places import one_sided_names
from aldo.router.difference.reserves import Reserve, lost_and_gained
from aldo.router.difference.rise import Rise
from aldo.router.difference.side import Side, only_in
from aldo.router.difference.typical import Typical
from aldo.router.difference.witness import Sides, outcome
from aldo.router.facts import Facts
from aldo.router.regions.effort import Effort, OutOfEffortError
from aldo.schema.difference import ChangeKind, Region, RoutingChange
from aldo.schema.vocabulary import PRIVACY_TIERS, PrivacyTier

_MOST_POLISHED = 1000  # of more changes nobody reads every witness

_Cell = tuple[tuple[int, ...], tuple[int, ...]]


class Comparison:
    """Both catalogs compared: routes by key, privacy and redundancy."""

    def __init__(self, sides: Sides, effort: Effort, rise: Rise) -> None:
        self._sides = sides
        self._effort = effort
        self._found = Found(rise)
        base, head = (side.table for side in sides)
        self._typical = Typical(base, head, self._found)
        self._base, self._head = Side(base), Side(head, base)
        self._reserves: dict[str, dict[PrivacyTier, list[Reserve]]] = {}
        self.complete: bool = True
        """Whether the effort was enough to compare all requests."""
        try:
            for name in sorted(self._base.classes | self._head.classes):
                self._compare(name)
        except OutOfEffortError:
            self.complete = False

    def routes(self) -> dict[Key, RoutingChange]:
        """The changes of the model, of whether there is one, and of the price."""
        found = list(self._found)
        rise = self._found.rise if len(found) <= _MOST_POLISHED else None
        changes = {key: route_change(self._sides, key, shown, self._typical, rise) for key, shown in found}
        return changes | dict(self._names())

    def others(self) -> Iterator[RoutingChange]:
        """The changes of what a tier can reach, and of how many models may be down."""
        yield from privacy_changes(self._sides)
        for name, reserves in self._reserves.items():
            yield from redundancy_changes(self._sides, name, reserves)

    def _compare(self, name: str) -> None:
        """One class: tiers that the same entries may see are compared once."""
        compared: dict[_Cell, PrivacyTier] = {}
        reserves = self._reserves[name] = {}
        for privacy in PRIVACY_TIERS:
            base, head = (side.members(name, privacy) for side in (self._base, self._head))
            cell = tuple(map(id, base)), tuple(map(id, head))
            if cell[0] == cell[1]:
                continue
            if not compared:
                self._typical.compare(name, self._changed(name))
            if cell in compared:
                self._found.copy(name, compared[cell], privacy)
                reserves[privacy] = reserves[compared[cell]]
                continue
            compared[cell] = privacy
            shelves = self._base.shelves(name, privacy), self._head.shelves(name, privacy)
            comparison = CellComparison(name, privacy, *shelves, self._found, self._effort)
            for requires in requirement_sets(base, head, self._effort):
                comparison.compare(requires)
            reserves[privacy] = list(lost_and_gained(base, head, self._effort))

    def _changed(self, name: str) -> Iterator[Facts]:
        """The entries of a class that are not alike on both sides, in any tier."""
        for privacy in PRIVACY_TIERS:
            base, head = (side.members(name, privacy) for side in (self._base, self._head))
            yield from (*only_in(base, head), *only_in(head, base))

    def _names(self) -> Iterator[tuple[Key, RoutingChange]]:
        """Requests that name a class which one side does not know: it refuses them, whatever else they ask."""
        tables = self._sides[0].table, self._sides[1].table
        kinds: tuple[ChangeKind, ChangeKind] = ("unroutable", "routable")
        for kind, ours, theirs in zip(kinds, tables, reversed(tables), strict=True):
            for name, witness in one_sided_names(ours, theirs):
                region = Region(name, PRIVACY_TIERS, only_with=("fallbackClasses",))
                outcomes = outcome(self._sides[0], witness), outcome(self._sides[1], witness)
                detail = f"the class {name} is known to one side alone"
                yield Key(kind, name, None, None), RoutingChange(kind, region, witness, *outcomes, detail=detail)
