"""An edit of a YAML text changes the value at its path, the lines that it must, and nothing else, whatever the layout.

The layouts are written by hand here, with the place of every value and every comment noted while they are written,
so what an edit may touch is known without a parser.
"""

from __future__ import annotations

import copy
import json
import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from aldo import UsageError
from aldo.catalog import parse_text
from aldo.catalog.document import Document
from aldo.catalog.editing.text import Text
from aldo.catalog.write import encoded
from tests.support.reading import errors_in, ruamel_or_none
from tests.support.yaml_values import same
from tests.support.yaml_writer import Writer

Path = tuple[str | int, ...]
Rng = random.Random
randoms = st.integers(0, 2**32 - 1).map(random.Random)

KEYS = ("a", "id", "b c", "é", "x-y", "k.k", "1a", "zürich", "cost", "$add", "a/b", "it's")
NEW = ("new", "n w", "neu: x", "ü", "$unset", "12", "null", "# no")
SCALARS: tuple[tuple[str, str, Any], ...] = (
    ("plain", "word", "word"),
    ("plain", "two words", "two words"),
    ("plain", "http://x:8/#a", "http://x:8/#a"),
    ("plain", "0.20", 0.2),
    ("plain", "17", 17),
    ("plain", "true", True),
    ("plain", "null", None),
    ("plain", "😀é", "😀é"),
    ("plain", "it's", "it's"),
    ("single", "'it''s # no'", "it's # no"),
    ("single", "''", ""),
    ("single", "'1'", "1"),
    ("double", '"a\\tb: # no"', "a\tb: # no"),
    ("double", '"\\u00e9, ]}"', "é, ]}"),
    ("double", '""', ""),
    ("long", "x" * 3000, "x" * 3000),
)
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


@dataclass(frozen=True)
class Spot:
    """Where a value stands: its own characters, and the lines of its whole pair or item."""

    path: Path
    kind: str
    """plain, single, double, long, block, folded, null, flow-map, flow-list, map, list."""
    start: int
    end: int
    first: int
    last: int
    flow: bool
    """Whether it stands inside brackets."""
    value: Any


@dataclass(frozen=True)
class Laid:
    """A text laid out by hand."""

    text: str
    value: Any
    spots: tuple[Spot, ...]
    comments: tuple[str, ...]
    bom: bool

    @property
    def document(self) -> Document:
        document = parse_text("x.yaml", self.text)
        document.byte_order_mark = self.bom
        return document

    def some(self, rng: Rng, *kinds: str, where: Callable[[Spot], bool] = lambda spot: True) -> Spot | None:
        found = [spot for spot in self.spots if spot.kind in kinds and spot.path and where(spot)]
        return rng.choice(found) if found else None


