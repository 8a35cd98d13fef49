"""The wording that all renderers share: signs, units, and what may be said of a difference."""

from __future__ import annotations

from dataclasses import replace

import pytest

from aldo.eval.report import words
from aldo.eval.report.model import Comparison, EvaluatorScore, RegressionGate
from aldo.eval.statistics import Interval, LeftOut
from tests.eval.sample_reports import BF16, DEFECT, FOUR, sample

TANGO = Interval(-0.104, 0.062, 0.95, "tango")
PLAIN = Comparison(
    model="4bit", baseline="bf16", cases=48, sources=48, left_out=LeftOut(), mean=0.7, baseline_mean=0.721,
    difference=-0.021, interval=TANGO, p_value=0.6, adjusted_p_value=0.6, test="exact McNemar", better=(), worse=(),
    agreement=None, minimum_detectable_effect=0.14, regression=None,
)  # fmt: skip
SCORE = EvaluatorScore("4bit", {"ok": 35, "fail": 13}, 48, 48, 0.729, TANGO, 0.6, "met", 0.729, 0.729)


@pytest.mark.parametrize(
    ("share", "told"),
    [(0.021, "+2.1"), (-0.104, "−10.4"), (0.0, "0.0"), (-0.0004, "0.0"), (0.0004, "0.0"), (1.0, "+100.0")],
)
def test_points_have_a_sign_unless_they_are_none(share: float, told: str) -> None:
    assert words.points(share) == told


@pytest.mark.parametrize(
    ("ms", "told"),
    [
        (0.4, "0 ms"),
        (312.4, "312 ms"),
        (999.6, "1.00 s"),
        (4213, "4.21 s"),
        (9996, "10.0 s"),
        (93_400, "93.4 s"),
        (123_456, "123 s"),
    ],
)
def test_durations_keep_three_digits(ms: float, told: str) -> None:
    assert words.duration(ms) == told


def test_a_small_difference_is_told_with_what_would_have_been_shown() -> None:
    assert words.verdict_sentence(PLAIN, "names-the-defect") == (
        "4bit scores 2.1 points lower than bf16 by names-the-defect (95 % interval −10.4 to +6.2): a difference this "
        "small is not shown by 48 cases, which would show 14.0 points or more."
    )


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"difference": 0.0, "better": ("a",), "worse": ("b",)}, "scores the same as bf16 by e (95 % interval −10.4 to +6.2): no difference is shown by 48 cases, which would show 14.0 points or more."),
        ({"difference": 0.0}, "scores the same as bf16 by e (95 % interval −10.4 to +6.2): they score alike in all 48 cases."),
        ({"minimum_detectable_effect": None}, ": 48 cases are too few to show any difference."),
        ({"minimum_detectable_effect": None, "cases": 1, "sources": 1}, ": 1 case is too few to show any difference."),
        ({"difference": -0.2}, ": 48 cases do not show it."),
        ({"sources": 40}, "is not shown by 48 cases of 40 independent sources, which"),
        ({"left_out": LeftOut(1, 1, 1)}, "or more. 3 cases are left out for want of a score."),
        ({"left_out": LeftOut(0, 1, 0)}, "or more. 1 case is left out for want of a score."),
        ({"interval": replace(TANGO, high=-0.01), "p_value": 0.031, "adjusted_p_value": 0.031}, ": this is more than chance explains (p = 0.031)."),
        ({"interval": replace(TANGO, high=-0.01), "p_value": 0.00001, "adjusted_p_value": 0.00001}, ": this is more than chance explains (p below 0.001)."),
        ({"interval": replace(TANGO, high=-0.01), "p_value": 0.07, "adjusted_p_value": 0.07}, ": the interval leaves out 0, but the test does not reject chance (p = 0.070), so it is not shown."),
        ({"difference": 0.3, "interval": Interval(0.1, 0.5, 0.9, "tango"), "p_value": 0.08, "adjusted_p_value": 0.08}, "scores 30.0 points higher than bf16 by e (90 % interval +10.0 to +50.0): this is more than chance explains (p = 0.080)."),
        ({"p_value": 0.02, "adjusted_p_value": 0.04}, ": the test rejects chance (p = 0.040 by Holm), but the interval does not leave out 0, so it is not shown."),
        ({"difference": None, "interval": None, "cases": 0}, "4bit and bf16 cannot be compared by e: no case has a score for both."),
    ],
)  # fmt: skip
def test_what_may_be_said_of_a_difference(changes: dict, told: str) -> None:
    assert told in words.verdict_sentence(replace(PLAIN, **changes), "e")


def test_names_pass_through_the_function_that_escapes_them() -> None:
    told = words.verdict_sentence(PLAIN, "e", lambda name: f"<{name}>")
    assert told.startswith("<4bit> scores 2.1 points lower than <bf16> by <e> (")
    assert words.score_sentence(SCORE, "e", str.upper).startswith("4BIT scores 72.9 % by E (95 % interval ")


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({}, "threshold 60.0 % met: 72.9 %"),
        ({"gate": "missed", "mean": 0.59996}, "threshold 60.000 % missed: 59.996 %"),
        ({"mean": 0.6}, "threshold 60.0 % met: 60.0 %"),
        ({"gate": "open", "cases": 45, "least": 0.57, "most": 0.632}, "threshold 60.0 % open: 3 of 48 without a score, the mean over all could be 57.0 to 63.2 %"),
        ({"gate": None, "threshold": None}, ""),
    ],
)  # fmt: skip
def test_what_became_of_a_threshold(changes: dict, told: str) -> None:
    assert words.gate_text(replace(SCORE, **changes)) == told


@pytest.mark.parametrize(
    ("state", "told"),
    [("excluded", "excluded: the interval begins at −10.4"), ("not excluded", "not excluded: the interval reaches −10.4"), ("shown", "shown: the interval ends at +6.2")],
)  # fmt: skip
def test_what_became_of_a_limit(state: str, told: str) -> None:
    gate = RegressionGate(0.05, state)  # type: ignore[arg-type]
    assert words.regression_text(gate, TANGO) == f"a regression of more than 5.0 points is {told}"


def test_the_headline_counts_gates() -> None:
    report = sample()
    assert words.headline(report) == "3 of 6 gates are missed."
    assert report.exit_code == 1
    score = report.evaluators[0].scores[0]
    only = replace(report.evaluators[0], comparisons=(), scores=(score,))
    for gate, states, told in (
        ("met", {}, "The gate is met."),
        ("missed", {}, "1 of 1 gate is missed."),
        ("open", {}, "1 of 1 gate is open: what has no score could turn it either way."),
        ("open", {"error": 1}, "No gate is missed, but errors or a stop left answers without a score."),
        (None, {}, "No gate was set."),
    ):
        one = replace(score, gate=gate, states=states)  # type: ignore[arg-type]
        assert words.headline(replace(report, evaluators=(replace(only, scores=(one,)),))) == told
    assert words.score_sentence(score, DEFECT).startswith(f"{BF16} scores 83.3 % by {DEFECT} (")
    assert (
        words.score_sentence(replace(score, mean=None, cases=0), DEFECT)
        == f"{BF16} has no score by {DEFECT}: 0 of 48 cases."
    )
    assert FOUR in words.verdict_sentence(report.evaluators[0].comparisons[0], DEFECT)
