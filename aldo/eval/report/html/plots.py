"""The plots of a report: means, differences, times and rates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import floor

from aldo.eval.report import words
from aldo.eval.report.html.markup import Markup
from aldo.eval.report.html.names import Names
from aldo.eval.report.html.vega import Plot, Row
from aldo.eval.report.model import Answer, EvaluatorReport
from aldo.eval.report.speed import decoding_rate
from aldo.eval.statistics import Interval, quantiles

MOST_TICKS = 100
"""Of one model in a distribution; of more answers so many are drawn, at equal shares."""

_NAME = 32  # characters that stand beside a number, whatever the font
_LOGARITHMIC_FROM = 30.0  # times the smallest value: one cold start must not squeeze all others


def means(evaluator: EvaluatorReport, names: Names) -> Markup:
    """The mean score of each model with its interval, and the threshold."""
    rows = [
        _row(names, score.model, score.mean, score.interval, words.percent(score.mean))
        for score in evaluator.scores
        if score.mean is not None
    ]
    plot = Plot(names, names.all, {"domain": [0, 100], "nice": False}, "datum.label + ' %'")
    lines = []
    if evaluator.threshold is not None:
        threshold, told = 100 * evaluator.threshold, f"threshold {words.percent(evaluator.threshold)}"
        lines = [plot.line(threshold, told, dashed=True, left=threshold > 50)]
    name = f"Mean score of each model by {evaluator.name}, with its interval. The table has the numbers."
    return plot.draw(name, [*lines, *plot.ranges(rows), *plot.labels(rows)])


def differences(evaluator: EvaluatorReport, names: Names) -> Markup:
    """The difference of each model from the baseline, no difference at all, and the largest regression allowed."""
    compared = evaluator.comparisons
    rows = [
        _row(names, one.model, one.difference, one.interval, words.points(one.difference))
        for one in compared
        if one.difference is not None
    ]
    limits = sorted({100 * one.regression.limit for one in compared if one.regression is not None})
    ends = [abs(row[end]) for row in rows for end in ("low", "high")]
    reach = min(100.0, 1.1 * max([5.0, *ends, *limits]))
    number = f"(datum.value > 0 ? '+' : datum.value < 0 ? '{words.MINUS}' : '') + abs(datum.value)"
    plot = Plot(names, [one.model for one in compared], {"domain": [-reach, reach], "nice": False}, number)
    lines = [plot.line(0, "no difference", dashed=False, left=False)]
    for limit in limits:  # its label stands where there is more room
        told = f"limit {words.points(-limit / 100)}"
        lines.append(plot.line(-limit, told, dashed=True, left=limit < reach / 2))
    name = f"Difference of each model from the baseline by {evaluator.name}, with its interval, in points."
    return plot.draw(f"{name} The table has the numbers.", [*lines, *plot.ranges(rows), *plot.labels(rows)])


def distribution(
    title: str, values: Mapping[str, Sequence[float]], medians: Mapping[str, float | None], names: Names
) -> Markup:
    """Where each model's times or rates lie: a tick for each answer, a bar for the middle half, the median."""
    found = {model: sorted(values[model]) for model in names.all if values.get(model)}
    plot = Plot(names, list(found), {"type": "log"} if is_logarithmic(values) else {"zero": True, "nice": True})
    ticks = [{"model": names.letter(model), "x": x} for model, one in found.items() for x in _thinned(one)]
    boxes = [_box(names, model, one, medians[model]) for model, one in found.items()]
    layers = [
        plot.marks(ticks, {"type": "tick", "thickness": 1.5, "size": 18, "opacity": 0.5}),
        plot.marks(boxes, {"type": "bar", "size": 9, "opacity": 0.45}, x="low", x2="high"),
        plot.points(boxes),
        *plot.labels(boxes),
    ]
    scale = " on a logarithmic scale" if is_logarithmic(values) else ""
    return plot.draw(f"{title} of each model{scale}, answer by answer. The table has the quantiles.", layers)


def is_logarithmic(values: Mapping[str, Sequence[float]]) -> bool:
    """Whether the values are too far apart for an axis from 0."""
    every = [value for one in values.values() for value in one]
    return bool(every) and 0 < min(every) < max(every) / _LOGARITHMIC_FROM


def ttft(answers: Sequence[Answer]) -> list[float]:
    """In ms, of the answers that came."""
    return [answer.ttft_ms for answer in answers if answer.ttft_ms is not None and answer.state != "error"]


def tokens_per_second(answers: Sequence[Answer]) -> list[float]:
    """While decoding: tokens after the first, over the time after the first."""
    there = (answer for answer in answers if answer.state != "error")
    rates = (decoding_rate(answer.tokens_out, answer.ttft_ms, answer.latency_ms) for answer in there)
    return [rate for rate in rates if rate is not None]


def _row(names: Names, model: str, x: float, interval: Interval | None, told: str) -> Row:
    low, high = (interval.low, interval.high) if interval else (x, x)
    return {**_label(names, model, told), "x": 100 * x, "low": 100 * low, "high": 100 * high}


def _box(names: Names, model: str, ordered: Sequence[float], median: float | None) -> Row:
    low, middle, high = quantiles(ordered, (0.25, 0.5, 0.75)) or (0.0, 0.0, 0.0)
    x = middle if median is None else median  # the one of the table, to the last digit
    return {**_label(names, model, words.rate(x)), "x": x, "low": low, "high": high}


def _label(names: Names, model: str, told: str) -> dict[str, str]:
    letter = names.letter(model)
    readable = "".join(c if c.isprintable() else "?" for c in model)
    if len(readable) > _NAME:  # names of one family differ at their ends
        readable = f"{readable[: _NAME // 2]}…{readable[-_NAME // 2 :]}"
    return {"model": letter, "name": f"{letter} · {readable}", "told": told}


def _thinned(ordered: Sequence[float]) -> Sequence[float]:
    if len(ordered) <= MOST_TICKS:
        return ordered
    return [ordered[floor((number + 0.5) * len(ordered) / MOST_TICKS)] for number in range(MOST_TICKS)]
