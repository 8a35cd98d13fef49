"""The head of the page: what came out, in words to act on."""

from __future__ import annotations

from aldo.eval.report import words
from aldo.eval.report.html.markup import Markup, el, text
from aldo.eval.report.html.names import Names
from aldo.eval.report.html.tables import chip
from aldo.eval.report.model import Comparison, EvaluatorReport, EvaluatorScore, Report

GATE_IS_GOOD: dict[str, bool | None] = {"met": True, "missed": False, "open": None}


def verdicts(report: Report, names: Names) -> Markup:
    """The outcome of all gates, then evaluator by evaluator what the comparison shows and which gates it meets."""
    outcome = "bad" if report.missed else "open" if report.exit_code else "good"
    return el(
        "section",
        el("h2", "Verdict"),
        el("p", words.headline(report), class_=f"outcome {outcome}"),
        el("div", [_verdict(evaluator, names) for evaluator in report.evaluators], class_="verdicts"),
        aria_label="Verdict",
    )


def _verdict(evaluator: EvaluatorReport, names: Names) -> Markup:
    def bold(name: str) -> str:
        return el("b", name) if name in names.all else text(name)

    if evaluator.comparisons:
        told = [words.verdict_sentence(one, evaluator.name, bold) for one in evaluator.comparisons]
    else:
        told = [words.score_sentence(one, evaluator.name, bold) for one in evaluator.scores]
    gates = [_threshold(score, names) for score in evaluator.scores if score.gate is not None]
    gates += [_regression(one, names) for one in evaluator.comparisons if one.regression is not None]
    return el(
        "article",
        el("h3", evaluator.name),
        [el("p", Markup(_unbroken(sentence))) for sentence in told],
        el("ul", gates, class_="gates") if gates else None,
    )


def _threshold(score: EvaluatorScore, names: Names) -> Markup:
    assert score.gate is not None
    told = words.gate_text(score)
    return el("li", chip(score.gate, GATE_IS_GOOD[score.gate]), names.badge(score.model), el("span", _unbroken(told)))


def _regression(comparison: Comparison, names: Names) -> Markup:
    assert comparison.regression is not None
    good = comparison.regression.state == "excluded"
    told = words.regression_text(comparison.regression, comparison.interval)
    return el("li", chip("met" if good else "missed", good), names.badge(comparison.model), el("span", _unbroken(told)))


def _unbroken(told: str) -> str:
    """No line ends between a number and its unit."""
    return told.replace(" %", "\u00a0%").replace(" points", "\u00a0points")
