"""Mending files: fixes are edits of the text, so that layout, comments and quoting stay.

A safe fix must leave the routing digest as it is. That is not taken from the rule's word: each round is
read again and compared, and what changes routing, or makes a file worse, is undone and left alone.
"""

from __future__ import annotations

import difflib
import io
import os
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from aldo.catalog import catalog_of, parse_text, read_document
from aldo.catalog.codes import DUPLICATE_KEY
from aldo.catalog.document import Document
from aldo.catalog.edit import apply
from aldo.catalog.kinds import is_overlay, kind_of
from aldo.catalog.write import replace_text
from aldo.errors import Edit, Finding
from aldo.router.compiled import compile_catalog
from aldo.router.facts import project
from aldo.schema.canonical import digest
from aldo.validate.files import expanded
from aldo.validate.lint import Checks, lint_document, lint_other
from aldo.validate.outcome import FileReport, LintReport

_MOST_ROUNDS = 100  # each makes at least one fix; a fix that brings its own finding back must not run for ever


@dataclass(frozen=True)
class FixedFile:
    """One file before and after its fixes."""

    document: Document
    """As it was read."""
    text: str
    """As it is to be."""
    made: tuple[Finding, ...]
    """What was mended, each as it was found."""
    undone: tuple[Finding, ...]
    """What was not, because it would have changed routing or made the file worse."""
    before: FileReport
    """What was found at first."""
    report: FileReport
    """What is found in the mended text."""

    @property
    def changed(self) -> bool:
        return self.text != self.document.text

    def write(self) -> None:
        """Write the mended text in place of the file. Raises `UsageError` where others changed it meanwhile."""
        replace_text(self.document, self.text)

    def diff(self) -> str:
        """The change as a unified diff; keys are masked."""
        name = self.document.path
        lines = difflib.unified_diff(_shown(self.before), _shown(self.report), name, name)
        return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


def _shown(report: FileReport) -> list[str]:
    """The lines of a file with their ends, keys masked."""
    return io.StringIO(report.document.shown_text, newline="").readlines()


@dataclass(frozen=True)
class FixedFiles:
    """The files of one run, and what is left to find in them."""

    files: tuple[FixedFile, ...]
    report: LintReport
    """Of the files, in their order, and then of the datasets of suites."""


def fix_files(paths: Iterable[str | os.PathLike[str]], *, unsafe: bool = False, **options: Any) -> FixedFiles:
    """Mend the files that `lint(paths, **options)` would check. Writes nothing: see `FixedFile.write`."""
    checks = Checks.of(**options)
    files = tuple(fix_document(read_document(path), checks, unsafe=unsafe) for path in expanded(paths))
    found = tuple(file.report for file in files)
    beside = tuple(
        part for file in found if kind_of(file.document) == "suite" for part in lint_other(file.document, checks)[1:]
    )
    report = LintReport(found + beside, len(checks.codes), checks.strict)
    return FixedFiles(files, report)


def fix_document(document: Document, checks: Checks, *, unsafe: bool = False) -> FixedFile:
    """Make every safe fix, and with `unsafe` every fix, until none is left. Writes nothing."""
    first = report = lint_document(document, checks)
    made: list[Finding] = []
    undone: dict[tuple[str, ...], Finding] = {}
    for _ in range(_MOST_ROUNDS):
        batch = _batch(report, unsafe, undone)
        if not batch:
            break
        mended = _mended(report, batch, checks)
        if mended is None:  # one of them is to blame: find it
            batch = [finding for finding in batch if _mended(report, [finding], checks) is None] or batch
            undone |= {_identity(finding): finding for finding in batch}
            continue
        made += batch
        report = mended
    left = tuple(f._replace(fix=None) if _identity(f) in undone else f for f in report.findings)
    report = report._replace(findings=left)
    return FixedFile(document, report.document.text, tuple(made), tuple(undone.values()), first, report)


def _batch(report: FileReport, unsafe: bool, undone: dict[tuple[str, ...], Finding]) -> list[Finding]:
    """Fixes that do not touch each other: the safe ones, and once none is left the others."""
    open_ = [finding for finding in report.findings if finding.fix and _identity(finding) not in undone]
    safe = [finding for finding in open_ if finding.fix and finding.fix.safe]
    chosen: list[Finding] = []
    taken = Edit(-1, -1, "")
    for finding in sorted(safe or (open_ if unsafe else []), key=lambda finding: _edits(finding)):
        edits = sorted(_edits(finding))
        if edits and not _touch(taken, edits[0]):
            chosen.append(finding)
            taken = edits[-1]
    return chosen


def _edits(finding: Finding) -> tuple[Edit, ...]:
    return finding.fix.edits if finding.fix else ()


def _touch(before: Edit, after: Edit) -> bool:
    """Whether two edits, in the order of the text, overlap, or insert at one place."""
    inserts = before.start == before.end or after.start == after.end
    return after.start < before.end or (after.start == before.end and inserts)


def _mended(report: FileReport, batch: list[Finding], checks: Checks) -> FileReport | None:
    """The file with these fixes made, or None where that changes routing or makes the file worse."""
    edits = tuple(edit for finding in batch if finding.fix for edit in finding.fix.edits)
    document = parse_text(report.document.path, apply(report.document.text, edits))
    document.byte_order_mark = report.document.byte_order_mark
    mended = lint_document(document, checks)
    if _errors(mended) > _errors(report) or any(finding.unreadable for finding in mended.findings):
        return None
    if _doubles(mended) > _doubles(report):  # two keys were meant for one: which of them only the author knows
        return None
    safe = all(finding.fix and finding.fix.safe for finding in batch)
    if safe and routing_print(document) != routing_print(report.document):
        return None
    return mended


def routing_print(document: Document) -> str:
    """The routing digest; of a file with broken entries, a digest of what routing would see of the others."""
    if is_overlay(document):  # what it comes to depends on what it is laid over: it must say just the same
        return digest(repr(document.value))
    file = catalog_of(parse_text(document.path, document.text))
    if file.salvaged is not None:
        return compile_catalog(file.salvaged).routing_digest
    value = document.value if isinstance(document.value, dict) else {}
    return digest(
        {
            "entries": {str(index): project(entry)._asdict() for index, entry in file.readable_entries.items()},
            "of": len(file.models),
            "others": [repr(value.get(name)) for name in ("routing", "vocabulary")],
        }
    )


def _errors(report: FileReport) -> int:
    return sum(finding.severity == "error" for finding in report.findings)


def _doubles(report: FileReport) -> int:
    return sum(finding.code == DUPLICATE_KEY for finding in report.findings)


def _identity(finding: Finding) -> tuple[str, ...]:
    """What stays of a finding when lines move."""
    fix = finding.fix
    return (finding.code, finding.pointer, finding.message, fix.title if fix else "")
