"""A name of the catalog's own, used once and one letter from a common one."""

from __future__ import annotations

from collections.abc import Iterator

from aldo.validate.example import CLOUD, changed
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
    if suspicion.times:  # else AL201
        yield Defect(
            path,
            f"{name!r} is used once, and {near!r} {suspicion.times} times",
            f"did you mean {near!r}? If not, declare {name} under vocabulary.{vocabulary}",
            fix=subject.replaced(path, near, f"write {near}"),
        )


RULE = Rule(
    code="AL202",
    name="rare-name",
    severity="warning",
    summary="A tag or class used once, one letter away from one that is used often.",
    explanation="""\
Names beyond the built-in ones are yours to choose, so only their neighbours can tell a typo from a name.
Common is what at least two entries use. Declare the rare name under `vocabulary` where it is meant.
""",
    bad=changed(
        "[streaming, tool-use]",
        "[streaming, tool-use, hous-style]",
        changed("[streaming]", "[streaming, house-style]")
        + changed("[streaming, vision]", "[streaming, vision, house-style]", CLOUD),
    ),
    good=changed(
        "[streaming, tool-use]",
        "[streaming, tool-use, house-style]",
        changed("[streaming]", "[streaming, house-style]")
        + changed("[streaming, vision]", "[streaming, vision, house-style]", CLOUD),
    ),
    check=check,
    needs=("vocabulary",),
)