@dataclass
class Hand:
    """Writes a map in the manner of one careless person: one step, but comments and blank lines anywhere."""

    rng: Rng
    end: str = "\n"
    parts: list[str] = field(default_factory=list)
    offset: int = 0
    line: int = 0
    spots: list[Spot] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)
    narrow: bool = False
    """Whether a comment must now stand at the margin, and no blank line before it: a block scalar came last."""

    def __post_init__(self) -> None:
        self.step = self.rng.choice((1, 2, 2, 2, 3, 4, 8))
        self.dashed = self.rng.choice((0, 0, self.step))
        self.gap = " " * self.rng.choice((1, 1, 1, 3))

    def chance(self, share: float) -> bool:
        return self.rng.random() < share

    def put(self, text: str) -> None:
        self.parts.append(text)
        self.offset += len(text)

    def newline(self) -> None:
        self.put(self.end)
        self.line += 1

    def comment(self) -> str:
        self.comments.append(
            f"# {len(self.comments)}c {self.rng.choice(('', 'a: b', '- [', 'it', '}', '😀', '&a *b'))}".rstrip()
        )
        return self.comments[-1]

    def tail(self, *, tabs: bool = True) -> None:
        """What follows a value on its line. libyaml takes no tab behind a bare dash."""
        self.put(self.rng.choice(("", "", "", " ", "\t", " \t ") if tabs else ("", " ")))
        if self.chance(0.25):
            self.put(self.rng.choice((" ", "   ", "\t") if tabs else (" ",)) + self.comment())
        self.newline()

    def noise(self) -> None:
        while self.chance(0.25):
            if self.chance(0.4) and not self.narrow:
                self.put(self.rng.choice(("", "", "   ")))
            else:
                self.put(" " * (0 if self.narrow else self.rng.choice((0, 0, 1, 2, 3, 5, 9))) + self.comment())
                self.narrow = False
            self.newline()
        self.narrow = False

    def spot(self, path: Path, kind: str, start: int, first: int, *, flow: bool, value: Any) -> Any:
        last = self.line - 1 if kind in ("map", "list") else self.line  # a block ends with the end of its last line
        self.spots.append(Spot(path, kind, start, self.offset, first, last, flow, value))
        return value

    def map(self, path: Path, indent: int, depth: int, *, behind_dash: bool = False) -> dict[str, Any]:
        value = {}
        for number, key in enumerate(self.rng.sample(KEYS, self.rng.randint(1, 4))):
            if number or not behind_dash:
                self.noise()
                self.put(" " * indent)
            quote = self.rng.choice(("", "", "", '"'))
            self.put(f"{quote}{key}{quote}{self.rng.choice(('', '', '', ' '))}:")
            value[key] = self.value((*path, key), indent, depth, in_map=True)
        return value

    def list(self, path: Path, indent: int, depth: int) -> list[Any]:
        value = []
        for number in range(self.rng.randint(1, 4)):
            self.noise()
            self.put(" " * indent + "-")
            value.append(self.value((*path, number), indent, depth, in_map=False))
        return value

    def value(self, path: Path, indent: int, depth: int, *, in_map: bool) -> Any:
        first, roll = self.line, self.rng.random()
        if depth < 3 and roll < 0.4:
            if not in_map and self.chance(0.8):
                self.put(self.gap)
                start = self.offset
                value: Any = self.map(path, indent + 1 + len(self.gap), depth + 1, behind_dash=True)
                return self.spot(path, "map", start, first, flow=False, value=value)
            self.tail(tabs=in_map)
            start, below = self.offset, indent + self.step
            if self.chance(0.4):
                value = self.list(path, indent + (self.dashed if in_map else self.step), depth + 1)
                return self.spot(path, "list", start, first, flow=False, value=value)
            return self.spot(path, "map", start, first, flow=False, value=self.map(path, below, depth + 1))
        if roll < 0.44 and in_map:
            self.spot(path, "null", self.offset, first, flow=False, value=None)
            self.tail()
            return None
        self.put(" " if in_map else self.gap)
        if roll < 0.52:
            return self.block_scalar(path, indent, first)
        start = self.offset
        if roll < 0.57:
            quote = self.rng.choice(("", "'", '"'))
            self.put(f"{quote}one")
            self.newline()
            self.put(" " * (indent + 2) + f"two{quote}")
            value = self.spot(path, "folded", start, first, flow=False, value="one two")
        else:
            value = self.inline(path, indent, 0, flow=False)
        self.tail()
        return value

    def block_scalar(self, path: Path, indent: int, first: int) -> str:
        start, style, chomp = self.offset, self.rng.choice("|>"), self.rng.choice(("", "-", "+"))
        lines = self.rng.choices(("one", "# no comment", "k: v", "- é 😀"), k=self.rng.randint(1, 3))
        self.put(style + chomp)
        if self.chance(0.3):
            self.put(" " + self.comment())
        for line in lines:
            self.newline()
            self.put(" " * (indent + self.step) + line)
        value = ("\n" if style == "|" else " ").join(lines) + ("" if chomp == "-" else "\n")
        self.spot(path, "block", start, first, flow=False, value=value)
        self.newline()
        self.narrow = True
        return value

    def inline(self, path: Path, indent: int, depth: int, *, flow: bool) -> Any:
        start, first = self.offset, self.line
        if depth < 2 and self.chance(0.35):
            return self.brackets(path, indent, depth, flow=flow)
        plain = [each for each in SCALARS if not flow or not each[1].endswith("#a")]
        kind, text, value = self.rng.choice(plain if self.chance(0.97) else SCALARS[-1:])
        self.put(text)
        return self.spot(path, kind, start, first, flow=flow, value=value)

    def brackets(self, path: Path, indent: int, depth: int, *, flow: bool) -> Any:
        """A map or list in brackets: tight, spaced, or over several lines with comments and a comma at the end."""
        start, first = self.offset, self.line
        is_map = self.chance(0.5)
        size = self.rng.randint(0, 3)
        manner = self.rng.choice(("tight", "spaced", "spaced", "lines"))
        trailing = size and self.chance(0.2)
        value: Any = {} if is_map else []

        def gap() -> None:
            if manner == "spaced":
                self.put(" ")
            elif manner == "lines":
                if self.chance(0.3):
                    self.put(" " + self.comment())
                self.newline()
                self.put(" " * (indent + self.step + 1))

        self.put("{" if is_map else "[")
        for number, key in enumerate(self.rng.sample(KEYS, size)):
            gap()
            here: Path = (*path, key if is_map else number)
            if is_map:
                self.put(f"{key}: ")
            inner = self.inline(here, indent, depth + 1, flow=True)
            if is_map:
                value[key] = inner
            else:
                value.append(inner)
            self.put("," if number + 1 < size or trailing else "")
        gap()
        self.put("}" if is_map else "]")
        return self.spot(path, "flow-map" if is_map else "flow-list", start, first, flow=flow, value=value)


