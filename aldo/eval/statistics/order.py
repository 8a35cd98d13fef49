"""Quantiles, for times."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import floor, isfinite


def quantiles(values: Iterable[float], shares: Sequence[float] = (0.5, 0.95)) -> tuple[float, ...] | None:
    """The values that these shares of all lie below, in the values' unit; None where there are no values.

    Between the two nearest of the n sorted values, at place (n - 1)·share counted from 0: type 7, the default of
    R and numpy. It stays within the values seen, so that with few of them a high quantile is close to the largest.
    Raises ValueError for a share outside of [0, 1] and a value that is not finite.

    Source: Hyndman and Fan, The American Statistician 50 (1996) 361-365.
    """
    ordered = sorted(values)
    if not all(isfinite(value) for value in ordered) or not all(0 <= share <= 1 for share in shares):
        raise ValueError("quantiles are of finite values, at shares from 0 to 1")
    return tuple(_at(ordered, (len(ordered) - 1) * share) for share in shares) if ordered else None


def _at(ordered: Sequence[float], place: float) -> float:
    below = floor(place)
    low, high = ordered[below], ordered[min(below + 1, len(ordered) - 1)]
    return min(max(low + (high - low) * (place - below), low), high)
