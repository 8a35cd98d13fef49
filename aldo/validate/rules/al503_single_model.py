"""A tier of a class that a single model serves."""

from __future__ import annotations

from collections.abc import Iterator

from aldo.schema.vocabulary import PRIVACY_TIERS
from aldo.validate.example import MINIMAL, changed
from aldo.validate.rule import Defect, Rule
from aldo.validate.subject import Subject


def check(subject: Subject) -> Iterator[Defect]:
    single: dict[str, list[str]] = {}
    for (_, tier), cell in subject.cells.items():
        if len(cell) == 1:
            single.setdefault(cell[0].id, []).append(tier)
    for model, tiers in single.items():
        entry = subject.by_id[model]
        if entry.capability_class in subject.suspect_classes:  # a misspelt class: AL201, AL202
            continue
        listed = ", ".join(tier for tier in PRIVACY_TIERS if tier in tiers)
        yield Defect(
            entry.at("capabilityClass"),
            f"{model} is the only model of the class {entry.capability_class} for {listed} requests",
            "add a second one, or name a fallback class in their requests",
        )


RULE = Rule(
    code="AL503",
    name="single-model",
    severity="info",
    summary="A class has a single model for a privacy tier.",
    explanation="""\
When that model is down, requests of the class and tier are refused unless they name a fallback class.
""",
    bad=changed("[public, internal, sensitive]", "[public, internal]"),
    good=MINIMAL,
    check=check,
    needs=("entries", "routing", "vocabulary"),
)
