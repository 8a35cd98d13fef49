"""HTML made of calls, so that what others wrote is escaped unless somebody says that it is markup."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from html import escape


class Markup(str):
    """HTML that may stand in a page as it is."""

    __slots__ = ()


Child = str | None | Iterable["Child"]
"""Text, which is escaped; Markup, which is not; nothing; or several of them."""

_VOID = {"br", "input", "link", "meta", "wbr"}
_BIDI = {"\u061c", "\u200e", "\u200f", *map(chr, range(0x202A, 0x202F)), *map(chr, range(0x2066, 0x206A))}
_LINES = {"\u2028", "\u2029", "\ufeff"}


def el(name: str, /, *children: Child, **attributes: str | int | bool | None) -> Markup:
    """An element. Attributes that are None or False are left out; `class_` is class, `data_v` is data-v."""
    written = "".join(
        f" {key.rstrip('_').replace('_', '-')}" + ("" if value is True else f'="{shown(str(value))}"')
        for key, value in attributes.items()
        if value is not None and value is not False
    )
    if name in _VOID:
        return Markup(f"<{name}{written}>")
    return Markup(f"<{name}{written}>{joined(children)}</{name}>")


def joined(children: Child) -> Markup:
    """Children one after the other."""
    if children is None:
        return Markup()
    if isinstance(children, Markup):
        return children
    if isinstance(children, str):
        return text(children)
    return Markup("".join(map(joined, children)))


def text(written: str) -> Markup:
    """Text for a page: escaped, with a visible mark for each character that steers instead of being read."""
    written = written.replace("\r\n", "\n")
    if written.isascii() and written.replace("\n", "").replace("\t", "").isprintable():
        return Markup(escape(written))
    return Markup("".join(_mark(c) if steers(c) else escape(c) for c in written))


def shown(written: str) -> str:
    """The same for an attribute, where no element can stand."""
    return escape("".join(f"⟨{_name(c)}⟩" if steers(c) else c for c in written))


def steers(c: str) -> bool:
    """A control character, a half of a surrogate pair, a change of direction, or no character at all."""
    if c in "\n\t":
        return False
    return c in _BIDI or c in _LINES or unicodedata.category(c) in ("Cc", "Cs") or ord(c) & 0xFFFE == 0xFFFE


def _mark(c: str) -> str:
    return f'<span class="steer">{_name(c)}</span>'


def _name(c: str) -> str:
    return f"U+{ord(c):04X}"
