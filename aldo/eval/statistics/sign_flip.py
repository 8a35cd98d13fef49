"""The test that asks whether two models could be exchanged: each difference keeps or changes its sign."""

from __future__ import annotations

from math import fsum
from typing import TYPE_CHECKING, Literal

from aldo._lazy import lazy_module
from aldo.eval.statistics.cases import Units

if TYPE_CHECKING:
    import numpy as np
else:  # the extra `eval` may be missing, and its help is asked for
    np = lazy_module("numpy")

_EXACT_UP_TO = 20  # a million sums
_AT_ONCE = 2_000_000

Exactness = Literal["exact", "sampled"]


def sign_flip(units: Units, seed: int, resamples: int) -> tuple[float, Exactness]:
    """The two-sided p-value of the sum of differences, where all of a unit's change sign together.

    Up to 20 units that are not 0, over all changes of sign; with more, over so many drawn ones, the observed one
    counted among them, so that it is never 0.

    Sources: Fisher, The Design of Experiments (1935) §21; Phipson and Smyth, Statistical Applications in
    Genetics and Molecular Biology 9 (2010) article 39 for the drawn ones.
    """
    totals = np.array(sorted(abs(total) for total, _ in units.members if total), dtype=np.float64)
    observed = abs(fsum(total for total, _ in units.members)) - 1e-10 * float(totals.sum())
    if len(totals) <= _EXACT_UP_TO:
        sums = np.zeros(1)
        for total in totals:
            sums = np.concatenate((sums - total, sums + total))
        return float(np.mean(abs(sums) >= observed)), "exact"
    random, hits = np.random.default_rng(seed), 0
    rows = max(1, _AT_ONCE // len(totals))
    for start in range(0, resamples, rows):
        signs = random.integers(0, 2, (min(rows, resamples - start), len(totals))) * 2 - 1
        hits += int(np.count_nonzero(abs(signs @ totals) >= observed))
    return (hits + 1) / (resamples + 1), "sampled"
