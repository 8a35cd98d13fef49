"""What holds for the statistics of every evaluation. The law is the test's name."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, replace
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aldo.eval.statistics import (
    Interval,
    LeftOut,
    agreement,
    holm,
    mean_interval,
    minimum_detectable_effect,
    paired_binary,
    paired_scores,
    per_case,
    quantiles,
    wilson,
)
from tests.eval.support import by_case, models

SHARES = st.sampled_from([0.0, 0.25, 1 / 3, 0.5, 2 / 3, 0.9, 1.0]) | st.floats(0, 1)
MAYBE = st.none() | SHARES
OUTCOMES = st.none() | st.booleans()
SOURCES = st.sampled_from("uvwxyz")
LEVELS = st.sampled_from([0.8, 0.9, 0.95, 0.99])


def two_models(scores, least: int = 0):
    """Scores and sources of the same cases, a few of them missing from one side altogether."""
    rows = st.lists(st.tuples(scores, scores, SOURCES, st.integers(0, 9)), min_size=least, max_size=40)
    return rows.map(
        lambda rows: (
            {str(i): a for i, (a, _, _, where) in enumerate(rows) if where != 1},
            {str(i): b for i, (_, b, _, where) in enumerate(rows) if where != 2},
            {str(i): source for i, (_, _, source, where) in enumerate(rows) if where != 3},
        )
    )


def mirrored(interval: Interval | None) -> Interval | None:
    return interval and replace(interval, low=-interval.high, high=-interval.low)


def shuffled(mapping, seed):
    items = list(mapping.items())
    Random(seed).shuffle(items)
    return dict(items)


few = settings(max_examples=40)


@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), LEVELS)
def test_wilson_contains_the_estimate_within_0_and_1_and_mirrors_with_the_failures(case, level):
    (successes, n), interval = case, wilson(*case, level)
    assert 0 <= interval.low <= successes / n <= interval.high <= 1
    assert interval.low < interval.high
    other = wilson(n - successes, n, level)
    assert (1 - other.high, 1 - other.low) == pytest.approx((interval.low, interval.high), abs=1e-12)


@given(st.integers(1, 200).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), st.integers(2, 5))
def test_more_cases_of_the_same_rate_never_widen_wilson(case, times):
    one, more = wilson(*case), wilson(case[0] * times, case[1] * times)
    assert more.high - more.low < one.high - one.low


@given(st.integers(1, 10**6))
def test_wilson_ends_exactly_at_0_and_1(n):
    assert wilson(0, n).low == 0.0
    assert wilson(n, n).high == 1.0
    assert wilson(0, 0) is None


@given(st.tuples(*[st.integers(0, 15)] * 4).filter(any), LEVELS)
def test_exchanging_the_models_mirrors_the_binary_comparison(table, level):
    a, b = models(*table)
    one, other = paired_binary(a, b, level=level), paired_binary(b, a, level=level)
    assert other.interval == mirrored(one.interval)
    assert (other.difference, other.p_value, other.agreement) == (-one.difference, one.p_value, one.agreement)
    assert (other.only_a, other.only_b) == (one.only_b, one.only_a)


@given(st.tuples(*[st.integers(0, 15)] * 4).filter(any), LEVELS)
def test_tangos_interval_contains_the_difference_has_a_width_and_stays_possible(table, level):
    result = paired_binary(*models(*table), level=level)
    assert -1 <= result.interval.low <= result.difference <= result.interval.high <= 1
    assert result.interval.low < result.interval.high


@given(st.integers(0, 20), st.integers(0, 20), st.integers(0, 20))
def test_tangos_interval_leaves_0_out_where_mcnemars_test_without_correction_rejects(only_a, only_b, neither):
    flips = only_a + only_b
    if flips and abs((only_a - only_b) ** 2 / flips - 3.8414588) > 1e-6:
        interval = paired_binary(*models(1, only_a, only_b, neither)).interval
        assert (interval.low > 0 or interval.high < 0) == ((only_a - only_b) ** 2 / flips > 3.8414588)


@given(st.tuples(*[st.integers(0, 9)] * 4).filter(any), st.integers(2, 4))
def test_more_cases_of_the_same_outcomes_never_widen_tango(table, times):
    one = paired_binary(*models(*table)).interval
    more = paired_binary(*models(*(count * times for count in table))).interval
    assert more.high - more.low < one.high - one.low


@few
@given(two_models(MAYBE) | two_models(SHARES, least=14), LEVELS, st.booleans())
def test_exchanging_the_models_mirrors_the_comparison_of_scores(data, level, grouped):
    a, b, clusters = data
    options = {"seed": 3, "level": level, "clusters": clusters if grouped else None, "resamples": 200}
    one, other = paired_scores(a, b, **options), paired_scores(b, a, **options)
    assert other.interval == mirrored(one.interval)
    assert (other.p_value, other.mean_a, other.mean_b) == (one.p_value, one.mean_b, one.mean_a)
    assert other.left_out == LeftOut(one.left_out.only_b, one.left_out.only_a, one.left_out.both)


@given(st.lists(st.tuples(SHARES, SHARES), min_size=6, max_size=20))
def test_a_comparison_that_is_its_own_mirror_has_a_symmetric_interval(pairs):
    """Each pair of scores once either way round."""
    both_ways = [*pairs, *((b, a) for a, b in pairs)]
    a, b = (by_case(pair[side] for pair in both_ways) for side in (0, 1))
    result = paired_scores(a, b, seed=1, resamples=200)
    assert (result.difference, result.p_value) == (0.0, 1.0)
    assert result.interval.low == -result.interval.high


@few
@given(two_models(MAYBE) | two_models(SHARES, least=14), st.booleans(), st.integers())
def test_the_order_of_the_cases_changes_nothing(data, grouped, order):
    a, b, clusters = data
    clusters = clusters if grouped else None
    again = shuffled(a, order), shuffled(b, order + 1)
    options = {"seed": 3, "resamples": 200, "clusters": clusters}
    assert paired_scores(*again, **options) == paired_scores(a, b, **options)
    assert mean_interval(again[0], **options) == mean_interval(a, **options)


@few
@given(two_models(MAYBE), LEVELS, st.booleans())
def test_an_interval_of_scores_contains_the_mean_has_a_width_and_stays_possible(data, level, grouped):
    a, b, clusters = data
    options = {"seed": 1, "level": level, "clusters": clusters if grouped else None, "resamples": 200}
    interval, seen = mean_interval(a, **options), [score for score in a.values() if score is not None]
    assert (interval is None) == (not seen)
    if interval and (max(seen) == min(seen) or max(seen) - min(seen) > 1e-9):  # between them lies rounding
        assert 0 <= interval.low <= sum(seen) / len(seen) + 1e-12
        assert sum(seen) / len(seen) - 1e-12 <= interval.high <= 1
        assert interval.low < interval.high
    result = paired_scores(a, b, **options)
    if result.n:
        assert -1 <= result.interval.low <= result.difference <= result.interval.high <= 1
        assert 0 < result.p_value <= 1


@few
@given(two_models(MAYBE, least=9), st.integers(0, 2**32))
def test_the_same_seed_gives_the_same_answer(data, seed):
    a, b, clusters = data
    for grouped in (None, clusters):
        one, other = (paired_scores(a, b, seed=seed, clusters=grouped, resamples=200) for _ in range(2))
        assert one == other


def test_another_seed_gives_nearly_the_same_answer():
    random = Random(0)
    a, b = ({str(i): random.random() for i in range(40)} for _ in range(2))
    one, other = (paired_scores(a, b, seed=seed) for seed in (1, 2))
    assert one.interval != other.interval
    width = one.interval.high - one.interval.low
    assert (other.interval.low, other.interval.high) == pytest.approx(
        (one.interval.low, one.interval.high), abs=0.05 * width
    )
    assert other.p_value == pytest.approx(one.p_value, abs=0.03)


@few
@given(two_models(MAYBE))
def test_clusters_of_one_case_each_change_nothing(data):
    a, b, _ = data
    alone = {case: case for case in a | b}
    assert paired_scores(a, b, seed=2, resamples=200, clusters=alone) == paired_scores(a, b, seed=2, resamples=200)
    assert mean_interval(a, seed=2, resamples=200, clusters=alone) == mean_interval(a, seed=2, resamples=200)


@few
@given(two_models(OUTCOMES))
def test_binary_outcomes_in_clusters_of_one_are_compared_exactly(data):
    a, b, _ = data
    assert paired_binary(a, b, seed=2, clusters={case: case for case in a | b}) == paired_binary(a, b)


@given(st.integers(21, 40), st.integers(100, 300))
def test_a_drawn_p_value_is_never_0(n, resamples):
    """Of 2ⁿ flips two are as extreme as all differences of one sign: with this seed none of them is drawn."""
    result = paired_scores(by_case([0.9] * n), by_case([0.2] * n), seed=1, resamples=resamples)
    assert (result.p_value, result.test) == (1 / (resamples + 1), "sampled sign flip")


@few
@given(two_models(OUTCOMES))
def test_the_sign_flip_test_of_binary_outcomes_is_mcnemars(data):
    a, b, _ = data
    binary, scores = paired_binary(a, b), paired_scores(a, b, seed=1, resamples=200)
    assert (binary.n, binary.difference, binary.left_out) == (scores.n, scores.difference, scores.left_out)
    if scores.test == "exact sign flip":
        assert scores.p_value == pytest.approx(binary.p_value, abs=1e-12)


@few
@given(two_models(OUTCOMES))
def test_binary_outcomes_in_clusters_are_compared_as_scores_are(data):
    a, b, clusters = data
    binary = paired_binary(a, b, seed=1, resamples=200, clusters=clusters)
    scores = paired_scores(a, b, seed=1, resamples=200, clusters=clusters)
    if scores.sources < scores.n:
        assert (binary.interval, binary.p_value, binary.test) == (scores.interval, scores.p_value, scores.test)
    assert binary.both + binary.only_a + binary.only_b + binary.neither == binary.n
    assert binary.agreement == agreement(a, b)


@given(two_models(MAYBE))
def test_every_case_is_paired_or_left_out(data):
    a, b, _ = data
    result = paired_scores(a, b, seed=1, resamples=100)
    assert result.n + result.left_out.total == len(a.keys() | b.keys())
    assert result.n + result.left_out.only_b == sum(score is not None for score in a.values())
    assert result.n + result.left_out.only_a == sum(score is not None for score in b.values())


def test_unscored_cases_say_by_whom():
    a = {"1": True, "2": None, "3": False, "4": None}
    b = {"1": False, "2": True, "3": None, "4": None, "5": True}
    result = paired_binary(a, b)
    assert (result.n, result.left_out, result.left_out.total) == (1, LeftOut(only_a=2, only_b=1, both=1), 4)


def test_nothing_to_compare_is_none_and_not_zero():
    for result in (paired_binary({"1": None}, {"1": True}), paired_scores({}, {}, seed=1)):
        assert result.n == result.sources == 0
        assert (
            result.mean_a
            is result.mean_b
            is result.difference
            is result.interval
            is result.p_value
            is result.test
            is None
        )
    assert paired_binary({}, {}).agreement.rate is None
    assert mean_interval({"1": None}, seed=1) is None


@given(st.lists(st.tuples(st.sampled_from("abc"), MAYBE)))
def test_repeats_of_a_case_count_once_with_their_mean(samples):
    means = per_case(samples)
    assert means.keys() == {case for case, _ in samples}
    for case, mean in means.items():
        scores = [score for name, score in samples if name == case and score is not None]
        assert (mean is None) == (not scores)
        if scores:
            assert mean == pytest.approx(sum(scores) / len(scores))
            assert min(scores) - 1e-12 <= mean <= max(scores) + 1e-12


@few
@given(two_models(OUTCOMES), st.integers(1, 4))
def test_repeating_every_case_alike_changes_nothing(data, repeats):
    a, b, _ = data
    again = [per_case((case, score) for case, score in model.items() for _ in range(repeats)) for model in (a, b)]
    assert paired_binary(*again) == paired_binary(a, b)


@given(st.integers(1, 60), st.sampled_from([0.0, 1.0]), LEVELS)
def test_all_scores_at_one_end_give_wilsons_interval(n, end, level):
    interval = mean_interval({str(i): end for i in range(n)}, seed=1, level=level)
    wilsons = wilson(round(end) * n, n, level)
    assert (interval.low, interval.high) == pytest.approx((wilsons.low, wilsons.high), abs=1e-12)


@given(st.integers(1, 30), st.integers(1, 4))
def test_sources_of_equal_size_count_as_so_many_cases(sources, size):
    cases = [f"{source}.{i}" for source in range(sources) for i in range(size)]
    interval = mean_interval(dict.fromkeys(cases, True), seed=1, clusters={case: case.split(".")[0] for case in cases})
    wilsons = wilson(sources, sources)
    assert (interval.low, interval.high) == pytest.approx((wilsons.low, wilsons.high), abs=1e-12)


def test_a_source_that_outweighs_the_others_counts_for_less_than_they_would_apart():
    """Nine cases of one source and one of another: by Kish 10²/(9² + 1²) = 1.22 sources."""
    scores = by_case([1.0] * 10)
    interval = mean_interval(scores, seed=1, clusters=dict.fromkeys(list(scores)[:9], "many"))
    assert interval.low == pytest.approx((100 / 82) / (100 / 82 + 1.959964**2), abs=1e-6)


@given(st.integers(8, 60))
def test_two_models_that_never_differ_give_tangos_interval(n):
    same = {str(i): 0.0 for i in range(n)}
    one, other = paired_scores(same, same, seed=1), paired_binary(same, same)
    assert one.p_value == other.p_value == 1.0
    assert (one.interval.low, one.interval.high) == pytest.approx((other.interval.low, other.interval.high), abs=1e-9)


@given(st.integers(8, 60), SHARES)
def test_equal_scores_leave_room_for_what_was_not_seen(n, score):
    interval = mean_interval({str(i): score for i in range(n)}, seed=1)
    assert interval.method == "unseen outcomes"
    assert 0 <= interval.low <= score <= interval.high <= 1
    assert 0.05 < interval.high - interval.low < 0.33


@given(st.lists(SHARES, min_size=1, max_size=7))
def test_few_cases_give_no_narrower_interval_than_their_number_allows(values):
    interval = mean_interval({str(i): value for i, value in enumerate(values)}, seed=1)
    assert interval.method == "widest variance"
    assert interval.high - interval.low >= wilson(0, len(values)).high - 1e-12


@given(st.lists(st.floats(0, 1), max_size=9))
def test_holm_is_never_below_the_p_value_and_keeps_the_order(p_values):
    adjusted = holm(p_values)
    assert all(p <= after <= 1 for p, after in zip(p_values, adjusted, strict=True))
    assert all(
        after <= max(p * len(p_values), p)
        for p, after in zip(p_values, adjusted, strict=True)
        if after < 1 and p == min(p_values)
    )
    ranked = sorted(zip(p_values, adjusted, strict=True))
    assert [after for _, after in ranked] == sorted(adjusted)


@given(st.lists(st.none() | st.floats(0, 1), max_size=9), st.integers())
def test_holm_moves_with_its_p_values_and_passes_over_none(p_values, order):
    places = list(range(len(p_values)))
    Random(order).shuffle(places)
    assert holm([p_values[i] for i in places]) == tuple(holm(p_values)[i] for i in places)
    made = iter(holm([p for p in p_values if p is not None]))
    assert holm(p_values) == tuple(None if p is None else next(made) for p in p_values)


@given(st.integers(4, 2000), st.floats(0.01, 1), st.sampled_from([0.5, 0.8, 0.9]))
def test_more_cases_and_fewer_flips_detect_smaller_differences(n, discordance, power):
    effect = minimum_detectable_effect(n, discordance=discordance, power=power)
    more = minimum_detectable_effect(n + 1, discordance=discordance, power=power)
    surer = minimum_detectable_effect(n, discordance=discordance, power=power + 0.05)
    if effect is None:
        assert surer is None
    else:
        assert 0 < more < effect <= discordance
        assert surer is None or effect < surer
        calmer = minimum_detectable_effect(n, discordance=discordance * 0.9, power=power)
        assert calmer is None or calmer < effect
    assert minimum_detectable_effect(n, sd=0.4, power=power) > minimum_detectable_effect(n + 1, sd=0.4, power=power)


def test_what_cannot_be_detected_is_none():
    assert minimum_detectable_effect(100, discordance=0.0) is None
    assert minimum_detectable_effect(100, discordance=0.03) is None  # three flips, all one way: p is 0.25
    assert minimum_detectable_effect(3, discordance=1.0) is None
    assert minimum_detectable_effect(1, sd=0.2) is None
    assert minimum_detectable_effect(0, discordance=0.5) is None


@given(st.lists(st.floats(0, 1e9), min_size=1), st.floats(0, 1), st.floats(0, 1))
def test_quantiles_rise_with_their_share_within_the_values(values, one, other):
    low, high = quantiles(values, sorted((one, other)))
    assert min(values) <= low <= high * (1 + 1e-12) <= max(values) * (1 + 1e-12)
    assert quantiles(values, (0, 1)) == (min(values), max(values))


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: wilson(3, 2),
        lambda: wilson(-1, 2),
        lambda: wilson(1, 2, level=1.0),
        lambda: mean_interval({"a": 1.5}, seed=1),
        lambda: mean_interval({"a": float("nan")}, seed=1),
        lambda: mean_interval({str(i): i / 9 for i in range(10)}, seed=1, resamples=99),
        lambda: paired_scores({}, {}, seed=1, level=0),
        lambda: paired_binary({"a": 0.5}, {"a": 1}),
        lambda: paired_binary({"a": 1}, {"a": 1}, clusters={"a": "x"}),
        lambda: agreement({"a": 0.2}, {"a": 0}),
        lambda: holm([0.1, 1.2]),
        lambda: holm([float("nan")]),
        lambda: minimum_detectable_effect(10),
        lambda: minimum_detectable_effect(10, sd=1, discordance=0.2),
        lambda: minimum_detectable_effect(10, discordance=20),
        lambda: minimum_detectable_effect(10, sd=-1),
        lambda: minimum_detectable_effect(-1, sd=1),
        lambda: minimum_detectable_effect(10, sd=1, power=1),
        lambda: quantiles([1.0], (2,)),
        lambda: quantiles([float("inf")]),
    ],
)
def test_nonsense_is_refused(wrong):
    with pytest.raises(ValueError, match=r"\w"):
        wrong()


def test_results_are_frozen():
    for value in (wilson(1, 2), LeftOut(), paired_binary({"a": 1}, {"a": 0}), agreement({}, {})):
        with pytest.raises(FrozenInstanceError):
            value.n = 3
