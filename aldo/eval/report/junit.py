"""JUnit's XML: a test suite for each model and evaluator, in it a test for each case and one for each gate.

A case with a lower score than the full one is a failure; one without a score is an error, of the type of its state.
A gate that is missed is a failure, one that is open an error.
"""

from __future__ import annotations

from xml.etree import ElementTree

from aldo.eval.report import words
from aldo.eval.report.model import Answer, CaseReport, Comparison, EvaluatorReport, EvaluatorScore, Report
from aldo.eval.report.verdicts import is_for, verdict_on
from aldo.validate.reports.junit import xml_text


def render(report: Report) -> str:
    suites = [_suite(report, evaluator, score) for evaluator in report.evaluators for score in evaluator.scores]
    totals = {name: str(sum(int(suite.get(name, 0)) for suite in suites)) for name in ("tests", "failures", "errors")}
    root = ElementTree.Element("testsuites", {"name": xml_text(f"aldo eval {report.run.suite}"), **totals})
    root.extend(suites)
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def _suite(report: Report, evaluator: EvaluatorReport, score: EvaluatorScore) -> ElementTree.Element:
    name = f"{score.model} / {evaluator.name}"
    tests = [
        _test(case, answer, evaluator, name, several=report.run.repeat > 1)
        for case in report.cases
        if is_for(report, evaluator.name, case)
        for answer in case.answers
        if answer.model == score.model
    ]
    if score.gate is not None:
        tests.append(_threshold(score, name))
    tests += [
        _no_regression(one, name)
        for one in evaluator.comparisons
        if one.model == score.model and one.regression is not None
    ]
    counts = {"tests": str(len(tests)), "failures": _count(tests, "failure"), "errors": _count(tests, "error")}
    suite = ElementTree.Element("testsuite", {"name": xml_text(name), **counts, "skipped": "0", "time": "0"})
    suite.extend(tests)
    return suite


def _count(tests: list[ElementTree.Element], outcome: str) -> str:
    return str(sum(test.find(outcome) is not None for test in tests))


def _test(
    case: CaseReport, answer: Answer, evaluator: EvaluatorReport, group: str, several: bool
) -> ElementTree.Element:
    name = f"{case.id} (repeat {answer.repeat + 1})" if several else case.id
    time = 0.0 if answer.latency_ms is None else answer.latency_ms / 1000
    test = _element(name, group, f"{time:.3f}")
    verdict = verdict_on(answer, evaluator.name)
    if verdict is None or verdict.state == "error":
        kind, why = ("missing", "") if verdict is None else ("error", verdict.reason)
        _outcome(test, "error", kind, answer.error or why or "no verdict yet", answer)
    elif verdict.state == "fail":
        score = "" if verdict.score is None else f"score {words.score_text(verdict.score)}: "
        _outcome(test, "failure", "fail", f"{score}{verdict.reason}", answer)
    elif verdict.state != "ok":
        _outcome(test, "error", verdict.state, verdict.reason or verdict.state, answer)
    return test


def _threshold(score: EvaluatorScore, group: str) -> ElementTree.Element:
    test = _element("threshold", group)
    if score.gate != "met":
        _outcome(
            test, "failure" if score.gate == "missed" else "error", f"threshold-{score.gate}", words.gate_text(score)
        )
    return test


def _no_regression(one: Comparison, group: str) -> ElementTree.Element:
    assert one.regression is not None
    test = _element("no regression", group)
    if one.regression.state != "excluded":
        kind = f"regression-{one.regression.state.replace(' ', '-')}"
        _outcome(test, "failure", kind, words.regression_text(one.regression, one.interval))
    return test


def _element(name: str, group: str, time: str = "0") -> ElementTree.Element:
    return ElementTree.Element("testcase", name=xml_text(name), classname=xml_text(group), time=time)


def _outcome(test: ElementTree.Element, outcome: str, kind: str, message: str, answer: Answer | None = None) -> None:
    told = ElementTree.SubElement(test, outcome, type=kind, message=_lines(message))
    told.text = _lines(answer.text) if answer is not None and answer.text else _lines(message)


def _lines(text: str) -> str:
    """Line ends stay; a reader shows them."""
    return "\n".join(map(xml_text, text.splitlines()))
