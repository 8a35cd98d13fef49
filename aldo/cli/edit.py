"""`aldo catalog set`, `unset`, `add`, `remove` and `new`: edits of a file that the rest of it survives."""

from __future__ import annotations

import difflib
import io
import os
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import click

from aldo.catalog import catalog_of, parse_text, read_document
from aldo.catalog.chosen import catalog_path, chosen_overlays
from aldo.catalog.document import Document
from aldo.catalog.editing.assignment import assignment, dotted, typed
from aldo.catalog.editing.edits import Below, add_entry, remove_entry, set_values, unset_values
from aldo.catalog.editing.text import Text
from aldo.catalog.kinds import is_overlay
from aldo.catalog.layers.layered import Layered, layered
from aldo.catalog.load import errors_of
from aldo.catalog.revision import read_document_at
from aldo.catalog.write import create, replace_text
from aldo.cli.failure import reported
from aldo.cli.options import catalog_option, json_option
from aldo.cli.verify import opened
from aldo.errors import CatalogError, Finding, UsageError, printable
from aldo.schema.printed import dumps
from aldo.schema.vocabulary import API_VERSION, OVERLAY_KIND
from aldo.validate.lint import Checks, lint_document, lint_layers

Command = Callable[..., Any]


def _editing(command: Command) -> Command:
    for option in (
        json_option,
        click.option("--dry-run", is_flag=True, help="Show what would change, and write nothing."),
        catalog_option,
        click.option("--in", "file", required=True, metavar="FILE", help="The file to edit: an overlay, or a catalog."),
    ):
        command = option(command)
    return command


@click.command("set")
@click.argument("model", metavar="ID")
@click.argument("assignments", nargs=-1, required=True, metavar="PATH=VALUE...")
@_editing
def set_values_(model: str, assignments: tuple[str, ...], **options: Any) -> None:
    """Set values of an entry. PATH+=VALUE and PATH-=VALUE put items into a list and take them out.

    In an overlay the value goes under `override`, over the catalog in use. What would not validate is not written.

    \b
    aldo catalog set qwen cost.usdPerMtokIn=0.2 providerConfig.baseUrl=http://localhost:9000 --in mine.yaml
    aldo catalog set qwen provides+=vision --in mine.yaml --dry-run
    """
    with reported(as_json=options["as_json"]):
        given = [assignment(text) for text in assignments]
        _edit(lambda document, below: set_values(document, below, model, given), **options)


@click.command("unset")
@click.argument("model", metavar="ID")
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@_editing
def unset_values_(model: str, paths: tuple[str, ...], **options: Any) -> None:
    """Take values of an entry back, so that the layers below hold; or away, where this file says nothing of them.

    \b
    aldo catalog unset qwen cost --in mine.yaml
    """
    with reported(as_json=options["as_json"]):
        named = [dotted(path) for path in paths]
        _edit(lambda document, below: unset_values(document, below, model, named), **options)


_FIELDS = {
    "--provider": "provider",
    "--provider-kind": "providerKind",
    "--locality": "locality",
    "--class": "capabilityClass",
    "--provides": "provides",
    "--privacy": "privacyAllowed",
    "--context": "effectiveContextTokens",
    "--price-in": "cost.usdPerMtokIn",
    "--price-out": "cost.usdPerMtokOut",
    "--base-url": "providerConfig.baseUrl",
    "--model": "providerConfig.model",
    "--api-key-env": "providerConfig.apiKeyEnv",
}


def _entry_options(command: Command) -> Command:
    for flag, field in reversed(_FIELDS.items()):
        command = click.option(flag, field.replace(".", "__"), metavar="VALUE", help=f"Its {field}.")(command)
    return command


