"""A knob with a value that the provider kind does not take."""

from __future__ import annotations

from collections.abc import Iterator

from aldo.schema.kinds import kind_data, shipped_kinds
from aldo.validate.example import configured
from aldo.validate.knobs import knob_problems
from aldo.validate.rule import Defect, Rule
from aldo.validate.subject import Subject


def check(subject: Subject) -> Iterator[Defect]:
    for entry in subject.entries:
        kind = entry.kind
        if not entry.extra or kind not in shipped_kinds():
            continue
        data = kind_data(kind)
        for name, value in entry.extra.items():
            if value is None or name not in data.knobs:
                continue
            for path, message in knob_problems(data.knobs[name], value):
                yield Defect(entry.at("providerConfig", "extra", name, *path), f"{name}: {message}")


RULE = Rule(
    code="AL205",
    name="knob-value",
    severity="error",
    summary="A knob has a value that the schema of its provider kind refuses.",
    explanation="""\
The entry would be chosen and then fail before anything is sent. The schema of each kind is data beside the
code and lists type and range of every knob.
""",
    bad=configured("{ extra: { samplerSeed: lucky } }"),
    good=configured("{ extra: { samplerSeed: 7 } }"),
    check=check,
)