def laid_out(rng: Rng) -> Laid:
    """A file of one map."""
    if rng.random() < 0.08:
        return as_json(rng)
    hand = Hand(rng, rng.choice(("\n", "\n", "\r\n")))
    if hand.chance(0.3):
        hand.put(hand.rng.choice(("---", "--- # head", "# head")))
        hand.newline()
    start = hand.offset
    value = hand.map((), 0, 0)
    hand.spot((), "map", start, 0, flow=False, value=value)
    if hand.chance(0.2):
        lines = ("anchored: &one {x: 1}", "again: [*one, &two word]", "third: *two")
        for text in lines:
            hand.put(text)
            hand.newline()
        value |= {"anchored": {"x": 1}, "again": [{"x": 1}, "word"], "third": "word"}
        hand.narrow = False
    if hand.narrow or hand.chance(0.2):
        hand.put(hand.comment())
        hand.newline()
    if hand.chance(0.1):
        hand.put("...")
        hand.newline()
    text = "".join(hand.parts)
    if hand.chance(0.25):
        text = text.removesuffix(hand.end)
    return Laid(text, value, tuple(hand.spots), tuple(hand.comments), hand.chance(0.1))


def as_json(rng: Rng) -> Laid:
    """A JSON file. No place is noted in it."""
    value = {
        "a": 1,
        "b": {"c": [1, "x: # no"], "é": {}, "n": None},
        "models": [{"id": "m", "cost": {"in": 0.5}}],
        "e": [],
    }
    text = json.dumps(value, indent=rng.choice((None, 1, 2, 4)), ensure_ascii=rng.random() < 0.5)
    return Laid(text + rng.choice(("", "\n")), value, (), (), False)


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


@settings(max_examples=300)
@given(randoms)
def test_the_layouts_of_these_tests_mean_what_they_say(rng: Rng) -> None:
    laid = laid_out(rng)
    assert same(laid.document.value, laid.value)
    assert not errors_in(laid.document)
    for spot in laid.spots:
        if spot.kind in ("plain", "single", "double", "long"):
            assert same(parse_text("x", "- " + laid.text[spot.start : spot.end]).value, [spot.value])


@settings(max_examples=400)
@given(randoms, st.sampled_from(VALUES))
def test_a_scalar_that_is_replaced_changes_its_own_characters_alone(rng: Rng, new: Any) -> None:
    laid = laid_out(rng)
    spot = laid.some(rng, "plain", "single", "double", "long")
    if spot is None:
        return
    edit = Text(laid.document).set(spot.path, new)
    assert_sound(laid.document, edit, with_set(laid.value, spot.path, new))
    text, rest = edit.document.text, len(laid.text) - spot.end
    assert text[: spot.start] == laid.text[: spot.start]
    assert text[len(text) - rest :] == laid.text[spot.end :]
    written = text[spot.start : len(text) - rest]
    assert "\n" not in written
    assert "\r" not in written
    if isinstance(new, str) and new.isprintable() and not same(spot.value, new):
        quote = {"single": "'", "double": '"'}.get(spot.kind, "")
        assert written.startswith(quote)


@settings(max_examples=400)
@given(randoms, st.sampled_from(VALUES))
def test_a_scalar_of_several_lines_that_is_replaced_changes_its_own_lines_alone(rng: Rng, new: Any) -> None:
    laid = laid_out(rng)
    spot = laid.some(rng, "block", "folded")
    if spot is None:
        return
    edit = Text(laid.document).set(spot.path, new)
    assert_sound(laid.document, edit, with_set(laid.value, spot.path, new))
    assert only_lines_changed(laid.text, edit.document.text, spot.first, spot.last)
    assert_line_ends_stay(laid, edit.document.text)


@settings(max_examples=300)
@given(randoms, st.sampled_from(VALUES))
def test_every_comment_is_still_there_when_a_scalar_of_several_lines_is_replaced(rng: Rng, new: Any) -> None:
    laid = laid_out(rng)
    spot = laid.some(rng, "block", "folded", where=lambda spot: not laid.text.startswith(("|+", ">+"), spot.start))
    if spot is not None:
        assert_comments_stay(laid, Text(laid.document).set(spot.path, new).document.text)


@pytest.mark.parametrize("text", ["<<", "="])
def test_a_text_that_yaml_1_1_takes_for_a_merge_or_a_default_is_quoted(text: str) -> None:
    edited = Text(parse_text("x.yaml", "a: 1\n")).set(("a",), text).document.text
    assert yaml.safe_load(edited) == {"a": text}
    assert ruamel_or_none(edited) == (True, {"a": text})


