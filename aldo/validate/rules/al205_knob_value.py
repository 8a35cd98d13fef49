"""A knob with a value that the provider kind does not take."""

from __future__ import annotations

from collections.abc import Iterator

from aldo.schema.kinds import kind_data, shipped_kinds
from aldo.validate.example import configured
from aldo.validate.knobs import knob_problems
from aldo.validate.rule import Defect, Rule
from aldo.validate.subject import Subject


def check(subject: Subject) -> Iterator[Defect]:
    valid: set[tuple[object, ...]] = set()  # the values that were found to be: catalogs repeat them
    for entry in subject.entries:
        kind = entry.kind
        if not entry.extra or kind not in shipped_kinds():
            continue
        data = kind_data(kind)
        for name, value in entry.extra.items():
            if value is None or name not in data.knobs:
                continue
            seen = (kind, name, type(value), value) if isinstance(value, (str, int)) else ()
            if seen in valid:
                continue
            problems = list(knob_problems(data.knobs[name], value))
            for path, message in problems:
                yield Defect(entry.at("providerConfig", "extra", name, *path), f"{name}: {message}")
            if seen and not problems:
                valid.add(seen)


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
