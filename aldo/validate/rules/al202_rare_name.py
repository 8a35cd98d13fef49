"""A name of the catalog's own, used once and one letter from a common one."""

from __future__ import annotations

from collections.abc import Iterator

from aldo.validate.example import CLOUD, changed
from aldo.validate.rule import Defect, Rule
from aldo.validate.subject import Subject


def check(subject: Subject) -> Iterator[Defect]:
    for path, name, suspicion, vocabulary in subject.suspicious_names():
        if suspicion.times:  # else AL201
            yield Defect(
                path,
                f"{name!r} is used once, and {suspicion.meant!r} {suspicion.times} times",
                f"did you mean {suspicion.meant!r}? If not, declare {name} under vocabulary.{vocabulary}",
                fix=subject.replaced(path, suspicion.meant, f"write {suspicion.meant}"),
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
