"""Entries between which only the id decides."""

from __future__ import annotations

from collections.abc import Iterator

from aldo.router.facts import Facts
from aldo.validate.example import MINIMAL, changed
from aldo.validate.rule import Defect, Rule
from aldo.validate.subject import Subject


def check(subject: Subject) -> Iterator[Defect]:
    first: dict[Facts, Facts] = {}
    for facts in sorted(subject.facts.values(), key=lambda facts: facts.id):
        if not facts.enabled:
            continue
        other = first.setdefault(facts._replace(id=""), facts)
        if other is not facts:
            yield Defect(
                subject.by_id[facts.id].at("id"),
                f"{facts.id} and {other.id} are equal in every routing fact: {other.id} comes first by its id",
                "give latencyP95Ms, or ignore this where the second is a reserve",
                related=((subject.by_id[other.id].at("id"), "the other"),),
            )


RULE = Rule(
    code="AL504",
    name="equal-entries",
    severity="info",
    summary="Two entries are equal in every routing fact.",
    explanation="""\
Class, capabilities, tiers, locality, context, limits, prices and latency are the same, so the lower id always
comes first, and the other serves only when that one is down. A measured `latencyP95Ms` would tell them apart.
""",
    bad=changed("[streaming, tool-use]", "[streaming]"),
    good=MINIMAL,
    check=check,
    needs=("entries",),
)
