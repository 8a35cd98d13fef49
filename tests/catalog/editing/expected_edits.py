"""What an edit of a text must come to: naive edits of the value, what may change of the lines, values to write."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from aldo.catalog import parse_text
from aldo.catalog.document import Document
from aldo.catalog.editing.text import Text
from aldo.catalog.write import encoded
from tests.catalog.editing.layouts import Laid, Path
from tests.support.reading import errors_in, ruamel_or_none

NEW = ("new", "n w", "neu: x", "ü", "$unset", "12", "null", "# no")

VALUES: tuple[Any, ...] = (
    *(
        "plain",
        "two words",
        "",
        " ",
        "1",
        "null",
        "yes",
        "0x1F",
        "~",
        "-",
        "- a",
        "a: b",
        "a #b",
        "#",
        "it's",
        '"',
        "'",
        "\\",
    ),
    *(
        "{",
        "]",
        ",",
        "&a",
        "*a",
        "!t",
        "%",
        "@",
        "`",
        "?",
        "|",
        ">",
        "é😀",
        "tab\t",
        "two\nlines\n",
        "trail ",
        ":",
        "a:",
    ),
    *("\ufeff", "\x07", "\u200b", "x" * 500, "1_000", "12:30", "...", "---", "🏳️‍🌈", "\\n", "C:\\x"),
    *(0, -1, 10**20, 0.5, 1e-7, 1e22, True, False, None),
)
NESTED: tuple[Any, ...] = (
    *(
        [],
        {},
        ["x"],
        [1, "a, b", None],
        {"k": "v"},
        {"k": {"d": [1, {"e": {}}]}, "l": []},
        [{"id": "m", "cost": {"in": 0}}, {"id": "n"}],
    ),
    *([[]], [[1, [2]]], {"a b": [], "": "empty key"}),
)


def paths(value: Any, path: Path = ()) -> Iterator[Path]:
    yield path
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for part, inner in children:
        yield from paths(inner, (*path, part))


def at(value: Any, path: Path) -> Any:
    for part in path:
        value = value[part]
    return value


def with_set(value: Any, path: Path, new: Any) -> Any:
    """A naive edit of the value: what the edit of the text must come to."""
    copied = copy.deepcopy(value)
    if not path:
        return copy.deepcopy(new)
    place = copied
    for part, following in pairwise(path):
        if isinstance(place, dict) and place.get(part) is None:
            place[part] = {}
        place = place[part]
        assert following is not None
    place[path[-1]] = copy.deepcopy(new)
    return copied


def without(value: Any, path: Path, levels: int = 0) -> Any:
    """Without the value at a path and the `levels` parents that hold nothing then."""
    copied = copy.deepcopy(value)
    del at(copied, path[:-1])[path[-1]]
    for length in range(len(path) - 1, len(path) - 1 - levels, -1):
        assert at(copied, path[:length]) in ({}, [])
        del at(copied, path[: length - 1])[path[length - 1]]
    return copied


def unordered(value: Any) -> Any:
    """Maps compared without the order of their keys, true kept from 1."""
    if isinstance(value, dict):
        return "map", sorted(((key, unordered(inner)) for key, inner in value.items()), key=lambda pair: str(pair[0]))
    if isinstance(value, list):
        return [unordered(item) for item in value]
    return (isinstance(value, bool), type(value) is str, "nan" if value != value else value)


def equal(one: Any, other: Any) -> bool:
    return bool(unordered(one) == unordered(other))


def lines_of(text: str) -> list[str]:
    """The lines without their ends; behind the end of the last one stands an empty one."""
    return re.split(r"\r\n|\r|\n", text)


def only_lines_changed(before: str, after: str, first: int, last: int) -> bool:
    """Whether all lines but those from the first to the last are the same."""
    old, new = lines_of(before), lines_of(after)
    below = len(old) - last - 1
    return new[:first] == old[:first] and new[len(new) - below :] == old[last + 1 :] and len(new) >= first + below


def inserted(before: str, after: str) -> str | None:
    """What stands in one run in the second text beyond the first; None where it is no mere insertion."""
    size = len(after) - len(before)
    head = next(
        (n for n, (a, b) in enumerate(zip(before, after, strict=False)) if a != b), min(len(before), len(after))
    )
    for start in range(head, -1, -1):
        if size >= 0 and after[:start] + after[start + size :] == before:
            return after[start : start + size]
    return None


def are_whole_lines_more(before: str, after: str) -> bool:
    """Whether the second text is the first with some lines more in one place."""
    old, new = lines_of(before), lines_of(after)
    many = len(new) - len(old)
    return many > 0 and any(new[:n] == old[:n] and new[n + many :] == old[n:] for n in range(len(old) + 1))


def assert_sound(before: Document, edit: Text, wanted: Any) -> None:
    """The value is the wanted one, in our eyes and in those of ruamel.yaml, and nothing is broken."""
    text = edit.document.text
    assert equal(edit.value, wanted)
    again = parse_text("x.yaml", text)
    assert equal(again.value, wanted)
    assert len(errors_in(again)) <= len(errors_in(before))
    assert edit.document.byte_order_mark == before.byte_order_mark
    assert encoded(edit.document, text).startswith(b"\xef\xbb\xbf") == before.byte_order_mark
    readable, other = ruamel_or_none(before.text)
    if readable and equal(other, before.value):
        assert ruamel_or_none(text)[0], text
        assert equal(ruamel_or_none(text)[1], wanted), text


def assert_comments_stay(laid: Laid, text: str) -> None:
    found = re.findall(r"# \d+c", text)
    assert found == [comment.split("c")[0] + "c" for comment in laid.comments]
    assert all(comment in text for comment in laid.comments)


def assert_line_ends_stay(laid: Laid, text: str) -> None:
    ends = set(re.findall(r"\r\n|\r|\n", laid.text))
    if len(ends) == 1:
        assert set(re.findall(r"\r\n|\r|\n", text)) <= ends
    if laid.text:
        assert lines_of(laid.text)[-1] or not lines_of(text)[-1]


ENTRY = {"id": "m", "cost": {"in": 0}}
