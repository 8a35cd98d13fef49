"""A refusal that helps: which stage emptied each class, and what would make the request routable."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from aldo.router.relax import relaxations
from aldo.router.stages import first_failure
from aldo.router.table import RoutingTable
from aldo.router.trace import trace
from aldo.schema.explanation import REASON_CODES, EmptiedClass, Relaxation, Trace
from aldo.schema.request import RouteRequest


class Refusal:
    """Why nothing survived (what `NoEligibleModelError` carries)."""

    def __init__(self, table: RoutingTable, request: RouteRequest) -> None:
        self._table = table
        self._request = request

    def __str__(self) -> str:
        emptied = ", ".join(f"{stage.capability_class} at {stage.code}" for stage in self.stages)
        return f"no eligible model for this {self._request.privacy} request: {emptied}{self._about_pin()}"

    def _about_pin(self) -> str:
        """The pinned entry's own reason: of the others it is said that they are not the pinned one."""
        pin = self._request.pin
        if pin is None:
            return ""
        facts, asked = self._table.facts[pin], self._table.question(self._request)
        in_class = facts.capability_class if facts.capability_class in self._request.classes else ""
        code = first_failure(facts, in_class, asked)
        return f"; the pinned {pin} is dropped at {code}"

    @cached_property
    def stages(self) -> tuple[EmptiedClass, ...]:
        """Per requested class: the stage at which the last of its entries was dropped."""
        return tuple(self._emptied(name) for name in self._request.classes)

    @cached_property
    def relaxations(self) -> tuple[Relaxation, ...]:
        """The smallest changes of the request that would make it routable, fewest changes first."""
        return relaxations(self._table, self._request)

    def explain(self) -> Trace:
        """Every stage's counts and every entry's reason code, per class."""
        return trace(self._table, self._request)

    def to_dict(self) -> dict[str, Any]:
        return {
            "stages": [stage.model_dump(mode="json") for stage in self.stages],
            "relaxations": [relaxation.to_dict() for relaxation in self.relaxations],
        }

    def _emptied(self, capability_class: str) -> EmptiedClass:
        asked = self._table.question(self._request)
        members = [f for f in self._table.facts.values() if f.capability_class == capability_class]
        codes = {first_failure(facts, capability_class, asked) for facts in members}
        last = [code for code in REASON_CODES if code in codes]
        return EmptiedClass(capability_class=capability_class, code=last[-1] if last else "CLASS", entries=len(members))
