"""What an evaluator made of each case, model by model: what tables of cases are made of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import fsum

from aldo.eval.report.model import Answer, CaseReport, EvaluatorReport, Report, Verdict


@dataclass(frozen=True)
class Standing:
    """One model's answers to one case by one evaluator."""

    score: float | None
    """The mean over the repeats that have a score; None where none has."""
    state: str
    """Of the first repeat that is not ok, `missing` where it has no verdict; ok where all are."""


def is_for(report: Report, evaluator: str, case: CaseReport) -> bool:
    """Whether the evaluator looks at this case: one without tags looks at all."""
    tags = next((set(one.tags) for one in report.run.evaluators if one.name == evaluator), set[str]())
    return not tags or bool(tags & set(case.tags))


def verdict_on(answer: Answer, evaluator: str) -> Verdict | None:
    """None where the evaluator has not looked at the answer, or there is none."""
    return next((verdict for verdict in answer.verdicts if verdict.evaluator == evaluator), None)


def standing(case: CaseReport, model: str, evaluator: EvaluatorReport) -> Standing:
    verdicts = [verdict_on(answer, evaluator.name) for answer in case.answers if answer.model == model]
    scores = [verdict.score for verdict in verdicts if verdict is not None and verdict.score is not None]
    states = ["missing" if verdict is None else verdict.state for verdict in verdicts] or ["missing"]
    state = next((state for state in states if state != "ok"), "ok")
    return Standing(fsum(scores) / len(scores) if scores else None, state)


def by_repeat(case: CaseReport) -> Iterator[tuple[int, tuple[Answer, ...]]]:
    """The answers to a case side by side: for each repeat those of all models, the baseline's first."""
    for repeat in sorted({answer.repeat for answer in case.answers}):
        yield repeat, tuple(answer for answer in case.answers if answer.repeat == repeat)
