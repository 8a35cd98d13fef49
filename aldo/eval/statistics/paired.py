"""Two models over the same cases. A difference is always that of model a less model b."""

from __future__ import annotations

from dataclasses import dataclass
from math import fsum
from typing import Literal

from aldo.eval.statistics.cases import Clusters, LeftOut, Pairs, Scores, Units, paired, units
from aldo.eval.statistics.distributions import coin_probability, two_sided
from aldo.eval.statistics.kappa import Agreement, agreement_of, outcomes
from aldo.eval.statistics.means import RESAMPLES, bounded_interval
from aldo.eval.statistics.proportion import Interval
from aldo.eval.statistics.sign_flip import sign_flip
from aldo.eval.statistics.tango import tango_ends

Test = Literal["exact McNemar", "exact sign flip", "sampled sign flip"]


@dataclass(frozen=True)
class Paired:
    """Two models' mean scores over the cases that both have a score for, and their difference.

    `n` counts cases; `sources` what was resampled: n itself, or the number of clusters. Means, difference,
    interval, p-value and test are None where n is 0. The p-value is two-sided.
    """

    n: int
    sources: int
    left_out: LeftOut
    mean_a: float | None
    mean_b: float | None
    difference: float | None
    interval: Interval | None
    p_value: float | None
    test: Test | None


@dataclass(frozen=True)
class PairedBinary(Paired):
    """The same for solved or not, so that means are rates, and who solved what. The flips are `only_a`, `only_b`."""

    both: int
    only_a: int
    only_b: int
    neither: int
    agreement: Agreement


def paired_scores(
    a: Scores,
    b: Scores,
    *,
    seed: int,
    level: float = 0.95,
    clusters: Clusters | None = None,
    resamples: int = RESAMPLES,
) -> Paired:
    """Compare scores in [0, 1], case by case.

    The interval is that of the mean of the differences, which lie in [-1, 1], made as in `mean_interval`: a
    bootstrap over cases, or over the sources that `clusters` names. The p-value is that of the sign-flip test
    (`sign_flip`), where all cases of a source change sign together. Raises ValueError as `mean_interval` does.
    """
    pairs = paired(a, b)
    return _resampled(pairs, _units(pairs, clusters), level, seed, resamples)


def paired_binary(
    a: Scores,
    b: Scores,
    *,
    seed: int | None = None,
    level: float = 0.95,
    clusters: Clusters | None = None,
    resamples: int = RESAMPLES,
) -> PairedBinary:
    """Compare outcomes that are True or False (1 or 0), case by case.

    The interval of the difference of rates is Tango's, the p-value the exact one of McNemar's test: of n flips the
    smaller side at most as many as seen, twice, with a fair coin. The two may disagree at the border: the exact
    test is the more cautious. Where `clusters` puts cases together, both are made as in `paired_scores`, which
    needs a seed. Raises ValueError for other scores, clusters without a seed, a level outside of (0, 1).

    Sources: Tango as in `tango`; McNemar, Psychometrika 12 (1947) 153-157, in its exact form; Fagerland, Lydersen
    and Laake, Statistics in Medicine 33 (2014) 2850-2875 compare them with others.
    """
    if clusters is not None and seed is None:
        raise ValueError("clusters are resampled, which needs a seed")
    pairs = paired(a, b)
    counts, drawn, z = outcomes(pairs), _units(pairs, clusters), two_sided(level)
    if len(drawn.members) < counts.n and seed is not None:
        result = _resampled(pairs, drawn, level, seed, resamples)
    elif counts.n:
        ends = tango_ends(counts.only_a, counts.only_b, counts.n, z)
        result = _compared(pairs, drawn, Interval(*ends, level, "tango"), _mcnemar(counts.only_a, counts.only_b))
    else:
        result = _compared(pairs, drawn, None, (None, None))
    return PairedBinary(
        **vars(result),
        both=counts.both,
        only_a=counts.only_a,
        only_b=counts.only_b,
        neither=counts.neither,
        agreement=agreement_of(counts, pairs.left_out),
    )


def _mcnemar(only_a: int, only_b: int) -> tuple[float, Test]:
    return min(1.0, 2 * coin_probability(min(only_a, only_b), only_a + only_b)), "exact McNemar"


def _units(pairs: Pairs, clusters: Clusters | None) -> Units:
    return units(pairs.differences(), clusters)


def _resampled(pairs: Pairs, drawn: Units, level: float, seed: int, resamples: int) -> Paired:
    two_sided(level)
    if not pairs.cases:
        return _compared(pairs, drawn, None, (None, None))
    p_value, exactness = sign_flip(drawn, seed, resamples)
    test: Test = "exact sign flip" if exactness == "exact" else "sampled sign flip"
    return _compared(pairs, drawn, bounded_interval(drawn, -1.0, level, seed, resamples), (p_value, test))


def _compared(
    pairs: Pairs, drawn: Units, interval: Interval | None, tested: tuple[float, Test] | tuple[None, None]
) -> Paired:
    n, sources = len(pairs.cases), len(drawn.members)
    if not n:
        return Paired(0, 0, pairs.left_out, None, None, None, None, None, None)
    means = fsum(pairs.a) / n, fsum(pairs.b) / n
    return Paired(n, sources, pairs.left_out, *means, drawn.mean, interval, *tested)
