"""Where a file holds keys, so that a rule can tell of them and nothing shows them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from aldo.catalog.document import Document
from aldo.schema.secrets import find_secrets, is_literal, is_secret_name, mask
from aldo.validate.entry import Entry
from aldo.validate.rule import Path

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_FIELDS_OF_CONFIG = frozenset({"baseUrl", "model", "apiKeyEnv", "headers", "extra"})


class Secret(NamedTuple):
    """A key in the file: the path of the value that holds it (of a comment: none), and its characters."""

    path: Path
    place: tuple[int, int]
    what: str


def secrets_in(document: Document, entries: Sequence[Entry]) -> list[Secret]:
    """Every key of the file, each once, in the order of the file."""
    named = [secret for entry in entries for secret in _named(document, entry)]
    covered = [secret.place for secret in named]
    shaped = [
        Secret(_path_at(document, entries, place), place, "this looks like a key")
        for place in find_secrets(document.text)
        if not any(start <= place[0] and place[1] <= end for start, end in covered)
    ]
    return sorted(named + shaped, key=lambda secret: secret.place)


def shown_lines(document: Document, secrets: Sequence[Secret]) -> list[str]:
    """The lines of the file for a code frame, without what must not be shown."""
    if not secrets:
        return document.lines
    return document.split_lines(masked_text(document.text, secrets))


def masked_text(text: str, secrets: Sequence[Secret]) -> str:
    for secret in secrets:
        start, end = secret.place
        text = text[:start] + mask(text[start:end]) + text[end:]
    return text


def _named(document: Document, entry: Entry) -> Iterator[Secret]:
    """Values that their names give away, and a variable that is none."""
    config = entry.config
    variable = config.get("apiKeyEnv")
    if isinstance(variable, str) and variable and not _VARIABLE.fullmatch(variable) and is_literal(variable):
        path = entry.at("providerConfig", "apiKeyEnv")
        what = "apiKeyEnv takes the name of an environment variable, and this looks like the key itself"
        yield Secret(path, document.offsets(path), what)
    places: list[tuple[Path, Mapping[Any, Any]]] = []
    if entry.headers:
        places.append((entry.at("providerConfig", "headers"), entry.headers))
    if entry.extra:
        places.append((entry.at("providerConfig", "extra"), entry.extra))
    if config.keys() - _FIELDS_OF_CONFIG:
        others = {name: value for name, value in config.items() if name not in _FIELDS_OF_CONFIG}
        places.append((entry.at("providerConfig"), others))
    for path, values in places:
        for name, value in values.items():
            if isinstance(name, str) and isinstance(value, str) and is_secret_name(name) and is_literal(value):
                yield Secret((*path, name), document.offsets((*path, name)), f"{name} holds a key")


def _path_at(document: Document, entries: Sequence[Entry], place: tuple[int, int]) -> Path:
    """The path of the value in which the characters stand."""
    spans = document.spans

    def holds(path: Path) -> bool:
        node = spans.node(document.value, path)
        return node is not None and spans.starts[node] <= place[0] and place[1] <= spans.ends[node]

    def within(path: Path, value: Any) -> Path:
        children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        return next((within((*path, part), child) for part, child in children if holds((*path, part))), path)

    entry = next((entry for entry in entries if holds(entry.path)), None)
    return within(entry.path, entry.value) if entry is not None else within((), document.value)
