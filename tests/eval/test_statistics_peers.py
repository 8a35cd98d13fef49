"""The statistics of an evaluation against other ways to the same numbers: enumeration, other formulas, scipy."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from math import comb, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from aldo.eval.statistics import (
    agreement,
    holm,
    mean_interval,
    minimum_detectable_effect,
    paired_binary,
    paired_scores,
    quantiles,
    wilson,
)
from aldo.eval.statistics.bootstrap import bootstrap_ends
from aldo.eval.statistics.cases import units
from tests.eval.support import Z, by_case, models, newcombe_10, wilson_roots

SMALL = st.integers(0, 12)
TABLES = st.tuples(SMALL, SMALL, SMALL, SMALL).filter(any)


@given(st.integers(1, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_solves_the_score_equation(case):
    interval = wilson(*case)
    assert (interval.low, interval.high) == pytest.approx(wilson_roots(*case), abs=1e-9)
    scipys = stats.binomtest(*case).proportion_ci(method="wilson")
    assert (interval.low, interval.high) == pytest.approx((scipys.low, scipys.high), abs=1e-9)


@given(TABLES)
def test_mcnemar_is_the_share_of_coin_sequences_at_least_as_lopsided(table):
    _, only_a, only_b, _ = table
    flips = only_a + only_b
    lopsided = [heads for heads in range(flips + 1) if abs(2 * heads - flips) >= abs(only_a - only_b)]
    exact = Fraction(sum(comb(flips, heads) for heads in lopsided), 2**flips)
    assert paired_binary(*models(*table)).p_value == pytest.approx(float(exact), rel=1e-12)


@given(TABLES)
def test_tangos_ends_are_just_not_rejected(table):
    """The likeliest table under the difference is searched, where the code has it from a quadratic equation."""
    _, only_a, only_b, _ = table
    n, interval = sum(table), paired_binary(*models(*table)).interval

    def score(difference: float) -> float:
        least, most = max(0.0, -difference), (1 - difference) / 2  # of the chance that only b solves a case
        log = [(only_a, difference), (only_b, 0.0)]
        for _ in range(200):  # the log-likelihood has one summit
            third = (most - least) / 3

            def height(q: float) -> float:
                parts = [k * np.log(max(q + d, 1e-300)) for k, d in log if k]
                same = n - only_a - only_b
                return sum(parts) + (same * np.log(max(1 - 2 * q - difference, 1e-300)) if same else 0.0)

            if height(least + third) < height(most - third):
                least += third
            else:
                most -= third
        q = (least + most) / 2
        return (only_a - only_b - n * difference) / sqrt(max(n * (2 * q + difference - difference**2), 1e-300))

    for end, wanted in ((interval.low, Z), (interval.high, -Z)):
        if abs(end) < 1:
            assert score(end) == pytest.approx(wanted, abs=1e-3)


def test_newcombes_method_10_as_published_and_tangos_interval_are_neighbours():
    """Newcombe, Statistics in Medicine 17 (1998) 2635-2650, table III; Tango's letter (18, 1999) compares the two."""
    published = [
        (36, 12, 2, 0, 0.0569, 0.3404), (20, 12, 2, 16, 0.0562, 0.3292), (18, 12, 2, 18, 0.0562, 0.3290),
        (36, 14, 0, 0, 0.1528, 0.4167), (35, 14, 0, 1, 0.1461, 0.4175), (18, 14, 0, 18, 0.1441, 0.3963),
        (2, 97, 1, 0, 0.8721, 0.9854), (1, 97, 1, 1, 0.8736, 0.9850), (0, 29, 1, 0, 0.6666, 0.9882),
        (2, 98, 0, 0, 0.9178, 0.9945), (1, 98, 0, 1, 0.9171, 0.9916), (0, 30, 0, 0, 0.8395, 1.0),
        (54, 0, 0, 0, -0.0664, 0.0664), (53, 0, 0, 1, -0.0729, 0.0729), (30, 0, 0, 24, -0.0358, 0.0358),
    ]  # fmt: skip
    for *table, low, high in published:
        assert newcombe_10(*table) == pytest.approx((low, high), abs=1e-4)
        interval = paired_binary(*models(*table)).interval
        assert (interval.low, interval.high) == pytest.approx((low, high), abs=0.07)


