"""The value of a knob against the JSON Schema that its provider kind has for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from aldo.catalog.spans import PathPart

_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
    "object": (dict,),
}
_WITHOUT_EFFECT = frozenset({"description", "title", "x-wireField", "x-launchFlag"})


def knob_problems(schema: Mapping[str, Any], value: Any) -> Iterator[tuple[tuple[PathPart, ...], str]]:
    """Where inside the value the schema is not met, and how."""
    if _is_plainly_valid(schema, value):
        return
    from jsonschema.validators import validator_for  # slow to import, and most catalogs do without

    for error in validator_for(schema)(schema).iter_errors(value):
        yield tuple(error.absolute_path), error.message


def _is_plainly_valid(schema: Mapping[str, Any], value: Any) -> bool:
    """Whether a glance tells that the value is valid: a schema of nothing but a type, or of an enumeration."""
    asks = schema.keys() - _WITHOUT_EFFECT
    if asks == {"enum"}:
        return value in schema["enum"]
    if asks != {"type"} or schema["type"] not in _TYPES:
        return False
    return isinstance(value, _TYPES[schema["type"]]) and (isinstance(value, bool) == (schema["type"] == "boolean"))
