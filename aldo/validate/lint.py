"""`lint`: every defect of every file, in the order of file and place, and what was checked."""

from __future__ import annotations

import datetime
import os
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from aldo.catalog import CatalogFile, catalog_of, read_document
from aldo.catalog.document import Document, in_order
from aldo.catalog.events import without_garbage_collector
from aldo.catalog.kinds import is_overlay, kind_of
from aldo.catalog.spans import pointer
from aldo.errors import Finding, Related
from aldo.validate import suppress
from aldo.validate.files import expanded
from aldo.validate.outcome import FileReport, LintReport
from aldo.validate.registry import all_rules
from aldo.validate.rule import Defect, Rule
from aldo.validate.select import selected
from aldo.validate.subject import Subject

if TYPE_CHECKING:
    from aldo.catalog.layers import Layered, MergedDocument, OverlayFile

MAX_AGE_DAYS = 180
"""How old `asOf` may be before prices and limits are told to be stale."""


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
    overlays: Iterable[str | os.PathLike[str]] = (),
    select: Iterable[str] = (),
    ignore: Iterable[str] = (),
    strict: bool = False,
    today: datetime.date | None = None,
    max_age_days: int = MAX_AGE_DAYS,
) -> LintReport:
    """Check files: catalogs, overlays, suites, agents. Never raises for what is in them; `-` is standard input.

    `overlays` are laid over every catalog, in the order given: what is then checked is the result, and each finding
    stands in the layer that set the value. `select` and `ignore` name rules by code or by its beginning (`AL3`).
    `today` is the day from which the age of prices counts; by default the clock says it. A path with `*`, `?` or `[`
    that is no file stands for the files it matches. Raises `UsageError` for a code that no rule has.
    """
    checks = Checks.of(select=select, ignore=ignore, strict=strict, today=today, max_age_days=max_age_days)
    listed = [paths] if isinstance(paths, (str, os.PathLike)) else paths
    layers = [os.fspath(overlay) for overlay in overlays]
    files: list[FileReport] = []
    for path in expanded(listed):
        document = read_document(path)
        kind = kind_of(document)
        if kind in ("suite", "agent"):
            files += lint_other(document, checks)
        elif layers and kind != "overlay":
            files += lint_layers(_layers(document, layers), checks)
        else:
            files.append(lint_document(document, checks))
    return LintReport(_each_once(files), len(checks.codes), checks.strict)


def _layers(base: Document, overlays: Iterable[str]) -> Layered:
    from aldo.catalog.layers.layered import layered  # most runs look at single files
    from aldo.catalog.revision import read_document_at

    return layered(base, map(read_document_at, overlays))


def _each_once(files: Iterable[FileReport]) -> tuple[FileReport, ...]:
    """One report for each file: an overlay is looked at over every catalog."""
    found: dict[str, FileReport] = {}
    for file in files:
        first = found.setdefault(file.path, file)
        if first is not file:
            findings, ignored = in_order(first.findings + file.findings), in_order(first.ignored + file.ignored)
            found[file.path] = first._replace(findings=findings, ignored=ignored)
    return tuple(found.values())


def lint_document(document: Document, checks: Checks) -> FileReport:
    """Apply the rules to a catalog, or to a file of another kind alone."""
    if kind_of(document) in ("suite", "agent"):
        return lint_other(document, checks)[0]
    with without_garbage_collector():
        overlay = _overlay(document) if is_overlay(document) else None
        subject = _subject(catalog_of(document) if overlay is None else overlay, checks)
        wanted = all_rules().values() if overlay is None else _of_scope("value", "text")
        found = _read(document, checks)
        defects, applied, unchecked = _applied(subject, wanted, checks)
        found += [_finding(rule, defect, document) for rule, defect in defects]
        return _file_report(subject, found, checks, applied, unchecked)