@given(st.lists(st.integers(-6, 6), min_size=1, max_size=9))
def test_the_sign_flip_p_value_is_the_share_of_all_flips(sixths):
    exact = [sum(s * d for s, d in zip(signs, sixths, strict=True)) for signs in product((-1, 1), repeat=len(sixths))]
    share = sum(abs(total) >= abs(sum(sixths)) for total in exact) / len(exact)
    a = {str(i): max(d, 0) / 6 for i, d in enumerate(sixths)}
    b = {str(i): max(-d, 0) / 6 for i, d in enumerate(sixths)}
    assert paired_scores(a, b, seed=0).p_value == share


@pytest.mark.parametrize("shift", [0.0, 0.05, 0.1])
def test_drawn_sign_flips_come_close_to_all_of_them(shift):
    """Forty differences of whole tenths: all 2⁴⁰ sums, by convolution."""
    tenths = np.random.default_rng(5).integers(-3, 4, 40) + round(shift * 10)
    ways = {0: 1}
    for d in tenths:
        step: dict[int, int] = {}
        for total, count in ways.items():
            for sign in (-1, 1):
                step[total + sign * int(d)] = step.get(total + sign * int(d), 0) + count
        ways = step
    exact = sum(count for total, count in ways.items() if abs(total) >= abs(tenths.sum())) / 2**40
    a = {str(i): max(int(d), 0) / 10 for i, d in enumerate(tenths)}
    b = {str(i): max(-int(d), 0) / 10 for i, d in enumerate(tenths)}
    result = paired_scores(a, b, seed=3, resamples=20_000)
    assert result.test == "sampled sign flip"
    assert result.p_value == pytest.approx(exact, abs=4 * sqrt(exact * (1 - exact) / 20_000) + 1e-4)


@pytest.mark.parametrize("n", [8, 20, 60])
def test_the_bootstrap_is_scipys_bca_at_hesterbergs_wider_level(n):
    """Skewed scores with ties, so that bias and acceleration both count; eighths, so that scipy sees the ties."""
    values = np.round(8 * np.random.default_rng(2).beta(3, 0.5, n)) / 8
    wider = 2 * stats.norm.cdf(stats.t.ppf(0.975, n - 1) * sqrt(n / (n - 1))) - 1
    interval = mean_interval(by_case(values), seed=1, resamples=40_000)
    scipys = stats.bootstrap((values,), np.mean, confidence_level=wider, n_resamples=40_000, rng=3).confidence_interval
    assert (interval.low, interval.high) == pytest.approx(
        (scipys.low, scipys.high), abs=0.02 * (scipys.high - scipys.low)
    )


def test_the_bootstrap_of_symmetric_scores_is_students_interval():
    """Hesterberg's expanded quantiles: mean ± t·s/√n, where percentiles alone give about 1.96·s/√n·√((n - 1)/n)."""
    values = np.linspace(0.2, 0.8, 15)
    interval = mean_interval(by_case(values), seed=1, resamples=40_000)
    half = stats.t.ppf(0.975, 14) * values.std(ddof=1) / sqrt(15)
    assert (interval.low, interval.high) == pytest.approx((0.5 - half, 0.5 + half), abs=0.05 * half)


def test_the_cluster_bootstrap_is_as_wide_as_the_cluster_robust_standard_error():
    """Forty sources of five cases each; the sandwich estimator of a mean, Liang and Zeger, Biometrika 73 (1986) 13-22."""
    random = np.random.default_rng(8)
    source = np.repeat(np.arange(40), 5)
    values = np.clip(0.6 + 0.15 * random.standard_normal(40)[source] + 0.05 * random.standard_normal(200), 0, 1)
    scores = by_case(values)
    clusters = {str(i): str(s) for i, s in enumerate(source)}
    sums = np.array([(values[source == s] - values.mean()).sum() for s in range(40)])
    error = sqrt((sums**2).sum()) / 200
    clustered = mean_interval(scores, seed=1, clusters=clusters)
    alone = mean_interval(scores, seed=1)
    assert clustered.high - clustered.low == pytest.approx(2 * 2.02 * error, rel=0.08)
    assert clustered.high - clustered.low > 1.8 * (alone.high - alone.low)


