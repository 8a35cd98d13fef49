"""One of the two catalogs of a difference: its entries by class, tier and locality, and what is not alike in both."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from aldo.router.cells import cells
from aldo.router.facts import Facts
from aldo.router.group import Group
from aldo.router.shelf import Shelf
from aldo.router.table import RoutingTable
from aldo.schema.vocabulary import LOCALITIES, Locality

Shelves = dict[Locality, Shelf]
Groups = dict[Locality, Group]


class Side:
    """The cells of a catalog. Entries that are alike on both sides are one object, so `is` tells them apart."""

    def __init__(self, table: RoutingTable, other: RoutingTable | None = None) -> None:
        self.table = table
        known = {} if other is None else other.facts
        facts = [known[f.id] if known.get(f.id) == f else f for f in table.facts.values()]
        self._cells = cells(facts, table.sensitive_localities)

    @property
    def classes(self) -> set[str]:
        """The classes that have an entry which some tier may see."""
        return {capability_class for capability_class, _ in self._cells}

    def members(self, capability_class: str, privacy: str) -> tuple[Facts, ...]:
        """The entries of a cell, by id."""
        return self._cells.get((capability_class, privacy), ())

    def shelves(self, capability_class: str, privacy: str) -> Shelves:
        """The same by locality."""
        cell = self.members(capability_class, privacy)
        return {place: Shelf(facts for facts in cell if facts.locality == place) for place in LOCALITIES}


def groups(base: Shelves, head: Shelves, requires: frozenset[str]) -> tuple[Groups, Groups]:
    """Of each locality those that provide what is required; one group for both sides where they are the same."""
    ours: Groups = {}
    theirs: Groups = {}
    for place in LOCALITIES:
        mine, others = base[place].providing(requires), head[place].providing(requires)
        ours[place] = Group(mine)
        theirs[place] = ours[place] if _same(mine, others) else Group(others)
    return ours, theirs


def _same(ours: Sequence[Facts], theirs: Sequence[Facts]) -> bool:
    return len(ours) == len(theirs) and all(a is b for a, b in zip(ours, theirs, strict=True))


def only_in(members: Iterable[Facts], others: Iterable[Facts]) -> list[Facts]:
    """Those that the other side does not have, or not alike."""
    there = {id(facts) for facts in others}
    return [facts for facts in members if id(facts) not in there]
