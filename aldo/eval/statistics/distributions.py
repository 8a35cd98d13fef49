"""Normal, Student and binomial, as far as the other modules need them. Only this module knows scipy."""

from __future__ import annotations

from importlib import import_module
from statistics import NormalDist

_NORMAL = NormalDist()


def normal_quantile(probability: float) -> float:
    """The value that a standard normal variable stays below with this probability."""
    return _NORMAL.inv_cdf(probability)


def normal_probability(value: float) -> float:
    """The probability that a standard normal variable stays below this value."""
    return _NORMAL.cdf(value)


def student_quantile(probability: float, freedom: int) -> float:
    """The value that Student's t with so many degrees of freedom stays below with this probability."""
    return float(import_module("scipy.special").stdtrit(freedom, probability))


def coin_probability(heads: int, throws: int) -> float:
    """The probability of at most so many heads when a fair coin is thrown so often."""
    return float(import_module("scipy.special").bdtr(heads, throws, 0.5))


def two_sided(level: float) -> float:
    """The normal quantile of a two-sided interval: 1.96 for 0.95. Raises ValueError outside of (0, 1)."""
    if not 0 < level < 1:
        raise ValueError(f"a confidence level lies between 0 and 1, not {level}")
    return normal_quantile((1 + level) / 2)