def test_a_cluster_bootstrap_over_all_resamples_has_the_same_quantiles():
    """Three sources: all 27 resamples, each as likely, give means over cases and not over sources."""
    sources = units(
        {"a": 1.0, "b": 0.0, "c": 0.0, "d": 0.5, "e": 0.5, "f": 1.0}, dict.fromkeys("abc", "x") | {"d": "y", "e": "y"}
    )
    assert sources.members == ((1.0, 1), (1.0, 2), (1.0, 3))
    every = [sum(t for t, _ in drawn) / sum(k for _, k in drawn) for drawn in product(sources.members, repeat=3)]
    low, high = bootstrap_ends(sources, 0.95, 7, 5_000)  # t with two degrees of freedom: the outermost resamples
    assert (low, high) == pytest.approx((min(every), max(every)))


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_holm_rejects_what_the_sequential_test_rejects(p_values):
    """Holm's own form: the smallest at α/m, the next at α/(m - 1), until one fails."""
    for alpha in (0.01, 0.05, 0.2):
        rejected = set()
        for rank, place in enumerate(sorted(range(len(p_values)), key=lambda i: p_values[i])):
            if p_values[place] * (len(p_values) - rank) > alpha:
                break
            rejected.add(place)
        assert {i for i, p in enumerate(holm(p_values)) if p <= alpha} == rejected


@given(TABLES)
def test_kappa_is_that_of_the_definition(table):
    result, n = agreement(*models(*table)), sum(table)
    both, only_a, only_b, neither = table
    a, b = Fraction(both + only_a, n), Fraction(both + only_b, n)
    chance = a * b + (1 - a) * (1 - b)
    observed = Fraction(both + neither, n)
    assert result.rate == pytest.approx(float(observed))
    if chance == 1:
        assert result.kappa is None
    else:
        assert result.kappa == pytest.approx(float((observed - chance) / (1 - chance)))


@pytest.mark.parametrize(("n", "discordance"), [(40, 0.5), (60, 0.3), (100, 0.2), (200, 0.3)])
def test_at_connors_difference_mcnemars_tests_have_the_power(n, discordance):
    """All tables enumerated: 80 % for the test without correction, somewhat less for the exact one."""
    difference = minimum_detectable_effect(n, discordance=discordance)
    up = (discordance + difference) / 2 / discordance
    scored = exact = 0.0
    for flips in range(n + 1):
        heads = np.arange(flips + 1)
        chances = stats.binom.pmf(flips, n, discordance) * stats.binom.pmf(heads, flips, up)
        scored += chances[(2 * heads - flips) ** 2 > Z**2 * flips].sum()
        exact += chances[2 * stats.binom.cdf(np.minimum(heads, flips - heads), flips, 0.5) <= 0.05].sum()
    assert scored == pytest.approx(0.8, abs=0.04)
    assert scored - 0.12 < exact < scored


@pytest.mark.parametrize("n", [5, 10, 30, 100])
def test_at_blooms_difference_the_paired_t_test_has_the_power(n):
    """Exactly, by the noncentral t distribution."""
    away = minimum_detectable_effect(n, sd=1.0) * sqrt(n)
    critical = stats.t.ppf(0.975, n - 1)
    assert stats.nct.sf(critical, n - 1, away) == pytest.approx(0.8, abs=0.01)


@given(st.lists(st.floats(0, 1e6), min_size=1), st.floats(0, 1))
def test_quantiles_are_numpys(values, share):
    assert quantiles(values, (share,))[0] == pytest.approx(float(np.quantile(values, share)), rel=1e-9, abs=1e-9)
