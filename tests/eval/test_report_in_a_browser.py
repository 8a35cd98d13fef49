"""The page in a real Chromium, opened from disk: it draws, sorts, filters and opens, and asks nobody for anything."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from aldo.eval.report.html import render
from tests.eval.sample_reports import BF16, DEFECT, EIGHT, FOUR, JUDGED, SENTENCE, hostile, sample

pytestmark = pytest.mark.heavy

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "microsoft-edge")
REPORTS = {
    "two": sample(),
    "three": sample(models=(BF16, FOUR, EIGHT), names=(DEFECT, SENTENCE, JUDGED), failing=True),
    "one": sample(models=(BF16,), count=6),
    "long": sample(models=(f"base-{'long-' * 30}", "x" * 200), count=8, names=(DEFECT,)),
    "hostile": hostile(),
    "large": sample(1000, (BF16, FOUR, EIGHT), (DEFECT,)),
}
SEEN = """() => [...document.querySelectorAll('.cases tbody')].filter(body => !body.hidden).map(body => body.querySelector('.case').textContent)"""
COLUMN = """column => [...document.querySelectorAll('.cases tbody')].map(body => body.rows[0].cells[column].dataset.v).map(v => v === undefined ? null : Number(v))"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    api = pytest.importorskip("playwright.sync_api", reason="no playwright: it is in the group heavy")
    found = os.environ.get("ALDO_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    with api.sync_playwright() as playwright:
        fetched = playwright.chromium.executable_path
        found = found or (fetched if Path(fetched).exists() else None)
        if found is None:
            pytest.skip("no Chromium on the path; ALDO_CHROMIUM may name one, playwright may fetch one")
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"] if root else [])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("pages")
    for name, report in REPORTS.items():
        (folder / f"{name}.html").write_text(render(report), "utf-8")
    return {name: folder / f"{name}.html" for name in REPORTS}


Opened = Callable[..., AbstractContextManager[Any]]


@pytest.fixture
def opened(browser: Any, pages: dict[str, Path]) -> Opened:
    """A page that has loaded. What it told the console, what failed in it and what it asked for must be nothing."""

    @contextmanager
    def opening(name: str, *, scheme: str = "light", width: int = 1280, script: bool = True) -> Iterator[Any]:
        context = browser.new_context(
            color_scheme=scheme, viewport={"width": width, "height": 900}, java_script_enabled=script
        )
        page, complaints, requests = context.new_page(), [], []
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: requests.append(request.url))
        page.on("dialog", lambda dialog: (complaints.append(dialog.message), dialog.dismiss()))
        url = pages[name].as_uri()
        page.goto(url, wait_until="load")
        yield page
        assert complaints == []
        assert [asked for asked in requests if asked.partition("#")[0] != url and not asked.startswith("data:,")] == []
        assert page.url.partition("#")[0] == url
        context.close()

    return opening


