"""Which of the texts in a file are keys, so that a rule can tell of them. What is masked is more: see `Document`."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from aldo.catalog.document import Document
from aldo.schema.secrets import is_key_for_variable, looks_random
from aldo.validate.entry import Entry
from aldo.validate.rule import Path


class Secret(NamedTuple):
    """A key in the file: the path of the value that holds it (of a comment: what is around it), and its characters."""

    path: Path
    place: tuple[int, int]
    what: str


def secrets_in(document: Document, entries: Sequence[Entry]) -> list[Secret]:
    """Every key of the file, each once, in the order of the file."""
    found: list[Secret] = []
    starts = [document.offsets(entry.path)[0] for entry in entries]
    end = -1
    for place, what in sorted(_all(document, entries), key=lambda one: (one[0][0], -one[0][1])):
        if place[0] >= end:
            around = entries[max(bisect_right(starts, place[0]) - 1, 0)] if entries else None
            found.append(Secret(_path_at(document, around, place), place, what))
        end = max(end, place[1])
    return found


def _all(document: Document, entries: Sequence[Entry]) -> Iterator[tuple[tuple[int, int], str]]:
    for entry in entries:
        variable = entry.config.get("apiKeyEnv")
        if isinstance(variable, str) and is_key_for_variable(variable):
            what = "apiKeyEnv takes the name of an environment variable, and this looks like the key itself"
            yield document.offsets(entry.at("providerConfig", "apiKeyEnv")), what
    for name, start, end in document.named_like_keys:
        if _is_key(document, name) or looks_random(document.text[start:end]):
            yield (start, end), f"{re.split(r'[^A-Za-z0-9_-]', document.text[name:start])[0]} holds a key"
    for place in document.shaped_like_keys:
        yield place, "this looks like a key"


def _is_key(document: Document, at: int) -> bool:
    """Whether a key of a mapping begins there: then what follows is its value, and not the rest of a sentence."""
    starts = document.spans.starts
    quoted = at > 0 and document.text[at - 1] in "\"'"
    node = bisect_left(starts, at - quoted)
    return node < len(starts) and starts[node] == at - quoted


def _path_at(document: Document, around: Entry | None, place: tuple[int, int]) -> Path:
    """The path of the value in which the characters stand."""
    spans = document.spans

    def holds(path: Path) -> bool:
        node = spans.node(document.value, path)
        return node is not None and spans.starts[node] <= place[0] and place[1] <= spans.ends[node]

    def within(path: Path, value: Any) -> Path:
        children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        return next((within((*path, part), child) for part, child in children if holds((*path, part))), path)

    if around is not None and holds(around.path):
        return within(around.path, around.value)
    value = document.value
    sections = value.items() if isinstance(value, dict) else ()
    return next((within((name,), section) for name, section in sections if name != "models" and holds((name,))), ())
