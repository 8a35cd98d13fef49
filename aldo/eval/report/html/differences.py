"""Which words of two answers differ."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache

from aldo._lazy import lazy_pattern

MOST_WORDS = 600
"""Of the middle of each answer, without what both begin and end with. Comparing takes time quadratic in words."""

_WORDS = lazy_pattern(r"\s+|\w+|[^\w\s]+", re.UNICODE)


@dataclass(frozen=True)
class Difference:
    """Pieces of two texts in order; True for one that the other text does not have."""

    one: tuple[tuple[bool, str], ...]
    other: tuple[tuple[bool, str], ...]
    whole: bool
    """False where the texts are too long to be compared to their end."""


@lru_cache(maxsize=256)
def word_difference(one: str, other: str) -> Difference:
    """The words of each text that the other lacks. White space alone is no difference."""
    a, b = _pieces(one), _pieces(other)
    start = _alike(a, b)
    end = _alike(a[start:][::-1], b[start:][::-1])
    middle_a, middle_b = a[start : len(a) - end], b[start : len(b) - end]
    whole = max(len(middle_a), len(middle_b)) <= MOST_WORDS
    compared_a, compared_b = middle_a[:MOST_WORDS], middle_b[:MOST_WORDS]
    matcher = SequenceMatcher(None, [word for word, _ in compared_a], [word for word, _ in compared_b], autojunk=False)
    marked_a, marked_b = [False] * len(a), [False] * len(b)
    for tag, a_from, a_to, b_from, b_to in matcher.get_opcodes():
        if tag != "equal":
            marked_a[start + a_from : start + a_to] = [True] * (a_to - a_from)
            marked_b[start + b_from : start + b_to] = [True] * (b_to - b_from)
    return Difference(_runs(a, marked_a), _runs(b, marked_b), whole)


def merged(pieces: Sequence[Sequence[tuple[bool, str]]]) -> tuple[tuple[bool, str], ...]:
    """One text marked wherever any of several comparisons marks it."""
    if len(pieces) == 1:
        return tuple(pieces[0])
    marks: list[bool] = []
    text = "".join(part for _, part in pieces[0])
    for one in pieces:
        marked = [mark for mark, part in one for _ in part]
        marks = [old or new for old, new in zip(marks, marked, strict=True)] if marks else marked
    return _runs([(c, c) for c in text], marks)


def _pieces(text: str) -> list[tuple[str, str]]:
    """Words, or runs of signs, each with the white space after it."""
    found: list[tuple[str, str]] = []
    for piece in _WORDS.findall(text):
        if piece.isspace() and found:
            word, written = found[-1]
            found[-1] = word, written + piece
        else:
            found.append((piece.strip(), piece))
    return found


def _alike(a: Sequence[tuple[str, str]], b: Sequence[tuple[str, str]]) -> int:
    """How many words both begin with."""
    for number, ((one, _), (other, _)) in enumerate(zip(a, b, strict=False)):
        if one != other:
            return number
    return min(len(a), len(b))


def _runs(pieces: Sequence[tuple[str, str]], marks: Sequence[bool]) -> tuple[tuple[bool, str], ...]:
    runs: list[tuple[bool, list[str]]] = []
    for (_, written), mark in zip(pieces, marks, strict=True):
        if not runs or runs[-1][0] != mark:
            runs.append((mark, []))
        runs[-1][1].append(written)
    return tuple((mark, "".join(written)) for mark, written in runs)
