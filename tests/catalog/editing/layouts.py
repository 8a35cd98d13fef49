"""YAML texts laid out by hand, with the place of every value and every comment noted while they are written,
so what an edit may touch is known without a parser.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

from aldo.catalog import parse_text
from aldo.catalog.document import Document

Path = tuple[str | int, ...]
Rng = random.Random
randoms = st.integers(0, 2**32 - 1).map(random.Random)

KEYS = ("a", "id", "b c", "é", "x-y", "k.k", "1a", "zürich", "cost", "$add", "a/b", "it's")

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
