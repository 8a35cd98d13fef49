"""The bootstrap of a mean over cases, or over sources of cases."""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING

from aldo._lazy import lazy_module
from aldo.eval.statistics.cases import Units
from aldo.eval.statistics.distributions import normal_probability, normal_quantile, student_quantile

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]
else:  # the extra `eval` may be missing, and its help is asked for
    np = lazy_module("numpy")

_AT_ONCE = 2_000_000  # draws held in memory
_TIE = 1e-12


def bootstrap_ends(units: Units, level: float, seed: int, resamples: int) -> tuple[float, float]:
    """The ends of the BCa interval of a mean, at quantiles that Student's t widened for few units.

    Negated values give the negated interval, to the last bit: of a set and its mirror one is resampled.
    Needs two units at least that differ. Raises ValueError for fewer than 100 resamples.

    Sources: Efron, JASA 82 (1987) 171-185; the wider quantiles are the expanded percentiles of Hesterberg,
    The American Statistician 69 (2015) 371-386; a cluster is drawn whole (Davison and Hinkley, Bootstrap
    Methods (1997) §3.8), and the mean of a resample is over its cases.
    """
    if resamples < 100:
        raise ValueError(f"{resamples} resamples are too few for an interval; 100 are the least")
    mirrored = units.mirrored()
    if units > mirrored:
        low, high = bootstrap_ends(mirrored, level, seed, resamples)
        return 0.0 - high, 0.0 - low
    means = _resampled_means(units, seed, resamples)
    low, high = (float(end) for end in np.quantile(means, _quantiles(units, means, level)))
    if units == mirrored:
        low, high = (low - high) / 2, (high - low) / 2
    return min(low, units.mean), max(high, units.mean)


def _resampled_means(units: Units, seed: int, resamples: int) -> Floats:
    totals, sizes = _columns(units)
    count, random = len(totals), np.random.default_rng(seed)
    rows = max(1, _AT_ONCE // count)
    parts = []
    for start in range(0, resamples, rows):
        drawn = random.integers(0, count, (min(rows, resamples - start), count))
        parts.append(totals[drawn].sum(axis=1) / sizes[drawn].sum(axis=1))
    return np.concatenate(parts)


def _columns(units: Units) -> tuple[Floats, Floats]:
    table = np.array(units.members, dtype=np.float64)
    return table[:, 0], table[:, 1]


def _quantiles(units: Units, means: Floats, level: float) -> list[float]:
    """Which quantiles of the resampled means are the ends."""
    count = len(units.members)
    widened = sqrt(count / (count - 1)) * student_quantile((1 + level) / 2, count - 1)
    below = float(np.mean(means < units.mean - _TIE) + np.mean(abs(means - units.mean) <= _TIE) / 2)
    bias = normal_quantile(min(max(below, 0.5 / len(means)), 1 - 0.5 / len(means)))
    acceleration = _acceleration(units)
    ends = []
    for z in (-widened, widened):
        shifted = bias + z
        left = 1 - acceleration * shifted
        ends.append(normal_probability(bias + shifted / left) if left > 0 else float(z > 0))
    return ends


def _acceleration(units: Units) -> float:
    """By the jackknife: Efron and Tibshirani, An Introduction to the Bootstrap (1993), formula 14.15."""
    totals, sizes = _columns(units)
    without = (totals.sum() - totals) / (sizes.sum() - sizes)
    pull = without.mean() - without
    spread = float((pull**2).sum())
    return float((pull**3).sum()) / (6 * spread**1.5) if spread > _TIE**2 else 0.0
