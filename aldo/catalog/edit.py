"""Edits of a file's text that keep its layout: what else is on a line, comments and quoting stay as they are."""

from __future__ import annotations

from aldo._lazy import lazy_pattern
from aldo.errors import Edit

_QUOTES = "'\""
_SEPARATOR_AFTER = lazy_pattern(r"[ \t]*,[ \t]*")
_SEPARATOR_BEFORE = lazy_pattern(r",[ \t]*\Z")
_PROPERTIES = lazy_pattern(r"(?:[&!][^\s,\[\]{}]*[ \t]+)+")  # an anchor and a tag stand before what they belong to
_LINE_END = lazy_pattern(r"\r\n|\r|\n|\Z")


def scalar(text: str, start: int, end: int, value: str) -> Edit:
    """Another text for a scalar. Its anchor stays, and what was quoted stays quoted in the same manner."""
    start = _after_properties(text, start, end)
    quoted = text[start : start + 1] in _QUOTES and end - start >= 2
    return Edit(start + 1, end - 1, value) if quoted else Edit(start, end, value)


def plain(text: str, start: int, end: int, value: str) -> Edit:
    """The same without quotes: for a number that was written as a text."""
    return Edit(_after_properties(text, start, end), end, value)


def _after_properties(text: str, start: int, end: int) -> int:
    properties = _PROPERTIES.match(text, start, end)
    return properties.end() if properties is not None else start


def removed_pair(text: str, start: int, end: int) -> Edit | None:
    """Without the pair that stands there. None where it is not on one line, or a comment would go with it."""
    return _removed(text, start, end, lead="")


def removed_item(text: str, start: int, end: int) -> Edit | None:
    """Without the list item that stands there; None as for `removed_pair`, and where it is the only one."""
    return _removed(text, start, end, lead="-")


def _removed(text: str, start: int, end: int, lead: str) -> Edit | None:
    if "\n" in text[start:end] or "\r" in text[start:end]:
        return None
    line_start = line_start_of(text, start)
    after_line = line_after(text, end)
    if text[line_start:start].strip() == lead and not text[end:after_line].strip():
        return Edit(line_start, after_line, "")
    after = _SEPARATOR_AFTER.match(text, end)
    if after is not None:
        return Edit(start, after.end(), "")
    before = _SEPARATOR_BEFORE.search(text, line_start, start)
    return Edit(before.start(), end, "") if before is not None else None


def line_start_of(text: str, at: int) -> int:
    """Where the line begins on which a character stands."""
    start = text.rfind("\n", 0, at) + 1
    return max(start, text.rfind("\r", start, at) + 1)  # a text without \r is not searched to its beginning


def line_after(text: str, at: int) -> int:
    """Where the line after the one begins on which a character stands; the end of the text behind the last."""
    found = _LINE_END.search(text, at)
    assert found is not None  # \Z matches in any case
    return found.end()


def line_end_of(text: str) -> str:
    """How lines end in a text: as its first one does."""
    found = _LINE_END.search(text)
    return found[0] if found is not None and found[0] else "\n"


def apply(text: str, edits: tuple[Edit, ...]) -> str:
    """The text with the edits made; they must not overlap."""
    pieces, done = [], 0
    for edit in sorted(edits):
        assert edit.start >= done, "edits overlap"
        pieces += [text[done : edit.start], edit.text]
        done = edit.end
    return "".join([*pieces, text[done:]])
