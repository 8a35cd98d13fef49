"""The statistics of an evaluation against worked examples that were published."""

from __future__ import annotations

from math import ceil

import pytest

from aldo.eval.statistics import (
    agreement,
    holm,
    minimum_detectable_effect,
    paired_binary,
    paired_scores,
    quantiles,
    wilson,
)
from tests.eval.support import models


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_is_method_3_of_newcombe_1998_table_1(successes, n, low, high):
    """Newcombe, Statistics in Medicine 17 (1998) 857-872."""
    interval = wilson(successes, n)
    assert (round(interval.low, 4), round(interval.high, 4)) == (low, high)


@pytest.mark.parametrize(
    ("counts", "level", "low", "high"),
    [
        ((4, 9, 3, 16), 0.95, -0.027, 0.390),  # Tango, Statistics in Medicine 17 (1998) 891-908, soft lenses
        ((43, 0, 1, 0), 0.90, -0.096, 0.037),  # the same, lens disinfection
        ((53, 16, 8, 9), 0.95, -0.020, 0.207),  # Agresti and Min, Statistics in Medicine 24 (2005) 729-740, cross-over
        ((1, 1, 7, 12), 0.95, -0.517, -0.026),  # Fagerland et al., Statistics in Medicine 33 (2014) 2850-2875, airways
        ((59, 6, 16, 80), 0.95, -0.1240, -0.0054),  # the same authors' R package contingencytables, Cavo et al. 2012
        ((8, 3, 1, 2), 0.95, -0.1670, 0.4327),  # Tang et al., Statistical Methods in Medical Research 21 (2012) 361-378
        ((7, 25, 2, 68), 0.95, 0.139, 0.321),  # Chang et al., Journal of Applied Statistics 51 (2024) 139-152
    ],
)
def test_the_interval_of_a_paired_difference_is_tangos(counts, level, low, high):
    interval = paired_binary(*models(*counts), level=level).interval
    assert (interval.low, interval.high) == pytest.approx((low, high), abs=1e-3 if round(low, 3) == low else 1e-4)
    assert interval.method == "tango"


@pytest.mark.parametrize(
    ("counts", "p_value"),
    [
        ((1, 1, 7, 12), 0.0703125),  # Fagerland et al., BMC Medical Research Methodology 13:91 (2013), table 1: 18/256
        ((59, 6, 16, 80), 0.052479),  # the same, in the tests of contingencytables
        ((14, 3, 13, 38), 0.021271),  # 16 flips, 3 of them one way: 2·697/65536
        ((53, 8, 8, 9), 1.0),
    ],
)
def test_the_p_value_is_mcnemars_exact_one(counts, p_value):
    result = paired_binary(*models(*counts))
    assert result.p_value == pytest.approx(p_value, abs=5e-7)
    assert (result.both, result.only_a, result.only_b, result.neither) == counts


def test_the_prime_ministers_approval_of_agresti():
    """Agresti, An Introduction to Categorical Data Analysis (1996) §9.1: 944 and 880 of 1600, kappa 0.70, z² 17.36.

    The kappa of four places is in UCLA's SAS examples of that chapter.
    """
    result = paired_binary(*models(794, 150, 86, 570))
    assert (result.mean_a, result.mean_b, result.difference) == pytest.approx((0.59, 0.55, 0.04))
    assert result.p_value == pytest.approx(3.1e-5, rel=0.2)  # the asymptotic one, 3.099e-5
    assert (result.interval.low, result.interval.high) == pytest.approx((0.021, 0.059), abs=1e-3)  # Wald's
    assert result.agreement.rate == pytest.approx(1364 / 1600)
    assert result.agreement.kappa == pytest.approx(0.6996, abs=5e-5)