@settings(max_examples=400)
@given(randoms, st.sampled_from(NEW), st.sampled_from(VALUES + NESTED))
def test_a_new_key_of_a_block_map_is_whole_lines_more_and_no_line_else(rng: Rng, key: str, new: Any) -> None:
    laid = laid_out(rng)
    spot = rng.choice([spot for spot in laid.spots if spot.kind == "map"] or [None])
    if spot is None:
        return
    path: Path = (*spot.path, key, *rng.choice(((), (), ("deep",), ("deep", "er"))))
    edit = Text(laid.document).set(path, new)
    assert_sound(laid.document, edit, with_set(laid.value, path, new))
    text = edit.document.text
    assert are_whole_lines_more(laid.text, text)
    assert_comments_stay(laid, text)
    assert_line_ends_stay(laid, text)


@settings(max_examples=400)
@given(randoms, st.sampled_from(NEW), st.sampled_from(VALUES + NESTED))
def test_a_new_key_of_a_map_in_braces_is_characters_more_inside_the_braces(rng: Rng, key: str, new: Any) -> None:
    laid = laid_out(rng)
    spot = laid.some(
        rng, "flow-map", where=lambda spot: bool(spot.value) or "\n" not in laid.text[spot.start : spot.end]
    )
    if spot is None:
        return
    edit = Text(laid.document).set((*spot.path, key), new)
    assert_sound(laid.document, edit, with_set(laid.value, (*spot.path, key), new))
    text, rest = edit.document.text, len(laid.text) - spot.end + 1
    assert inserted(laid.text, text) is not None
    assert text[: spot.start + 1] == laid.text[: spot.start + 1]
    assert text[len(text) - rest :] == laid.text[spot.end - 1 :]
    assert_comments_stay(laid, text)
    assert_line_ends_stay(laid, text)


@settings(max_examples=400)
@given(randoms, st.sampled_from(VALUES + NESTED))
def test_an_item_more_is_a_line_more_or_characters_inside_the_brackets(rng: Rng, item: Any) -> None:
    laid = laid_out(rng)
    spot = laid.some(rng, "list", "flow-list", where=lambda spot: bool(spot.value))
    if spot is None:
        return
    edit = Text(laid.document).append(spot.path, item)
    assert_sound(laid.document, edit, with_set(laid.value, spot.path, [*spot.value, item]))
    text = edit.document.text
    if spot.kind == "flow-list":
        rest = len(laid.text) - spot.end + 1
        assert text[: spot.start + 1] == laid.text[: spot.start + 1]
        assert text[len(text) - rest :] == laid.text[spot.end - 1 :]
        assert inserted(laid.text, text) is not None
    else:
        assert are_whole_lines_more(laid.text, text)
    assert_comments_stay(laid, text)
    assert_line_ends_stay(laid, text)


@settings(max_examples=500)
@given(randoms)
def test_what_is_deleted_takes_its_own_lines_with_it_and_no_others(rng: Rng) -> None:
    laid = laid_out(rng)
    spot = laid.some(rng, *KINDS, where=lambda spot: len(at(laid.value, spot.path[:-1])) > 1 or len(spot.path) == 1)
    if spot is None or len(laid.value) == 1:
        return
    try:
        edit = Text(laid.document).delete(spot.path)
    except UsageError:
        assert may_refuse_deletion(laid, spot)
        return
    assert_sound(laid.document, edit, without(laid.value, spot.path))
    text = edit.document.text
    first = max(0, spot.first - 1) if spot.flow else spot.first  # in brackets, the comma before it
    assert only_lines_changed(laid.text, text, first, last_line(laid, spot))
    assert spot.flow or len(lines_of(laid.text)) - len(lines_of(text)) >= spot.last - spot.first + 1
    kept = [comment for comment in laid.comments if comment_line(laid, comment) not in range(spot.first, spot.last + 1)]
    assert all(comment in text for comment in kept)
    assert_line_ends_stay(laid, text)


KINDS = ("plain", "single", "double", "long", "block", "folded", "null", "flow-map", "flow-list", "map", "list")


def comment_line(laid: Laid, comment: str) -> int:
    return len(lines_of(laid.text[: laid.text.index(comment) + 1])) - 1


def last_line(laid: Laid, spot: Spot) -> int:
    """The last line of a pair; where it shares its first one with a dash, the one before the pair that takes its place."""
    following = following_a_dash(laid, spot)
    return spot.last if following is None else following.first


def following_a_dash(laid: Laid, spot: Spot) -> Spot | None:
    keys = list(at(laid.value, spot.path[:-1])) if isinstance(spot.path[-1], str) else []
    line = lines_of(laid.text)[spot.first] if not spot.flow else ""
    if not keys or keys[0] != spot.path[-1] or not line.lstrip().startswith("-") or len(keys) < 2:
        return None
    return next(other for other in laid.spots if other.path == (*spot.path[:-1], keys[1]))


