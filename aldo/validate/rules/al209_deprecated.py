"""An entry whose model goes away."""

from __future__ import annotations

from collections.abc import Iterator

from aldo.validate.example import MINIMAL
from aldo.validate.rule import Defect, Rule
from aldo.validate.subject import Subject


def check(subject: Subject) -> Iterator[Defect]:
    for entry in subject.entries:
        last_day, replacement = entry.deprecation
        if last_day is None or not entry.enabled or last_day < subject.today:
            continue
        if replacement and (replacement not in subject.by_id or replacement == entry.id):  # AL210 tells of it
            continue
        told = f"{entry.name} goes away after {last_day}"
        path = entry.at("deprecation")
        if replacement:
            yield Defect(path, f"{told}; {replacement} takes its place", key=True, severity="info")
        else:
            yield Defect(path, f"{told}, and no replacement is named", "name one under deprecation", key=True)


RULE = Rule(
    code="AL209",
    name="deprecated",
    severity="warning",
    summary="The model is deprecated and will go away.",
    explanation="""\
An info where a replacement is named, a warning where none is. From the day after its date on the entry is
told of by AL408 instead. Disabled entries are passed over.
""",
    bad=MINIMAL + "    deprecation: { date: 2099-12-31 }\n",
    good=MINIMAL,
    check=check,
)
