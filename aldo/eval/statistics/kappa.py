"""How often two models agree, and how much more often than by chance."""

from __future__ import annotations

from dataclasses import dataclass

from aldo.eval.statistics.cases import LeftOut, Pairs, Scores, paired


@dataclass(frozen=True)
class Agreement:
    """The share of cases that both models solve or both fail, and Cohen's kappa.

    `rate` is None without cases. `kappa` is None where chance alone would give full agreement, that is where both
    models solve all cases or both fail all: 0/0, and neither 0 nor 1 would be true.
    """

    n: int
    rate: float | None
    kappa: float | None
    left_out: LeftOut


def agreement(a: Scores, b: Scores) -> Agreement:
    """Of two models' binary outcomes. Raises ValueError for a score that is neither 0 nor 1.

    Source: Cohen, Educational and Psychological Measurement 20 (1960) 37-46.
    """
    pairs = paired(a, b)
    return agreement_of(outcomes(pairs), pairs.left_out)


@dataclass(frozen=True)
class Outcomes:
    """Pairs of binary outcomes, counted."""

    both: int
    only_a: int
    only_b: int
    neither: int

    @property
    def n(self) -> int:
        return self.both + self.only_a + self.only_b + self.neither


def outcomes(pairs: Pairs) -> Outcomes:
    """Raises ValueError for a score that is neither 0 nor 1."""
    counts = {(1.0, 1.0): 0, (1.0, 0.0): 0, (0.0, 1.0): 0, (0.0, 0.0): 0}
    for case, pair in zip(pairs.cases, zip(pairs.a, pairs.b, strict=True), strict=True):
        if pair not in counts:
            raise ValueError(f"the scores of case {case!r} are {pair[0]} and {pair[1]}; binary ones are 0 or 1")
        counts[pair] += 1
    return Outcomes(*counts.values())


def agreement_of(counts: Outcomes, left_out: LeftOut) -> Agreement:
    n, alike = counts.n, counts.both + counts.neither
    if not n:
        return Agreement(0, None, None, left_out)
    yes_a, yes_b = counts.both + counts.only_a, counts.both + counts.only_b
    by_chance = yes_a * yes_b + (n - yes_a) * (n - yes_b)  # of n²
    kappa = (alike * n - by_chance) / (n * n - by_chance) if by_chance < n * n else None
    return Agreement(n, alike / n, kappa, left_out)
