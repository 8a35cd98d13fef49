"""Plain values as YAML text that every reader, of 1.1 or 1.2, takes for the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any

from aldo._lazy import lazy_pattern
from aldo.catalog import scalars
from aldo.schema.decimals import WrittenFloat, plain_text

# Nothing that could begin a construct, no bracket or comma of the flow style, no colon or hash that could end a scalar.
_PLAIN = lazy_pattern(r"[A-Za-z0-9_./$+<(~^=;\\](?:[A-Za-z0-9_./$+<>()~^=;\\@%&*!|'\"?`-]|:(?![\s]|\Z)| (?![\s#]|\Z))*")


@lru_cache(maxsize=10_000)
def text_scalar(text: str) -> str:
    """A text as a scalar: plain where that is read as this very text, else in double quotes."""
    try:
        is_plain = _PLAIN.fullmatch(text) is not None and scalars.plain(text) == text  # so it is no number
    except scalars.UnreadableScalar:
        is_plain = False
    if (
        is_plain
        and text not in ("<<", "=")
        and scalars.otherwise_in_1_1(text) is scalars.ALIKE
        and isinstance(scalars.plain(text), str)
    ):
        return text
    return f'"{"".join(map(_escaped, text))}"'


def _escaped(character: str) -> str:
    if character in '"\\':
        return "\\" + character
    if character.isprintable():
        return character
    known = {"\n": "\\n", "\t": "\\t", "\r": "\\r"}
    code = ord(character)
    if character in known:
        return known[character]
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def scalar(value: Any) -> str:
    """A scalar: text, number, true, false or null."""
    match value:
        case str():
            return text_scalar(value)
        case bool():
            return "true" if value else "false"
        case None:
            return "null"
        case Decimal():
            return plain_text(value)
        case float():
            return _number(value)
        case _:
            return str(value)


def _number(value: float) -> str:
    text = value.text if isinstance(value, WrittenFloat) else repr(value)
    return text if scalars.otherwise_in_1_1(text) is scalars.ALIKE else scalars.written_out(value)


def flow(value: Any) -> str:
    """Any value on one line: `{ usdPerMtokIn: 0, usdPerMtokOut: 0 }`, `[tool-use, vision]`."""
    if isinstance(value, Mapping):
        return (
            "{ " + ", ".join(f"{key(name)}: {flow(inner)}" for name, inner in value.items()) + " }" if value else "{}"
        )
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(flow, value)) + "]"
    return scalar(value)


def key(name: Any) -> str:
    """The key of a mapping."""
    return scalar(name)


FLAT = frozenset(("cost", "deprecation", "provides", "privacyAllowed"))
"""Fields that stand on one line, as the shipped catalog has them."""


def block(value: Mapping[str, Any], indent: str = "", step: str = "  ") -> Iterator[str]:
    """The lines of a mapping in block style, without line ends. Lists and short maps stay on one line."""
    for name, inner in value.items():
        if isinstance(inner, Mapping) and inner and name not in FLAT:
            yield f"{indent}{key(name)}:"
            yield from block(inner, indent + step, step)
        elif isinstance(inner, list) and inner and all(isinstance(item, Mapping) and item for item in inner):
            yield f"{indent}{key(name)}:"
            for item in inner:
                yield from listed(item, indent + step, step)
        else:
            yield f"{indent}{key(name)}: {flow(inner)}"


def listed(item: Mapping[str, Any], indent: str, step: str = "  ") -> Iterator[str]:
    """The lines of a mapping as an item of a block list."""
    lines = block(item, indent + "  ", step)
    yield f"{indent}- {next(lines).lstrip()}"
    yield from lines
