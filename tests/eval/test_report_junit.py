"""JUnit: valid by its schema, every case and gate a test, every state its own outcome."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest
import xmlschema

from aldo.errors import printable
from aldo.eval.report.junit import render
from aldo.eval.report.model import RegressionGate, Report
from tests.eval.sample_reports import BF16, DEFECT, EIGHT, FOUR, JUDGED, SENTENCE, hostile, sample

SCHEMA = Path(__file__).parents[1] / "support" / "schemas" / "junit-10.xsd"
REPORTS = {
    "two models": sample(),
    "three models, failing, judged, repeated": sample(
        20, (BF16, FOUR, EIGHT), (DEFECT, JUDGED), failing=True, repeat=2
    ),
    "one model": sample(models=(BF16,)),
    "hostile": hostile(),
}


@pytest.mark.parametrize("report", REPORTS.values(), ids=list(REPORTS))
def test_it_is_valid_and_counts_what_it_holds(report: Report) -> None:
    root = ElementTree.fromstring(render(report))
    assert [str(error.reason) for error in xmlschema.XMLSchema(str(SCHEMA)).iter_errors(root)] == []
    for suite in root:
        assert len(suite) == int(suite.attrib["tests"]) > 0
    for holder in (root, *root):
        for name, outcome in (("tests", "testcase"), ("failures", "failure"), ("errors", "error")):
            assert int(holder.attrib[name]) == len(list(holder.iter(outcome))), (holder.attrib, outcome)
    assert len(root) == len(report.models) * len(report.evaluators)


def test_states_are_never_mixed() -> None:
    report = REPORTS["three models, failing, judged, repeated"]
    root = ElementTree.fromstring(render(report))
    for number, (evaluator, score) in enumerate((one, score) for one in report.evaluators for score in one.scores):
        suite = root[number]
        assert suite.attrib["name"] == f"{score.model} / {evaluator.name}"
        found = Counter(
            next((child.attrib["type"] for child in test), "ok") for test in suite if " (repeat " in test.attrib["name"]
        )
        assert found == {state: count for state, count in score.states.items() if count}
    types = {(outcome.tag, outcome.attrib["type"]) for outcome in root.iter() if outcome.tag in ("failure", "error")}
    errors = {("error", state) for state in ("error", "missing", "truncated", "judge-unparsable")}
    assert types - {("error", "threshold-open")} == {
        ("failure", "fail"),
        ("failure", "regression-not-excluded"),
        *errors,
    }


def _outcomes(report: Report, name: str) -> list[tuple[str, str]]:
    tests = [test for test in ElementTree.fromstring(render(report)).iter("testcase") if test.attrib["name"] == name]
    return [(child.tag, child.attrib["type"]) for test in tests for child in test] or [("passed", "")] * len(tests)


@pytest.mark.parametrize(
    ("gate", "outcome"),
    [("met", ("passed", "")), ("missed", ("failure", "threshold-missed")), ("open", ("error", "threshold-open"))],
)
def test_a_threshold_is_a_test(gate: str, outcome: tuple[str, str]) -> None:
    report = sample(models=(BF16,), names=(DEFECT,))
    (one,) = report.evaluators
    changed = replace(one, scores=(replace(one.scores[0], gate=gate),))  # type: ignore[arg-type]
    assert _outcomes(replace(report, evaluators=(changed,)), "threshold") == [outcome]


@pytest.mark.parametrize(
    ("state", "outcome"),
    [("excluded", ("passed", "")), ("not excluded", ("failure", "regression-not-excluded")), ("shown", ("failure", "regression-shown"))],
)  # fmt: skip
def test_the_limit_of_a_regression_is_a_test_of_the_model_compared(state: str, outcome: tuple[str, str]) -> None:
    report = sample(names=(DEFECT,))
    (one,) = report.evaluators
    gate = RegressionGate(0.05, state)  # type: ignore[arg-type]
    changed = replace(one, comparisons=(replace(one.comparisons[0], regression=gate),))
    assert _outcomes(replace(report, evaluators=(changed,)), "no regression") == [outcome]
    assert _outcomes(sample(names=(DEFECT,), limit=None), "no regression") == []


def test_an_evaluator_with_tags_has_only_its_cases() -> None:
    report = sample()
    tagged = tuple(
        one.model_copy(update={"tags": ("go",) if one.name == SENTENCE else ()}) for one in report.run.evaluators
    )
    root = ElementTree.fromstring(render(replace(report, run=report.run.model_copy(update={"evaluators": tagged}))))
    tests = {
        suite.attrib["name"]: sum(test.attrib["name"] not in ("threshold", "no regression") for test in suite)
        for suite in root
    }
    assert tests == {
        f"{model} / {name}": count for name, count in ((DEFECT, 48), (SENTENCE, 12)) for model in (BF16, FOUR)
    }


def test_hostile_texts_stay_texts() -> None:
    text = render(hostile())
    assert {element.tag for element in ElementTree.fromstring(text).iter()} == {
        "testsuites",
        "testsuite",
        "testcase",
        "failure",
        "error",
    }
    assert all(printable(line) == line for line in text.splitlines())
    assert "window.hacked = 'script'&lt;/script&gt;" in text
