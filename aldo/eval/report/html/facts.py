"""What was run: the suite, the agent, the parameters, the models."""

from __future__ import annotations

from collections.abc import Iterable

from aldo.eval.report import words
from aldo.eval.report.html.markup import Child, Markup, el
from aldo.eval.report.html.names import Names
from aldo.eval.report.html.tables import cell, head, table
from aldo.eval.report.model import ModelReport, Report


def title(report: Report) -> Markup:
    run = report.run
    asked = words.count(len(run.cases), "case")
    repeats = f", each asked {run.repeat} times" if run.repeat > 1 else ""
    compared = words.count(len(report.models), "model")
    return el(
        "header",
        el("p", f"Evaluation · {compared} · {asked}{repeats} · {_minute(report.started)} UTC", class_="kind"),
        el("h1", run.suite),
        el("p", run.description, class_="lead") if run.description else None,
    )


def facts(report: Report, names: Names) -> Markup:
    """The parameters and the models."""
    return el(
        "section",
        el("h2", "What was run"),
        el("dl", [el("div", el("dt", name), el("dd", value)) for name, value in _facts(report)], class_="facts"),
        table(
            "Models",
            ("Model", "Provider", "Name on the wire", "Name it answered with", "Quantization", "Server"),
            [_model(model, model.model == report.baseline, names) for model in report.models],
        ),
        aria_label="What was run",
    )


def _facts(report: Report) -> Iterable[tuple[str, Child]]:
    run = report.run
    yield "Suite", run.suite
    yield "Agent", run.agent.identity.name
    yield "Privacy tier", run.privacy
    yield "Started", f"{_second(report.started)} UTC"
    yield "Ended", f"{_second(report.ended)} UTC"
    yield "Cases", str(len(run.cases))
    yield "Repeats", str(run.repeat)
    yield "Seed", str(run.seed)
    yield "Max tokens", str(run.max_tokens)
    yield "Temperature", f"{run.temperature:g}"
    yield "Top p", f"{run.top_p:g}"
    for judge in sorted({one.judge for one in report.evaluators if one.judge}):
        yield "Judge", judge
    if report.judge_requests:
        yield "Requests to judges", f"{report.judge_requests}, {words.usd_text(report.judge_usd)}"
    yield "Log", report.log
    yield "Written by", f"aldo {run.aldo}"


def _model(model: ModelReport, baseline: bool, names: Names) -> list[Markup]:
    mark = el("span", "baseline", class_="mark") if baseline else None
    returned = ", ".join(model.returned_models) or words.NONE
    return [
        head(names.named(model.model, " ", mark)),
        cell(model.provider),
        cell(model.upstream_model),
        cell(returned),
        cell(model.quantization or words.NONE),
        cell(model.base_url),
    ]


def _second(at: str) -> str:
    return at[:19].replace("T", " ")


def _minute(at: str) -> str:
    return at[:16].replace("T", " ")
