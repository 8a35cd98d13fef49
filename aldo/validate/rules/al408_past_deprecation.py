"""A model that is gone."""

from __future__ import annotations

from collections.abc import Iterator

from aldo.validate.example import MINIMAL
from aldo.validate.rule import Defect, Rule
from aldo.validate.subject import Subject


def check(subject: Subject) -> Iterator[Defect]:
    for entry in subject.entries:
        last_day, replacement = entry.deprecation
        if last_day is None or not entry.enabled or last_day >= subject.today:
            continue
        instead = f"; {replacement} takes its place" if replacement in subject.by_id and replacement != entry.id else ""
        path = entry.at("deprecation", "date")
        yield Defect(path, f"{entry.name} went away after {last_day}{instead}", "remove it, or set enabled: false")


RULE = Rule(
    code="AL408",
    name="past-deprecation",
    severity="warning",
    summary="The last day of the model has passed.",
    explanation="""\
Requests to it fail. Remove the entry, or set `enabled: false`. The day counts from `--today`.
""",
    bad=MINIMAL + "    deprecation: { date: 2019-01-01 }\n",
    good=MINIMAL,
    check=check,
)
