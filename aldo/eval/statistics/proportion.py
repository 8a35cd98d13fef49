"""An interval, and the one of a proportion."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import Literal

from aldo.eval.statistics.distributions import two_sided

Method = Literal["wilson", "tango", "bca bootstrap", "widest variance", "unseen outcomes"]


@dataclass(frozen=True)
class Interval:
    """A confidence interval, in the unit of what it is of, and how it was made.

    Methods: `wilson` (`wilson`), `tango` (`paired_binary`), and `bca bootstrap`, `widest variance` and
    `unseen outcomes` (`mean_interval` says when).
    """

    low: float
    high: float
    level: float
    method: Method


def wilson(successes: int, n: int, level: float = 0.95) -> Interval | None:
    """Wilson's score interval of a proportion, without continuity correction; None where n is 0.

    Its low end is exactly 0 where nothing succeeded, its high end exactly 1 where everything did. Raises
    ValueError unless 0 <= successes <= n and 0 < level < 1.

    Source: Wilson, JASA 22 (1927) 209-212; method 3 of Newcombe, Statistics in Medicine 17 (1998) 857-872.
    """
    if not 0 <= successes <= n:
        raise ValueError(f"{successes} successes in {n} cases")
    z = two_sided(level)
    if not n:
        return None
    low, high = score_ends((2 * successes - n) / n, n, z)
    return Interval(min((1 + low) / 2, successes / n), max((1 + high) / 2, successes / n), level, "wilson")


def score_ends(mean: float, n: float, z: float) -> tuple[float, float]:
    """The ends of Wilson's interval on the scale from -1, no success, to 1, all; n need not be a whole number.

    On this scale exchanging success and failure mirrors it to the last bit.
    """
    half = z * sqrt((1 - mean * mean) / n + z * z / (n * n))
    low, high = ((mean + sign * half) / (1 + z * z / n) for sign in (-1, 1))
    return (max(min(low, mean), -1.0) if mean > -1 else -1.0), (min(max(high, mean), 1.0) if mean < 1 else 1.0)