def test_the_kappa_of_two_readers_of_fifty_grant_proposals():
    """20 both for, 5 and 10 split, 15 both against: 0.7 observed, 0.5 by chance, kappa 0.4, the usual textbook table."""
    result = agreement(*models(20, 5, 10, 15))
    assert (result.rate, result.kappa) == pytest.approx((0.7, 0.4))


# Of fifteen pairs of maize, the height of the crossed plant less that of the self-fertilised one, in eighths of an inch.
DARWIN = (49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48)


def test_the_sign_flips_are_fishers_of_darwins_maize():
    """Fisher, The Design of Experiments (1935) §21: in 1726 of 32 768 the sum is as large either way, 5.267 %."""
    crossed = {str(pair): max(eighths, 0) / 128 for pair, eighths in enumerate(DARWIN)}
    selfed = {str(pair): max(-eighths, 0) / 128 for pair, eighths in enumerate(DARWIN)}
    result = paired_scores(crossed, selfed, seed=1)
    assert (result.p_value, result.test) == (1726 / 32768, "exact sign flip")
    assert result.difference == pytest.approx(sum(DARWIN) / 15 / 128)
    # His paired t-test of them: 20.933 ± 2.145·9.746 eighths. The bootstrap sees the skewness too.
    assert result.interval.low * 128 == pytest.approx(0.03, abs=8)
    assert result.interval.high * 128 == pytest.approx(41.84, abs=5)


@pytest.mark.parametrize(
    ("raw", "adjusted"),
    [
        # The manual of pingouin, `holm`.
        ([0.50, 0.003, 0.32, 0.054, 0.0003], [0.64, 0.012, 0.64, 0.162, 0.0015]),
        # The manual of stdlib, `padjust`.
        ([0.319, 0.201, 0.4, 0.374, 0.113], [0.957, 0.804, 0.957, 0.957, 0.565]),
        # Holm's definition by hand: 5·0.01, 4·0.02, 3·0.03, then 2·0.04 and 1·0.05 held at 0.09, as R's p.adjust does.
        ([0.01, 0.02, 0.03, 0.04, 0.05], [0.05, 0.08, 0.09, 0.09, 0.09]),
    ],
)
def test_holm_adjusts_as_documented(raw, adjusted):
    assert holm(raw) == pytest.approx(adjusted)


@pytest.mark.parametrize(
    ("one_way", "other_way", "n"),
    [
        (0.45, 0.05, 23),  # Connor, Biometrics 43 (1987), page 209, as powerandsamplesize.com works it out
        (0.20, 0.50, 59),  # Chow, Shao and Wang, Sample Size Calculations in Clinical Research (2003), example 6.4.3
    ],
)
def test_the_detectable_difference_is_connors_sample_size_read_backwards(one_way, other_way, n):
    enough = minimum_detectable_effect(n, discordance=one_way + other_way)
    too_few = minimum_detectable_effect(n - 1, discordance=one_way + other_way)
    assert enough <= abs(one_way - other_way) < too_few


def test_the_detectable_mean_is_blooms_multiple_of_the_standard_error():
    """Bloom, Evaluation Review 19 (1995) 547-556, table 1: 2.80 standard errors for 0.05 two-sided and 80 %."""
    assert minimum_detectable_effect(10_001, sd=1.0) * 10_001**0.5 == pytest.approx(2.80, abs=0.005)
    assert ceil((2.8015 / 0.5) ** 2) == 32  # with z alone 32 pairs detect half a standard deviation
    assert minimum_detectable_effect(32, sd=1.0) > 0.5 > minimum_detectable_effect(34, sd=1.0)  # t asks for 34


def test_quantiles_are_type_7_of_hyndman_and_fan():
    """What R's `quantile(1:10)` and numpy give by default."""
    assert quantiles(range(1, 11), (0, 0.25, 0.5, 0.75, 0.95, 1)) == pytest.approx((1, 3.25, 5.5, 7.75, 9.55, 10))
    assert quantiles([3.0]) == (3.0, 3.0)
    assert quantiles([]) is None
