"""A class or a capability that is nearly a known one."""

from __future__ import annotations

from collections.abc import Iterator

from aldo.validate.example import changed
from aldo.validate.rule import Defect, Rule
from aldo.validate.subject import Subject


def check(subject: Subject) -> Iterator[Defect]:
    for path, name, suspicion, vocabulary in subject.suspicious_names():
        if not suspicion.times:  # else AL202
            yield Defect(
                path,
                f"{name!r} is not known, but {suspicion.meant!r} is",
                f"did you mean {suspicion.meant!r}? If not, declare {name} under vocabulary.{vocabulary}",
                fix=subject.replaced(path, suspicion.meant, f"write {suspicion.meant}"),
            )


RULE = Rule(
    code="AL201",
    name="near-name",
    severity="warning",
    summary="A capability class or tag that is not known, but nearly one that is.",
    explanation="""\
A misspelt name never matches: the entry is passed over by every request that means the right one. Known
are the built-in names and those under `vocabulary`. Where the name is meant, declare it there. Names that
differ in their numbers, such as 64k-context and 32k-context, are taken for different names.
""",
    bad=changed("[streaming, tool-use]", "[streaming, tool_use]"),
    good=changed("[streaming, tool-use]", "[streaming, tool-use, house-style]"),
    check=check,
    needs=("vocabulary",),
)
