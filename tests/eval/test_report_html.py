"""The HTML page as text: whole, self-contained, escaped. What a browser makes of it: test_report_in_a_browser."""

from __future__ import annotations

import re
import sys
from base64 import b64encode
from collections import Counter
from dataclasses import replace
from hashlib import sha256
from html.parser import HTMLParser

import pytest

from aldo.errors import UsageError
from aldo.eval.report import words
from aldo.eval.report.html import render
from aldo.eval.report.html.answers import MOST_TEXT
from aldo.eval.report.html.differences import MOST_WORDS, merged, word_difference
from aldo.eval.report.html.markup import Markup, el, text
from aldo.eval.report.html.plots import MOST_TICKS
from tests.eval.sample_reports import BF16, DEFECT, EIGHT, FOUR, HOSTILE, JUDGED, SENTENCE, hostile, sample

REPORTS = {
    "two models": sample(),
    "three models, failing, judged, repeated": sample(
        12, (BF16, FOUR, EIGHT), (DEFECT, JUDGED), failing=True, repeat=2
    ),
    "one model": sample(models=(BF16,)),
    "no limit": sample(limit=None),
    "nothing came": replace(sample(count=1, failing=True, names=(SENTENCE,)), regressions=()),
    "hostile": hostile(),
}
PAGES = {name: render(report) for name, report in REPORTS.items()}
VOID = {"meta", "link", "input", "br"}


