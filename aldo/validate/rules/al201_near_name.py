"""A class or a capability that is nearly a known one."""

from __future__ import annotations

from collections.abc import Iterator

from aldo.validate.example import changed
from aldo.validate.near import meant_by
from aldo.validate.rule import Defect, Path, Rule
from aldo.validate.subject import Subject


def check(subject: Subject) -> Iterator[Defect]:
    meant = _Meant(subject.capabilities)
    for entry, number, tag in subject.tags():
        near = meant[tag]
        if near:
            yield _defect(subject, entry.at("provides", number), tag, near, "capabilities")
    meant = _Meant(subject.classes)
    for entry in subject.entries:
        near = meant[entry.capability_class] if entry.capability_class else None
        if entry.capability_class and near:
            yield _defect(subject, entry.at("capabilityClass"), entry.capability_class, near, "capabilityClasses")


class _Meant(dict[str, str | None]):
    """For every name the known one that it is near to. A catalog repeats its names, so each is compared once."""

    def __init__(self, known: frozenset[str]) -> None:
        super().__init__(dict.fromkeys(known))
        self._known = known

    def __missing__(self, name: str) -> str | None:
        self[name] = found = meant_by(name, self._known)
        return found


def _defect(subject: Subject, path: Path, name: str, near: str, vocabulary: str) -> Defect:
    return Defect(
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
)
