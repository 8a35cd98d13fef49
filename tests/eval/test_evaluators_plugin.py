"""Evaluators of other packages, found by their entry points."""

from __future__ import annotations

import pytest

from aldo.catalog.suites import load_suite
from aldo.errors import CatalogError, UsageError
from aldo.eval.report import build_report
from aldo.eval.run import read_log
from tests.eval.playing import Bench, Player, entry, grade

CODE = '''
from aldo.eval.evaluators import Grade

def length(evaluator):
    """Full score up to so many characters."""
    most = evaluator.options["most"]
    return lambda case, answer: len(answer) <= most

def given(evaluator):
    """What the options say, as it is."""
    value = evaluator.options["value"]
    return lambda case, answer: float("nan") if value == "NaN" else value

def truth(evaluator):
    return lambda case, answer: case.ground_truth == evaluator.ref

def a_grade(evaluator):
    made = Grade(**evaluator.options["grade"])
    return lambda case, answer: made

def broken(evaluator):
    raise LookupError("no model file")

def failing(evaluator):
    def function(case, answer):
        raise ZeroDivisionError("as ever")
    return function

def leaving(evaluator):
    def function(case, answer):
        raise SystemExit(7)
    return function
'''
NAMES = ("length", "given", "truth", "a_grade", "broken", "failing", "leaving")


@pytest.fixture(autouse=True)
def package(tmp_path, monkeypatch):
    """A small package that is installed for the length of a test."""
    site = tmp_path / "site"
    info = site / "played_evaluators-1.0.dist-info"
    info.mkdir(parents=True)
    (site / "played_evaluators.py").write_text(CODE)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: played-evaluators\nVersion: 1.0\n")
    lines = [f"{name} = played_evaluators:{name}" for name in NAMES] + [
        "gone = played_evaluators:gone",
        "lost = no_such_module:it",
    ]
    (info / "entry_points.txt").write_text("[aldo.evaluators]\n" + "\n".join(lines) + "\n")
    monkeypatch.syspath_prepend(str(site))
    return site


def custom(kind, **options):
    return {"type": kind, "options": options}


def test_it_gets_its_options_the_case_and_the_answer():
    assert grade(custom("length", most=3), "abc").state == "ok"
    assert grade(custom("length", most=3), "abcd").state == "fail"
    assert grade({"type": "truth", "ref": "x"}, "", "x").state == "ok"
    assert grade({"type": "truth", "ref": "x"}, "", "y").state == "fail"


@pytest.mark.parametrize(
    ("value", "state", "score"),
    [(True, "ok", 1.0), (False, "fail", 0.0), (1, "ok", 1.0), (0.25, "fail", 0.25), (2, "error", None), (-0.5, "error", None),
     ("NaN", "error", None), (None, "error", None), ("1", "error", None), ([1], "error", None), ({}, "error", None),
     pytest.param(10**400, "error", None, id="huge")],
)  # fmt: skip
def test_what_it_gives_is_a_score_from_0_to_1_or_its_own_error(value, state, score):
    found = grade(custom("given", value=value), "answer")
    assert (found.state, found.score) == (state, score)


def test_it_may_give_a_grade():
    found = grade(custom("a_grade", grade={"state": "judge-unparsable", "reason": "why"}), "answer")
    assert (found.state, found.score, found.reason) == ("judge-unparsable", None, "why")


def test_one_that_raises_is_an_error_of_that_answer_alone():
    found = grade(custom("failing"), "answer")
    assert (found.state, found.score) == ("error", None)
    assert "ZeroDivisionError: as ever" in found.reason


@pytest.mark.parametrize("kind", ["broken", "gone", "lost"])
def test_one_that_cannot_be_made_is_refused_before_anything_is_asked(tmp_path, kind):
    with Player() as player:
        bench = Bench(tmp_path).catalog(entry("a", player.url)).suite(evaluators=[{"name": "c", "type": kind}])
        with pytest.raises(UsageError, match=kind):
            bench.go("a")
        assert player.questions == []


def test_one_that_is_not_installed_is_refused_when_the_suite_is_loaded(tmp_path):
    bench = Bench(tmp_path).suite(evaluators=[{"name": "c", "type": "lenght"}])
    with pytest.raises(CatalogError) as refused:
        load_suite(bench.folder / "suite.yaml")
    assert [("length" in one.hint, one.pointer) for one in refused.value.findings] == [
        (True, "/suite/evaluators/0/type")
    ]


def test_a_whole_run_counts_its_errors_apart(tmp_path):
    evaluators = [{"name": "fails", **custom("failing")}, {"name": "short", **custom("length", most=8)}]
    with Player() as player:
        bench = Bench(tmp_path).catalog(entry("a", player.url)).suite(evaluators=evaluators)
        bench.go("a")
        report = build_report(read_log(bench.log))
    states = {one.name: [dict(score.states) for score in one.scores] for one in report.evaluators}
    assert states == {"fails": [{"error": 3}], "short": [{"ok": 2, "fail": 1}]}


def test_an_evaluator_that_fails_is_asked_once_in_a_run(tmp_path):
    with Player() as player:
        bench = (
            Bench(tmp_path).catalog(entry("a", player.url)).suite(evaluators=[{"name": "fails", **custom("failing")}])
        )
        bench.go("a")
    assert [line["case"] for line in bench.lines("score")] == ["one", "two", "three"]


NONSENSE = {
    "score of 7": custom("a_grade", grade={"state": "ok", "score": 7.0}),
    "unknown state": custom("a_grade", grade={"state": "splendid"}),
    "ok without a score": custom("a_grade", grade={"state": "ok"}),
    "ok with a score of 0": custom("a_grade", grade={"state": "ok", "score": 0.0}),
    "SystemExit": custom("leaving"),
}


@pytest.mark.parametrize("options", NONSENSE.values(), ids=NONSENSE)
def test_a_plugin_cannot_end_a_run_or_put_nonsense_into_its_log(tmp_path, options):
    with Player() as player:
        bench = Bench(tmp_path).catalog(entry("a", player.url)).suite(evaluators=[{"name": "c", **options}])
        bench.go("a")
    assert len(bench.answered()) == 3
    assert {(line["state"], line["score"]) for line in bench.lines("score")} == {("error", None)}