def may_refuse_deletion(laid: Laid, spot: Spot) -> bool:
    """Where a careful person, too, would think twice.

    A comment between two keys, the first of which has the dash, or between a dash and its item; a comment beside the comma before the last item; and
    a block scalar just above, to which what stands below the pair would then belong.
    """
    item = laid.text[: spot.start].splitlines()[spot.first :]
    if isinstance(spot.path[-1], int) and any("#" in line for line in item):
        return True
    following = following_a_dash(laid, spot)
    if following is not None:
        return any(spot.first <= comment_line(laid, comment) < following.first for comment in laid.comments)
    if spot.flow:
        return any(spot.first - 1 <= comment_line(laid, comment) <= spot.last for comment in laid.comments)
    above = [other for other in laid.spots if other.last < spot.first and other.kind not in ("map", "list")]
    return bool(above) and max(above, key=lambda other: other.start).kind == "block"


@settings(max_examples=500)
@given(randoms, st.sampled_from(NEW), st.sampled_from(VALUES + NESTED))
def test_what_is_set_and_deleted_again_leaves_the_file_as_it_was(rng: Rng, key: str, new: Any) -> None:
    laid = laid_out(rng)
    maps = [path for path in paths(laid.value) if isinstance(at(laid.value, path), dict) and path[:1] not in ANCHORED]
    path: Path = (*rng.choice(maps), key, *rng.choice(((), (), ("deep",), ("deep", "er"))))
    first = Text(laid.document)
    try:
        edit = first.set(path, new)
    except UsageError:
        parent = at(laid.value, path[: path.index(key)])
        assert parent == {}
        return
    assert edit.delete(path).document.text == laid.text
    assert first.document.text == laid.text


ANCHORED = (("anchored",), ("again",), ("third",))


@settings(max_examples=300)
@given(randoms, st.sampled_from(VALUES + NESTED))
def test_what_is_appended_and_deleted_again_leaves_the_file_as_it_was(rng: Rng, item: Any) -> None:
    laid = laid_out(rng)
    lists = [path for path in paths(laid.value) if isinstance(at(laid.value, path), list) and path[:1] not in ANCHORED]
    if not lists:
        return
    path = rng.choice(lists)
    before = at(laid.value, path)
    if not before:
        return
    edit = Text(laid.document).append(path, item)
    assert edit.delete((*path, len(before))).document.text == laid.text


@settings(max_examples=300)
@given(randoms)
def test_setting_the_value_that_stands_there_changes_nothing(rng: Rng) -> None:
    laid = laid_out(rng)
    for path in paths(laid.value):
        if path:
            assert Text(laid.document).set(path, copy.deepcopy(at(laid.value, path))).document.text == laid.text


@settings(max_examples=300)
@given(randoms, st.sampled_from(VALUES), st.sampled_from(VALUES))
def test_two_sets_of_different_paths_commute_in_value(rng: Rng, one: Any, other: Any) -> None:
    laid = laid_out(rng)
    scalars = [spot.path for spot in laid.spots if spot.kind in ("plain", "single", "double")]
    maps = [spot.path for spot in laid.spots if spot.kind == "map"]
    places: list[Path] = [*scalars, *((*path, "new") for path in maps), *((*path, "more") for path in maps)]
    if len(places) < 2:
        return
    first, second = rng.sample(places, 2)
    text = Text(laid.document)
    there = text.set(first, one).set(second, other)
    back = text.set(second, other).set(first, one)
    wanted = with_set(with_set(laid.value, first, one), second, other)
    assert_sound(laid.document, there, wanted)
    assert_sound(laid.document, back, wanted)


ENTRY = {"id": "m", "cost": {"in": 0}}


@pytest.mark.parametrize("item", ["x", ENTRY], ids=["text", "entry"])
@pytest.mark.parametrize(
    "text", ["add: []\nb: 1\n", "b: 1\nadd: []", "add: [ ] # c\nb: 1\n", "add: [] # c\r\nb: 1\r\n", "{add: [], b: 1}\n"]
)
def test_an_empty_list_takes_its_first_item(text: str, item: Any) -> None:
    document = parse_text("x.yaml", text)
    edit = Text(document).append(("add",), item)
    assert_sound(document, edit, {"add": [item], "b": 1})
    assert ("# c" in text) == ("# c" in edit.document.text)


