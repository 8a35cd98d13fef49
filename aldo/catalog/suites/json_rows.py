"""JSON on one line: its value, and where on the line everything stands.

Python's own reader tells no places, and the YAML reader refuses some of the escapes that JSON writes.
"""

from __future__ import annotations

import json
import re
from typing import Any, NamedTuple

from aldo.catalog.spans import Spans

MOST_DEPTH = 100
"""As of YAML. Python's reader would go on to a thousand, and what looks at the value later would not."""

_TOKEN = re.compile(r'"(?:[^"\\]++|\\.)*+"|[{}\[\]]|[^\s{}\[\]:,"]++')
_ESCAPE = re.compile(r"\\(?:u(?P<code>[0-9a-fA-F]{4})|.)")


class NoJson(ValueError):
    """A text is no JSON that can be used: why, and from which character of it on."""

    def __init__(self, problem: str, at: int, length: int = 1, hint: str = "") -> None:
        super().__init__(problem)
        self.hint = hint
        self.at = at
        self.end: int = at + length


class JsonText(NamedTuple):
    """A text of JSON as read. Of a key that stands twice the first value counts, as in YAML."""

    value: Any
    has_doubles: bool
    """Whether a key stands twice somewhere; `json_places` tells where."""


def read_json(text: str) -> JsonText:
    """The value of a text. Raises `NoJson` for what is none."""
    doubles: list[str] = []

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in pairs:
            if key in found:
                doubles.append(key)
            found.setdefault(key, value)
        return found

    if _too_deep(text):
        raise NoJson(f"more than {MOST_DEPTH} levels deep", 0, len(text))
    try:
        value = json.loads(text, parse_constant=_refuse, object_pairs_hook=unique)
    except json.JSONDecodeError as error:
        problem = error.msg[:1].lower() + error.msg[1:].removesuffix(" at").removesuffix(" starting")
        raise NoJson(problem, min(error.pos, len(text.rstrip()))) from None
    except _Constant as error:
        name = str(error)
        at, hint = _outside_texts(text, name), "JSON has no such number: leave the field out, or write a text in quotes"
        raise NoJson(f"{name} stands for no value", at, len(name), hint) from None
    except ValueError:  # what is left to refuse, with a word about Python's settings
        raise NoJson("a number with too many digits", 0, len(text)) from None
    lonely = _lonely_surrogate(text)
    if lonely is not None:
        hint = "write the character itself, or both halves of it"
        raise NoJson(f"{lonely[0]} is half a character", lonely.start(), len(lonely[0]), hint)
    return JsonText(value, bool(doubles))


class Double(NamedTuple):
    """A key that stands twice in one mapping, and the characters of both."""

    key: str
    at: tuple[int, int]
    first: tuple[int, int]


def json_places(text: str) -> tuple[Spans, list[Double]]:
    """Where every key and value of a text of JSON stands that `read_json` took, and which keys stand twice."""
    reader = _Places(text)
    reader.value()
    return reader.spans, reader.doubles


class _Places:
    """Goes through the tokens of a JSON text and leaves a node for each key and value."""

    def __init__(self, text: str) -> None:
        self.spans = Spans(text)
        self.doubles: list[Double] = []
        self._tokens = _TOKEN.finditer(text)
        self._token = next(self._tokens)

    def value(self) -> None:
        node = self._node()
        opening = self._token[0]
        if opening == "{":
            self._members(node)
        elif opening == "[":
            self._advance()
            while self._token[0] != "]":
                self.value()
        self.spans.ends[node] = self._token.end()
        self.spans.sizes[node] = len(self.spans.starts) - node
        self._advance()

    def _members(self, node: int) -> None:
        first: dict[str, tuple[int, int]] = {}
        self._advance()
        while self._token[0] != "}":
            key, at, length = json.loads(self._token[0]), self._token.span(), len(self.spans.starts)
            self._node()
            self._advance()
            self.value()
            if first.setdefault(key, at) != at:
                self.doubles.append(Double(key, at, first[key]))
                for places in (self.spans.starts, self.spans.ends, self.spans.sizes):
                    del places[length:]

    def _node(self) -> int:
        start, end = self._token.span()
        self.spans.starts.append(start)
        self.spans.ends.append(end)
        self.spans.sizes.append(1)
        return len(self.spans.starts) - 1

    def _advance(self) -> None:
        self._token = next(self._tokens, self._token)


class _Constant(ValueError):
    """NaN or an infinity."""


def _refuse(constant: str) -> Any:
    raise _Constant(constant)


def _outside_texts(text: str, name: str) -> int:
    return next((token.start() for token in _TOKEN.finditer(text) if token[0] == name), 0)


def _too_deep(text: str) -> bool:
    if text.count("[") + text.count("{") <= MOST_DEPTH:
        return False
    depth = 0
    for token in _TOKEN.finditer(text):
        depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(token[0], 0)
        if depth > MOST_DEPTH:
            return True
    return False


def _lonely_surrogate(text: str) -> re.Match[str] | None:
    """An escape for one half of a character without the other: no text can hold it."""
    high: re.Match[str] | None = None
    for escape in _ESCAPE.finditer(text) if "\\u" in text else ():
        code = int(escape["code"], 16) if escape["code"] else 0
        is_low = 0xDC00 <= code < 0xE000
        if high is not None and not (is_low and high.end() == escape.start()):
            return high
        if high is None and is_low:
            return escape
        high = escape if 0xD800 <= code < 0xDC00 else None
    return high