class Page(HTMLParser):
    """Elements with their attributes and their text, as a browser without scripts reads them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, list[str]] = {}
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)
            self.texts.setdefault(tag, []).append("")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        for tag in set(self.open):
            self.texts[tag][-1] += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture(params=list(PAGES))
def name(request: pytest.FixtureRequest) -> str:
    return request.param


def test_every_element_is_closed_and_every_id_is_one(name: str) -> None:
    page = Page(PAGES[name])
    assert page.open == []
    ids = Counter(attributes["id"] for _, attributes in page.elements if "id" in attributes)
    assert ids and set(ids.values()) == {1}


def test_the_page_needs_nothing_else_and_its_policy_allows_nothing_else(name: str) -> None:
    page = Page(PAGES[name])
    policy = next(one["content"] for one in page.all("meta") if one.get("http-equiv") == "Content-Security-Policy")
    style, script = (b64encode(sha256(page.texts[tag][0].encode()).digest()).decode() for tag in ("style", "script"))
    assert (
        policy
        == f"default-src 'none'; style-src 'sha256-{style}'; script-src 'sha256-{script}'; img-src data:; base-uri 'none'; form-action 'none'"
    )
    assert len(page.all("style")) == len(page.all("script")) == 1
    for tag, attributes in page.elements:
        assert not {"style", "src", "srcset", "action", "srcdoc", "xlink:href"} & attributes.keys(), (tag, attributes)
        assert not [key for key in attributes if key.startswith("on")], (tag, attributes)
        assert (attributes.get("href") or "#").startswith(("#", "data:,"))
    assert "url(" not in page.texts["style"][0] and "@import" not in page.texts["style"][0]


def test_the_elements_are_ours_only() -> None:
    tags = {tag for tag, _ in Page(PAGES["hostile"]).elements}
    ours = {tag for tag, _ in Page(PAGES["two models"]).elements} | {"ins", "del"}
    assert tags <= ours
    assert not tags & {"img", "iframe", "object", "embed", "base", "foreignobject", "image"}


def test_hostile_texts_are_shown_as_they_are() -> None:
    page = Page(PAGES["hostile"])
    whole = "".join(page.texts["pre"])
    for written in HOSTILE[:4]:
        assert written in whole
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe]", PAGES["hostile"])
    PAGES["hostile"].encode()
    assert "aU+0000bU+001B[31mredU+0007U+007FU+009B bell\nnext U+202EgnolU+202C" in whole


def test_markup_is_escaped_unless_it_says_that_it_is_markup() -> None:
    assert el("b", "<i>", Markup("<i>"), None, ["&", Markup("&amp;")], title='"<', hidden=True, id=None) == (
        '<b title="&quot;&lt;" hidden>&lt;i&gt;<i>&amp;&amp;</b>'
    )
    assert el("p", title="\u202ea") == '<p title="⟨U+202E⟩a"></p>'
    assert text("👩\u200d🚀 שלום\r\n") == "👩\u200d🚀 שלום\n"


def test_the_verdicts_and_gates_stand_at_the_top(name: str) -> None:
    report = REPORTS[name]
    shown = " ".join(
        Page(PAGES[name]).texts["main"][0].replace("\xa0", " ").split("What was run")[0].split("Mean score")[0].split()
    )
    assert words.headline(report) in shown
    for evaluator in report.evaluators:
        for score in evaluator.scores:
            assert words.gate_text(score) in shown
            if not evaluator.comparisons:
                assert words.score_sentence(score, evaluator.name) in shown
        for one in evaluator.comparisons:
            assert words.verdict_sentence(one, evaluator.name) in shown
            if one.regression:
                assert words.regression_text(one.regression, one.interval) in shown


def _rows(page: str, label: str) -> list[list[str]]:
    """The cells of a table, as text, row by row."""
    (found,) = re.findall(rf'aria-label="{label}" tabindex="0"><table>(.*?)</table>', page, re.DOTALL)
    cells = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL) for row in found.split("<tr>")[1:]]
    return [[re.sub(r"<[^>]+>", "", cell).strip() for cell in row] for row in cells]


def test_states_are_counted_apart_with_their_denominator() -> None:
    report = REPORTS["three models, failing, judged, repeated"]
    for evaluator in report.evaluators:
        heads, *rows = _rows(PAGES["three models, failing, judged, repeated"], f"Scores by {evaluator.name}")
        states = [head for head in heads if head in words.STATES]
        assert set(states) >= set(words.STATES) - {"judge-unparsable"}
        for row, score in zip(rows, evaluator.scores, strict=True):
            told = dict(zip(heads, row, strict=True))
            assert {state: int(told[state]) for state in states} == {
                state: score.states.get(state, 0) for state in states
            }
            assert told["Answers"] == "of 24" == f"of {sum(score.states.values())}"
            assert told["Cases"] == f"{score.cases} of 12"


def test_differences_are_told_with_all_that_qualifies_them() -> None:
    (one,) = REPORTS["two models"].evaluators[0].comparisons
    heads, row = _rows(PAGES["two models"], f"Differences by {DEFECT}")
    told = dict(zip(heads, row, strict=True))
    assert one.interval and one.agreement
    assert told == {
        "Model": f"B {FOUR}", "Difference": "−4.2", "Interval": "−16.3 to +7.2", "p (Holm)": "0.688 (0.688)", "Cases": "48", "Sources": "48", "Left out": "0",
        "Flips": f"{len(one.better)} up, {len(one.worse)} down", "Agreement": words.percent(one.agreement.rate or 0), "Kappa": f"{one.agreement.kappa:.2f}",
        "Detectable": "–", "Regression": "✗ not excluded",
    }  # fmt: skip


def test_speed_and_cost_have_a_row_for_each_model() -> None:
    report = REPORTS["three models, failing, judged, repeated"]
    heads, *rows = _rows(PAGES["three models, failing, judged, repeated"], "Speed and cost")
    for row, model in zip(rows, report.models, strict=True):
        assert row[heads.index("USD")] == ("$0" if model.usd else "not known")
        assert row[heads.index("Tokens out")] == str(model.tokens_out)
        assert model.ttft_ms.p50 is not None
        assert row[1] == words.duration(model.ttft_ms.p50)
        assert all(f"{count} × {code}" in row[-1] for code, count in model.errors.items())


def test_every_case_is_there_with_all_its_answers_and_verdicts(name: str) -> None:
    report, page = REPORTS[name], Page(PAGES[name])
    assert len(page.all("tbody")) >= len(report.cases)
    for number, case in enumerate(report.cases, 1):
        assert f'id="case-{number}"' in PAGES[name]
        start = PAGES[name].index(f'id="case-{number}"')
        inside = PAGES[name][start : PAGES[name].index("</tbody>", start)]
        assert inside.count('class="answer"') == len(case.answers)
        for answer in case.answers:
            for verdict in answer.verdicts:
                assert text(verdict.reason) in inside


def test_the_worst_regressions_come_first_and_lead_to_their_cases() -> None:
    report = REPORTS["two models"]
    links = re.findall(r'<a href="#case-(\d+)">([^<]*)</a>', PAGES["two models"])
    assert [name for _, name in links] == [one.case for one in report.regressions[:20]]
    assert all(report.cases[int(place) - 1].id == name for place, name in links)


def test_a_page_has_its_plots_each_with_a_name() -> None:
    for name, report in REPORTS.items():
        compared = sum(bool(one.comparisons) for one in report.evaluators)
        drawings = Page(PAGES[name]).all("svg")
        timed = 2 if any(answer.ttft_ms for case in report.cases for answer in case.answers) else 0
        assert len(drawings) == len(report.evaluators) + compared + timed
        assert all(one["role"] == "img" and one["aria-label"] for one in drawings)


def test_plots_take_their_colours_from_the_page() -> None:
    drawings = re.findall(r"<svg.*?</svg>", PAGES["two models"], re.DOTALL)
    for drawing in drawings:
        colours = set(re.findall(r'(?:fill|stroke)="([^"]*)"', drawing))
        assert {colour for colour in colours if not colour.startswith("var(--")} <= {"none", "transparent"}, colours


def test_a_plot_tells_the_median_of_the_table() -> None:
    report = REPORTS["three models, failing, judged, repeated"]
    *_, first, rate = re.findall(r"<svg.*?</svg>", PAGES["three models, failing, judged, repeated"], re.DOTALL)
    for model in report.models:
        assert model.ttft_ms.p50 and model.tokens_per_second.p50
        assert f">{model.ttft_ms.p50:.0f}</text>" in first
        assert f">{model.tokens_per_second.p50:.1f}</text>" in rate


def test_one_cold_start_does_not_squeeze_all_others() -> None:
    report = sample(8, (BF16,), (DEFECT,))
    case = report.cases[0]
    slow = replace(case, answers=(replace(case.answers[0], ttft_ms=90_000.0, latency_ms=95_000.0),))
    page = render(replace(report, cases=(slow, *report.cases[1:])))
    assert "Time to the first token of each model on a logarithmic scale" in page
    assert "Time to the first token, in ms, logarithmic</figcaption>" in page
    assert "Tokens per second of each model on" not in page


def test_many_answers_are_thinned_in_a_plot_and_the_page_grows_with_its_cases() -> None:
    few, many = (render(sample(count, (BF16, FOUR, EIGHT), (DEFECT,))) for count in (100, 1000))
    ticks = [page.count("</svg>") for page in (few, many)]
    assert ticks == [4, 4]
    drawn = [sum(map(len, re.findall(r"<svg.*?</svg>", page, re.DOTALL))) for page in (few, many)]
    assert drawn[1] < 1.2 * drawn[0]
    assert len(many) < 10.5 * len(few)
    assert many.count('class="answer"') == 3000
    assert MOST_TICKS == 100


def test_words_that_differ_are_marked_and_nothing_is_lost() -> None:
    found = word_difference("The quick brown fox.\n", "The slow  brown fox, and more\n")
    assert [part for mark, part in found.one if mark] == ["quick ", ".\n"]
    assert [part.strip() for mark, part in found.other if mark] == ["slow", ", and more"]
    assert "".join(part for _, part in found.one) == "The quick brown fox.\n"
    assert word_difference(" a\n b", "a b").other == ((False, "a b"),)
    assert word_difference("", "x").one == ()
    one, other = word_difference("a b c", "a c"), word_difference("a b c", "a b")
    assert merged([one.one, other.one]) == ((False, "a "), (True, "b c"))


def test_long_answers_are_compared_in_part() -> None:
    """Comparing is quadratic in words, so it ends somewhere; what both begin and end with costs nothing."""
    alike = "same " * 5 * MOST_WORDS
    found = word_difference(f"{alike}old{alike}", f"{alike}new{alike}")
    assert found.whole
    assert [part.strip() for mark, part in found.other if mark] == ["newsame"]
    a, b = (" ".join(f"{letter}{n}" for n in range(3 * MOST_WORDS)) for letter in "ab")
    found = word_difference(a, b)
    assert not found.whole
    assert len("".join(part for mark, part in found.one if mark).split()) == MOST_WORDS
    assert "".join(part for _, part in found.one) == a


def test_a_very_long_answer_is_cut_and_says_so() -> None:
    report = sample(1, (BF16,), (DEFECT,))
    (case,) = report.cases
    long = replace(case.answers[0], text="y" * (MOST_TEXT + 7))
    page = render(replace(report, cases=(replace(case, answers=(long,)),)))
    assert "7 more characters in the log." in page
    assert "y" * MOST_TEXT in page
    assert "y" * (MOST_TEXT + 1) not in page


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "vl_convert", None)
    with pytest.raises(UsageError, match=re.escape("pip install 'aldo-gateway[eval]'")):
        render(REPORTS["one model"])


def test_the_same_report_is_the_same_page() -> None:
    assert render(REPORTS["two models"]) == PAGES["two models"]
