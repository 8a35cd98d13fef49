"""Prices and limits of long ago."""

from __future__ import annotations

from collections.abc import Iterator

from aldo.validate.entry import date_of
from aldo.validate.example import MINIMAL
from aldo.validate.rule import Defect, Rule
from aldo.validate.subject import Subject


def check(subject: Subject) -> Iterator[Defect]:
    for entry in subject.entries:
        if "asOf" not in entry.value or not entry.enabled:
            continue
        as_of = date_of(entry.value["asOf"])
        if as_of is None:
            continue
        age = (subject.today - as_of).days
        if age > subject.max_age_days:
            source = entry.value.get("source")
            hint = f"look it up at {source}" if isinstance(source, str) else "look it up and renew the date"
            yield Defect(entry.at("asOf"), f"prices and limits of {entry.name} are {age} days old", hint)
        elif age < 0:
            days = "a day" if age == -1 else f"{-age} days"
            yield Defect(entry.at("asOf"), f"asOf lies {days} in the future", "when was it looked up?")


RULE = Rule(
    code="AL407",
    name="stale",
    severity="warning",
    summary="asOf is long past, or lies in the future.",
    explanation="""\
Prices and limits change. After 180 days (`--max-age`) look them up again under `source` and renew the date.
The age counts from `--today`, by default the day of the run; give it where a run has to be repeatable.
""",
    bad=MINIMAL + "    asOf: 2019-01-01\n",
    good=MINIMAL,
    check=check,
)
