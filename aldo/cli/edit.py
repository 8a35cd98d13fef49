"""`aldo catalog set`, `unset`, `add`, `remove` and `new`: edits of a file that the rest of it survives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from aldo.catalog import parse_text
from aldo.catalog.document import Document
from aldo.catalog.editing.assignment import assignment, dotted, typed
from aldo.catalog.editing.edits import Below, add_entry, remove_entry, set_values, unset_values
from aldo.catalog.editing.text import Text
from aldo.catalog.load import errors_of
from aldo.catalog.write import create
from aldo.cli.editing import edited
from aldo.cli.failure import reported
from aldo.cli.options import catalog_option, json_option
from aldo.cli.verify import opened
from aldo.errors import CatalogError, UsageError, printable
from aldo.schema.vocabulary import API_VERSION, OVERLAY_KIND

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
        edited(lambda document, below: set_values(document, below, model, given), **options)


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
        edited(lambda document, below: unset_values(document, below, model, named), **options)


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

        edited(edit, **options)


@click.command("remove")
@click.argument("model", metavar="ID")
@_editing
def remove_entry_(model: str, **options: Any) -> None:
    """Remove an entry: from a catalog, or by an overlay from the catalog below.

    \b
    aldo catalog remove openai-gpt-6 --in mine.yaml
    """
    with reported(as_json=options["as_json"]):
        edited(lambda document, below: remove_entry(document, below, model), **options)


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
