"""A mean score with its interval."""

from __future__ import annotations

from aldo.eval.statistics.bootstrap import bootstrap_ends
from aldo.eval.statistics.cases import Clusters, Scores, Units, scored, units
from aldo.eval.statistics.distributions import two_sided
from aldo.eval.statistics.proportion import Interval, score_ends

RESAMPLES = 10_000
FEWEST_UNITS = 8


def mean_interval(
    scores: Scores,
    *,
    seed: int,
    level: float = 0.95,
    clusters: Clusters | None = None,
    resamples: int = RESAMPLES,
) -> Interval | None:
    """An interval of the mean over cases of scores in [0, 1]; None only where no case has a score.

    A unit is a case, or with `clusters` a source of cases. Its width is never 0, for scores that were seen say
    nothing of how rare an unseen one is:

    - `bca bootstrap` over units, the rule (`bootstrap.bootstrap_ends`).
    - `widest variance` below 8 units, where resampling covers too seldom: Wilson's interval around the mean. A
      variable in [0, 1] with mean μ has a variance of at most μ(1 - μ), that of a proportion. For one case this
      is the interval of one throw.
    - `unseen outcomes` where all units have the same mean c: with n of n units alike, Wilson's low end w = n/(n + z²)
      bounds the share of such units; the others may score anything in [0, 1], so c·w to c·w + 1 - w. Where all
      scores are 1, or all 0, that is `wilson`'s interval.

    Sources of unequal size count as Kish's effective number of units in the last two. Raises ValueError for a
    score outside of [0, 1], a level outside of (0, 1) and fewer than 100 resamples.
    """
    values = scored(scores)
    return bounded_interval(units(values, clusters), 0.0, level, seed, resamples) if values else None


def bounded_interval(units: Units, least: float, level: float, seed: int, resamples: int) -> Interval:
    """The same, of values from `least` to 1."""
    z, mean, middle, reach = two_sided(level), units.mean, (1 + least) / 2, (1 - least) / 2
    averages = [total / size for total, size in units.members]
    if len(averages) < FEWEST_UNITS:
        low, high = (middle + reach * end for end in score_ends((mean - middle) / reach, units.effective, z))
        return Interval(min(low, mean), max(high, mean), level, "widest variance")
    if max(averages) - min(averages) < 1e-12:
        share = units.effective / (units.effective + z * z)
        low, high = (mean * share + end * (1 - share) for end in (least, 1.0))
        return Interval(min(low, mean), min(max(high, mean), 1.0), level, "unseen outcomes")
    low, high = bootstrap_ends(units, level, seed, resamples)
    return Interval(low, high, level, "bca bootstrap")