@click.command("add")
@click.argument("model", required=False, metavar="[ID]")
@click.argument("assignments", nargs=-1, metavar="[PATH=VALUE]...")
@click.option(
    "--from", "source", metavar="FILE", help="Take the entry, or a list of them, from YAML or JSON; `-`: stdin."
)
@_entry_options
@_editing
def add_entry_(model: str | None, assignments: tuple[str, ...], source: str | None, **options: Any) -> None:
    """Add an entry, from options or from a file of it.

    \b
    aldo catalog add house-8b --provider ollama --provider-kind openai-compat --locality local \\
      --class local-reasoning --provides streaming,tool-use --privacy public,internal,sensitive \\
      --context 32768 --price-in 0 --price-out 0 --base-url http://localhost:11434 --in mine.yaml
    aldo catalog add --from entry.json --in mine.yaml
    """
    with reported(as_json=options["as_json"]):
        given = {field: options.pop(field.replace(".", "__")) for field in _FIELDS.values()}
        given = {field: value for field, value in given.items() if value is not None}
        if (source is None) == (model is None and not given and not assignments):
            raise UsageError("say what to add: ID with its fields, or --from FILE")
        if source is not None and (model is not None or given):
            raise UsageError("--from takes the whole entry from its file: give no ID and no fields with it")
        entries = _entries(source) if source is not None else [_entry(model, given, assignments)]

        def edit(document: Document, below: Below) -> tuple[Text, list[str]]:
            text = Text(document)
            for entry in entries:
                text, _ = add_entry(text.document, below, entry)
            return text, []

        _edit(edit, **options)


@click.command("remove")
@click.argument("model", metavar="ID")
@_editing
def remove_entry_(model: str, **options: Any) -> None:
    """Remove an entry: from a catalog, or by an overlay from the catalog below.

    \b
    aldo catalog remove openai-gpt-6 --in mine.yaml
    """
    with reported(as_json=options["as_json"]):
        _edit(lambda document, below: remove_entry(document, below, model), **options)


@click.command("new")
@click.argument("file", metavar="FILE")
def new_overlay(file: str) -> None:
    """Write an empty overlay, which must not exist yet.

    \b
    aldo catalog new mine.yaml
    """
    with reported():
        lines = [
            "# yaml-language-server: $schema=overlay.schema.json",
            "# Over the catalog in use: aldo catalog set ID PATH=VALUE --in FILE",
            f"apiVersion: {API_VERSION}",
            f"kind: {OVERLAY_KIND}",
        ]
        create(file, "\n".join(lines) + "\n")
        click.echo(f"wrote {printable(file)}")
        click.echo("An editor completes it with its schema: aldo schema overlay > overlay.schema.json", err=True)


def _entries(source: str) -> list[dict[str, Any]]:
    """The entries in a file: one, or a list, or those under `models` or `add`."""
    with opened(source) as file:
        document = parse_text("<stdin>" if source == "-" else source, file.read())
    errors = errors_of(document.sorted_findings())
    if errors:
        raise CatalogError(errors)
    value = document.value
    if isinstance(value, dict):
        value = next((value[key] for key in ("models", "add") if isinstance(value.get(key), list)), [value])
    if not isinstance(value, list) or not value or not all(isinstance(entry, dict) for entry in value):
        raise UsageError(f"{document.path}: holds no entry, and no list of entries")
    return value


def _entry(model: str | None, given: dict[str, str], assignments: tuple[str, ...]) -> dict[str, Any]:
    """An entry from options; more fields may follow as assignments."""
    if model is None:
        raise UsageError("say the id of the entry: aldo catalog add ID ...")
    entry: dict[str, Any] = {"id": model}
    settings = [(dotted(field), typed(dotted(field), value)) for field, value in given.items()]
    for path, operator, value in map(assignment, assignments):
        if operator != "=":
            raise UsageError("a new entry has no list yet to change: write PATH=VALUE")
        settings.append((path, value))
    for path, value in settings:
        place = entry
        for part in path[:-1]:
            place = place.setdefault(str(part), {})
        place[str(path[-1])] = value
    return entry


def _edit(
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
        return
    if dry_run:
        click.echo(diff, nl=False)
    for note in notes:
        click.echo(printable(note), err=True)
    if not changed:
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