def lint_layers(layers: Layered, checks: Checks) -> tuple[FileReport, ...]:
    """Apply the rules to the merged catalog. One report for each layer, with what it is to blame for."""
    with without_garbage_collector():
        _ = layers.findings  # checks the result, too
        found = {document.path: _read(document, checks) for document in layers.documents}
        told = {(f.path, f.pointer) for findings in found.values() for f in findings if f.severity == "error"}
        applied: set[str] = set()
        unchecked: list[str] = []
        rules = _of_scope("catalog", "value")
        if layers.file is None:  # a layer that cannot be used has said why
            unchecked = [rule.code for rule in rules if rule.code in checks.codes]
        else:
            merged = Subject(layers.file, checks.today, checks.max_age_days)
            defects, applied, unchecked = _applied(merged, rules, checks)
            for rule, defect in defects:
                finding = _in_its_layer(rule, defect, layers.merged)
                if (finding.path, finding.pointer) not in told:
                    found[finding.path].append(finding)
        reports = []
        parts: tuple[CatalogFile | OverlayFile, ...] = (layers.base, *layers.overlays)
        for file in parts:
            document, is_base = file.document, file is layers.base
            subject = _subject(file, checks)
            defects, in_text, _ = _applied(subject, _of_scope("text"), checks)
            findings = found[document.path] + [_finding(rule, defect, document) for rule, defect in defects]
            # Of a base that others keep nobody here can take out a comment that a layer has made superfluous.
            idle = set() if is_base else applied | in_text
            reports.append(_file_report(subject, findings, checks, idle, unchecked if is_base else []))
        return tuple(reports)


def lint_other(document: Document, checks: Checks) -> tuple[FileReport, ...]:
    """Check a suite with its dataset, or an agent. Whatever can be wrong with them is found as they are read."""
    documents = [document]
    if kind_of(document) == "suite":
        from aldo.catalog.suites import suite_of  # most runs look at catalogs

        dataset = suite_of(document).dataset
        documents += [dataset.document] if dataset is not None else []
    else:
        from aldo.catalog.others import agent_of

        agent_of(document)
    applied = {code for code in checks.codes if code.startswith("AL7")}
    reports = []
    for part in documents:
        subject = Subject(CatalogFile(part), checks.today, checks.max_age_days, ())
        reports.append(_file_report(subject, _read(part, checks), checks, set(applied), []))
    return tuple(reports)


def _overlay(document: Document) -> OverlayFile:
    from aldo.catalog.layers.overlay import overlay_of

    return overlay_of(document)


def _subject(file: CatalogFile | OverlayFile, checks: Checks) -> Subject:
    """One file by itself."""
    if isinstance(file, CatalogFile):
        return Subject(file, checks.today, checks.max_age_days)
    return Subject(CatalogFile(file.document), checks.today, checks.max_age_days, file.entries)


def _read(document: Document, checks: Checks) -> list[Finding]:
    """What reading and merging found. What stops a load is told whatever is selected: it must not pass."""
    return [f for f in document.sorted_findings() if f.code in checks.codes or f.severity == "error"]


def _of_scope(*scopes: str) -> list[Rule]:
    return [rule for rule in all_rules().values() if rule.scope in scopes]


def _applied(
    subject: Subject, rules: Iterable[Rule], checks: Checks
) -> tuple[list[tuple[Rule, Defect]], set[str], list[str]]:
    """What the rules find; which were applied; and which were not, because what they need could not be read."""
    found: list[tuple[Rule, Defect]] = []
    applied, unchecked = set(), []
    for rule in rules:
        if rule.check is None or rule.code not in checks.codes:
            continue
        if not subject.readable.issuperset(rule.needs):
            unchecked.append(rule.code)
            continue
        applied.add(rule.code)
        found += [(rule, defect) for defect in rule.check(subject) if not _is_told(subject, defect)]
    return found, applied, unchecked


def _file_report(
    subject: Subject, found: list[Finding], checks: Checks, applied: set[str], unchecked: list[str]
) -> FileReport:
    """The findings of a file, without those that its comments ignore, and what is to say of the comments."""
    document = subject.document
    if applied:
        applied |= {code for code, rule in all_rules().items() if code in checks.codes and rule.check is None}
    comments = suppress.suppressions(subject)
    kept, ignored = suppress.apply(found, comments)
    if any(finding.severity == "error" for finding in kept):  # it may hide what is ignored: first things first
        applied.discard(suppress.UNUSED)
    kept += _about_comments(document, comments, frozenset(applied))
    entries = subject.file.entries or len(subject.entries)
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


def _in_its_layer(rule: Rule, defect: Defect, merged: MergedDocument) -> Finding:
    """The finding where the layer stands that set the value."""
    document, path = merged.origin(defect.path)
    finding = _finding(rule, defect._replace(path=path, fix=None, related=()), document)
    others = [(merged.origin(other), text) for other, text in defect.related]
    related = [Related(one.path, one.locate(there), text) for (one, there), text in others]
    return finding._replace(related=(*related, *finding.related))


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
