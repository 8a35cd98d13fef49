"""A tier that no model of a class serves."""

from __future__ import annotations

from collections.abc import Iterator

from aldo.schema.vocabulary import PRIVACY_TIERS
from aldo.validate.example import MINIMAL
from aldo.validate.rule import Defect, Path, Rule
from aldo.validate.subject import Subject


def check(subject: Subject) -> Iterator[Defect]:
    first: dict[str, Path] = {}
    for entry in subject.entries:
        if entry.capability_class and entry.capability_class not in subject.suspect_classes:
            first.setdefault(entry.capability_class, entry.at("capabilityClass"))
    for number, name in enumerate(subject.names("vocabulary", "capabilityClasses")):
        first.setdefault(name, ("vocabulary", "capabilityClasses", number))
    for name, path in first.items():
        empty = [tier for tier in PRIVACY_TIERS if (name, tier) not in subject.cells]
        if len(empty) == len(PRIVACY_TIERS):
            yield Defect(path, f"no enabled model serves the class {name}", "add one, or enable one")
        elif empty:
            tiers = " and no ".join(empty)
            yield Defect(
                path, f"no model of the class {name} may see {tiers.replace(' and no ', ' or ')} requests", _HINT
            )


_HINT = "add a model for them, or name a fallback class in their requests"


RULE = Rule(
    code="AL502",
    name="empty-cell",
    severity="warning",
    summary="A class has no model for a privacy tier.",
    explanation="""\
Requests of that class and tier are refused unless they name a fallback class. Looked at are the classes that
entries use or `vocabulary` declares; what is disabled does not count. Where it is meant, say so with a comment
on the entry.
""",
    bad=MINIMAL.replace("[public, internal, sensitive]", "[public, internal]"),
    good=MINIMAL,
    check=check,
    needs=("entries", "routing", "vocabulary"),
)
