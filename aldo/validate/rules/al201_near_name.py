"""A class or a capability that is nearly a known one."""

from __future__ import annotations

from collections.abc import Iterator

from aldo.validate.example import changed
from aldo.validate.near import Suspicion
from aldo.validate.rule import Defect, Path, Rule
from aldo.validate.subject import Subject


def check(subject: Subject) -> Iterator[Defect]:
    for entry, number, tag in subject.tags():
        if tag in subject.suspect_tags:
            yield from _defect(subject, entry.at("provides", number), tag, subject.suspect_tags[tag], "capabilities")
    for entry in subject.entries:
        name = entry.capability_class
        if name in subject.suspect_classes:
            suspicion = subject.suspect_classes[name]
            yield from _defect(subject, entry.at("capabilityClass"), name, suspicion, "capabilityClasses")


def _defect(subject: Subject, path: Path, name: str, suspicion: Suspicion, vocabulary: str) -> Iterator[Defect]:
    near = suspicion.meant
    if not suspicion.times:  # else AL202
        yield Defect(
            path,
            f"{name!r} is not known, but {near!r} is",
            f"did you mean {near!r}? If not, declare {name} under vocabulary.{vocabulary}",
            fix=subject.replaced(path, near, f"write {near}"),
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
