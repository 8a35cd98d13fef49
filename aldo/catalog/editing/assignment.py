"""`PATH=VALUE` as people type it: a dotted path, and a value of the type that the field has."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from difflib import get_close_matches
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel

from aldo._lazy import lazy_pattern
from aldo.catalog.editing.edits import Assignment
from aldo.catalog.layers.steps import Path
from aldo.catalog.reader import parse_text
from aldo.errors import UsageError
from aldo.schema.entry import ModelEntry

_ASSIGNMENT = lazy_pattern(r"(?P<path>[^=]*?)(?P<operator>\+=|-=|=)(?P<value>.*)", 16)  # 16: a value may have lines
_PART = lazy_pattern(r'"((?:[^"\\]|\\.)*)"|([^."]+)')
_FLAT_MAPS = (("providerConfig", "headers"),)
"""Maps whose keys may hold dots and which hold no maps: what follows is one key."""


def assignment(text: str) -> Assignment:
    """`cost.usdPerMtokIn=0.2`, `provides+=vision`, `provides-=[json-mode]`. Raises `UsageError`."""
    found = _ASSIGNMENT.fullmatch(text)
    if found is None:
        raise UsageError(f"{text!r} is no assignment: write PATH=VALUE, such as cost.usdPerMtokIn=0.2")
    path = dotted(found["path"])
    operator: Any = found["operator"]
    return path, operator, typed(path, found["value"])


def dotted(text: str) -> Path:
    """The path that a dotted text names; parts that hold dots stand in double quotes."""
    for flat in _FLAT_MAPS:
        lead = ".".join(flat) + "."
        if text.startswith(lead) and not text[len(lead) :].startswith('"'):
            return (*flat, text[len(lead) :])
    parts, at = [], 0
    while at <= len(text):
        part = _PART.match(text, at)
        if part is None or (part.end() < len(text) and text[part.end()] != "."):
            raise UsageError(f'{text!r} is no path: write fields with dots between, such as providerConfig."a.b"')
        parts.append(part[2] if part[1] is None else part[1].replace('\\"', '"').replace("\\\\", "\\"))
        at = part.end() + 1
    _known(parts[0])
    return tuple(parts)


def typed(path: Path, text: str) -> Any:
    """A value as YAML; where the field takes a text, the text as it is. Commas make a list where the field is one."""
    annotation = _annotation(path)
    if _is_text(annotation) and not (len(text) > 1 and text[0] == text[-1] and text[0] in "\"'"):
        return text
    document = parse_text("VALUE", text)
    errors = [finding for finding in document.findings if finding.severity == "error"]
    if text.strip() and errors:
        raise UsageError(f"{'.'.join(map(str, path))}: {text!r} is no value: {errors[0].message}")
    value = document.value
    if value is None:
        raise UsageError(f"{'.'.join(map(str, path))}: a value is missing; `aldo catalog unset` takes one away")
    if get_origin(annotation) is tuple and not isinstance(value, list):
        return [part.strip() for part in text.split(",")] if isinstance(value, str) else [value]
    return value


def _known(first: str) -> None:
    fields = [field.alias or name for name, field in ModelEntry.model_fields.items()]
    if first not in fields:
        near = get_close_matches(first, fields, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"its fields are {', '.join(fields)}"
        raise UsageError(f"an entry has no field {first!r}; {hint}")


def _annotation(path: Path) -> Any:
    """The type of the field at a path; None where it is free or there is none."""
    here: Any = ModelEntry
    for part in path:
        here = _bare(here)
        if isinstance(here, type) and issubclass(here, BaseModel):
            field = next((f for f in here.model_fields.values() if f.alias == part), None)
            here = field.annotation if field else None
        elif get_origin(here) is Mapping or get_origin(here) is _ABSTRACT_MAPPING:
            here = get_args(here)[1]
        else:
            return None
    return _bare(here)


_ABSTRACT_MAPPING = get_origin(Mapping[str, str])


def _bare(annotation: Any) -> Any:
    """The type without None and without what annotates it."""
    while get_origin(annotation) in (Annotated, UnionType, Union):
        parts = get_args(annotation)
        if get_origin(annotation) is Annotated:
            annotation = parts[0]
            continue
        left = [part for part in parts if part is not NoneType]
        if len(left) != 1:
            return None
        annotation = left[0]
    return annotation


def _is_text(annotation: Any) -> bool:
    return annotation in (str, datetime.date) or get_origin(annotation) is Literal
