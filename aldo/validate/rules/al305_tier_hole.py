"""Sensitive requests allowed, internal ones not."""

from __future__ import annotations

from collections.abc import Iterator

from aldo.errors import Edit, Fix
from aldo.validate.example import WITH_CLOUD, changed
from aldo.validate.rule import Defect, Rule
from aldo.validate.subject import Subject


def check(subject: Subject) -> Iterator[Defect]:
    for entry in subject.entries:
        if "sensitive" not in entry.tiers or "internal" in entry.tiers:
            continue
        if entry.locality is not None and entry.locality not in subject.sensitive_localities:
            continue  # AL301: sensitive has to go
        start, _ = subject.document.offsets(entry.at("privacyAllowed", entry.tiers.index("sensitive")))
        in_line = "\n" not in subject.text[slice(*subject.document.offsets(entry.at("privacyAllowed")))]
        yield Defect(
            entry.at("privacyAllowed"),
            f"{entry.name} may see sensitive requests, but not internal ones",
            "add internal",
            fix=Fix("add internal", (Edit(start, start, "internal, "),)) if in_line else None,
        )


RULE = Rule(
    code="AL305",
    name="tier-hole",
    severity="warning",
    summary="The tiers have a hole: sensitive without internal.",
    explanation="""\
What may see sensitive data may see internal data. The hole makes internal requests pass over the entry,
to one that is less private as a rule.
""",
    bad=changed("[public, internal, sensitive]", "[public, sensitive]", WITH_CLOUD),
    good=WITH_CLOUD,
    check=check,
    needs=("routing",),
)
