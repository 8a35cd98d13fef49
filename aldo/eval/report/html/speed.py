"""How fast the models were, and at which cost."""

from __future__ import annotations

from aldo.eval.report import words
from aldo.eval.report.html import plots
from aldo.eval.report.html.markup import Child, Markup, el
from aldo.eval.report.html.names import Names
from aldo.eval.report.html.tables import cell, head, number, table
from aldo.eval.report.model import ModelReport, Report, Spread

_HEADS = (
    "Model", "TTFT p50", "p95", "Tokens/s p50", "p95", "Latency p50", "p95", "Tokens in", "Tokens out", "USD",
    "Retries", "Errors",
)  # fmt: skip


def speed_section(report: Report, names: Names) -> Markup:
    answers = {
        name: [answer for case in report.cases for answer in case.answers if answer.model == name] for name in names.all
    }
    firsts = {name: plots.ttft(found) for name, found in answers.items()}
    rates = {name: plots.tokens_per_second(found) for name, found in answers.items()}
    first_medians = {one.model: one.ttft_ms.p50 for one in report.models}
    rate_medians = {one.model: one.tokens_per_second.p50 for one in report.models}
    figures = [
        el(
            "figure",
            el("figcaption", caption, ", logarithmic" if plots.is_logarithmic(values) else None),
            plots.distribution(title, values, medians, names),
        )
        for caption, title, values, medians in (
            ("Time to the first token, in ms", "Time to the first token", firsts, first_medians),
            ("Tokens per second while decoding", "Tokens per second", rates, rate_medians),
        )
        if any(values.values())
    ]
    note = "A tick for each answer (at most 100 of a model), a bar for the middle half, a sign for the median."
    return el(
        "section",
        el("h2", "Speed and cost"),
        [el("div", figures, class_="figures"), el("p", note, class_="note")] if figures else None,
        table("Speed and cost", _HEADS, [_row(model, names) for model in report.models]),
        aria_label="Speed and cost",
    )


def _row(model: ModelReport, names: Names) -> list[Markup]:
    return [
        head(names.named(model.model)),
        *_spread(model.ttft_ms, words.duration),
        *_spread(model.tokens_per_second, words.rate),
        *_spread(model.latency_ms, words.duration),
        number(model.tokens_in),
        number(model.tokens_out),
        number(words.usd_text(model.usd)),
        number(model.retried),
        cell(_errors(model)),
    ]


def _spread(spread: Spread, told: words.Number) -> list[Markup]:
    over = f"over {words.count(spread.n, 'answer')}"
    return [number(None if value is None else told(value), over) for value in (spread.p50, spread.p95)]


def _errors(model: ModelReport) -> Child:
    counts = sorted(model.errors.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{how_many} × {code}" for code, how_many in counts) or words.NONE
