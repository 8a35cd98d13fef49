"""The text of the shipped catalog in lines, and its entries as another YAML reader sees them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Any

import yaml

from tests.support.cases import MODELS

SHIPPED = MODELS.read_text("utf-8")
_SUPPRESSED_CLASSES = frozenset({"local-reasoning", "reasoning-medium", "embeddings"})
"""Classes with entries whose equality or second rank a comment ignores; see the test of this module's premises."""
_TIERS = ("public", "internal", "sensitive")
_FIELD = re.compile(r"    (\w+):")


@dataclass(frozen=True)
class Entry:
    """An entry of a catalog's text: its value, and its lines (from 1) by field."""

    value: dict[str, Any]
    first: int
    last: int
    lines: dict[str, int]

    @property
    def id(self) -> str:
        return str(self.value["id"])

    @property
    def kind(self) -> str:
        return str(self.value["capabilityClass"])

    @property
    def is_cloud(self) -> bool:
        return bool(self.value["locality"] == "cloud")

    @property
    def embeds(self) -> bool:
        return self.kind == "embeddings"

    @property
    def is_free_to_change(self) -> bool:
        """Whether no comment of the catalog speaks of its rank."""
        return self.is_cloud or self.kind not in _SUPPRESSED_CLASSES

    def covers(self, other: Entry, extra: str = "") -> bool:
        """Whether it could serve whatever the other serves, so that its price alone decides."""
        mine, theirs = self.value, other.value
        return (
            self.kind == other.kind
            and self is not other
            and {*mine["provides"], extra} >= set(theirs["provides"])
            and set(mine["privacyAllowed"]) >= set(theirs["privacyAllowed"])
            and mine["effectiveContextTokens"] >= theirs["effectiveContextTokens"]
            and mine.get("maxOutputTokens", 10**9) >= theirs.get("maxOutputTokens", 10**9)
        )


class Source:
    """The text of a catalog in lines, and its entries as another YAML reader sees them."""

    def __init__(self, text: str) -> None:
        self.lines = text.split("\n")
        starts = [number for number, line in enumerate(self.lines, 1) if line.startswith("  - id:")]
        values = yaml.safe_load(text)["models"]
        assert len(values) == len(starts)
        self.entries = [self._entry(value, start) for value, start in zip(values, starts, strict=True)]

    def _entry(self, value: dict[str, Any], start: int) -> Entry:
        last = start
        while last < len(self.lines) and self.lines[last].startswith("    "):
            last += 1
        fields = {"id": start}
        for number in range(start + 1, last + 1):
            match = _FIELD.match(self.lines[number - 1])
            if match is not None:
                fields[match[1]] = number
        return Entry(value, start, last, fields)

    def with_line(self, number: int, *lines: str) -> str:
        """The text with other lines in place of one."""
        return "\n".join([*self.lines[: number - 1], *lines, *self.lines[number:]])

    def with_after(self, number: int, *lines: str) -> str:
        return self.with_line(number, self.lines[number - 1], *lines)

    def without(self, first: int, last: int) -> str:
        return "\n".join(self.lines[: first - 1] + self.lines[last:])

    def replaced(self, number: int, old: str, new: str) -> str:
        line = self.lines[number - 1]
        assert old in line, (old, line)
        return self.with_line(number, line.replace(old, new, 1))

    def line_with(self, entry: Entry, text: str) -> int:
        """The line of the entry that holds the text."""
        return next(n for n in range(entry.first, entry.last + 1) if text in self.lines[n - 1])

    def never_alone(self, entry: Entry, extra: str = "") -> bool:
        """Whether a change of its rank could make it, or an entry of its class, never the first choice."""
        others = [other for other in self.entries if other.kind == entry.kind and other is not entry]
        return any(entry.covers(other, extra) or other.covers(entry) for other in others)


@cache
def shipped() -> Source:
    return Source(SHIPPED)


@cache
def with_house_tag() -> Source:
    """The shipped catalog in which every entry has a tag of the house, undeclared."""
    text = re.sub(r"(provides:\s+\[)", r"\1house-style, ", SHIPPED)
    return Source(text)
