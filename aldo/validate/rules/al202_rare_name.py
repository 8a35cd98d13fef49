"""A name of the catalog's own, used once and one letter from a common one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from aldo.validate.example import CLOUD, changed
from aldo.validate.near import is_one_letter_off, meant_by
from aldo.validate.rule import Defect, Path, Rule
from aldo.validate.subject import Subject


def check(subject: Subject) -> Iterator[Defect]:
    tags = ((entry.at("provides", number), tag) for entry, number, tag in subject.tags())
    yield from _rare(subject, tags, subject.capabilities, "capabilities")
    classes = ((entry.at("capabilityClass"), entry.capability_class or "") for entry in subject.entries)
    yield from _rare(subject, classes, subject.classes, "capabilityClasses")


def _rare(
    subject: Subject, used: Iterator[tuple[Path, str]], known: frozenset[str], vocabulary: str
) -> Iterator[Defect]:
    own = [(path, name) for path, name in used if name and name not in known]
    counts = Counter(name for _, name in own)
    common = [name for name, count in counts.items() if count >= 2]
    for path, name in own:
        if counts[name] > 1 or meant_by(name, known):  # what is near a known name is told of already
            continue
        near = next((other for other in common if is_one_letter_off(name, other)), None)
        if near:
            yield Defect(
                path,
                f"{name!r} is used once, and {near!r} {counts[near]} times",
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
)
