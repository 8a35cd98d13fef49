"""Markdown for a comment on a pull request: the verdicts, the tables, the few worst regressions.

What others wrote stands in `<code>`, where nothing is a mention or a link, and its signs are written as character
references, which cannot be Markdown or HTML.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from aldo.errors import printable
from aldo.eval.report import words
from aldo.eval.report.model import (
    CaseReport,
    Comparison,
    EvaluatorReport,
    EvaluatorScore,
    ModelReport,
    Regression,
    Report,
)
from aldo.eval.report.verdicts import verdict_on

MOST_REGRESSIONS = 5
MOST_TEXT = 400
"""Characters of one answer."""

_SIGNS = re.compile(r"(?<=www)\.|[^A-Za-z0-9 /.,()=+%'\-]", re.IGNORECASE)
_STATE_HEADS = ("ok", "fail", "error", "truncated", "unparsable", "missing")


def render(report: Report) -> str:
    parts = [
        f"## {code(report.run.suite)}: {words.headline(report)}",
        "\n".join(_verdicts(report)),
        *(_evaluator(evaluator) for evaluator in report.evaluators),
        _speed(report.models),
        _regressions(report),
        _facts(report),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def code(text: str, most: int = 200) -> str:
    """Text of others in a line: as it is, not as Markdown, HTML, a mention or a link."""
    return f"<code>{_escaped(text if len(text) <= most else text[: most - 1] + '…')}</code>"


def _escaped(text: str) -> str:
    written = printable(" ".join(text.split()))
    return _SIGNS.sub(lambda sign: sign[0] if sign[0].isalnum() else f"&#{ord(sign[0])};", written)


def _verdicts(report: Report) -> Iterable[str]:
    for evaluator in report.evaluators:
        if not evaluator.comparisons:
            yield from (f"- {words.score_sentence(one, evaluator.name, code)}" for one in evaluator.scores)
        yield from (f"- {words.verdict_sentence(one, evaluator.name, code)}" for one in evaluator.comparisons)


def _evaluator(evaluator: EvaluatorReport) -> str:
    parts = [f"### {code(evaluator.name)}", "\n".join(_gates(evaluator)), _scores(evaluator)]
    if evaluator.comparisons:
        heads = ("Difference in points", "Interval", "p, Holm", "Cases", "Left out", "Flips", "Kappa", "Detectable")
        parts.append(_table(("Model", *heads), [_difference(one) for one in evaluator.comparisons]))
    return "\n\n".join(part for part in parts if part)


def _gates(evaluator: EvaluatorReport) -> Iterable[str]:
    signs = {"met": "✅", "missed": "❌", "open": "❔"}
    for score in evaluator.scores:
        if score.gate is not None:
            yield f"- {signs[score.gate]} {code(score.model)}: {words.gate_text(score)}"
    for one in evaluator.comparisons:
        if one.regression is not None:
            sign = signs["met" if one.regression.state == "excluded" else "missed"]
            yield f"- {sign} {code(one.model)}: {words.regression_text(one.regression, one.interval)}"


def _scores(evaluator: EvaluatorReport) -> str:
    heads = ("Model", *_STATE_HEADS, "of", "Mean", "Interval", "Cases")
    return _table(heads, [_score(score) for score in evaluator.scores])


def _score(score: EvaluatorScore) -> list[str]:
    counts = {str(state): number for state, number in score.states.items()}
    return [
        code(score.model),
        *(str(counts.get(state, 0)) for state in words.STATES),
        str(sum(counts.values())),
        words.NONE if score.mean is None else words.percent(score.mean),
        words.percent_range(score.interval) if score.interval else words.NONE,
        f"{score.cases} of {score.of}",
    ]


def _difference(one: Comparison) -> list[str]:
    kappa = None if one.agreement is None else one.agreement.kappa
    effect = one.minimum_detectable_effect
    return [
        code(one.model),
        words.NONE if one.difference is None else words.points(one.difference),
        words.points_range(one.interval) if one.interval else words.NONE,
        words.NONE if one.adjusted_p_value is None else words.p_text(one.adjusted_p_value),
        str(one.cases) if one.cases == one.sources else f"{one.cases} of {one.sources} sources",
        str(one.left_out.total),
        f"{len(one.better)} up, {len(one.worse)} down",
        words.NONE if kappa is None else f"{kappa:.2f}".replace("-", words.MINUS),
        words.NONE if effect is None else words.points(effect).lstrip("+"),
    ]


def _speed(models: Sequence[ModelReport]) -> str:
    times = ("TTFT p50", "p95", "Tokens/s p50", "p95", "Latency p50", "p95")
    heads = ("Model", *times, "Tokens in", "Tokens out", "USD", "Retries", "Errors")
    return "### Speed and cost\n\n" + _table(heads, [_speed_row(model) for model in models])


def _speed_row(model: ModelReport) -> list[str]:
    spreads = (
        (model.ttft_ms, words.duration),
        (model.tokens_per_second, words.rate),
        (model.latency_ms, words.duration),
    )
    times = [
        words.NONE if value is None else told(value) for spread, told in spreads for value in (spread.p50, spread.p95)
    ]
    errors = ", ".join(f"{number} × {code(name)}" for name, number in sorted(model.errors.items())) or words.NONE
    counts = [str(model.tokens_in), str(model.tokens_out), words.usd_text(model.usd).replace("$", "&#36;")]
    return [code(model.model), *times, *counts, str(model.retried), errors]


def _regressions(report: Report) -> str:
    if not report.regressions:
        return ""
    shown, found = report.regressions[:MOST_REGRESSIONS], {case.id: case for case in report.cases}
    of = f"{len(shown)} of {len(report.regressions)}" if len(shown) < len(report.regressions) else str(len(shown))
    parts = [_regression(one, found[one.case], report.baseline) for one in shown]
    return f"<details><summary>Worst regressions ({of})</summary>\n\n" + "\n\n".join(parts) + "\n\n</details>"


def _regression(one: Regression, case: CaseReport, baseline: str) -> str:
    drop = f"{words.score_text(one.baseline_score)} → {words.score_text(one.score)}"
    lines = [f"**{code(one.case)}**, {code(one.evaluator)}: {drop}"]
    for model in (baseline, one.model):
        answer = next((answer for answer in case.answers if answer.model == model), None)
        if answer is not None:
            verdict = verdict_on(answer, one.evaluator)
            reason = f" ({code(verdict.reason)})" if verdict and verdict.reason else ""
            lines.append(f"- {code(model)}{reason}: {code(answer.text, MOST_TEXT) if answer.text else 'no text'}")
    return "\n".join(lines)


def _facts(report: Report) -> str:
    run = report.run
    judged = f", {words.count(report.judge_requests, 'request')} to judges" if report.judge_requests else ""
    return (
        f"<sub>Agent {code(run.agent.identity.name)}, tier {run.privacy}, baseline {code(report.baseline)}, "
        f"{words.count(len(run.cases), 'case')} × {run.repeat}, seed {run.seed}, max tokens {run.max_tokens}, "
        f"temperature {run.temperature:g}{judged}, {_escaped(report.started)}.</sub>"
    )


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heads, [":--", *["--:"] * (len(heads) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
