"""`lint`: every defect of every file, in the order of file and place, and what was checked."""

from __future__ import annotations

import datetime
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from aldo.catalog import catalog_of, read_document
from aldo.catalog.document import Document, in_order
from aldo.catalog.events import without_garbage_collector
from aldo.catalog.spans import pointer
from aldo.errors import Finding, Related
from aldo.validate import suppress
from aldo.validate.files import expanded
from aldo.validate.registry import all_rules
from aldo.validate.rule import Defect, Rule
from aldo.validate.select import selected
from aldo.validate.subject import Subject

JSON_VERSION = 1
MAX_AGE_DAYS = 180
"""How old `asOf` may be before prices and limits are told to be stale."""


class FileReport(NamedTuple):
    """What was found in one file."""

    path: str
    findings: tuple[Finding, ...]
    ignored: tuple[Finding, ...]
    """What a comment in the file says to ignore."""
    entries: int
    document: Document
    unchecked: tuple[str, ...] = ()
    """Rules that could not be applied, because something they need could not be read."""


class LintReport(NamedTuple):
    """The findings of one run, and how much it looked at."""

    files: tuple[FileReport, ...]
    rules: int
    strict: bool = False
    """Whether warnings fail the run too."""

    @property
    def findings(self) -> tuple[Finding, ...]:
        return tuple(finding for file in self.files for finding in file.findings)

    @property
    def ignored(self) -> tuple[Finding, ...]:
        return tuple(finding for file in self.files for finding in file.ignored)

    @property
    def entries(self) -> int:
        return sum(file.entries for file in self.files)

    @property
    def counts(self) -> Counter[str]:
        """How many findings of each severity."""
        return Counter(finding.severity for finding in self.findings)

    def fails(self, finding: Finding) -> bool:
        """Whether this finding alone would fail the run."""
        return finding.severity == "error" or (self.strict and finding.severity == "warning")

    @property
    def exit_code(self) -> int:
        """0 without errors, 1 with errors, 2 where a file could not be read as one document."""
        if any(finding.unreadable for finding in self.findings):
            return 2
        return 1 if any(self.fails(finding) for finding in self.findings) else 0

    def to_dict(self) -> dict[str, Any]:
        return {
            "version": JSON_VERSION,
            "findings": [finding.to_dict() for finding in self.findings],
            "checked": {"files": len(self.files), "entries": self.entries, "rules": self.rules},
        }


class Checks(NamedTuple):
    """Which rules to apply, and what they need to know beyond the file."""

    codes: frozenset[str]
    today: datetime.date
    max_age_days: int
    strict: bool

    @classmethod
    def of(
        cls,
        *,
        select: Iterable[str] = (),
        ignore: Iterable[str] = (),
        strict: bool = False,
        today: datetime.date | None = None,
        max_age_days: int = MAX_AGE_DAYS,
    ) -> Checks:
        """From the options of `lint`, which see."""
        return cls(selected(select, ignore), today or datetime.date.today(), max_age_days, strict)


def lint(
    paths: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
    *,
    select: Iterable[str] = (),
    ignore: Iterable[str] = (),
    strict: bool = False,
    today: datetime.date | None = None,
    max_age_days: int = MAX_AGE_DAYS,
) -> LintReport:
    """Check one catalog file or several. Never raises for what is in them; `-` is standard input.

    `select` and `ignore` name rules by code or by its beginning (`AL3`). `today` is the day from which the
    age of prices counts; by default the clock says it. A path with `*`, `?` or `[` that is no file stands for
    the files it matches. Raises `UsageError` for a code that no rule has.
    """
    checks = Checks.of(select=select, ignore=ignore, strict=strict, today=today, max_age_days=max_age_days)
    listed = [paths] if isinstance(paths, (str, os.PathLike)) else paths
    files = tuple(lint_document(read_document(path), checks) for path in expanded(listed))
    return LintReport(files, len(checks.codes), checks.strict)


def lint_document(document: Document, checks: Checks) -> FileReport:
    """Apply the rules to a document that was read."""
    with without_garbage_collector():
        subject = Subject(catalog_of(document), checks.today, checks.max_age_days)
        # What stops a load is told whatever is selected: a file that cannot be used must not pass.
        found = [f for f in subject.file.findings if f.code in checks.codes or f.severity == "error"]
        applied, unchecked = set(), []
        for rule in all_rules().values():
            if rule.check is None or rule.code not in checks.codes:
                continue
            if not subject.readable.issuperset(rule.needs):
                unchecked.append(rule.code)
                continue
            applied.add(rule.code)
            found += [
                _finding(rule, defect, document) for defect in rule.check(subject) if not _is_told(subject, defect)
            ]
        applied |= {code for code, rule in all_rules().items() if code in checks.codes and rule.check is None}
        comments = suppress.suppressions(subject)
        kept, ignored = suppress.apply(found, comments)
        if any(finding.severity == "error" for finding in kept):  # it may hide what is ignored: first things first
            applied.discard(suppress.UNUSED)
        kept += _about_comments(document, comments, frozenset(applied))
    entries = subject.file.entries
    return FileReport(document.path, in_order(kept), in_order(ignored), entries, document, tuple(unchecked))


def _about_comments(
    document: Document, comments: list[suppress.Suppression], applied: frozenset[str]
) -> Iterator[Finding]:
    defects = {
        suppress.UNUSED: suppress.unused(document, comments, applied),
        suppress.UNKNOWN: suppress.unknown(document, comments),
    }
    for code, found in defects.items():
        if code in applied:
            yield from (_finding(all_rules()[code], defect, document) for defect in found)


def _is_told(subject: Subject, defect: Defect) -> bool:
    """Whether reading has refused a value that the defect is about: one defect, one finding."""
    if subject.file.is_plain or defect.place is not None:
        return False
    return any(subject.is_told(path) for path in (defect.path, *(path for path, _ in defect.related)))


def _finding(rule: Rule, defect: Defect, document: Document) -> Finding:
    span = document.spans.between(*defect.place) if defect.place else document.locate(defect.path, key=defect.key)
    related = [Related(document.path, document.locate(path), text) for path, text in defect.related]
    fix = document.shown_fix(defect.fix)
    alias = None if defect.place else document.alias_on(defect.path)
    if alias is not None:  # what stands at the anchor belongs to others too: told where it is repeated, not mended
        related.append(Related(document.path, span, "written here"))
        span, fix = alias, None
    return Finding(
        code=rule.code,
        severity=defect.severity or rule.severity,
        path=document.path,
        span=span,
        pointer=document.masked(pointer(defect.path)),
        message=document.masked(defect.message),
        hint=document.masked(defect.hint),
        related=tuple(related),
        fix=fix,
    )
