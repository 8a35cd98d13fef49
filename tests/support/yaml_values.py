"""Scalars with the value that YAML 1.2's core schema gives them, and equality of what was read."""

from __future__ import annotations

from typing import Any

PLAIN: tuple[tuple[str, Any], ...] = (
    *(
        (text, text)
        for text in ("a", "b c", "x#y", "http://x:8", "it's", "é", "😀𝒳", "-a", "?x", ":y", "yes", "NO", "nULL")
    ),
    *(
        (text, text)
        for text in ("22:30", "1.2.3", "0O17", "0X1F", "1e", "on", "a\\n", 'q"q', "a & b", "x!y", "v%", "..")
    ),
    *((text, None) for text in ("null", "Null", "NULL", "~")),
    *((text, True) for text in ("true", "True", "TRUE")),
    *((text, False) for text in ("false", "False", "FALSE")),
    *((text, int(text)) for text in ("0", "-1", "+12", "017", "-0", "12345678901234567890")),
    *(("0o17", 15), ("0x1F", 31)),
    *((text, float(text)) for text in ("1.5", "-.5", "1.", "1e3", "1.5E-3", "+0.25", "-0.0", "007.5")),
    *((".inf", float("inf")), ("-.INF", float("-inf")), (".NaN", float("nan"))),
)
TAGGED = (("!!str 1", "1"), ("!!int 0x1f", 31), ("!!float 3", 3.0), ("!!null ''", None), ('!!str "x"', "x"))
KEYS = ("a", "b", "id", "a b", "é", "😀", "x-y", "1a", "a/b", "~x", "c~1", "k.k")
TEXTS = (
    "",
    " ",
    "a",
    "null",
    "1",
    "# no",
    "x: y",
    " lead",
    "trail ",
    "- z",
    "'",
    '"',
    "\\",
    "{",
    "tab\there",
    "😀",
    "é",
    "a: b # c",
)
LINES = ("one", "two words", "# not a comment", "k: v", "- item", "é 😀", "'q'", "x")
ESCAPES = {"\t": "\\t", '"': '\\"', "\\": "\\\\", "é": "\\xe9", "😀": "\\U0001F600", " ": "\\x20", "a": "\\u0061"}


def same(one: Any, other: Any) -> bool:
    """Equal in value, type and key order; a float equals a float that is written alike, NaN itself."""
    return bool(_spelled(one) == _spelled(other))


def _spelled(value: Any) -> Any:
    if isinstance(value, dict):
        return {"map": [(_spelled(key), _spelled(item)) for key, item in value.items()]}
    if isinstance(value, list):
        return [_spelled(item) for item in value]
    kind = next(base for base in (bool, int, float, str, type(None), object) if isinstance(value, base))
    return kind.__name__, float.__repr__(value) if kind is float else value
