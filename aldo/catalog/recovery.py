"""Beyond a syntax error: which entries of a list cannot be parsed, so that the others still can.

Each item of the list is parsed alone. An unclosed bracket or quote then shows at the item that it stands
in, however far it reaches into the file, and several broken items are all found at once.
"""

from __future__ import annotations

import re
from typing import NamedTuple

import yaml

from aldo._lazy import lazy_pattern
from aldo.catalog.events import events

_LIST = lazy_pattern(
    r"^models:[^\n]*\n(?:[ \t]*(?:#[^\n]*)?\n)*(?=( *)- )|\A(?:(?:[ \t]*#[^\n]*|---[^\n]*)?\n)*(?=()- )", re.M
)
_LESS_INDENTED = r"^ {{0,{}}}[^\s#]"
_NO_ITEM = r"^(?!- )[^\s#]"
_NOT_LINE_END = lazy_pattern(r"[^\r\n]")


class BrokenItem(NamedTuple):
    """An item that is no YAML by itself. Offsets count from the beginning of the text."""

    start: int
    end: int
    problem: str
    at: int
    context: str
    context_at: int


def broken_items(text: str) -> list[BrokenItem]:
    """The items of the catalog's list that cannot be parsed. Empty where there is no list to speak of."""
    return [item for start, end in _items(text) if (item := _broken(text, start, end))]


def without_items(text: str, items: list[BrokenItem]) -> str:
    """The text with each item replaced by a null of the same length, so that every offset stays."""
    pieces, done = [], 0
    for item in items:
        dash = text.index("-", item.start)
        pieces += [text[done:dash], "- ~", _NOT_LINE_END.sub(" ", text[dash + 3 : item.end])]
        done = item.end
    return "".join([*pieces, text[done:]])


def describe(error: yaml.MarkedYAMLError, length: int) -> tuple[str, int, str, int]:
    """Problem, its offset, context and its offset. What runs into the end of the text began at its context."""
    mark, context_mark = error.problem_mark, error.context_mark
    problem = " ".join((error.problem or "cannot be parsed").split())
    context = " ".join((error.context or "").split())
    at = mark.index if mark else context_mark.index if context_mark else 0
    context_at = context_mark.index if context_mark else at
    if at >= length or context.startswith("while scanning a simple key"):  # it was to end on its own line
        at = context_at
    return problem, at, context, context_at


def _items(text: str) -> list[tuple[int, int]]:
    """Start and end of each item of the list under `models`, or of the list that the document is."""
    found = _LIST.search(text)
    if found is None:
        return []
    indent = found[1] or ""
    beyond = re.compile(_LESS_INDENTED.format(len(indent) - 1) if indent else _NO_ITEM, re.M).search(text, found.end())
    end = beyond.start() if beyond else len(text)
    starts = [match.start() for match in re.compile(rf"^{indent}- ", re.M).finditer(text, found.end(), end)]
    return list(zip(starts, [*starts[1:], end], strict=True))


def _broken(text: str, start: int, end: int) -> BrokenItem | None:
    item = text[start:end]
    try:
        for _ in events(item):
            pass
    except yaml.MarkedYAMLError as error:
        problem, at, context, context_at = describe(error, len(item.rstrip()))
        return BrokenItem(start, end, problem, start + at, context, start + context_at)
    return None
