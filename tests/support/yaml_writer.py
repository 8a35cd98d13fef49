"""Random YAML written by hand, with the place of every value noted while it is written.

The writer is an oracle of its own: it knows what it wrote (`value`) and where (`places`), and shares no code
with a parser. It mixes block and flow style, compact nesting, every scalar style, comments, blank lines,
anchors, aliases, explicit tags and explicit keys.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.support.yaml_values import ESCAPES, KEYS, LINES, PLAIN, TAGGED, TEXTS

Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Place:
    """Where a key or a value stands. `start` is where its own text begins, behind anchor and tag."""

    path: Path
    key: bool
    kind: str
    """scalar, block-scalar, flow, block, alias or empty."""
    node_start: int
    start: int
    end: int
    value: Any
    holds_alias: bool


@dataclass
class Writer:
    rng: random.Random
    aliases: bool = True
    tags: bool = True
    parts: list[str] = field(default_factory=list)
    offset: int = 0
    places: list[Place] = field(default_factory=list)
    anchors: list[tuple[str, Any]] = field(default_factory=list)
    count: int = 0
    aliased: int = 0
    kept: bool = False
    """Whether a scalar keeps its trailing lines: then no blank line may be added behind it."""

    @property
    def text(self) -> str:
        return "".join(self.parts)

    def chance(self, share: float) -> bool:
        return self.rng.random() < share

    def put(self, text: str, value: Any = None) -> Any:
        """Write text; gives the value that it stands for."""
        self.parts.append(text)
        self.offset += len(text)
        return value

    def document(self) -> Any:
        """Write one document and give its value, which is a map or a list."""
        if self.chance(0.2):
            self.put(self.rng.choice(("---\n", "# head 😀\n", "\n# c\n\n", "%YAML 1.2\n---\n")))
        write = self.rng.choice((self.block_map, self.block_map, self.block_list, self.flow_map, self.flow_list))
        if write in (self.flow_map, self.flow_list):
            value = self._noted((), "flow", self.offset, lambda: write((), 0, 0))
            self.put("\n")
        else:
            value = self._noted((), "block", self.offset, lambda: write((), 0, 0))
        if self.chance(0.1):
            self.put(self.rng.choice(("...\n", "# tail\n", "\n\n" if not self.kept else "")))
        return value

    def _noted(self, path: Path, kind: str, node_start: int, write: Callable[[], Any], *, key: bool = False) -> Any:
        at, start, aliased = len(self.places), self.offset, self.aliased
        value = write()
        held = kind == "alias" or self.aliased != aliased
        self.places.insert(at, Place(path, key, kind, node_start, start, self.offset, value, held))
        return value

    def block_map(self, path: Path, indent: int, depth: int) -> dict[str, Any]:
        value: dict[str, Any] = {}
        for number, name in enumerate(self.rng.sample(KEYS, self.rng.randint(1, 4))):
            self._lead(indent, first=number == 0)
            explicit = self.chance(0.05)
            if explicit:
                self.put("? ")
            self._key((*path, name), name)
            self.put(("\n" + " " * indent if explicit else self.rng.choice(("", "", " "))) + ":")
            value[name] = self._block_value((*path, name), indent, depth, in_map=not explicit)
        return value

    def block_list(self, path: Path, indent: int, depth: int) -> list[Any]:
        value: list[Any] = []
        for number in range(self.rng.randint(1, 4)):
            self._lead(indent, first=number == 0)
            self.put("-")
            value.append(self._block_value((*path, number), indent, depth, in_map=False))
        return value

    def _lead(self, indent: int, *, first: bool) -> None:
        """The indentation of an item; the first one stands where the collection begins."""
        if not first:
            if self.chance(0.1):
                self.put(self.rng.choice(("" if self.kept else "\n", "# between\n", " " * indent + "# 😀\n")))
            self.put(" " * indent)

    def _key(self, path: Path, name: str) -> None:
        style = self.rng.choice(("", "", "'", '"'))
        self._noted(path, "scalar", self.offset, lambda: self.put(f"{style}{name}{style}", name), key=True)

    def _block_value(self, path: Path, indent: int, depth: int, *, in_map: bool) -> Any:
        roll = self.rng.random()
        if depth < 3 and roll < 0.3:
            return self._nested(path, indent, depth + 1, in_map=in_map)
        if roll < 0.36:
            value = self._noted(path, "empty", self.offset, lambda: None)
            self.put("\n")
            return value
        self.put(" " * self.rng.choice((1, 1, 2)))
        if roll < 0.5:
            return self._block_scalar(path, indent)
        value = self._flow_value(path, indent + 1, depth, flow=False)
        self.put(self.rng.choice(("", "", " ", " # 😀 c: [")) + "\n")
        return value

    def _nested(self, path: Path, indent: int, depth: int, *, in_map: bool) -> Any:
        """A block collection below a key or behind a dash."""
        is_list = self.chance(0.4)
        write = self.block_list if is_list else self.block_map
        if not in_map and self.chance(0.6):
            gap = self.rng.randint(1, 3)
            self.put(" " * gap)
            return self._noted(path, "block", self.offset, lambda: write(path, indent + 1 + gap, depth))
        anchor, node_start = self._anchor(" ")
        self.put(self.rng.choice(("", "", " # c")) + "\n")
        inner = indent if is_list and in_map and self.chance(0.4) else indent + self.rng.randint(1, 4)
        self.put(" " * inner)
        value = self._noted(path, "block", node_start or self.offset, lambda: write(path, inner, depth))
        self._remember(anchor, value)
        return value

    def _anchor(self, lead: str = "") -> tuple[str | None, int | None]:
        if not self.aliases or not self.chance(0.15):
            return None, None
        self.count += 1
        self.put(lead)
        start = self.offset
        self.put(f"&n{self.count}")
        return f"n{self.count}", start

    def _remember(self, anchor: str | None, value: Any) -> None:
        if anchor is not None:
            self.anchors.append((anchor, value))

    def _flow_value(self, path: Path, indent: int, depth: int, *, flow: bool) -> Any:
        """A value on the line: a flow collection, an alias or a scalar."""
        if self.anchors and self.chance(0.2):
            name, value = self.rng.choice(self.anchors)
            self.aliased += 1
            self._noted(path, "alias", self.offset, lambda: self.put(f"*{name}", value))
            if flow:
                self.put(" ")
            return value
        anchor, node_start = self._anchor()
        if anchor is not None:
            self.put(" ")
        node_start = self.offset if node_start is None else node_start
        if depth < 4 and self.chance(0.2):
            write = self.rng.choice((self.flow_list, self.flow_map))
            value = self._noted(path, "flow", node_start, lambda: write(path, indent, depth + 1))
        else:
            text, value = self._scalar(indent, flow=flow)
            self._noted(path, "scalar", node_start, lambda: self.put(text, value))
        self._remember(anchor, value)
        return value

    def flow_list(self, path: Path, indent: int, depth: int) -> list[Any]:
        value: list[Any] = []
        self.put("[" + self._gap(indent))
        for number in range(self.rng.randint(0, 3)):
            self.put("" if number == 0 else "," + self._gap(indent))
            value.append(self._flow_value((*path, number), indent, depth, flow=True))
        self.put(self._gap(indent) + ("," if value and self.chance(0.2) else "") + "]")
        return value

    def flow_map(self, path: Path, indent: int, depth: int) -> dict[str, Any]:
        value: dict[str, Any] = {}
        self.put("{" + self._gap(indent))
        for number, name in enumerate(self.rng.sample(KEYS, self.rng.randint(0, 3))):
            self.put("" if number == 0 else "," + self._gap(indent))
            self._key((*path, name), name)
            self.put(":" + (self._gap(indent) or " "))
            value[name] = self._flow_value((*path, name), indent, depth, flow=True)
        self.put(self._gap(indent) + "}")
        return value

    def _gap(self, indent: int) -> str:
        return self.rng.choice(("", "", " ", "\n" + " " * indent, " # c ]}\n" + " " * indent))

    def _scalar(self, indent: int, *, flow: bool) -> tuple[str, Any]:
        style = self.rng.choice(("plain", "plain", "plain", "single", "double", "folded", "tagged"))
        if style == "plain":
            return self.rng.choice([pair for pair in PLAIN if not flow or pair[0][0] not in "?:-"])
        if style == "tagged" and self.tags:
            return self.rng.choice(TAGGED)
        if style == "folded":
            quote = self.rng.choice(("", "'", '"'))
            return f"{quote}one{self.rng.choice(('', ' '))}\n{' ' * indent}two{quote}", "one two"
        value = "".join(self.rng.choices(TEXTS, k=self.rng.randint(1, 2)))
        if style == "single":
            return "'" + value.replace("'", "''") + "'", value
        return '"' + "".join(self._escaped(letter) for letter in value) + '"', value

    def _escaped(self, letter: str) -> str:
        if letter in '"\\' or (letter in ESCAPES and self.chance(0.5)):
            return ESCAPES[letter]
        return letter

    def _block_scalar(self, path: Path, indent: int) -> str:
        """A literal or folded scalar, clipped, stripped or kept."""
        anchor, node_start = self._anchor()
        if anchor is not None:
            self.put(" ")
        style, chomp = self.rng.choice("|>"), self.rng.choice(("", "-", "+"))
        lines = self.rng.choices(LINES, k=self.rng.randint(1, 3))
        blank = self.rng.randint(0, 2)
        self.kept = self.kept or chomp == "+"
        inner = " " * (indent + self.rng.randint(1, 3))
        text = style + chomp + "\n" + "".join(f"{inner}{line}\n" for line in lines) + "\n" * blank
        value = ("\n" if style == "|" else " ").join(lines)
        value += {"": "\n", "-": "", "+": "\n" * (blank + 1)}[chomp]
        start = self.offset if node_start is None else node_start
        self._noted(path, "block-scalar", start, lambda: self.put(text, value))
        self._remember(anchor, value)
        return value
