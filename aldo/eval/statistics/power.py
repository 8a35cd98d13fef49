"""What so many cases could have shown."""

from __future__ import annotations

from math import sqrt
from typing import overload

from aldo.eval.statistics.distributions import normal_quantile, student_quantile


@overload
def minimum_detectable_effect(
    n: int, *, discordance: float, power: float = 0.8, alpha: float = 0.05
) -> float | None: ...
@overload
def minimum_detectable_effect(n: int, *, sd: float, power: float = 0.8, alpha: float = 0.05) -> float | None: ...
def minimum_detectable_effect(
    n: int,
    *,
    discordance: float | None = None,
    sd: float | None = None,
    power: float = 0.8,
    alpha: float = 0.05,
) -> float | None:
    """The smallest difference of two models that n paired cases show with this power, tested two-sidedly at alpha.

    Of binary outcomes, from `discordance`, the share of cases that only one of the models solves: the difference of
    rates, or None where even flips in one direction only would be too few. Of scores, from `sd`, the standard
    deviation of the differences: the difference of means, or None below two cases. Both are assumptions about the
    cases to come; with the observed ones they tell what this evaluation could have seen, not how sure it is. Where
    cases share sources, n is better the number of sources.

    Raises ValueError unless exactly one of them is given, discordance lies in [0, 1], sd is not negative, and
    0 < alpha < 1 and alpha/2 < power < 1.

    Sources: Connor, Biometrics 43 (1987) 207-211, solved for the difference; it is of McNemar's test without
    correction, and the exact test needs somewhat more. Bloom, Evaluation Review 19 (1995) 547-556.
    """
    if (discordance is None) == (sd is None) or n < 0:
        raise ValueError("a number of cases and either discordance or sd")
    if not (0 < alpha < 1 and alpha / 2 < power < 1):
        raise ValueError(f"no test at {alpha} has a power of {power}")
    if discordance is not None:
        return _of_rates(n, discordance, normal_quantile(1 - alpha / 2), normal_quantile(power))
    assert sd is not None
    return _of_means(n, sd, power, alpha)


def _of_rates(n: int, discordance: float, z_alpha: float, z_power: float) -> float | None:
    """Connor: n·δ² = (z_α·√ψ + z_β·√(ψ - δ²))², a quadratic equation in x = δ/√ψ."""
    if not 0 <= discordance <= 1:
        raise ValueError(f"a discordance is a share, not {discordance}")
    if n < z_alpha * z_alpha:
        return None
    inner = n + z_power * z_power - z_alpha * z_alpha
    x = (sqrt(n) * z_alpha + z_power * sqrt(inner)) / (n + z_power * z_power)
    return sqrt(discordance) * x if x <= sqrt(discordance) else None


def _of_means(n: int, sd: float, power: float, alpha: float) -> float | None:
    """Bloom: so many standard errors as the two quantiles of Student's t together."""
    if sd < 0:
        raise ValueError(f"a standard deviation is not negative, as {sd} is")
    if n < 2:
        return None
    return (student_quantile(1 - alpha / 2, n - 1) + student_quantile(power, n - 1)) * sd / sqrt(n)
