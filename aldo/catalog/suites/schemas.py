"""The JSON Schema of an evaluator: whether it is one, and where it is none."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from aldo.catalog.source import read_source
from aldo.catalog.spans import PathPart
from aldo.catalog.suites.json_rows import NoJson, read_json

Path = tuple[PathPart, ...]


class NoSchema(ValueError):
    """A file holds no schema; the text says why."""


def read_schema(path: str) -> Any:
    """The JSON in a file. Raises `NoSchema` where there is none."""
    document = read_source(path)
    if document.findings:
        raise NoSchema(f"{path} cannot be read: {document.findings[0].message}")
    try:
        return read_json(document.text).value
    except NoJson as error:
        before = document.split_lines(document.text[: error.at])
        raise NoSchema(f"{path}:{len(before)}:{len(before[-1]) + 1} is no JSON: {error}") from None


def schema_problems(schema: Any) -> list[tuple[Path, str]]:
    """Where in a schema something is wrong, and what; each place once."""
    if isinstance(schema, bool):
        return []
    if not isinstance(schema, dict):
        return [((), "a schema is a mapping, true or false")]
    if not isinstance(schema.get("$schema", ""), str):
        return [(("$schema",), "names a dialect, which is a text")]
    from jsonschema.validators import Draft202012Validator, validator_for

    kind = validator_for(schema, default=Draft202012Validator)
    found: dict[Path, str] = {}
    try:
        for error in kind(kind.META_SCHEMA, format_checker=kind.FORMAT_CHECKER).iter_errors(schema):
            found.setdefault(tuple(error.absolute_path), _said(error))
    except (TypeError, RecursionError):
        return [((), "it holds what JSON does not")]
    return list(found.items()) or list(_dangling(schema, kind))


def _said(error: Any) -> str:
    """An error of a schema in words. Of alternatives the one that lists values says most: the names of types."""
    listing = next((one for one in error.context if one.validator == "enum"), None)
    if listing is not None:
        return f"{listing.instance!r} is none of {', '.join(map(str, listing.validator_value))}"
    return str(error.message)


def _dangling(schema: dict[str, Any], kind: Any) -> Iterator[tuple[Path, str]]:
    """References that lead nowhere. Nothing is fetched, so one to another file does, too."""
    from referencing import Registry
    from referencing.exceptions import Unresolvable
    from referencing.jsonschema import DRAFT202012, specification_with

    specification = specification_with(kind.META_SCHEMA.get("$schema", ""), default=DRAFT202012)
    root = specification.create_resource(schema)
    open_ = [(root, Registry().with_resource("", root).resolver_with_root(root))]
    places = _places(schema)
    while open_:
        resource, resolver = open_.pop()
        inner = resource.contents
        ref = inner.get("$ref") if isinstance(inner, dict) else None
        if isinstance(ref, str):
            try:
                resolver.lookup(ref)
            except Unresolvable:
                yield (*places.get(id(inner), ()), "$ref"), f"refers to {ref!r}, which is not in it; nothing is fetched"
        open_ += [(one, resolver.in_subresource(one)) for one in resource.subresources()]


def _places(value: Any, path: Path = ()) -> dict[int, Path]:
    """The path of every mapping of a schema, by its identity."""
    found: dict[int, Path] = {}
    if isinstance(value, dict):
        found[id(value)] = path
        for key, item in value.items():
            found |= _places(item, (*path, key))
    elif isinstance(value, list):
        for number, item in enumerate(value):
            found |= _places(item, (*path, number))
    return found
