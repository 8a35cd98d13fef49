"""A knob that the provider kind does not know."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches

from aldo.catalog.edit import scalar
from aldo.errors import Fix
from aldo.schema.kinds import kind_data, shipped_kinds
from aldo.validate.example import configured
from aldo.validate.rule import Defect, Path, Rule
from aldo.validate.subject import Subject


def check(subject: Subject) -> Iterator[Defect]:
    for entry in subject.entries:
        kind = entry.kind
        if not entry.extra or kind not in shipped_kinds():
            continue
        data = kind_data(kind)
        for name in entry.extra.keys() - data.knobs.keys():
            path = entry.at("providerConfig", "extra", name)
            near = next(iter(get_close_matches(str(name), data.knobs, n=1, cutoff=0.7)), None)
            hint = f"did you mean {near!r}?" if near else f"the knobs of {kind} are {', '.join(data.knobs)}"
            closed = data.extra_schema.get("additionalProperties") is False
            yield Defect(
                path,
                f"{kind} has no knob {name!r}" + ("" if closed else ": it has no effect"),
                hint,
                key=True,
                severity="error" if closed else "warning",
                fix=_renamed(subject, path, near) if near and near not in entry.extra else None,
            )


def _renamed(subject: Subject, path: Path, name: str) -> Fix:
    return Fix(f"rename it to {name}", (scalar(subject.text, *subject.document.offsets(path, key=True), name),))


RULE = Rule(
    code="AL204",
    name="unknown-knob",
    severity="error",
    summary="providerConfig.extra holds a knob that its provider kind does not know.",
    explanation="""\
A misspelt knob is a setting that has no effect. Where the schema of the kind allows no others, as for
`mlx`, the entry cannot be used at all; where it does, as for `openai-compat`, this is a warning.
""",
    bad=configured("{ extra: { samplerSed: 7 } }"),
    good=configured("{ extra: { samplerSeed: 7 } }"),
    check=check,
)
