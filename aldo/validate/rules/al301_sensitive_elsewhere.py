"""Sensitive requests allowed where they never go."""

from __future__ import annotations

from collections.abc import Iterator

from aldo.validate.example import WITH_CLOUD, changed
from aldo.validate.rule import Defect, Rule
from aldo.validate.subject import Subject


def check(subject: Subject) -> Iterator[Defect]:
    for entry in subject.entries:
        if entry.locality is None or "sensitive" not in entry.tiers or entry.locality in subject.sensitive_localities:
            continue
        path = entry.at("privacyAllowed", entry.tiers.index("sensitive"))
        allowed = ", ".join(sorted(subject.sensitive_localities))
        yield Defect(
            path,
            f"{entry.name} is {entry.locality}, and sensitive requests stay {allowed}",
            "remove sensitive, or correct the locality",
            fix=subject.without_item(path, "remove sensitive"),
            related=((entry.at("locality"), "the locality"),),
        )


RULE = Rule(
    code="AL301",
    name="sensitive-elsewhere",
    severity="error",
    summary="privacyAllowed names sensitive on an entry that no sensitive request may reach.",
    explanation="""\
Sensitive requests go only to the localities under `routing.sensitiveLocalities`, by default `local`. The
router holds that whatever an entry claims, so the claim is false, and whoever reads it believes that the
entry is cleared for sensitive data. Remove the tier, or correct the locality.
""",
    bad=changed("[public, internal]", "[public, internal, sensitive]", WITH_CLOUD),
    good=WITH_CLOUD,
    check=check,
    needs=("routing",),
)
