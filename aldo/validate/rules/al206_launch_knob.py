"""A knob that only the command line of the server can set."""

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
        flags = data.launch_flags
        for name in flags.keys() & entry.extra.keys():
            value = entry.extra[name]
            if value in (None, False) or any(knob_problems(data.knobs[name], value)):  # AL205
                continue
            yield Defect(
                entry.at("providerConfig", "extra", name),
                f"{name} has no effect on requests: it stands for the server option {flags[name]}",
                f"launch the server of {entry.name} with {flags[name]}",
                key=True,
            )


RULE = Rule(
    code="AL206",
    name="launch-knob",
    severity="info",
    summary="A knob that no request can set: the server has to be launched with it.",
    explanation="""\
The catalog may say how the server was started, but saying it does not start it that way. Check that the
server runs with the option that the message names.
""",
    bad=configured("{ extra: { kvCacheQuantized: true } }"),
    good=configured("{ extra: { quantization: q4 } }"),
    check=check,
)
