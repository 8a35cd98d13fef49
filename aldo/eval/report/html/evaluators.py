"""A section for each evaluator: its plots, the scores of the models, the differences from the baseline."""

from __future__ import annotations

from aldo.eval.report import words
from aldo.eval.report.html import plots
from aldo.eval.report.html.markup import Markup, el
from aldo.eval.report.html.names import Names
from aldo.eval.report.html.tables import cell, chip, head, number, table
from aldo.eval.report.html.verdicts import GATE_IS_GOOD
from aldo.eval.report.model import Comparison, EvaluatorReport, EvaluatorScore

_DIFFERENCES = (
    "Model", "Difference", "Interval", "p (Holm)", "Cases", "Sources", "Left out", "Flips", "Agreement", "Kappa",
    "Detectable", "Regression",
)  # fmt: skip


def evaluator_section(evaluator: EvaluatorReport, names: Names) -> Markup:
    judged = f", judged by {evaluator.judge}" if evaluator.judge else ""
    figures = [_figure("Mean score", plots.means(evaluator, names))]
    if evaluator.comparisons:
        figures.append(_figure("Difference from the baseline, in points", plots.differences(evaluator, names)))
    return el(
        "section",
        el("h2", evaluator.name, " ", el("small", f"{evaluator.type}{judged}")),
        el("div", figures, class_="figures"),
        _scores(evaluator, names),
        _compared(evaluator, names) if evaluator.comparisons else None,
        aria_label=evaluator.name,
    )


def _figure(caption: str, drawing: Markup) -> Markup:
    return el("figure", el("figcaption", caption), drawing)


def _scores(evaluator: EvaluatorReport, names: Names) -> Markup:
    unread = any(score.states.get("judge-unparsable", 0) for score in evaluator.scores)
    states = [state for state in words.STATES if state != "judge-unparsable" or evaluator.judge or unread]
    heads = ("Model", *states, "Answers", "Mean", "Interval", "Method", "Cases", "Threshold", "Gate")
    rows = [_score(score, states, names) for score in evaluator.scores]
    return table(f"Scores by {evaluator.name}", heads, rows)


def _score(score: EvaluatorScore, states: list[str], names: Names) -> list[Markup]:
    counts: dict[str, int] = {str(state): how_many for state, how_many in score.states.items()}
    mean = None if score.mean is None else words.percent(score.mean)
    gate = words.NONE if score.gate is None else chip(score.gate, GATE_IS_GOOD[score.gate])
    return [
        head(names.named(score.model)),
        *(number(counts.get(state, 0)) for state in states),
        number(f"of {sum(counts.values())}"),
        number(mean),
        number(words.percent_range(score.interval) if score.interval else None),
        cell(score.interval.method if score.interval else words.NONE),
        number(f"{score.cases} of {score.of}"),
        number(None if score.threshold is None else words.percent(score.threshold)),
        cell(gate),
    ]


def _compared(evaluator: EvaluatorReport, names: Names) -> Markup:
    rows = [_difference(one, names) for one in evaluator.comparisons]
    tests = ", ".join(sorted({one.test for one in evaluator.comparisons if one.test})) or "none"
    methods = ", ".join(sorted({one.interval.method for one in evaluator.comparisons if one.interval})) or "none"
    note = (
        f"Differences in points, paired by case; interval: {methods}; test: {tests}. Left out: only the model, only "
        "the baseline, both without a score. Flips: cases scored higher and lower than by the baseline. "
        "Detectable: the smallest difference that so many cases show with a power of 80\u00a0%."
    )
    return el("div", table(f"Differences by {evaluator.name}", _DIFFERENCES, rows), el("p", note, class_="note"))


def _difference(one: Comparison, names: Names) -> list[Markup]:
    left = one.left_out
    agreement, kappa = (None, None) if one.agreement is None else (one.agreement.rate, one.agreement.kappa)
    gate = None if one.regression is None else chip(one.regression.state, one.regression.state == "excluded")
    effect = one.minimum_detectable_effect
    return [
        head(names.named(one.model)),
        number(None if one.difference is None else words.points(one.difference)),
        number(words.points_range(one.interval) if one.interval else None),
        number(_p_values(one)),
        number(one.cases),
        number(one.sources),
        number(f"{left.only_a} + {left.only_b} + {left.both}" if left.total else 0),
        number(f"{len(one.better)} up, {len(one.worse)} down" if one.better or one.worse else 0),
        number(None if agreement is None else words.percent(agreement)),
        number(None if kappa is None else f"{kappa:.2f}".replace("-", words.MINUS)),
        number(None if effect is None else words.points(effect).lstrip("+")),
        number(None) if gate is None else el("td", gate),
    ]


def _p_values(one: Comparison) -> str | None:
    """The test's own, and with those of the other models in view."""
    if one.p_value is None or one.adjusted_p_value is None:
        return None
    return f"{words.p_text(one.p_value)} ({words.p_text(one.adjusted_p_value)})"
