"""Tango's score interval of a difference of paired proportions."""

from __future__ import annotations

from math import sqrt

_HALVINGS = 60


def tango_ends(only_a: int, only_b: int, n: int, z: float) -> tuple[float, float]:
    """The ends of the interval of the rate of a less that of b, from the cases that only one of them solves.

    They are the differences that the score test, which for a difference of 0 is McNemar's without correction,
    just does not reject. Exchanging the models mirrors the interval to the last bit.

    Source: Tango, Statistics in Medicine 17 (1998) 891-908, and 18 (1999) 3511-3513, which compares it with
    Newcombe's methods.
    """
    return _low(only_a, only_b, n, z), 0.0 - _low(only_b, only_a, n, z)


def _low(only_a: int, only_b: int, n: int, z: float) -> float:
    """By halving: the score falls as the difference grows."""
    low, high = -1.0, (only_a - only_b) / n
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if _score(middle, only_a, only_b, n) > z:
            low = middle
        else:
            high = middle
    return high


def _score(difference: float, only_a: int, only_b: int, n: int) -> float:
    """How many standard errors the observed difference lies above this one."""
    linear = (2 * n - only_a + only_b) * difference - only_a - only_b
    constant = -only_b * difference * (1 - difference)
    likeliest = (sqrt(max(linear * linear - 8 * n * constant, 0.0)) - linear) / (4 * n)
    variance = n * (2 * likeliest + difference * (1 - difference))
    distance = only_a - only_b - n * difference
    return distance / sqrt(variance) if variance > 0 else float("inf")
