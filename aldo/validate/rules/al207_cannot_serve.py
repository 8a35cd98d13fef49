"""A capability that servers of the provider kind do not have."""

from __future__ import annotations

from collections.abc import Iterator

from aldo.schema.kinds import kind_data, shipped_kinds
from aldo.validate.example import MINIMAL, changed
from aldo.validate.rule import Defect, Rule
from aldo.validate.subject import Subject


def check(subject: Subject) -> Iterator[Defect]:
    for entry in subject.entries:
        if entry.kind not in shipped_kinds():
            continue
        cannot = kind_data(entry.kind).cannot_serve
        if entry.capability_class in cannot:
            reason = cannot[entry.capability_class]
            message = f"{entry.kind} cannot serve {entry.capability_class}: {reason}"
            yield Defect(entry.at("capabilityClass"), message, "serve it with a server of another kind")
            continue
        for number, tag in enumerate(entry.provides):
            if tag in cannot:
                path = entry.at("provides", number)
                fix = subject.without_item(path, f"remove {tag}")
                yield Defect(path, f"{entry.kind} cannot serve {tag}: {cannot[tag]}", f"remove {tag}", fix=fix)


RULE = Rule(
    code="AL207",
    name="cannot-serve",
    severity="warning",
    summary="The entry provides a capability that its provider kind cannot serve.",
    explanation="""\
Requests that require it would be routed here and then answered without it. What a kind cannot serve is
data beside its schema: mlx_lm.server has no embeddings endpoint and ignores response_format.
""",
    bad=changed("[streaming, tool-use]", "[streaming, tool-use, structured-output]"),
    good=MINIMAL,
    check=check,
)
