"""The routing table: facts by id, and who may serve which class and tier. Built once, then only read."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from aldo.router.cells import cells
from aldo.router.facts import Facts, project
from aldo.router.names import KnownNames
from aldo.router.rank import rank
from aldo.router.stages import Question, later_failure, question
from aldo.schema.canonical import digest
from aldo.schema.catalog import Catalog
from aldo.schema.request import RouteRequest


class RoutingTable:
    """Routing facts by id, and per class × tier the entries that pass enabled, privacy and class."""

    def __init__(self, catalog: Catalog) -> None:
        self.sensitive_localities = frozenset(catalog.routing.sensitive_localities)
        self.facts = {model: project(catalog.by_id[model]) for model in sorted(catalog.by_id)}
        self.names = KnownNames(self.facts.values(), catalog.vocabulary)
        self._cells = cells(self.facts.values(), self.sensitive_localities)

    def cell(self, capability_class: str, privacy: str) -> tuple[Facts, ...]:
        """The enabled entries of a class that may see this tier."""
        return self._cells.get((capability_class, privacy), ())

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