@pytest.mark.parametrize("item", ["x", ENTRY], ids=["text", "entry"])
@pytest.mark.parametrize("text", ["a: [ # c\n  ]\nb: 1\n", "a: [\n  # c\n]\nb: 1\n", "b: 1\na: [  # c\r\n  ]"])
def test_a_comment_in_an_empty_list_is_still_there_once_an_item_is(text: str, item: Any) -> None:
    document = parse_text("x.yaml", text)
    try:
        edit = Text(document).append(("a",), item)
    except UsageError:
        return
    assert_sound(document, edit, {"a": [item], "b": 1})
    assert "# c" in edit.document.text


@pytest.mark.parametrize("text", ["a: []\nb: 1\n", "a: [ ]\nb: 1\n", "a: [ ] # c\nb: 1", "{a: [], b: 1}\n"])
def test_an_empty_list_is_as_it_was_once_its_only_item_is_gone(text: str) -> None:
    edit = Text(parse_text("x.yaml", text)).append(("a",), "x").delete(("a", 0))
    assert edit.document.text == text


@pytest.mark.parametrize("new", ["text", 5, False, [1], {"k": {"v": 1}}, [ENTRY]], ids=repr)
@pytest.mark.parametrize(
    "text",
    [
        "a:\nb: 1\n",
        "b: 1\na:",
        "a: # c\nb: 1\n",
        "a:   \r\nb: 1\r\n",
        "a: null # c\nb: 1\n",
        "a: ~\nb: 1\n",
        "{a: null, b: 1}\n",
    ],
)
def test_a_key_without_a_value_takes_one(text: str, new: Any) -> None:
    document = parse_text("x.yaml", text)
    edit = Text(document).set(("a",), new)
    assert_sound(document, edit, {"a": new, "b": 1})
    assert ("# c" in text) == ("# c" in edit.document.text)


@pytest.mark.parametrize("path", [("a", "m"), ("a", "m", "x")])
@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("a:\nb: 1\n", "b: 1\n"),  # a key without a value is not told from one that the edit made
        ("a: # c\n  # d\nb: 1\n", "# c\n  # d\nb: 1\n"),
        ("b: 1\na:\n", "b: 1\n"),
        ("a: {}\nb: 1\n", "a: {}\nb: 1\n"),
        ("a: { } # c\nb: 1\n", "a: { } # c\nb: 1\n"),
    ],
)
def test_what_is_set_below_an_empty_key_and_deleted_again_leaves_an_empty_map(text: str, left: str, path: Path) -> None:
    edit = Text(parse_text("x.yaml", text)).set(path, 1)
    assert edit.value == with_set(parse_text("x.yaml", text).value, path, 1)
    assert edit.delete(path).document.text == left


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("a: &x {k: 1}\nb: *x\n", ("b", "k")),
        ("a: &x {k: 1}\nb: *x\n", ("b", "new")),
        ("a: &x {k: 1}\nb: *x\n", ("b", "new", "deep")),
        ("a: &x\n  k: 1\nb: *x\n", ("b", "new")),
        ("a: &x\n  k: 1\nb: *x\n", ("a", "new")),
        ("a: &x\n  k: 1\nb: *x\n", ("a", "k")),
        ("a: &x [1]\nb: *x\n", ("b", 0)),
        ("a: &x [1]\nb: [*x, *x]\n", ("b", 1, 0)),
    ],
)
def test_what_an_alias_repeats_is_not_changed_by_way_of_one_of_the_two(text: str, path: Path) -> None:
    document = parse_text("x.yaml", text)
    try:
        edit = Text(document).set(path, 7)
    except UsageError as error:
        assert "edit it by hand" in str(error)
        return
    assert_sound(document, edit, with_set(document.value, path, 7))


@pytest.mark.parametrize("text", ["a: &x [1]\nb: *x\n", "a: &x\n  - 1\nb: *x\n", "a: &x [{i: 1}]\nb: *x\n"])
@pytest.mark.parametrize("path", [("a",), ("b",)])
def test_an_item_more_of_a_list_that_an_alias_repeats_is_refused(text: str, path: Path) -> None:
    with pytest.raises(UsageError, match="edit it by hand"):
        Text(parse_text("x.yaml", text)).append(path, "x")


@pytest.mark.parametrize(
    "text",
    ["a: &x 1\nb: *x\nc: 1\n", "a: &x ~\nb: *x\nc: 1\n", "c:\n- &x\n  - ~\n- *x\na: 1\n", "a: &x\nb: *x\nc: 1\n"],
)
def test_an_anchor_that_is_still_needed_is_never_deleted(text: str) -> None:
    document = parse_text("x.yaml", text)
    for path in [("a",), ("c", 0)] if "- &x" in text else [("a",)]:
        try:
            edit = Text(document).delete(path)
        except UsageError:
            continue
        assert_sound(document, edit, without(document.value, path))


