"""The numbers of a report, from logs written by hand, against numbers worked out by hand."""

from __future__ import annotations

import json
import re
from fractions import Fraction
from math import comb
from xml.etree import ElementTree

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aldo.errors import UsageError
from aldo.eval.report import FORMATS, Limits, build_report, render
from aldo.eval.run import read_log
from tests.eval.handwritten import STATES, report_of, row, write_log

NUMBER = pytest.approx


def binary(yes, no):
    """So many cases that pass, and so many that do not."""
    return {f"case {number:03}": [1.0 if number < yes else 0.0] for number in range(yes + no)}


def flipped(both, better, worse, neither):
    """The scores of a baseline and of a model that gains and loses so many cases."""
    base = [1.0] * both + [0.0] * better + [1.0] * worse + [0.0] * neither
    other = [1.0] * both + [1.0] * better + [0.0] * worse + [0.0] * neither
    return tuple({f"case {number:03}": [score] for number, score in enumerate(scores)} for scores in (base, other))


def mcnemar(better, worse):
    flips = better + worse
    return min(1.0, 2 * sum(comb(flips, k) for k in range(min(better, worse) + 1)) / 2**flips)


def test_it_can_be_put_on_one_line(tmp_path):
    """A log by hand is a log: the reader takes what the helper writes."""
    path = write_log(tmp_path, {"a": {"x": [1.0]}})
    assert len(read_log(path).samples) == 1


