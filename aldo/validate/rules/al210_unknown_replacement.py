"""A replacement that is no entry."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches

from aldo.validate.example import MINIMAL
from aldo.validate.rule import Defect, Rule
from aldo.validate.subject import Subject


def check(subject: Subject) -> Iterator[Defect]:
    for entry in subject.entries:
        _, replacement = entry.deprecation
        if replacement is None or (replacement in subject.by_id and replacement != entry.id):
            continue
        path = entry.at("deprecation", "replacement")
        if replacement == entry.id:
            yield Defect(path, f"{replacement!r} is to be replaced by itself", "name another entry")
            continue
        near = next(iter(get_close_matches(replacement, subject.by_id, n=1, cutoff=0.7)), None)
        hint = f"did you mean {near!r}?" if near else "name the id of an entry"
        fix = subject.replaced(path, near, f"write {near}") if near else None
        yield Defect(path, f"no entry has the id {replacement!r}", hint, fix=fix)


RULE = Rule(
    code="AL210",
    name="unknown-replacement",
    severity="warning",
    summary="deprecation.replacement names no entry of the catalog.",
    explanation="""\
Whoever follows the advice would find nothing. Name the id of an entry, and not of the entry itself.
""",
    bad=MINIMAL + "    deprecation: { date: 2099-12-31, replacement: qwenn }\n",
    good=MINIMAL,
    check=check,
)
