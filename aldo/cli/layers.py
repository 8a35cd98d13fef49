"""`aldo catalog explain`, `render` and `diff`: what the layers come to, and which of them says what."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any

import click

from aldo.catalog.chosen import catalog_path, chosen_overlays
from aldo.catalog.layers.fields import FieldChange, field_changes
from aldo.catalog.layers.layered import Layered, read_layers
from aldo.catalog.layers.provenance import Link, Trace, trace
from aldo.catalog.layers.render import Origin, merged_value, origins, rendered
from aldo.catalog.layers.steps import ABSENT
from aldo.catalog.spans import pointer
from aldo.catalog.written import flow
from aldo.cli.failure import reported
from aldo.cli.options import catalog_option, json_option, side_options, sides
from aldo.errors import Span, UnknownNameError, printable
from aldo.schema.printed import dumps
from aldo.schema.secrets import masked

_LONGEST = 100


def chosen_layers(catalog: str | None, overlays: tuple[str, ...]) -> Layered:
    """The layers in use; see `chosen_catalog`."""
    return read_layers(catalog_path(catalog), chosen_overlays(overlays))


@click.command("explain")
@click.argument("what", metavar="ID[.PATH]")
@catalog_option
@json_option
def explain(what: str, catalog: str | None, overlays: tuple[str, ...], as_json: bool) -> None:
    """Which layer set each value of an entry, and what it was before.

    The last line of a value holds. Layers that change nothing are told, too.

    \b
    aldo catalog explain ollama-qwen3-8b
    aldo catalog explain ollama-qwen3-8b.cost.usdPerMtokIn --overlay mine.yaml
    """
    with reported(as_json=as_json):
        layers = chosen_layers(catalog, overlays)
        model, path = _named(layers, what)
        traces = trace(layers, model, path)
        if as_json:
            fields = [_masked(_trace_dict(one), layers) for one in traces]
            click.echo(dumps({"version": 1, "id": model, "fields": fields}, indent=2))
        else:
            removed = layers.merge is not None and model not in layers.merge.entries
            click.echo("\n".join(_explained(model, traces, layers, removed=removed)))


@click.command("render")
@catalog_option
@click.option("--show-origin", is_flag=True, help="Behind each value the layer that set it, with line and column.")
@json_option
def render(catalog: str | None, overlays: tuple[str, ...], show_origin: bool, as_json: bool) -> None:
    """The merged catalog as one file: YAML, or JSON, which is YAML too.

    \b
    aldo catalog render --overlay mine.yaml > merged.yaml
    aldo catalog render --show-origin --json
    """
    with reported(as_json=as_json):
        layers = chosen_layers(catalog, overlays)
        if not as_json:
            click.echo(rendered(layers, show_origin=show_origin), nl=False)
            return
        value = merged_value(layers)
        if not show_origin:
            click.echo(dumps(value, indent=2))
            return
        found = {pointer(path): _origin_dict(origin) for path, origin in origins(layers).items()}
        files = [document.path for document in layers.documents]
        click.echo(dumps({"version": 1, "layers": files, "catalog": value, "origins": found}, indent=2))


@click.command("diff")
@click.argument("base")
@click.argument("head")
@side_options
@click.option("--exit-code", is_flag=True, help="Exit with 1 where they differ.")
@json_option
def fields(
    base: str,
    head: str,
    overlays: tuple[str, ...],
    base_overlays: tuple[str, ...],
    head_overlays: tuple[str, ...],
    exit_code: bool,
    as_json: bool,
) -> None:
    """Two catalogs, field by field: which entries came and went, and which values differ.

    BASE and HEAD are files, or revisions such as `main:models.yaml`. What that means for requests tells `aldo diff`.

    \b
    aldo catalog diff main:models.yaml models.yaml
    aldo catalog diff models.yaml models.yaml --head-overlay mine.yaml
    """
    with reported(as_json=as_json):
        base_layers, head_layers = sides(overlays, base_overlays, head_overlays)
        layers = read_layers(base, base_layers), read_layers(head, head_layers)
        changes = field_changes(*layers)
        if as_json:
            digests = dict(zip(("base", "head"), (one.catalog().digest for one in layers), strict=True))
            told = [_masked(_change_dict(change), *layers) for change in changes]
            click.echo(dumps({"version": 1, "changes": told, "catalogDigests": digests}, indent=2))
        else:
            click.echo("\n".join(_changes_text(changes, layers)))
        sys.exit(1 if changes and exit_code else 0)


def _named(layers: Layered, what: str) -> tuple[str, str]:
    """The id and the path that an argument names; an id may hold dots, and the longest that is known is meant."""
    merge = layers.merge
    known: Iterable[str] = () if merge is None else (*merge.base_index, *merge.births)
    found = [model for model in known if what == model or what.startswith(f"{model}.")]
    if not found:
        layers.catalog()  # a layer that cannot be used is the first thing to say
        from difflib import get_close_matches

        raise UnknownNameError("model", what, tuple(get_close_matches(what.split(".")[0], list(known), n=3)))
    model = max(found, key=len)
    return model, what[len(model) + 1 :]


def _explained(model: str, traces: tuple[Trace, ...], layers: Layered, *, removed: bool) -> list[str]:
    lines = [click.style(f"{printable(model)} was removed", fg="red")] if removed else []
    for one in traces:
        name = ".".join(map(str, one.path))
        value = "not set" if one.value is ABSENT else _shown(one.value, layers)
        lines.append(f"{click.style(printable(f'{model}.{name}'), bold=True)}: {value}")
        places = [_place(link.file, link.span) for link in one.chain]
        width = max(map(len, places), default=0)
        lines += [
            f"  {place:<{width}}  {_link_text(link, layers)}" for place, link in zip(places, one.chain, strict=True)
        ]
    return lines


def _link_text(link: Link, layers: Layered) -> str:
    new = "not set" if link.new is ABSENT else _shown(link.new, layers)
    if link.operation in ("base", "add"):
        return f"{link.operation:<8}  {new}"
    if link.idle:
        return f"{link.operation:<8}  {new}, as it was"
    old = "not set" if link.old is ABSENT else _shown(link.old, layers)
    return f"{link.operation:<8}  {old} -> {new}"


def _shown(value: Any, *of: Layered) -> str:
    """A value in one line, without the keys that stand in the files."""
    text = flow(value)
    for layers in of:
        for document in layers.documents:
            text = document.masked(text)
    text = printable(masked(text))
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."


def _masked(value: Any, *of: Layered) -> Any:
    """A value for JSON without the keys that stand in the files."""
    if isinstance(value, dict):
        return {name: _masked(inner, *of) for name, inner in value.items()}
    if isinstance(value, list):
        return [_masked(inner, *of) for inner in value]
    if isinstance(value, str):
        for layers in of:
            for document in layers.documents:
                value = document.masked(value)
        return masked(value)
    return value


def _place(file: str, span: Span | None) -> str:
    return printable(f"{file}:{span.line}:{span.column}" if span else file)


def _trace_dict(one: Trace) -> dict[str, Any]:
    value = {} if one.value is ABSENT else {"value": one.value}
    return {"path": ".".join(map(str, one.path)), **value, "chain": [_link_dict(link) for link in one.chain]}


def _link_dict(link: Link) -> dict[str, Any]:
    place = _origin_dict(Origin(link.layer, link.file, link.span))
    sides = {name: value for name, value in (("old", link.old), ("new", link.new)) if value is not ABSENT}
    return {**place, "operation": link.operation, **sides, "noOp": link.idle}


def _origin_dict(origin: Origin) -> dict[str, Any]:
    span = origin.span
    return {
        "layer": origin.layer,
        "file": origin.file,
        "line": span and span.line,
        "column": span and span.column,
    }


def _change_dict(change: FieldChange) -> dict[str, Any]:
    sides = {}
    for name, value, origin in (("base", change.base, change.base_origin), ("head", change.head, change.head_origin)):
        if value is not ABSENT and origin is not None:
            sides[name] = {"value": value, **_origin_dict(origin)}
    return {"kind": change.kind, "id": change.subject, "path": ".".join(map(str, change.path)), **sides}


def _changes_text(changes: list[FieldChange], layers: tuple[Layered, Layered]) -> list[str]:
    if not changes:
        return ["no field differs"]
    lines = []
    colours = {"added": "green", "removed": "red", "changed": "yellow"}
    for change in changes:
        name = ".".join(map(str, (change.subject, *change.path)))
        if change.path or change.kind == "changed":
            old, new = ("not set" if v is ABSENT else _shown(v, *layers) for v in (change.base, change.head))
            told = f"{old} -> {new}"
        else:
            told = "a new entry" if change.kind == "added" else "the entry is gone"
        origin = change.head_origin or change.base_origin
        place = f"  ({_place(origin.file, origin.span)})" if origin else ""
        lines.append(f"{click.style(printable(name), fg=colours[change.kind])}: {told}{place}")
    entries = len({change.subject for change in changes})
    return [*lines, f"{len(changes)} changes in {entries} entries" if len(changes) > 1 else "1 change"]