# Newcombe, Statistics in Medicine 17 (1998) 857-872, table I, method 3.
@pytest.mark.parametrize(
    ("yes", "n", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_the_interval_of_a_rate_is_wilsons(tmp_path, yes, n, low, high):
    (score,) = report_of(tmp_path, {"a": binary(yes, n - yes)}).evaluators[0].scores
    assert (score.mean, score.cases, score.of, dict(score.states)) == (
        NUMBER(yes / n),
        n,
        n,
        {k: v for k, v in (("ok", yes), ("fail", n - yes)) if v},
    )
    assert (score.interval.low, score.interval.high) == (NUMBER(low, abs=6e-5), NUMBER(high, abs=6e-5))
    assert score.interval.method == "wilson"


@pytest.mark.parametrize(
    ("better", "worse", "p"), [(1, 6, 0.125), (0, 5, 0.0625), (0, 0, 1.0), (3, 3, 1.0), (2, 10, 158 / 4096)]
)
def test_the_p_value_of_flips_is_mcnemars_exact_one(tmp_path, better, worse, p):
    base, other = flipped(9, better, worse, 4)
    (comparison,) = report_of(tmp_path, {"a": base, "b": other}).evaluators[0].comparisons
    n = 13 + better + worse
    assert comparison.p_value == NUMBER(p) == NUMBER(mcnemar(better, worse))
    assert (comparison.test, comparison.cases, comparison.left_out.total) == ("exact McNemar", n, 0)
    assert comparison.difference == NUMBER((better - worse) / n)
    assert (comparison.mean, comparison.baseline_mean) == (NUMBER((9 + better) / n), NUMBER((9 + worse) / n))
    assert comparison.agreement.rate == NUMBER(13 / n)
    assert comparison.interval.low <= comparison.difference <= comparison.interval.high
    assert comparison.adjusted_p_value == comparison.p_value  # one comparison needs no adjustment


def test_flips_are_named_both_ways(tmp_path):
    base, other = flipped(1, 2, 1, 1)
    (comparison,) = report_of(tmp_path, {"a": base, "b": other}).evaluators[0].comparisons
    assert comparison.better == ("case 001", "case 002")
    assert comparison.worse == ("case 003",)


def test_p_values_of_several_models_are_holms(tmp_path):
    base = {f"case {n:02}": [1.0] for n in range(12)}

    def loses(count):
        return {case: [0.0 if number < count else 1.0] for number, case in enumerate(base)}

    first, second, third = (
        report_of(tmp_path, {"a": base, "b": loses(5), "c": loses(8), "d": loses(6)}).evaluators[0].comparisons
    )
    assert [one.p_value for one in (first, second, third)] == [NUMBER(2 / 32), NUMBER(2 / 256), NUMBER(2 / 64)]
    assert [one.adjusted_p_value for one in (first, second, third)] == [
        NUMBER(2 / 32),
        NUMBER(3 * 2 / 256),
        NUMBER(2 * 2 / 64),
    ]
    assert {one.baseline for one in (first, second, third)} == {"a"}
    (two, three) = report_of(tmp_path, {"a": base, "b": loses(5), "c": loses(2)}).evaluators[0].comparisons
    assert (two.adjusted_p_value, three.adjusted_p_value) == (NUMBER(2 * 2 / 32), NUMBER(2 / 4))


def test_repeats_are_averaged_by_case_before_anything_else(tmp_path):
    scores = {"x": [1.0, 0.0, 1.0], "y": [1.0, None, "error"], "z": [None, "truncated", "error"]}
    report = report_of(tmp_path, {"a": scores})
    (score,) = report.evaluators[0].scores
    assert score.mean == NUMBER((2 / 3 + 1) / 2)
    assert (score.cases, score.of) == (2, 3)
    assert dict(score.states) == {"ok": 3, "fail": 1, "missing": 2, "error": 2, "truncated": 1}
    assert (score.least, score.most) == (NUMBER((2 / 3 + 1 / 3 + 0) / 3), NUMBER((2 / 3 + 1 + 1) / 3))
    assert score.interval.method != "wilson"
    (model,) = report.models
    assert (model.expected, model.ok, model.truncated, model.error, model.missing) == (9, 4, 1, 2, 2)


def test_cases_without_a_score_of_both_are_left_out_and_told_by_whom(tmp_path):
    a = {"1": [1.0], "2": [1.0], "3": ["error"], "4": ["truncated"], "5": [None], "6": [0.0], "7": [1.0]}
    b = {"1": [0.0], "2": [1.0], "3": [1.0], "4": [1.0], "5": ["judge-unparsable"], "6": ["error"], "7": [1.0]}
    (comparison,) = report_of(tmp_path, {"a": a, "b": b}).evaluators[0].comparisons
    out = comparison.left_out  # a of the pair is the model, b the baseline
    assert (out.only_a, out.only_b, out.both, comparison.cases) == (1, 2, 1, 3)
    assert (comparison.mean, comparison.baseline_mean, comparison.difference) == (
        NUMBER(2 / 3),
        NUMBER(1),
        NUMBER(-1 / 3),
    )


def test_cases_of_one_source_are_one_sample(tmp_path):
    base, other = flipped(4, 0, 6, 2)
    cases = list(base)
    alone = report_of(tmp_path, {"a": base, "b": other}).evaluators[0]
    sources = {case: f"source {number // 3}" for number, case in enumerate(cases)}
    shared = report_of(tmp_path, {"a": base, "b": other}, sources=sources).evaluators[0]
    assert (alone.comparisons[0].sources, shared.comparisons[0].sources) == (12, 4)
    assert [score.mean for score in shared.scores] == [score.mean for score in alone.scores]
    assert shared.comparisons[0].difference == NUMBER(-0.5)
    # Of the four sources 0, 2, 3 and 1 cases are lost.
    assert (shared.comparisons[0].p_value, shared.comparisons[0].test) == (
        NUMBER(sign_flip([0, -2, -3, -1])),
        "exact sign flip",
    )
    assert alone.comparisons[0].p_value == NUMBER(mcnemar(0, 6))
    width = [one.interval.high - one.interval.low for one in (alone.scores[0], shared.scores[0])]
    assert width[1] > width[0]
    every = report_of(tmp_path, {"a": base, "b": other}, sources={case: case for case in cases}).evaluators[0]
    assert every.comparisons == alone.comparisons


def sign_flip(sums):
    """Of all ways to give the sums a sign, the share that is as far from 0 as what was seen."""
    seen, ways = abs(sum(sums)), 2 ** len(sums)
    far = sum(
        abs(sum(-one if way >> place & 1 else one for place, one in enumerate(sums))) >= seen for way in range(ways)
    )
    return far / ways


def test_the_worst_regressions_come_first(tmp_path):
    a = {"1": [1.0], "2": [0.75], "3": [0.5], "4": [1.0], "5": [0.25]}
    b = {"1": [0.5], "2": [0.75], "3": [0.0], "4": [0.0], "5": [1.0]}
    report = report_of(tmp_path, {"a": a, "b": b})
    assert [(one.case, one.drop, one.model) for one in report.regressions] == [
        ("4", 1.0, "b"),
        ("1", 0.5, "b"),
        ("3", 0.5, "b"),
    ]
    text = render(report, "text")
    assert text.index("4  it") < text.index("1  it")
    assert "the answer of a to 4" in text and "the answer of b to 4" in text


def test_speed_and_cost_are_of_the_answers_alone(tmp_path):
    scores = {"x": [1.0], "y": [1.0], "z": ["error"], "w": ["truncated"]}
    rows = {
        "x": [
            row(tokens_out=None, outcome="stream_cut", usd=None),
            row(tokens_out=11, ttft_ms=100.0, latency_ms=1100.0, usd="0.5"),
        ],
        "y": [row(tokens_out=21, ttft_ms=200.0, latency_ms=1200.0, usd="0.000000000001")],
        "z": [row(tokens_out=None, outcome="connection", ttft_ms=None, latency_ms=9e9, usd=None)],
        "w": [row(tokens_out=1, ttft_ms=300.0, latency_ms=300.0, usd="1")],
    }
    (model,) = report_of(tmp_path, {"a": scores}, rows=rows).models
    assert (model.ttft_ms.n, model.ttft_ms.p50) == (3, 200.0)
    assert (model.tokens_per_second.n, model.tokens_per_second.p50) == (2, NUMBER(15.0))
    assert (model.latency_ms.n, model.latency_ms.p50) == (3, 1100.0)
    assert (model.tokens_out, model.usd, model.retried) == (33, "1.500000000001", 1)
    assert dict(model.errors) == {"connection": 1}


# Laws over any scores and states

outcome = st.sampled_from([0.0, 1.0, 0.5, *STATES, None])
tables = st.integers(1, 3).flatmap(
    lambda repeat: st.lists(
        st.tuples(*[st.lists(outcome, min_size=repeat, max_size=repeat)] * 2), min_size=1, max_size=7
    )
)
any_table = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)


def ends(table, unknown):
    values = [
        [Fraction(one) if isinstance(one, float) else Fraction(unknown) for one in repeats]
        for repeats in table.values()
    ]
    return sum(sum(repeats) / len(repeats) for repeats in values) / len(values)


@any_table
@given(tables, st.sampled_from([0.0, 0.25, 0.5, 2 / 3, 0.75, 1.0]))
def test_a_threshold_is_met_missed_or_open_by_what_the_missing_could_be(tmp_path, rows, threshold):
    table = {name: {str(case): repeats[place] for case, repeats in enumerate(rows)} for place, name in enumerate("ab")}
    report = report_of(tmp_path, table, threshold=threshold)
    gates = []
    evaluator = next(one for one in report.evaluators if one.name == "it")
    for score, model in zip(evaluator.scores, report.models, strict=True):
        mine = table[score.model]
        least, most = ends(mine, 0), ends(mine, 1)
        assert (score.least, score.most) == (NUMBER(float(least)), NUMBER(float(most)))
        bound = Fraction(threshold).limit_denominator(100)
        gates.append("met" if least >= bound else "missed" if most < bound else "open")
        assert score.gate == gates[-1]
        assert sum(score.states.values()) == len(rows) * len(rows[0][0])
        assert model.ok + model.truncated + model.error + model.missing == model.expected == len(rows) * len(rows[0][0])
        if score.mean is not None:
            assert score.least - 1e-9 <= score.mean <= score.most + 1e-9
            assert score.interval.low - 1e-9 <= score.mean <= score.interval.high + 1e-9
    broken = any(one in ("error", None) for repeats in table.values() for case in repeats.values() for one in case)
    assert report.exit_code == (1 if "missed" in gates else 3 if broken else int("open" in gates))


@any_table
@given(tables)
def test_a_report_of_any_log_can_be_made_twice_and_is_the_same_to_the_byte(tmp_path, rows):
    table = {name: {str(case): repeats[place] for case, repeats in enumerate(rows)} for place, name in enumerate("ab")}
    path = write_log(tmp_path, table)
    for form in ("text", "json", "junit", "markdown"):
        assert render(build_report(read_log(path)), form) == render(build_report(read_log(path)), form)


def test_the_page_is_the_same_to_the_byte_too(tmp_path):
    base, other = flipped(4, 1, 3, 2)
    path = write_log(tmp_path, {"a": base, "b": other})
    assert render(build_report(read_log(path)), "html") == render(build_report(read_log(path)), "html")


# --max-regression


@pytest.mark.parametrize(
    ("given_", "expected"),
    [
        ((), None),
        (("0.9",), "excluded"),
        (("it=0.9",), "excluded"),
        (("0.01",), "not excluded"),
        (("0.01", "it=0.9"), "excluded"),
        (("0.9", "it=0.01"), "not excluded"),
    ],
)
def test_a_limit_is_for_all_evaluators_or_for_the_named_one(tmp_path, given_, expected):
    base, other = flipped(20, 2, 2, 6)
    path = write_log(tmp_path, {"a": base, "b": other})
    report = build_report(read_log(path), Limits.of(given_))
    gate = report.evaluators[0].comparisons[0].regression
    assert (gate and gate.state) == expected
    assert report.exit_code == int(expected == "not excluded")


def test_a_regression_that_is_there_is_shown(tmp_path):
    base, other = flipped(2, 0, 28, 0)
    report = build_report(read_log(write_log(tmp_path, {"a": base, "b": other})), Limits(every=0.1))
    assert report.evaluators[0].comparisons[0].regression.state == "shown"
    assert report.exit_code == 1


def test_answers_without_a_score_count_against_the_model_in_a_regression_gate(tmp_path):
    base, other = flipped(60, 0, 0, 0)
    loose = Limits(every=0.15)
    whole = build_report(read_log(write_log(tmp_path, {"a": base, "b": other})), loose).evaluators[0].comparisons[0]
    assert (whole.regression.state, whole.regression.against) == ("excluded", None)
    for number in range(6):
        other[f"case {number:03}"] = ["judge-unparsable"]
    holed = build_report(read_log(write_log(tmp_path, {"a": base, "b": other})), loose).evaluators[0].comparisons[0]
    assert holed.difference == 0
    assert holed.regression.state == "not excluded"
    lost = {case: [0.0] if score == ["judge-unparsable"] else score for case, score in other.items()}
    worst = build_report(read_log(write_log(tmp_path, {"a": base, "b": lost}))).evaluators[0].comparisons[0]
    assert holed.regression.against == worst.interval


@pytest.mark.parametrize("wrong", ["-0.1", "1.5", "nan", "x", "", "=0.1", "it=", "it=x", "inf"])
def test_a_limit_that_is_none_is_refused(wrong):
    with pytest.raises(UsageError):
        Limits.of([wrong])


def test_a_limit_for_no_evaluator_is_refused(tmp_path):
    with pytest.raises(UsageError, match="that"):
        report_of(tmp_path, {"a": {"x": [1.0]}, "b": {"x": [1.0]}}, limits=Limits.of(["that=0.1"]))


# Formats


def test_all_formats_agree_on_the_means(tmp_path):
    base, other = flipped(5, 1, 3, 2)
    report = report_of(tmp_path, {"a": base, "b": other})
    told = {form: render(report, form) for form in FORMATS}
    by_json = {score["model"]: score["mean"] for score in json.loads(told["json"])["evaluators"][0]["scores"]}
    assert by_json == {"a": NUMBER(8 / 11), "b": NUMBER(6 / 11)}
    for suite in ElementTree.fromstring(told["junit"]):
        passed = int(suite.get("tests")) - int(suite.get("failures")) - int(suite.get("errors"))
        assert passed / int(suite.get("tests")) == NUMBER(by_json[suite.get("name").partition(" / ")[0]])
    for model, percent in (("a", "72.7 %"), ("b", "54.5 %")):
        assert re.search(rf"^\| <code>{model}</code> .*\| {percent} \|", told["markdown"], re.MULTILINE)
        assert re.search(rf"^  {model.upper()} .* {percent} ", told["text"], re.MULTILINE)
        assert percent in told["html"].replace("\xa0", " ")


@pytest.mark.parametrize("form", FORMATS)
def test_a_log_without_an_answer_can_be_reported(tmp_path, form):
    report = report_of(tmp_path, {"a": {"x": [None], "y": [None]}, "b": {"x": [None], "y": [None]}}, threshold=0.5)
    assert report.exit_code == 3
    assert [dict(score.states) for score in report.evaluators[0].scores] == [{"missing": 2}] * 2
    assert (report.evaluators[0].comparisons[0].difference, report.evaluators[0].scores[0].gate) == (None, "open")
    assert render(report, form)


@pytest.mark.parametrize("form", FORMATS)
def test_all_answers_in_error_can_be_reported(tmp_path, form):
    report = report_of(tmp_path, {"a": {"x": ["error"]}, "b": {"x": ["truncated"]}})
    assert report.exit_code == 3
    assert render(report, form)


def test_a_log_of_no_run_is_told(tmp_path):
    (tmp_path / "log.jsonl").touch()
    with pytest.raises(UsageError, match="tells of no run"):
        build_report(read_log(tmp_path / "log.jsonl"))
