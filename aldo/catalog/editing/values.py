"""Values with one thing changed, and how a value is written in a text that is JSON."""

from __future__ import annotations

import json
from typing import Any

from aldo.catalog.layers.steps import Path, value_at, with_value
from aldo.schema.printed import dumps


def is_json(text: str) -> bool:
    """Whether a file is JSON, which is YAML too, and shall stay JSON."""
    if not text.lstrip().startswith("{"):
        return False
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def as_json(value: Any) -> str:
    if isinstance(value, dict) and value:  # not in tight braces: see `delete`
        return "{ " + ", ".join(f"{as_json(key)}: {as_json(inner)}" for key, inner in value.items()) + " }"
    return dumps(value)


def with_changed(value: Any, path: Path, new: Any) -> Any:
    if not path:
        return new
    if isinstance(value, list) and isinstance(path[0], int):
        return [with_changed(item, path[1:], new) if n == path[0] else item for n, item in enumerate(value)]
    if len(path) == 1:
        return with_value(value, path, new)
    copied = dict(value) if isinstance(value, dict) else {}
    copied[path[0]] = with_changed(copied.get(path[0]), path[1:], new)
    return copied


def without(value: Any, path: Path) -> Any:
    if isinstance(value, list):
        if len(path) == 1:
            return [item for n, item in enumerate(value) if n != path[0]]
        return [without(item, path[1:]) if n == path[0] else item for n, item in enumerate(value)]
    if len(path) == 1:
        return {key: inner for key, inner in value.items() if key != path[0]}
    return {key: without(inner, path[1:]) if key == path[0] else inner for key, inner in value.items()}


def with_item(value: Any, path: Path, place: int, item: Any) -> Any:
    items = list(value_at(value, path))
    items.insert(place, item)
    return with_changed(value, path, items)
