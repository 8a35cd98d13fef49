"""Scores by case: repeats averaged, models paired, cases of one source drawn together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import fsum, isfinite

Scores = Mapping[str, float | None]
"""A model's score by case: True and False, or numbers in [0, 1]; None where a case has no score."""

Clusters = Mapping[str, str]
"""The source of a case. Cases without one stand alone."""


@dataclass(frozen=True)
class LeftOut:
    """Cases that could not be paired, by who has no score for them (error, truncated, unparsable, never run)."""

    only_a: int = 0
    """Only model a has no score."""
    only_b: int = 0
    both: int = 0

    @property
    def total(self) -> int:
        return self.only_a + self.only_b + self.both


@dataclass(frozen=True)
class Pairs:
    """What both models have a score for, in the order of the cases' names."""

    cases: tuple[str, ...]
    a: tuple[float, ...]
    b: tuple[float, ...]
    left_out: LeftOut

    def differences(self) -> dict[str, float]:
        """By case, the score of a less that of b."""
        return {case: one - other for case, one, other in zip(self.cases, self.a, self.b, strict=True)}


@dataclass(frozen=True, order=True)
class Units:
    """What is resampled as a whole: a case, or all cases of a source. Sorted, so that no order of cases matters."""

    members: tuple[tuple[float, int], ...]
    """Of each the sum of its values, and how many they are."""

    @property
    def mean(self) -> float:
        """Over cases, not over units."""
        return fsum(total for total, _ in self.members) / sum(size for _, size in self.members)

    @property
    def effective(self) -> float:
        """How many units of equal size would count as much: Kish, Survey Sampling (1965)."""
        sizes = [size for _, size in self.members]
        return float(sum(sizes) ** 2 / sum(size * size for size in sizes))

    def mirrored(self) -> Units:
        """Of the negated values."""
        return Units(tuple(sorted((-total, size) for total, size in self.members)))


def per_case(samples: Iterable[tuple[str, float | None]]) -> dict[str, float | None]:
    """The mean score of each case over its repeats, so that n counts cases and never samples.

    A sample without a score is left out; a case without any scored sample stays, with None.
    """
    scored: dict[str, list[float]] = {}
    for case, score in samples:
        kept = scored.setdefault(case, [])
        if score is not None:
            kept.append(score)
    return {case: fsum(kept) / len(kept) if kept else None for case, kept in scored.items()}


def paired(a: Scores, b: Scores) -> Pairs:
    """The cases that both models have a score for. Raises ValueError for a score outside of [0, 1]."""
    one, other = scored(a), scored(b)
    cases = sorted(one.keys() & other.keys())
    missing_a, missing_b = ((a.keys() | b.keys()) - have.keys() for have in (one, other))
    both = len(missing_a & missing_b)
    left_out = LeftOut(len(missing_a) - both, len(missing_b) - both, both)
    return Pairs(tuple(cases), tuple(one[case] for case in cases), tuple(other[case] for case in cases), left_out)


def scored(scores: Scores) -> dict[str, float]:
    """The cases that have a score. Raises ValueError for one outside of [0, 1]."""
    kept = {case: float(score) for case, score in scores.items() if score is not None}
    for case, score in kept.items():
        if not (isfinite(score) and 0 <= score <= 1):
            raise ValueError(f"the score of case {case!r} is {score}, not a number from 0 to 1")
    return kept


def units(values: Mapping[str, float], clusters: Clusters | None) -> Units:
    """Values by case, gathered by source."""
    gathered: dict[tuple[bool, str], list[float]] = {}
    for case, value in values.items():
        source = (clusters or {}).get(case)
        gathered.setdefault((False, case) if source is None else (True, source), []).append(value)
    return Units(tuple(sorted((fsum(kept), len(kept)) for kept in gathered.values())))
