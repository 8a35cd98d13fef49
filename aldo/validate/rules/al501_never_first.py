"""An entry that is never the first choice."""

from __future__ import annotations

from collections.abc import Iterator

from aldo.router.reach import NeverFirst, never_first, tiers_of
from aldo.validate.example import MINIMAL, changed
from aldo.validate.rule import Defect, Rule
from aldo.validate.subject import Subject


def check(subject: Subject) -> Iterator[Defect]:
    indexes = {entry.id: entry for entry in subject.by_id.values()}
    for verdict in never_first(subject.facts.values(), subject.sensitive_localities):
        if verdict.decided_by == "id" and verdict.winners[0]._replace(id=verdict.facts.id) == verdict.facts:
            continue  # AL504
        names = " or ".join(winner.id for winner in verdict.winners)
        yield Defect(
            indexes[verdict.facts.id].at("id"),
            f"{verdict.facts.id} is never the first choice: {names} always comes first{_reason(verdict)}",
            "it serves when others are down; pin it where you want it",
            related=tuple((indexes[winner.id].at("id"), "comes first") for winner in verdict.winners),
        )
    for facts in subject.facts.values():
        if facts.enabled and not tiers_of(facts, subject.sensitive_localities):
            entry = indexes[facts.id]
            allowed = ", ".join(entry.tiers)
            yield Defect(
                entry.at("privacyAllowed"),
                f"no request can reach {facts.id}: it is {facts.locality} and open to {allowed} requests only",
                "correct privacyAllowed or locality, or set enabled: false",
                severity="warning",
            )


def _reason(verdict: NeverFirst) -> str:
    match verdict.decided_by:
        case "cost":
            return ": it costs less"
        case "latency":
            return ": at the same cost its latency is lower"
        case "id":
            return ": at the same cost and latency its id is first"
        case _:
            return ", which of them depends on the size"


RULE = Rule(
    code="AL501",
    name="never-first",
    severity="info",
    summary="No request makes this entry its first choice while every model is up.",
    explanation="""\
Decided for all requests at once, without pin, exclude and down: every class, tier, requirement, locality,
budget and size of at least one token in and one out. The message names the entry that always comes first
and what decides. As an info it is a failover that serves only when others are down, which may be what you
want. It is a warning where no request can reach the entry at all. Where only the id decides, see AL504.
""",
    bad=changed(
        "usdPerMtokIn: 0, usdPerMtokOut: 0", "usdPerMtokIn: 1, usdPerMtokOut: 1", MINIMAL.replace(", tool-use", "")
    ),
    good=changed("usdPerMtokIn: 0, usdPerMtokOut: 0", "usdPerMtokIn: 1, usdPerMtokOut: 1"),
    check=check,
)
