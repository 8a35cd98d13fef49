"""The docstrings below the fields of a type as the descriptions of its JSON Schema.

pydantic can do this itself (`use_attribute_docstrings`), but then reads the source of every type on
every import.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Iterator
from typing import Any, get_args

from pydantic import BaseModel


def describe(schema: dict[str, Any], model: type[BaseModel]) -> None:
    """Add the description of every field of the type, and of the types inside it, to the schema."""
    for one in set(_models(model)):
        place = schema if one is model else schema["$defs"].get(one.__name__, {})
        meanings = documented(getattr(one, "documented_by", None) or one)
        for name, field in one.model_fields.items():
            properties, alias = place.get("properties", {}), field.alias or name
            if alias in properties and name in meanings:
                properties[alias] = {"description": meanings[name], **properties[alias]}


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    """The types that an annotation speaks of, however deep."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
        for field in annotation.model_fields.values():
            yield from _models(field.annotation)
    for part in get_args(annotation):
        yield from _models(part)


def documented(model: type[BaseModel]) -> dict[str, str]:
    """The text that stands below each field in the source; none for a type that was made at run time."""
    if not hasattr(inspect.getmodule(model), model.__name__):
        return {}
    (definition,) = ast.parse(textwrap.dedent(inspect.getsource(model))).body
    assert isinstance(definition, ast.ClassDef)
    found = {}
    for field, text in zip(definition.body, definition.body[1:], strict=False):
        if not isinstance(field, ast.AnnAssign) or not isinstance(field.target, ast.Name):
            continue
        if isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant):
            found[field.target.id] = inspect.cleandoc(str(text.value.value))
    return found