@pytest.mark.parametrize("text", ["a: &x 1\nb: *x\nc: 1\n", "a: &x ~\nb: *x\nc: 1\n", "a: &x {k: 1}\nb: *x\n"])
@pytest.mark.parametrize("new", [2, None, {"k": 1}, []], ids=repr)
def test_an_anchored_value_that_is_replaced_leaves_its_aliases_right_or_is_refused(text: str, new: Any) -> None:
    document = parse_text("x.yaml", text)
    try:
        edit = Text(document).set(("a",), new)
    except UsageError:
        return
    assert_sound(document, edit, with_set(document.value, ("a",), new))


@pytest.mark.parametrize("tagged", ["!!str 1", "!!float 3", "!!int 0x1f", "!!null ''"])
@pytest.mark.parametrize("new", ["word", 7, {"k": 1}, [1]], ids=repr)
def test_a_tag_does_not_stay_before_a_value_that_it_does_not_fit(tagged: str, new: Any) -> None:
    document = parse_text("x.yaml", f"a: {tagged}\nb: 1\n")
    try:
        edit = Text(document).set(("a",), new)
    except UsageError:
        return
    assert_sound(document, edit, {"a": new, "b": 1})


@settings(max_examples=200)
@given(randoms, st.sampled_from(VALUES + NESTED))
def test_json_stays_json(rng: Rng, new: Any) -> None:
    laid = as_json(rng)
    places: list[Path] = [
        ("a",),
        ("b", "c", 1),
        ("new",),
        ("b", "é", "k"),
        ("models", 0, "cost", "in"),
        ("models", 0, "deep", "er"),
    ]
    path = rng.choice(places)
    edit = Text(laid.document).set(path, new)
    assert equal(json.loads(edit.document.text), with_set(laid.value, path, new))
    more = Text(laid.document).append(rng.choice([("models",), ("b", "c")]), new)
    assert equal(json.loads(more.document.text), more.value)
    less = Text(laid.document).delete(
        rng.choice([("a",), ("e",), ("b", "n"), ("b", "c", 0), ("b", "c", 1), ("models",)])
    )
    assert equal(json.loads(less.document.text), less.value)


@pytest.mark.parametrize("letter", ["\x85", "\u2028", "\u2029"])
@pytest.mark.parametrize("text", ["{}\n", '{"b": 1}\n', "a: x\n", "a: 'x'\n", 'a: "x"\n', "b: [1]\n"])
def test_a_letter_that_readers_of_yaml_disagree_about_is_written_as_an_escape(text: str, letter: str) -> None:
    edit = Text(parse_text("x.yaml", text)).set(("a",), f"one {letter} two")
    assert letter not in edit.document.text
    assert yaml.safe_load(edit.document.text)["a"] == f"one {letter} two"


@pytest.mark.parametrize("text", ["a: b", "a: b\nc: {d: 1}"])
def test_a_file_whose_last_line_has_no_end_gets_none(text: str) -> None:
    edit = Text(parse_text("x.yaml", text)).set(("new",), 1)
    assert edit.document.text == text + "\nnew: 1"
    assert edit.delete(("new",)).document.text == text


def test_a_new_pair_of_an_entry_stands_before_the_comment_that_speaks_of_the_next_one() -> None:
    text = "models:\n  - id: a\n    x: 1\n\n  # of b\n  - id: b\n"
    edit = Text(parse_text("x.yaml", text)).set(("models", 0, "y"), 2)
    assert edit.document.text == text.replace("    x: 1\n", "    x: 1\n    y: 2\n")


def one_edit(rng: Rng, value: Any, path: Path, new: Any) -> tuple[Callable[[Text], Text], Callable[[Any], bool]]:
    """An edit at a path of a value, and what its result must be."""
    there = at(value, path)
    if isinstance(there, list) and rng.random() < 0.4:
        return lambda text: text.append(path, new), lambda after: equal(after, with_set(value, path, [*there, new]))
    if isinstance(there, dict) and rng.random() < 0.5:
        here: Path = (*path, rng.choice((*NEW, *KEYS)))
        return lambda text: text.set(here, new), lambda after: equal(after, with_set(value, here, new))
    if path and rng.random() < 0.5:
        return lambda text: text.delete(path), lambda after: is_without(value, path, after)
    if not path:
        path = (0,) if isinstance(value, list) else ("a",)
    return lambda text: text.set(path, new), lambda after: equal(after, with_set(value, path, new))


def is_without(value: Any, path: Path, after: Any) -> bool:
    """Whether a value is another without one place, and without what holds nothing then."""
    for levels in range(len(path)):
        if levels and at(without(value, path, levels - 1), path[: len(path) - levels]) not in ({}, []):
            return False
        if equal(without(value, path, levels), after):
            return True
    return False


