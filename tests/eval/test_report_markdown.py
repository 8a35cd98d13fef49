"""Markdown for a pull request: short, whole, and nothing in it is anybody else's Markdown."""

from __future__ import annotations

import re
from collections import Counter

import pytest
from markdown_it import MarkdownIt

from aldo.eval.report import words
from aldo.eval.report.markdown import MOST_REGRESSIONS, code, render
from aldo.eval.report.model import Report
from tests.eval.sample_reports import BF16, DEFECT, EIGHT, FOUR, HOSTILE, JUDGED, SENTENCE, hostile, sample

GITHUB = MarkdownIt("commonmark").enable(["table", "strikethrough"])
REPORTS = {
    "two models": sample(),
    "three models, failing, judged": sample(models=(BF16, FOUR, EIGHT), names=(DEFECT, JUDGED), failing=True),
    "one model": sample(models=(BF16,)),
    "nothing scored": sample(count=3, failing=True, names=(SENTENCE,)),
    "hostile": hostile(),
}


def _html(report: Report) -> str:
    return GITHUB.render(render(report))


@pytest.mark.parametrize("report", REPORTS.values(), ids=list(REPORTS))
def test_every_table_is_one_and_every_row_is_whole(report: Report) -> None:
    tables = re.findall(r"<table>.*?</table>", _html(report), re.DOTALL)
    compared = sum(bool(one.comparisons) for one in report.evaluators)
    assert len(tables) == len(report.evaluators) + compared + 1
    for table in tables:
        cells = {len(re.findall(r"<t[hd]\b", row)) for row in table.split("<tr>")[1:]}
        assert len(cells) == 1, table
    pipes = [len(re.findall(r"(?<!\\)\|", line)) for line in render(report).splitlines() if line.startswith("|")]
    assert len(set(pipes)) <= 3


def test_it_says_what_came_out() -> None:
    report = REPORTS["two models"]
    text = re.sub(r"</?code>", "", render(report))
    assert f"## code-review: {words.headline(report)}" in text
    for evaluator in report.evaluators:
        for comparison in evaluator.comparisons:
            assert words.verdict_sentence(comparison, evaluator.name) in text
            assert comparison.regression is not None
            assert f"{FOUR}: {words.regression_text(comparison.regression, comparison.interval)}" in text
        for score in evaluator.scores:
            assert f"{score.model}: {words.gate_text(score)}" in text
    assert f"| {BF16} | 40 | 8 | 0 | 0 | 0 | 0 | 48 | 83.3 % |" in text


def test_states_have_columns_of_their_own() -> None:
    report = REPORTS["three models, failing, judged"]
    for evaluator in report.evaluators:
        for score in evaluator.scores:
            counts = [score.states.get(state, 0) for state in words.STATES]  # type: ignore[call-overload]
            assert f"| {code(score.model)} | {' | '.join(map(str, counts))} | 48 |" in render(report)
            assert sum(counts) == 48


def test_only_the_worst_regressions_are_shown() -> None:
    report = REPORTS["three models, failing, judged"]
    text = render(report)
    assert f"Worst regressions ({MOST_REGRESSIONS} of {len(report.regressions)})" in text
    shown = [code(one.case) in text for one in report.regressions]
    assert all(shown[:MOST_REGRESSIONS])
    assert "Worst regressions" not in render(REPORTS["one model"])


def test_nothing_of_others_is_markup_a_link_or_a_mention() -> None:
    html = _html(hostile())
    tags = Counter(re.findall(r"</?([a-z0-9]+)", html))
    assert set(tags) <= {
        "h2",
        "h3",
        "p",
        "ul",
        "li",
        "code",
        "table",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
        "details",
        "summary",
        "sub",
        "strong",
    }
    assert html.count("<details>") == html.count("</details>") == 1
    inside = re.sub(r"<code>.*?</code>", "", html, flags=re.DOTALL)
    for piece in ("hacked", "evil", "@someone", "nol", "<b>", "`"):
        assert piece not in inside, piece
    raw = render(hostile()) + "".join(map(code, HOSTILE))
    for sign in ("@", "](", "![", "://", "www.", "`", "$", "<img", "<script", "\u202e", "\x1b"):
        assert sign not in raw, sign
    assert re.findall("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufffe]", html + GITHUB.render(raw)) == []


def test_a_text_of_others_is_read_as_it_was_written() -> None:
    for text in ("a|b", "*x* _y_ `z` [l](u) <b>&amp;</b> #1 @me ~~no~~ \\n", HOSTILE[1], "Ärger 名前 🙂"):
        assert GITHUB.renderInline(code(text)) == GITHUB.renderInline("<code>") + _escaped(text) + "</code>"


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")


def test_a_long_answer_is_cut() -> None:
    assert code("x" * 500, 100) == f"<code>{'x' * 99}&#8230;</code>"
