"""The reference of files and messages, from their published JSON Schemas."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, get_args

from aldo.schema.explanation import ReasonCode
from aldo.schema.published import TYPES, json_schema
from aldo.schema.vocabulary import CAPABILITIES, CAPABILITY_CLASSES, LOCALITIES, PRIVACY_TIERS
from publish.markdown import NOTICE, table

_HEAD = f"""\
{NOTICE}# Files and messages

The fields of every file that aldo reads and every record that it writes. The schemas themselves are JSON Schema 2020-12:
`aldo schema NAME` prints one, and `aldo/schema/published/` has them.
"""
_WHAT = {
    "catalog": "The catalog, `models.yaml`. [The catalog file](catalog.md) explains it.",
    "overlay": "A layer over a catalog. [Overlays](../how-to/overlays.md) explains it.",
    "request": "A routing request, as JSON. [Routing](routing.md) explains it.",
    "decision": "What `aldo route --json` prints.",
    "agent": "An agent. [The library](library.md#agents) shows one.",
    "suite": "A suite of cases. [Is the smaller model good enough?](../how-to/eval.md#suites) explains it.",
    "policy": "Statements for `aldo prove`. [Prove, compare and test](../how-to/prove.md#prove) explains them.",
    "routes": "Examples for `aldo test`. [Prove, compare and test](../how-to/prove.md#test) shows some.",
    "usage": "A line of a usage log. [Talking to models](../how-to/talk.md#usage) is about them.",
}


def schemas_page() -> str:
    """The whole page as Markdown."""
    return "\n".join([_HEAD, *(part for name in TYPES for part in _schema(name)), *_names()])


def _names() -> Iterator[str]:
    yield "## Built-in names\n\nA catalog may declare more classes and capabilities under `vocabulary`.\n"
    rows = (
        ("capability classes", CAPABILITY_CLASSES),
        ("capabilities", CAPABILITIES),
        ("privacy tiers, from what anybody may see to what only this machine may", PRIVACY_TIERS),
        ("localities, from near to far", LOCALITIES),
        ("reason codes, in the order of the stages", get_args(ReasonCode)),
    )
    yield table(("", "names"), ((what, ", ".join(f"`{name}`" for name in names)) for what, names in rows)) + "\n"


def _schema(name: str) -> Iterator[str]:
    whole = json_schema(name)
    yield f"## {name}\n\n{_WHAT[name]}\n"
    yield from _fields(whole)
    for title, definition in sorted(whole.get("$defs", {}).items()):
        if "properties" in definition:
            yield f"### {name}: {title}\n"
            if said := definition.get("description"):
                yield f"{said}\n"
            yield from _fields(definition)


def _fields(schema: Mapping[str, Any]) -> Iterator[str]:
    needed = schema.get("required", ())
    fields = schema.get("properties") or {}
    if not fields:
        return
    yield (
        table(
            ("field", "type", "", "meaning"),
            (
                (
                    f"`{name}`",
                    _type(field),
                    "required" if name in needed else _default(field),
                    field.get("description", ""),
                )
                for name, field in fields.items()
            ),
        )
        + "\n"
    )


def _default(field: Mapping[str, Any]) -> str:
    default = field.get("default")
    return "" if default in (None, "", [], {}) else f"`{default}`".replace("True", "true")


def _type(field: Mapping[str, Any]) -> str:
    """In a few words; the schema says it exactly."""
    if "$ref" in field:
        return str(field["$ref"]).rpartition("/")[2]
    if "const" in field:
        return f"`{field['const']}`"
    if "enum" in field:
        values = field["enum"]
        return " or ".join(f"`{value}`" for value in values) if len(values) <= 4 else "a known name"
    for key in ("anyOf", "oneOf"):
        if key in field:
            kinds = dict.fromkeys(_type(one) for one in field[key] if one.get("type") != "null")
            return " or ".join(kinds)
    if field.get("type") == "array":
        items = field.get("items")
        return f"list of {_type(items)}" if items else "list"
    if field.get("type") == "object":
        inner = field.get("additionalProperties")
        return f"map of {_type(inner)}" if isinstance(inner, dict) and inner else "map"
    found = field.get("type", "any value")
    return " or ".join(found) if isinstance(found, list) else str(found)
