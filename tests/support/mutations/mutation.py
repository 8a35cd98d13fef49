"""What a mutation is: an edit with the code and the line to be found; and how its entry is picked and its words misspelt."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.support.mutations.source import Entry, Source, shipped


@dataclass(frozen=True)
class Broken:
    """A text with one defect: exactly this code is to be found, on this line."""

    text: str
    code: str
    line: int


Mutate = Callable[[Source, random.Random], Broken]


@dataclass(frozen=True)
class Mutation:
    code: str
    name: str
    mutate: Mutate = field(repr=False)
    base: Callable[[], Source] = shipped

    def __str__(self) -> str:
        return f"{self.code}-{self.name}"

    def apply(self, rng: random.Random) -> Broken:
        broken = self.mutate(self.base(), rng)
        assert broken.code == self.code
        return broken


MUTATIONS: list[Mutation] = []


def mutation(code: str, base: Callable[[], Source] = shipped) -> Callable[[Callable[..., tuple[str, int]]], None]:
    def register(function: Callable[..., tuple[str, int]]) -> None:
        def mutate(source: Source, rng: random.Random) -> Broken:
            text, line = function(source, rng)
            return Broken(text, code, line)

        MUTATIONS.append(Mutation(code, function.__name__.strip("_").replace("_", "-"), mutate, base))

    return register


def pick(source: Source, rng: random.Random, *conditions: Callable[[Entry], bool]) -> Entry:
    return rng.choice([entry for entry in source.entries if all(condition(entry) for condition in conditions)])


def in_the_cloud(entry: Entry) -> bool:
    return entry.is_cloud


def not_in_the_cloud(entry: Entry) -> bool:
    return not entry.is_cloud


def free_to_change(entry: Entry) -> bool:
    return entry.is_free_to_change


def has(*fields: str) -> Callable[[Entry], bool]:
    return lambda entry: all(name in entry.value for name in fields)


def lacks(name: str) -> Callable[[Entry], bool]:
    return lambda entry: name not in entry.value


def of_kind(kind: str) -> Callable[[Entry], bool]:
    return lambda entry: entry.value["providerKind"] == kind


def with_typo(word: str, rng: random.Random) -> str:
    """One letter left out, doubled, or swapped with its neighbour; never a digit, never a short piece."""
    while True:
        at = rng.randrange(1, len(word) - 1)
        if not word[at : at + 2].isalpha() or word[at] == word[at + 1] or not word[at - 1].isalpha():
            continue
        changed = rng.choice(
            (
                word[:at] + word[at + 1 :],
                word[:at] + word[at] + word[at:],
                word[:at] + word[at + 1] + word[at] + word[at + 2 :],
            )
        )
        if changed != word:
            return changed


def with_copy(source: Source, entry: Entry, *, field_: str = "", line: str = "") -> tuple[str, int]:
    """The text with a copy of the entry behind it, whose id comes later; one field may differ."""
    copied = list(source.lines[entry.first - 1 : entry.last])
    copied[0] = f"  - id: {entry.id}-zz"
    if field_:
        copied[entry.lines[field_] - entry.first] = line
    return source.with_after(entry.last, *copied), entry.last + 1


def has_comment(entry: Entry) -> bool:
    """Whether a comment inside it ignores a finding about its knobs."""
    return "kvCacheQuantized" in entry.value["providerConfig"].get("extra", {})
