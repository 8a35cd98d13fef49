"""How often the 95 % intervals hold the truth: exactly where all outcomes can be listed, else by simulation."""

from __future__ import annotations

from math import comb

import numpy as np
import pytest

from aldo.eval.statistics import mean_interval, paired_binary, paired_scores, wilson
from tests.eval.support import by_case, models


def holds(interval, truth: float) -> bool:
    return interval.low <= truth <= interval.high


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_wilson_covers_for_30_to_60_cases(p):
    """Exactly. It swings with n around 95 %, as every interval of a proportion does: 91.98 % at 39 cases and 0.1."""
    covers = [
        sum(comb(n, k) * p**k * (1 - p) ** (n - k) for k in range(n + 1) if holds(wilson(k, n), p))
        for n in range(30, 61)
    ]
    assert min(covers) > 0.919
    assert max(covers) < 0.98
    assert 0.94 < sum(covers) / len(covers) < 0.96


def tango_coverage(n: int, up: float, down: float) -> float:
    """Exactly: over all numbers of flips."""
    covers, same = 0.0, 1 - up - down
    for only_a in range(n + 1):
        for only_b in range(n + 1 - only_a):
            chance = (
                comb(n, only_a) * comb(n - only_a, only_b) * up**only_a * down**only_b * same ** (n - only_a - only_b)
            )
            if chance > 1e-7 and holds(
                paired_binary(*models(0, only_a, only_b, n - only_a - only_b)).interval, up - down
            ):
                covers += chance
    return covers


@pytest.mark.parametrize(("n", "up", "down"), [(30, 0.1, 0.1), (30, 0.3, 0.1), (45, 0.1, 0.05), (60, 0.2, 0.02)])
def test_tango_covers_for_30_to_60_pairs(n, up, down):
    assert 0.92 < tango_coverage(n, up, down) < 0.98


@pytest.mark.heavy
@pytest.mark.parametrize("n", [30, 40, 50, 60])
@pytest.mark.parametrize(
    ("up", "down"), [(0.1, 0.1), (0.2, 0.2), (0.3, 0.3), (0.1, 0.05), (0.2, 0.1), (0.3, 0.1), (0.2, 0.02)]
)
def test_tango_covers_wherever_models_flip(n, up, down):
    assert 0.92 < tango_coverage(n, up, down) < 0.98


SCORES = {
    "even": (lambda random, n: random.random(n), 0.5),
    "high": (lambda random, n: random.beta(8, 2, n), 0.8),
    "at the ends": (lambda random, n: random.beta(0.5, 0.5, n), 0.5),
    "mostly full": (lambda random, n: np.where(random.random(n) < 0.8, 1.0, random.random(n)), 0.9),
    "three repeats": (lambda random, n: random.binomial(3, 0.85, n) / 3, 0.85),
}


def mean_coverage(scores: str, n: int, trials: int) -> float:
    draw, truth = SCORES[scores]
    random = np.random.default_rng(20)
    drawn = (mean_interval(by_case(draw(random, n)), seed=trial, resamples=1000) for trial in range(trials))
    return sum(holds(interval, truth) for interval in drawn) / trials


@pytest.mark.parametrize("scores", ["high", "mostly full"])
def test_the_bootstrap_covers_for_40_cases(scores):
    assert 0.92 <= mean_coverage(scores, 40, 1000) <= 0.98


@pytest.mark.heavy
@pytest.mark.parametrize("n", [30, 60])
@pytest.mark.parametrize("scores", SCORES)
def test_the_bootstrap_covers_for_30_to_60_cases(scores, n):
    assert 0.92 <= mean_coverage(scores, n, 2000) <= 0.98


@pytest.mark.heavy
@pytest.mark.parametrize("n", [3, 5, 7, 8, 12])
@pytest.mark.parametrize("scores", SCORES)
def test_few_cases_are_covered_too(scores, n):
    """Below 8 cases the interval is wide on purpose; from 8 on, skewed scores cost some points."""
    assert mean_coverage(scores, n, 2000) > (0.92 if n < 8 else 0.89)


def paired_coverage(n: int, trials: int, sources: int | None = None) -> tuple[float, float]:
    """Of the difference's interval; and how often the test at 0.05 sees a difference where there is none."""
    random, held, alarms = np.random.default_rng(30), 0, 0
    for trial in range(trials):
        source = np.arange(n) % (sources or n)
        ease = random.beta(4, 1, sources or n)[source]  # cases, or all cases of a source, are easy or hard
        one, other = (np.clip(ease + leaning, 0, 1) for leaning in random.normal(0, 0.3, (2, sources or n))[:, source])
        one, other = (np.round(4 * random.beta(0.2 + 5 * p, 0.2 + 5 * (1 - p))) / 4 for p in (one, other))
        clusters = by_case(source) if sources else None
        result = paired_scores(
            by_case(one),
            by_case(other),
            seed=trial,
            resamples=1000,
            clusters=clusters and {k: str(v) for k, v in clusters.items()},
        )
        held += holds(result.interval, 0.0)
        alarms += result.p_value <= 0.05
    return held / trials, alarms / trials


def test_the_paired_bootstrap_covers_and_the_sign_flips_keep_their_level():
    covers, alarms = paired_coverage(40, 1000)
    assert 0.92 <= covers <= 0.98
    assert 0.03 <= alarms <= 0.07


@pytest.mark.heavy
@pytest.mark.parametrize("n", [30, 60])
def test_the_paired_bootstrap_covers_for_30_to_60_pairs(n):
    covers, alarms = paired_coverage(n, 2000)
    assert 0.92 <= covers <= 0.98
    assert 0.02 <= alarms <= 0.065  # ties keep it below 0.05


@pytest.mark.heavy
def test_cases_of_one_source_are_covered_when_they_are_drawn_together():
    covers, alarms = paired_coverage(120, 1000, sources=30)
    assert 0.92 <= covers <= 0.98
    assert 0.03 <= alarms <= 0.07
