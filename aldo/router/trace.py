"""The trace of a decision: per class every stage's counts and each entry's reason code or rank."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from aldo.router.rank import rank
from aldo.router.stages import later_failure, may_see
from aldo.router.table import RoutingTable
from aldo.schema.explanation import REASON_CODES, ClassTrace, EntryVerdict, ReasonCode, StageCount, Trace
from aldo.schema.request import RouteRequest


def trace(table: RoutingTable, request: RouteRequest) -> Trace:
    """Recomputed from the request, so that a decision pays for it only when somebody asks."""
    return Trace(classes=tuple(_class_trace(table, request, name) for name in request.classes))


def _class_trace(table: RoutingTable, request: RouteRequest, capability_class: str) -> ClassTrace:
    asked = table.question(request)
    outsiders = _outsiders(table, request.privacy)
    cell = [(facts, later_failure(facts, asked)) for facts in table.cell(capability_class, request.privacy)]
    survivors = sorted((facts for facts, code in cell if code is None), key=lambda facts: rank(facts, asked))
    verdicts = dict(outsiders.verdicts)
    verdicts |= {facts.id: EntryVerdict(model=facts.id, code=code) for facts, code in cell if code}
    verdicts |= {facts.id: EntryVerdict(model=facts.id, rank=place) for place, facts in enumerate(survivors, start=1)}
    dropped = outsiders.dropped + Counter(code for _, code in cell if code)
    dropped["CLASS"] -= len(cell)  # no outsiders here
    stages = _stage_counts(dropped, len(verdicts))
    return ClassTrace(capability_class=capability_class, stages=stages, entries=tuple(verdicts.values()))


class _Outsiders(NamedTuple):
    """What a request of one tier makes of all entries as long as none is of the class that it asks for."""

    verdicts: dict[str, EntryVerdict]
    dropped: Counter[ReasonCode]


def _outsiders(table: RoutingTable, privacy: str) -> _Outsiders:
    """They depend on the tier alone, so they are kept with the table."""
    kept = table.kept.get(privacy)
    if kept is None:
        kept = table.kept[privacy] = _made(table, privacy)
    assert isinstance(kept, _Outsiders)
    return kept


def _made(table: RoutingTable, privacy: str) -> _Outsiders:
    codes: dict[str, ReasonCode] = {}
    for model, facts in table.facts.items():
        early = may_see(facts, privacy, table.sensitive_localities) if facts.enabled else "DISABLED"
        codes[model] = early or "CLASS"
    verdicts = {model: EntryVerdict(model=model, code=code) for model, code in codes.items()}
    return _Outsiders(verdicts, Counter(codes.values()))


def _stage_counts(dropped: Counter[ReasonCode], entries: int) -> tuple[StageCount, ...]:
    stages = []
    for code in REASON_CODES:
        entries -= dropped[code]
        stages.append(StageCount(code=code, dropped=dropped[code], left=entries))
    return tuple(stages)
