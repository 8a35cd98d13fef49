"""What a case opens to: what was asked, what is right, and the answers side by side with their differences marked."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from aldo.eval.report import words
from aldo.eval.report.html.differences import Difference, merged, word_difference
from aldo.eval.report.html.markup import Child, Markup, el, joined, text
from aldo.eval.report.html.names import Names
from aldo.eval.report.model import Answer, CaseReport, Verdict
from aldo.eval.report.verdicts import by_repeat
from aldo.schema.frozen import thawed

MOST_TEXT = 20_000
"""Characters of one text; the log has the rest."""


def drill_down(case: CaseReport, names: Names) -> Markup:
    known = []
    if case.ground_truth is not None:
        known.append(_given("Ground truth", _truth(case.ground_truth)))
    if case.source is not None:
        known.append(_given("Source", el("p", case.source)))
    given = [_given("Input", _pre(case.input)), el("div", known) if known else None]
    repeats = list(by_repeat(case))
    rows = [_side_by_side(answers, repeat + 1 if len(repeats) > 1 else None, names) for repeat, answers in repeats]
    return el("div", el("div", given, class_="given"), rows, class_="drill")


def _given(name: str, content: Child) -> Markup:
    return el("section", el("h4", name), content)


def _truth(truth: Any) -> Markup:
    if isinstance(truth, str):
        return _pre(truth)
    if isinstance(truth, (list, tuple)) and all(isinstance(one, str) for one in truth):
        return el("ul", [el("li", one, dir="auto") for one in truth], class_="texts")
    return _pre(json.dumps(thawed(truth), ensure_ascii=False, indent=2))


def _pre(written: str) -> Markup:
    return joined([el("pre", written[:MOST_TEXT], dir="auto"), _rest(written)])


def _rest(written: str) -> Markup | None:
    more = len(written) - MOST_TEXT
    return el("p", f"{words.count(more, 'more character')} in the log.", class_="note") if more > 0 else None


def _side_by_side(answers: Sequence[Answer], repeat: int | None, names: Names) -> Markup:
    """The baseline's answer first. Its words that another lacks are marked, and the words that it lacks."""
    compared = _differences(answers)
    columns = [_answer(answer, _marked(answer, answers[0], compared), names) for answer in answers]
    shortened = any(not one.whole for one in compared.values())
    legend = _legend(shortened) if compared and any(_differs(one) for one in compared.values()) else None
    label = el("h4", f"Repeat {repeat}") if repeat is not None else None
    return el("div", label, el("div", columns, class_=f"answers of-{min(len(columns), 4)}"), legend, class_="repeat")


def _differences(answers: Sequence[Answer]) -> Mapping[str, Difference]:
    """By model, of the answers that there are, from the baseline's."""
    if not answers or not answers[0].text:
        return {}
    base = answers[0].text[:MOST_TEXT]
    return {one.model: word_difference(base, one.text[:MOST_TEXT]) for one in answers[1:] if one.text}


def _differs(one: Difference) -> bool:
    return any(mark for mark, _ in (*one.one, *one.other))


def _marked(answer: Answer, baseline: Answer, compared: Mapping[str, Difference]) -> Markup:
    if answer is baseline:
        pieces = merged([one.one for one in compared.values()]) if compared else ((False, answer.text[:MOST_TEXT]),)
        return _pieces(pieces, "del")
    found = compared.get(answer.model)
    return _pieces(found.other if found else ((False, answer.text[:MOST_TEXT]),), "ins")


def _pieces(pieces: Sequence[tuple[bool, str]], name: str) -> Markup:
    """White space at the end of a mark stays outside of it."""
    made: list[Markup] = []
    for mark, written in pieces:
        kept = written.rstrip() if mark else ""
        made.append(el(name, kept) if kept else Markup())
        made.append(text(written[len(kept) :]))
    return Markup("".join(made))


def _legend(shortened: bool) -> Markup:
    cut = " Long answers are compared in part." if shortened else ""
    return el(
        "p",
        el("del", "Struck through"), ": in the baseline's answer and not in another's. ",
        el("ins", "Underlined"), f": not in the baseline's answer.{cut}", class_="note",
    )  # fmt: skip


def _answer(answer: Answer, content: Markup, names: Names) -> Markup:
    reasoning = answer.reasoning and el("details", el("summary", "Reasoning"), _pre(answer.reasoning))
    return el(
        "section",
        el("h4", names.named(answer.model)),
        el("p", _numbers(answer), class_="numbers"),
        el("p", answer.error, class_="failed") if answer.error else None,
        el("pre", content, dir="auto") if answer.text else el("p", "No text.", class_="note"),
        _rest(answer.text),
        reasoning or None,
        el("ul", [_verdict(one) for one in answer.verdicts], class_="found") if answer.verdicts else None,
        class_="answer",
    )


def _numbers(answer: Answer) -> str:
    told: list[str] = [answer.state]
    if answer.finish_reason and answer.finish_reason != "stop":
        told.append(f"finished by {answer.finish_reason}")
    if answer.tokens_out is not None:
        told.append(words.count(answer.tokens_out, "token"))
    if answer.ttft_ms is not None:
        told.append(f"TTFT {words.duration(answer.ttft_ms)}")
    if answer.latency_ms is not None:
        told.append(words.duration(answer.latency_ms))
    return " · ".join(told)


def _verdict(verdict: Verdict) -> Markup:
    score = "" if verdict.score is None else f" {words.score_text(verdict.score)}"
    look = {"ok": "good", "fail": "bad"}.get(verdict.state, "open")
    return el(
        "li",
        el("span", f"{verdict.state}{score}", class_=f"chip {look}"),
        " ",
        el("b", verdict.evaluator),
        [" ", el("span", verdict.reason[:MOST_TEXT], dir="auto")] if verdict.reason else None,
    )