@settings(max_examples=800)
@given(randoms, st.sampled_from(VALUES + NESTED), st.sampled_from(("\n", "\r\n", "\r")))
def test_whatever_the_yaml_an_edit_is_right_or_refused(rng: Rng, new: Any, end: str) -> None:
    writer = Writer(rng, aliases=rng.random() < 0.3, tags=False)
    writer.document()
    text = writer.text.replace("\n", end)
    if rng.random() < 0.2:
        text = text.rstrip("\r\n")
    document = parse_text("x.yaml", text)
    if document.value is None or errors_in(document):
        return
    path = rng.choice(list(paths(document.value))[1:] or [()])
    edit, is_right = one_edit(rng, document.value, path, new)
    try:
        done = edit(Text(document))
    except UsageError:
        return
    assert is_right(done.value), done.document.text
    assert_sound(document, done, done.value)


PIECES = (
    "a",
    "b",
    ": ",
    ":",
    " ",
    "  ",
    "\n",
    "\n",
    "\r\n",
    "- ",
    "[",
    "]",
    "{",
    "}",
    ", ",
    "#",
    " # c",
    "'",
    '"',
    "|",
    ">",
    "&x",
    "*x",
    "? ",
    "~",
    "1",
    "\t",
    "---\n",
    "...",
    "!!str ",
    "é",
    "%",
)


@settings(max_examples=800)
@given(
    st.lists(st.sampled_from(PIECES), min_size=1, max_size=14).map("".join), randoms, st.sampled_from(VALUES + NESTED)
)
def test_whatever_the_text_an_edit_is_right_or_refused(text: str, rng: Rng, new: Any) -> None:
    document = parse_text("x.yaml", text)
    if not isinstance(document.value, (dict, list)) or not document.value or errors_in(document):
        return
    path = rng.choice(list(paths(document.value))[1:] or [()])
    edit, is_right = one_edit(rng, document.value, path, new)
    try:
        done = edit(Text(document))
    except UsageError:
        return
    assert is_right(done.value), done.document.text
    again = parse_text("x.yaml", done.document.text)
    assert equal(again.value, done.value)
    assert not errors_in(again), done.document.text


FILES = ("a: 1\nb: [1, {a: 2}]\n", "- a: x\n  b:\n- [1]\n", "a:\n  b:\n    - 1\nb: {}\n", '{"a": {"b": [1]}}')


@settings(max_examples=300)
@given(
    st.lists(st.one_of(st.sampled_from(("a", "b", "zz")), st.integers(0, 3)), min_size=1, max_size=4).map(tuple),
    st.sampled_from(FILES),
    st.sampled_from(VALUES + NESTED),
)
def test_whatever_the_path_an_edit_is_right_or_refused(path: Path, text: str, new: Any) -> None:
    document = parse_text("x.yaml", text)
    before = found(document.value, path)
    for edit, wanted in (
        (lambda text: text.set(path, new), new),
        (lambda text: text.append(path, new), [*(before if isinstance(before, list) else []), new]),
    ):
        try:
            done = edit(Text(document))
        except UsageError:
            continue
        assert not errors_in(parse_text("x.yaml", done.document.text))
        assert equal(found(done.value, path), wanted)
        assert equal(done.value, with_set(document.value, path, wanted))


def found(value: Any, path: Path) -> Any:
    """What stands at a path; a text of its own where nothing does."""
    try:
        return at(value, path)
    except (KeyError, IndexError, TypeError):
        return "nothing"


@pytest.mark.parametrize("path", [(), ("a",), ("zz",)])
@pytest.mark.parametrize("text", ["a: 1\n", "a: x\nb: *y\n", "{}\n"])
def test_an_item_for_what_is_no_list_is_refused_or_makes_one(text: str, path: Path) -> None:
    document = parse_text("x.yaml", text)
    try:
        done = Text(document).append(path, 1)
    except UsageError:
        return
    assert equal(done.value, with_set(document.value, path, [1]))


@pytest.mark.parametrize("path", [("zz",), ("a", "zz"), ("b", 5), ("a", "k", "deep"), ("zz", "zz")])
def test_to_delete_what_is_not_there_is_refused(path: Path) -> None:
    with pytest.raises(UsageError):
        Text(parse_text("x.yaml", "a: {k: 1}\nb: [1]\n")).delete(path)


@pytest.mark.parametrize(("path", "left"), [(("a", 1), "  x, # c\n"), (("a", 0), "  y,\n")])
def test_an_item_of_a_list_over_several_lines_goes_with_its_line(path: Path, left: str) -> None:
    edit = Text(parse_text("x.yaml", "a: [\n  x, # c\n  y,\n]\nb: 1\n")).delete(path)
    assert parse_text("x.yaml", edit.document.text).value == {"a": ["y" if path[1] == 0 else "x"], "b": 1}
    assert left in edit.document.text