@pytest.mark.parametrize("name", ["two", "three", "one", "long", "hostile"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_it_is_drawn_in_any_light_and_width(opened: Opened, name: str, scheme: str, width: int) -> None:
    with opened(name, scheme=scheme, width=width) as page:
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        drawings = page.locator("svg")
        assert drawings.count() >= 3
        for number in range(drawings.count()):
            box = drawings.nth(number).bounding_box()
            assert box["width"] > 250
            assert box["height"] > 40
            assert box["x"] + box["width"] <= width
        seen = page.evaluate(
            """() => [...document.querySelectorAll('svg')].map(svg => [...svg.querySelectorAll('[class*=role-mark] path, [class*=role-mark] line, [class*=role-mark] text')].map(mark => {
              const box = mark.getBoundingClientRect(), style = getComputedStyle(mark);
              return [box.width + box.height > 0, style.fill, style.stroke, mark.tagName];
            }))"""
        )
        assert all(len([one for one in marks if one[0]]) >= 3 for marks in seen)
        ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert ground == ("rgb(255, 255, 255)" if scheme == "light" else "rgb(20, 24, 28)")
        inks = {fill for marks in seen for _, fill, _, tag in marks if tag == "text"}
        assert inks
        assert not any(ground in ink or "rgb(0, 0, 0)" in ink for ink in inks), inks
        dark_ink = [sum(map(int, ink[4:-1].split(","))) < 380 for ink in inks]
        assert all(dark_ink) if scheme == "light" else not any(dark_ink)


@pytest.mark.parametrize("name", ["three", "long"])
def test_axes_and_labels_stay_inside_their_drawing_and_apart(opened: Opened, name: str) -> None:
    with opened(name, width=390) as page:
        outside = page.evaluate(
            """() => [...document.querySelectorAll('svg')].flatMap(svg => { const all = svg.getBoundingClientRect();
              return [...svg.querySelectorAll('text')].filter(text => { const box = text.getBoundingClientRect();
                return box.left < all.left - 3 || box.right > all.right + 3; }).map(text => text.textContent) })"""
        )
        assert outside == []
        apart = page.evaluate(
            """() => [...document.querySelectorAll('svg')].map(svg => { const labels = [...svg.querySelectorAll('.role-mark text')].map(text => text.getBoundingClientRect());
              return labels.every(one => labels.every(other => one === other || Math.abs(one.top - other.top) > 2 || one.right < other.left || other.right < one.left)); })"""
        )
        assert all(apart)


@pytest.mark.parametrize("way", ["mouse", "keyboard"])
def test_it_sorts_both_ways_and_what_has_no_value_stays_last(opened: Opened, way: str) -> None:
    with opened("three") as page:
        assert page.locator("[aria-sort]").count() == 0
        heads = page.locator(".cases thead [data-sortable]")
        assert heads.count() == 2 + 9
        for column in (1, 2, 10):
            button = heads.nth(column).locator("button")
            for order, sign in (("ascending", 1), ("descending", -1)):
                if way == "mouse":
                    button.click()
                else:
                    button.focus()
                    page.keyboard.press("Enter")
                assert heads.nth(column).get_attribute("aria-sort") == order
                assert page.locator("[aria-sort]").count() == 1
                values = page.evaluate(COLUMN, column)
                known = [value for value in values if value is not None]
                assert len(set(known)) > 1
                assert known == sorted(known, key=lambda value: sign * value)
                assert values[len(known) :] == [None] * (len(values) - len(known))
        heads.nth(0).locator("button").click()
        assert page.evaluate(SEEN) == sorted(page.evaluate(SEEN))
        heads.nth(0).locator("button").click()
        assert page.evaluate(SEEN) == sorted(page.evaluate(SEEN), reverse=True)


def test_it_filters_by_text_flip_and_tag(opened: Opened) -> None:
    report = REPORTS["two"]
    flips = {
        case for one in report.evaluators for compared in one.comparisons for case in compared.better + compared.worse
    }
    worse = {case for one in report.evaluators for compared in one.comparisons for case in compared.worse}
    tagged = {case.id for case in report.cases if "race" in case.tags}
    in_answers = {case.id for case in report.cases if any("not descriptive" in answer.text for answer in case.answers)}
    assert flips > worse > set()
    with opened("two") as page:
        assert len(page.evaluate(SEEN)) == 48
        page.select_option("#filter-kind", "flip")
        assert set(page.evaluate(SEEN)) == flips
        assert page.inner_text("#shown") == f"{len(flips)} of 48 cases"
        page.select_option("#filter-kind", "worse")
        assert set(page.evaluate(SEEN)) == worse
        page.select_option("#filter-tag", "race")
        assert set(page.evaluate(SEEN)) == worse & tagged
        page.select_option("#filter-kind", "")
        assert set(page.evaluate(SEEN)) == tagged
        page.select_option("#filter-tag", "")
        page.fill("#filter-text", "NOT Descriptive")
        assert set(page.evaluate(SEEN)) == in_answers
        page.locator(".cases tbody:not([hidden]) .case button").first.click()
        page.fill("#filter-text", "no such text")
        assert page.evaluate(SEEN) == []
        assert page.inner_text("#shown") == "0 of 48 cases"
        page.fill("#filter-text", "")
        page.keyboard.press("Enter")
        assert len(page.evaluate(SEEN)) == 48
        assert page.inner_text("#shown") == "48 cases"


@pytest.mark.parametrize(("width", "beside"), [(1280, True), (390, False)])
def test_a_case_opens_to_both_answers_with_their_differences(opened: Opened, width: int, beside: bool) -> None:
    worst = REPORTS["two"].regressions[0]
    case = next(case for case in REPORTS["two"].cases if case.id == worst.case)
    with opened("two", width=width) as page:
        body = page.locator(".cases tbody", has_text=worst.case)
        button = body.locator(".case button")
        assert page.locator(".answer").count() == 0, "nothing is built before it is asked for"
        assert button.get_attribute("aria-expanded") == "false"
        button.focus()
        page.keyboard.press("Enter")
        assert button.get_attribute("aria-expanded") == "true"
        answers = body.locator(".answer")
        assert answers.count() == 2
        for number, answer in enumerate(case.answers):
            assert answers.nth(number).locator("pre").first.text_content() == answer.text
            assert answer.model in answers.nth(number).inner_text()
            for verdict in answer.verdicts:
                assert verdict.reason in answers.nth(number).inner_text()
        assert case.input in (body.locator(".given pre").first.text_content() or "")
        removed, added = answers.nth(0).locator("del"), answers.nth(1).locator("ins")
        assert removed.count() > 0
        assert added.count() > 0
        for mark, line in ((removed, "line-through"), (added, "underline")):
            assert line in mark.first.evaluate("mark => getComputedStyle(mark).textDecorationLine")
        left, right = (answers.nth(number).bounding_box() for number in (0, 1))
        assert (left["y"] == right["y"] and right["x"] > left["x"] + left["width"]) is beside
        assert (left["x"] == right["x"] and right["y"] >= left["y"] + left["height"]) is not beside
        assert max(left["x"] + left["width"], right["x"] + right["width"]) <= width
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        button.click()
        assert not answers.first.is_visible()


def test_a_link_to_a_case_opens_it_even_if_it_was_filtered_out(opened: Opened) -> None:
    with opened("two") as page:
        page.fill("#filter-text", "no such text")
        link = page.get_by_role("link", name=REPORTS["two"].regressions[0].case)
        link.first.click()
        assert page.locator(f"{link.first.get_attribute('href')} .answer").first.is_visible()


def test_hostile_answers_run_nothing_load_nothing_and_break_nothing(opened: Opened) -> None:
    with opened("hostile") as page:
        bodies = page.locator(".cases tbody")
        assert bodies.count() == 7
        for number in range(7):
            bodies.nth(number).locator(".case button").click()
            assert bodies.nth(number).locator(".answer").count() == 2
        page.fill("#filter-text", "onerror")
        assert page.evaluate("window.hacked") is None
        for tag in ("img", "iframe", "form form", ".answer a", ".answer svg", ".answer script", ".cases style"):
            assert page.locator(tag).count() == 0, tag
        assert page.locator("section[aria-label='What was run']").is_visible()
        assert page.evaluate("document.title").startswith("code-review: base<b>")


def test_the_policy_stops_what_escaping_would_have_missed(opened: Opened, pages: dict[str, Path]) -> None:
    """The second lock: markup that gets into the page all the same neither runs nor loads."""
    wrong = pages["two"].with_name("wrong.html")
    inside = "<img src='https://evil.example/x.png'><script>window.hacked = 1</script><b onclick='1' style='color:red'>x</b></main>"
    wrong.write_text(pages["two"].read_text("utf-8").replace("</main>", inside, 1), "utf-8")
    pages["wrong"] = wrong
    stopped: list[str] = []
    with pytest.raises(AssertionError, match="Content Security Policy"), opened("wrong") as page:
        stopped += [str(page.evaluate("window.hacked")), page.locator("main > b").evaluate("b => b.style.color")]
    assert stopped == ["None", ""]


def test_without_scripts_all_is_there_and_cases_open(opened: Opened) -> None:
    case = REPORTS["two"].cases[0]
    with opened("two", script=False) as page:
        assert not page.locator("#controls").is_visible()
        assert page.locator(".cases tbody").count() == 48
        body = page.locator("#case-1")
        answers = body.locator(".answer pre")
        assert not answers.first.is_visible()
        body.locator("summary").first.click()
        assert answers.first.is_visible()
        assert [answers.nth(number).text_content() for number in (0, 1)] == [answer.text for answer in case.answers]
        assert body.locator("del").count() > 0
        assert page.locator("svg").first.is_visible()
    with opened("hostile", script=False) as page:
        assert page.locator(".cases tbody").count() == 7
        assert page.locator("img, .answer a").count() == 0


def test_a_thousand_cases_are_inert_until_opened(opened: Opened) -> None:
    with opened("large") as page:
        assert len(page.evaluate(SEEN)) == 1000
        assert page.locator(".answer").count() == 0
        assert page.evaluate("document.querySelectorAll('*').length") < 40_000
        page.fill("#filter-text", "case that is not there")
        assert page.evaluate(SEEN) == []
        page.fill("#filter-text", "-999")
        assert len(page.evaluate(SEEN)) == 1
