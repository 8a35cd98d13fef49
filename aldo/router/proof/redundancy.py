"""N−1: how many models may be down before a class and tier has nothing left."""

from __future__ import annotations

from collections.abc import Iterator

from aldo.router.table import RoutingTable
from aldo.schema.proof import Redundancy
from aldo.schema.vocabulary import PRIVACY_TIERS


def redundancy(table: RoutingTable) -> Iterator[Redundancy]:
    """A row for each tier of each class that an entry has, by the name of the class."""
    classes = {facts.capability_class for facts in table.facts.values()}
    for name in sorted(classes):
        for privacy in PRIVACY_TIERS:
            yield Redundancy(name, privacy, tuple(facts.id for facts in table.cell(name, privacy)))
