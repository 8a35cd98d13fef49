"""An entry that is never the first choice."""

from __future__ import annotations

from collections.abc import Iterator

from aldo.router.reach import NeverFirst, never_first, tiers_of
from aldo.validate.example import MINIMAL, changed
from aldo.validate.rule import Defect, Rule
from aldo.validate.subject import Subject


def check(subject: Subject) -> Iterator[Defect]:
    indexes = subject.by_id
    verdicts: dict[str, list[NeverFirst]] = {}
    for verdict in never_first(subject.facts.values(), subject.sensitive_localities):
        verdicts.setdefault(verdict.facts.id, []).append(verdict)
    for model, found in verdicts.items():
        if all(_is_twin(verdict) for verdict in found):
            continue  # AL504
        winners = {winner.id: indexes[winner.id].at("id") for verdict in found for winner in verdict.winners}
        yield Defect(
            indexes[model].at("id"),
            f"{model} is never the first choice: {_told(found)}",
            "it serves when others are down; pin it where you want it",
            related=tuple((path, "comes first") for path in winners.values()),
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


def _is_twin(verdict: NeverFirst) -> bool:
    """Whether the entries differ in nothing but the id."""
    return len(verdict.winners) == 1 and verdict.winners[0]._replace(id=verdict.facts.id) == verdict.facts


def _told(found: list[NeverFirst]) -> str:
    """Who comes first and why: once where it is the same for every tier, else tier by tier."""
    reasons = [" or ".join(winner.id for winner in one.winners) + " always comes first" + _why(one) for one in found]
    if len(set(reasons)) == 1:
        return reasons[0]
    return "; ".join(f"for {one.privacy} requests {reason}" for one, reason in zip(found, reasons, strict=True))


def _why(verdict: NeverFirst) -> str:
    match verdict.decided_by:
        case "cost":
            return ", because it costs less"
        case "latency":
            return ", because at the same cost its latency is lower"
        case "id":
            return ", because at the same cost and latency its id is first"
        case _:
            return ", which of them depends on the size"


RULE = Rule(
    code="AL501",
    name="never-first",
    severity="info",
    summary="No request makes this entry its first choice while every model is up.",
    explanation="""\
Decided for all requests at once, not by trying some: every class, tier, requirement, locality, budget and size of
at least one token in and one out, without pin, exclude and down. The message names the entry that always comes first
and what decides. As an info it is a failover that serves only when others are down, which may be what you
want. It is a warning where no request can reach the entry at all. Where only the id decides, see AL504.
""",
    bad=changed(
        "usdPerMtokIn: 0, usdPerMtokOut: 0", "usdPerMtokIn: 1, usdPerMtokOut: 1", MINIMAL.replace(", tool-use", "")
    ),
    good=changed("usdPerMtokIn: 0, usdPerMtokOut: 0", "usdPerMtokIn: 1, usdPerMtokOut: 1"),
    check=check,
    needs=("entries", "routing"),
)
