"""The cases: the worst regressions, and a table of all of them that sorts, filters and opens."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from aldo.eval.report import words
from aldo.eval.report.html.answers import drill_down
from aldo.eval.report.html.markup import Markup, el
from aldo.eval.report.html.names import Names
from aldo.eval.report.html.tables import cell, head, scrolling, table
from aldo.eval.report.model import Answer, CaseReport, EvaluatorReport, Regression, Report
from aldo.eval.report.verdicts import Standing, is_for, standing, verdict_on

MOST_REGRESSIONS = 20

_SHORT = {"judge-unparsable": "unparsable"}


def regressions_section(report: Report, names: Names) -> Markup | None:
    """The largest drops, each with a link to its case; nothing where there is but one model."""
    if len(names.all) < 2:
        return None
    shown = report.regressions[:MOST_REGRESSIONS]
    found = {case.id: (place, case) for place, case in enumerate(report.cases, 1)}
    heads = ("Case", "Evaluator", "Model", "Baseline", "Score", "Why")
    rows = [_regression(one, *found[one.case], names) for one in shown]
    total = words.count(len(report.regressions), "time")
    more = f"; the {len(shown)} largest drops are here" if len(shown) < len(report.regressions) else ""
    told = f"A model scores lower than the baseline {total}{more}." if shown else "No case scores lower than before."
    return el(
        "section",
        el("h2", "Worst regressions"),
        el("p", told, class_="note"),
        table("Worst regressions", heads, rows) if shown else None,
        aria_label="Worst regressions",
    )


def _regression(one: Regression, place: int, case: CaseReport, names: Names) -> list[Markup]:
    reasons = (_reason(answer, one.evaluator) for answer in case.answers if answer.model == one.model)
    return [
        head(el("a", one.case, href=f"#case-{place}")),
        cell(one.evaluator),
        cell(names.badge(one.model)),
        el("td", words.score_text(one.baseline_score), class_="n"),
        el("td", words.score_text(one.score), class_="n low"),
        el("td", next(filter(None, reasons), words.NONE), class_="why"),
    ]


def _reason(answer: Answer, evaluator: str) -> str:
    verdict = verdict_on(answer, evaluator)
    return "" if verdict is None or verdict.state == "ok" else verdict.reason[:300]


def cases_section(report: Report, names: Names) -> Markup:
    """Each case is a table body of two rows: its scores, and what opens."""
    bodies = [_case(report, names, case, place) for place, case in enumerate(report.cases, 1)]
    whole = el("table", _heads(report, names), bodies, id="cases", class_="cases")
    return el(
        "section",
        el("h2", "All cases"),
        _controls(report),
        scrolling("All cases", whole),
        aria_label="All cases",
    )


def _controls(report: Report) -> Markup:
    """Hidden until the script that they belong to runs."""
    tags = sorted({tag for case in report.cases for tag in case.tags})
    choices = (
        ("", "all cases"),
        ("flip", "only flips"),
        ("worse", "only worse than the baseline"),
        ("better", "only better than the baseline"),
        ("unscored", "only without a score"),
    )
    options = [el("option", told, value=value) for value, told in choices]
    tagged = [el("option", "any", value=""), *(el("option", tag, value=tag) for tag in tags)]
    return el(
        "form",
        el("label", "Text ", el("input", type="search", id="filter-text", autocomplete="off", spellcheck="false")),
        el("label", "Show ", el("select", options, id="filter-kind")),
        el("label", "Tag ", el("select", tagged, id="filter-tag")) if tags else None,
        el("output", words.count(len(report.cases), "case"), id="shown", aria_live="polite"),
        id="controls",
        hidden=True,
    )


def _heads(report: Report, names: Names) -> Markup:
    several = len(names.all) > 1
    change = _sortable("Change", "Largest change from the baseline, in points", rows=2) if several else None
    over = [
        el("th", evaluator.name, colspan=len(names.all), scope="colgroup", class_="over")
        for evaluator in report.evaluators
    ]
    under = [
        _sortable(names.badge(model), f"Score of {model} by {evaluator.name}")
        for evaluator in report.evaluators
        for model in names.all
    ]
    return el("thead", el("tr", _sortable("Case", None, rows=2), change, over), el("tr", under))


def _sortable(told: str, label: str | None, rows: int | None = None) -> Markup:
    inside = el("span", told, class_="sort", data_label=label or told)
    return el("th", inside, scope="col", rowspan=rows, title=label, class_="n" if label else None, data_sortable=True)


def _case(report: Report, names: Names, case: CaseReport, place: int) -> Markup:
    found = list(_standings(report, names, case))
    changes = [
        one.score - row[0].score
        for _, row in found
        for one in row[1:]
        if one.score is not None and row[0].score is not None
    ]
    down, up = min(changes, default=0.0), max(changes, default=0.0)
    kinds = [kind for kind, is_so in (("worse", down < 0), ("better", up > 0), ("unscored", _unscored(found))) if is_so]
    change = _change(down if down < 0 else up, bool(changes)) if len(names.all) > 1 else None
    scores = [el("td", words.NONE, class_="n zero") if one is None else _score(one, base)
              for one, base in _cells(report, names, found)]  # fmt: skip
    tags = el("span", " · ".join(case.tags), class_="tags") if case.tags else None
    width = 1 + (len(names.all) > 1) + len(names.all) * len(report.evaluators)
    inside = el("details", el("summary", "Input, ground truth and answers"), _inert(drill_down(case, names)))
    return el(
        "tbody",
        el("tr", el("th", el("span", case.id, class_="case"), tags, scope="row"), change, scores),
        el("tr", el("td", inside, colspan=width), class_="drill-row"),
        id=f"case-{place}",
        data_kinds=" ".join(kinds),
        data_tags="\n".join(case.tags),
    )


def _inert(content: Markup) -> Markup:
    """Text to a browser that runs our script, which opens it when asked; elements to one that runs none.

    So a thousand cases are no load before they are looked at. All `<` of others are escaped, so nothing in it can
    end it before its end.
    """
    return el("noscript", content)


def _standings(report: Report, names: Names, case: CaseReport) -> Iterator[tuple[EvaluatorReport, Sequence[Standing]]]:
    for evaluator in report.evaluators:
        if is_for(report, evaluator.name, case):
            yield evaluator, [standing(case, model, evaluator) for model in names.all]


def _cells(
    report: Report, names: Names, found: Sequence[tuple[EvaluatorReport, Sequence[Standing]]]
) -> Iterator[tuple[Standing | None, Standing | None]]:
    """Of each column the standing, None where the evaluator is not for the case, and that of the baseline."""
    by_name = {evaluator.name: row for evaluator, row in found}
    for evaluator in report.evaluators:
        row = by_name.get(evaluator.name)
        for place in range(len(names.all)):
            yield (None, None) if row is None else (row[place], row[0])


def _unscored(found: Sequence[tuple[EvaluatorReport, Sequence[Standing]]]) -> bool:
    return any(one.score is None for _, row in found for one in row)


def _score(one: Standing, base: Standing | None) -> Markup:
    if one.score is None:
        return el("td", el("span", _SHORT.get(one.state, one.state), class_="state"), class_="n")
    told, change = words.score_text(one.score), 0.0
    if base is not None and base.score is not None:
        change = one.score - base.score
    sign = el("span", "▼ " if change < 0 else "▲ ", aria_hidden="true", class_="down" if change < 0 else "up")
    partly = (
        el("span", f" {_SHORT.get(one.state, one.state)}", class_="state") if one.state not in ("ok", "fail") else None
    )
    return el(
        "td", sign if change else None, told, partly, class_="n" if one.score else "n low", data_v=repr(one.score)
    )


def _change(change: float, known: bool) -> Markup:
    if not known:
        return el("td", words.NONE, class_="n zero")
    look = "n down" if change < 0 else "n up" if change > 0 else "n zero"
    return el("td", words.points(change), class_=look, data_v=repr(change))
