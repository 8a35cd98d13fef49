"""One edit of a file, judged by what comes of all layers: it is written only if it makes no new error."""

from __future__ import annotations

import difflib
import io
import os
from collections.abc import Callable
from dataclasses import replace

import click

from aldo.catalog import catalog_of, read_document
from aldo.catalog.chosen import catalog_path, chosen_overlays
from aldo.catalog.document import Document
from aldo.catalog.editing.edits import Below
from aldo.catalog.editing.text import Text
from aldo.catalog.kinds import is_overlay
from aldo.catalog.layers.layered import Layered, layered
from aldo.catalog.load import errors_of
from aldo.catalog.revision import read_document_at
from aldo.catalog.write import replace_text
from aldo.errors import CatalogError, Finding, UsageError, printable
from aldo.schema.printed import dumps
from aldo.validate.lint import Checks, lint_document, lint_layers


def edited(
    edit: Callable[[Document, Below], tuple[Text, list[str]]],
    *,
    file: str,
    catalog: str | None,
    overlays: tuple[str, ...],
    dry_run: bool,
    as_json: bool,
) -> None:
    """Edit a file, unless that makes an error that was not there before."""
    if file == "-":
        raise UsageError("standard input cannot be edited: name a file")
    document = read_document(file)
    if document.value is None or any(finding.unreadable for finding in document.findings):
        raise CatalogError(errors_of(document.sorted_findings()))
    if not is_overlay(document):
        read = catalog_of(_copied(document))
        if not read.models:
            raise CatalogError(errors_of(read.findings))
    around = _Around(document, catalog, overlays)
    text, notes = edit(document, around.below())
    changed = text.document.text != document.text
    if changed:
        there = {identity for identity, _ in around.errors(document)}
        made = [finding for identity, finding in around.errors(text.document) if identity not in there]
        if made:
            raise CatalogError(tuple(made))
    diff = _diff(document, text.document)
    if changed and not dry_run:
        replace_text(document, text.document.text)
    if as_json:
        click.echo(dumps({"version": 1, "file": file, "changed": changed, "diff": diff, "notes": notes}))
    else:
        _tell(file, diff, notes, dry_run=dry_run)


def _tell(file: str, diff: str, notes: list[str], *, dry_run: bool) -> None:
    if dry_run:
        click.echo(diff, nl=False)
    for note in notes:
        click.echo(printable(note), err=True)
    if not diff:
        click.echo(f"{printable(file)} says so already; nothing was written", err=True)
    elif dry_run:
        click.echo("nothing was written", err=True)
    else:
        lines = diff.split("\n")[2:]
        plus, minus = (sum(line.startswith(sign) for line in lines) for sign in "+-")
        click.echo(f"{printable(file)}: {plus} line{'s' if plus != 1 else ''} written, {minus} taken out")


class _Around:
    """The layers around the file that is edited, so that it is judged by what comes of it."""

    def __init__(self, document: Document, catalog: str | None, overlays: tuple[str, ...]) -> None:
        self._is_overlay = is_overlay(document)
        self._checks = Checks.of()
        if not self._is_overlay:
            return
        chosen = list(chosen_overlays(overlays))
        here = os.path.realpath(document.path)
        places = [number for number, path in enumerate(chosen) if os.path.realpath(path) == here]
        self._place = places[0] if places else len(chosen)
        """Which of the layers the file is: the last one, unless it is named among them."""
        self._base = read_document_at(catalog_path(catalog))
        self._others = [read_document_at(path) for n, path in enumerate(chosen) if n not in places]

    def below(self) -> Below:
        """What the layers below say. Raises `CatalogError` where they cannot be used."""
        if not self._is_overlay:
            return Below({})
        layers = self._layered(self._others[: self._place])
        layers.catalog()
        assert layers.merge is not None
        return Below(layers.merge.entries)

    def errors(self, document: Document) -> list[tuple[tuple[str, ...], Finding]]:
        """The errors of all layers with the file as it is in the document, each with what stays of it elsewhere."""
        document = _copied(document)
        if self._is_overlay:
            others = self._others
            reports = lint_layers(
                self._layered([*others[: self._place], document, *others[self._place :]]), self._checks
            )
        else:
            reports = (lint_document(document, self._checks),)
        return [
            (_identity(finding, report.document), finding)
            for report in reports
            for finding in report.findings
            if finding.severity == "error"
        ]

    def _layered(self, overlays: list[Document]) -> Layered:
        return layered(_copied(self._base), [_copied(overlay) for overlay in overlays])


def _identity(finding: Finding, document: Document) -> tuple[str, ...]:
    """What stays of a finding when lines and entries move: entries count by their ids."""
    section, _, rest = finding.pointer.removeprefix("/").partition("/")
    number, _, inside = rest.partition("/")
    entries = document.value.get(section) if isinstance(document.value, dict) else None
    if isinstance(entries, list) and number.isdecimal() and int(number) < len(entries):
        entry = entries[int(number)]
        number = f"{entry.get('id') if isinstance(entry, dict) else entry}"
    return (finding.code, finding.path, section, number, inside, finding.message)


def _copied(document: Document) -> Document:
    """A document for one more reading: what is found in it is kept in it."""
    return replace(document, findings=list(document.findings), odd_keys=list(document.odd_keys))


def _diff(before: Document, after: Document) -> str:
    """The edit as a unified diff; keys are masked."""
    old, new = (io.StringIO(document.shown_text, newline="").readlines() for document in (before, after))
    lines = difflib.unified_diff(old, new, before.path, before.path)
    text = "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)
    return "".join(printable(line.rstrip("\r\n")) + "\n" for line in text.split("\n")[:-1])
