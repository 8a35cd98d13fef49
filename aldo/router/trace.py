"""The trace of a decision: per class every stage's counts and each entry's reason code or rank."""

from __future__ import annotations

from collections import Counter

from aldo.router.stages import first_failure
from aldo.router.table import RoutingTable
from aldo.schema.explanation import REASON_CODES, ClassTrace, EntryVerdict, ReasonCode, StageCount, Trace
from aldo.schema.request import RouteRequest


def trace(table: RoutingTable, request: RouteRequest) -> Trace:
    """Recomputed from the request, so that a decision pays for it only when somebody asks."""
    return Trace(classes=tuple(_class_trace(table, request, name) for name in request.classes))


def _class_trace(table: RoutingTable, request: RouteRequest, capability_class: str) -> ClassTrace:
    asked = table.question(request)
    codes = {model: first_failure(facts, capability_class, asked) for model, facts in table.facts.items()}
    ranked = table.survivors(capability_class, asked)
    ranks = {facts.id: rank for rank, facts in enumerate(ranked, start=1)}
    return ClassTrace(
        capability_class=capability_class,
        stages=_stage_counts(Counter(codes.values()), len(codes)),
        entries=tuple(EntryVerdict(model=m, code=code, rank=ranks.get(m)) for m, code in codes.items()),
    )


def _stage_counts(dropped: Counter[ReasonCode | None], entries: int) -> tuple[StageCount, ...]:
    stages = []
    for code in REASON_CODES:
        entries -= dropped[code]
        stages.append(StageCount(code=code, dropped=dropped[code], left=entries))
    return tuple(stages)
