"""From a log to a report. Pure: what the log says, the limits, and nothing else."""

from __future__ import annotations

from aldo.errors import UsageError
from aldo.eval.report.comparisons import Graded, comparisons_of
from aldo.eval.report.limits import Limits
from aldo.eval.report.model import (
    Answer,
    CaseReport,
    EvaluatorReport,
    Regression,
    Report,
    Verdict,
)
from aldo.eval.report.scores import case_scores, filled_scores, is_binary, score_of
from aldo.eval.report.speed import model_report, usd_of
from aldo.eval.run.log import LogContents, grade_digest, keys
from aldo.schema.evaluation import RunRecord, SampleKey, ScoreRecord
from aldo.schema.suite import Evaluator

WHOLE = "whole answers"
"""The evaluator that every report has where an answer was cut at max_tokens. No suite can call one of its own so."""


def build_report(contents: LogContents, limits: Limits | None = None) -> Report:
    """The report on the last run of a log.

    Raises `UsageError` where the log tells of no run, a limit is for no evaluator, and without the extra `eval`.
    """
    run, limits = contents.run, limits or Limits()
    limits.check([*(one.name for one in run.evaluators), WHOLE], len(run.models))
    try:
        return _Building(contents, run, limits).report()
    except ImportError as error:
        raise UsageError(f"a report needs the extra `eval` ({error.name}): pip install 'aldo-gateway[eval]'") from None


class _Building:
    def __init__(self, contents: LogContents, run: RunRecord, limits: Limits) -> None:
        self.contents = contents
        self.run = run
        self.limits = limits
        self.keys = list(keys(run))
        self.samples = {key: contents.samples.get(key) for key, _ in self.keys}
        self.grades = {one.name: self._grades(one) for one in run.evaluators}
        self.verdicts = {one.name: self._verdicts(one) for one in run.evaluators}
        if any(sample is not None and sample.state == "truncated" for sample in self.samples.values()):
            self.verdicts[WHOLE] = self._whole()

    def report(self) -> Report:
        types = {one.name: one.type for one in self.run.evaluators}
        contents = self.contents
        evaluators = tuple(self._evaluator(name, types.get(name, "built-in")) for name in self.verdicts)
        judged = [row for mine in self.grades.values() for grade in mine.values() for row in grade.usage]
        return Report(
            run=self.run,
            log=contents.path,
            started=contents.first_at,
            ended=contents.last_at,
            models=tuple(
                model_report(
                    arm,
                    [sample for key, sample in self.samples.items() if key[2] == arm.model],
                    [row for key in self.samples if key[2] == arm.model for row in contents.superseded.get(key, ())],
                )
                for arm in self.run.models
            ),
            evaluators=evaluators,
            regressions=self._regressions(evaluators),
            cases=self._cases(),
            judge_usd=usd_of(judged),
            judge_requests=len(judged),
        )

    def _grades(self, evaluator: Evaluator) -> dict[SampleKey, ScoreRecord]:
        """The grades that were given by this evaluator as it is now, to answers as they are now."""
        looked_for = {
            case.id: grade_digest(self.run.evaluator_digests[evaluator.name], case)
            for case in self.run.cases
            if evaluator.is_for(case)
        }
        found = {}
        for key, case in self.keys:
            grade = self.contents.scores.get((key, evaluator.name, looked_for.get(case.id, "")))
            if grade is not None:
                found[key] = grade
        return found

    def _verdicts(self, evaluator: Evaluator) -> dict[str, dict[tuple[str, int], Verdict | None]]:
        """By model."""
        found: dict[str, dict[tuple[str, int], Verdict | None]] = {arm.model: {} for arm in self.run.models}
        for key, case in self.keys:
            if evaluator.is_for(case):
                found[key[2]][case.id, key[-1]] = self._verdict(evaluator.name, key)
        return found

    def _verdict(self, evaluator: str, key: SampleKey) -> Verdict | None:
        """What is known of an answer: what kept it from being graded, else its grade."""
        sample, grade = self.samples[key], self.grades[evaluator].get(key)
        if sample is None:
            return None
        if sample.error is not None:
            return Verdict(evaluator, "error", None, f"no answer: {sample.error['code']}")
        if sample.state == "truncated":
            return Verdict(evaluator, "truncated", None, "the answer was cut at max_tokens")
        return None if grade is None else Verdict(evaluator, grade.state, grade.score, grade.reason)

    def _whole(self) -> dict[str, dict[tuple[str, int], Verdict | None]]:
        """Whether answers came to an end. What is cut has no other score, so a model that rambles would look no worse
        by any other evaluator."""
        found: dict[str, dict[tuple[str, int], Verdict | None]] = {arm.model: {} for arm in self.run.models}
        for key, sample in self.samples.items():
            verdict = None
            if sample is not None and sample.error is not None:
                verdict = Verdict(WHOLE, "error", None, f"no answer: {sample.error['code']}")
            elif sample is not None and sample.state == "truncated":
                verdict = Verdict(WHOLE, "fail", 0.0, f"cut at {self.run.max_tokens} tokens")
            elif sample is not None:
                verdict = Verdict(WHOLE, "ok", 1.0, "")
            found[key[2]][key[3], key[4]] = verdict
        return found

    def _evaluator(self, name: str, kind: str) -> EvaluatorReport:
        clusters = {case.id: case.source for case in self.run.cases if case.source is not None}
        verdicts = self.verdicts[name]
        threshold, seed = self.run.threshold.get(name), self.run.seed
        scores = {model: case_scores(mine) for model, mine in verdicts.items()}
        graded = {
            model: Graded(
                scores[model],
                filled_scores(mine, 0.0),
                filled_scores(mine, 1.0),
                has_all=all(verdict is not None and verdict.score is not None for verdict in mine.values()),
            )
            for model, mine in verdicts.items()
        }
        known = [score for mine in scores.values() for score in mine.values() if score is not None]
        return EvaluatorReport(
            name=name,
            type=kind,
            threshold=threshold,
            judge=next((judge.model for judge in self.run.judges if judge.evaluator == name), None),
            binary=is_binary(known),
            scores=tuple(score_of(model, mine, threshold, clusters, seed) for model, mine in verdicts.items()),
            comparisons=comparisons_of(name, graded, clusters, self.limits, seed),
        )

    def _regressions(self, evaluators: tuple[EvaluatorReport, ...]) -> tuple[Regression, ...]:
        found = []
        for one in evaluators:
            scores = {model: case_scores(mine) for model, mine in self.verdicts[one.name].items()}
            for comparison in one.comparisons:
                for case in comparison.worse:
                    score, before = scores[comparison.model][case], scores[comparison.baseline][case]
                    assert score is not None
                    assert before is not None
                    found.append(Regression(one.name, case, comparison.model, score, before))
        return tuple(sorted(found, key=lambda one: -one.drop))

    def _cases(self) -> tuple[CaseReport, ...]:
        answers: dict[str, list[Answer]] = {case.id: [] for case in self.run.cases}
        for key, case in self.keys:
            answers[case.id].append(self._answer(key))
        return tuple(
            CaseReport(case.id, case.input, case.ground_truth, case.tags, case.source, tuple(answers[case.id]))
            for case in self.run.cases
        )

    def _answer(self, key: SampleKey) -> Answer:
        sample, (*_, model, case, repeat) = self.samples[key], key
        if sample is None:
            return Answer(model, repeat, "missing", "", "", None, None, None, None, None, ())
        verdicts = (by_model[model].get((case, repeat)) for by_model in self.verdicts.values())
        row = sample.usage[-1] if sample.usage else None
        return Answer(
            model=model,
            repeat=repeat,
            state=sample.state,
            text=sample.answer,
            reasoning=sample.reasoning,
            finish_reason=sample.finish_reason,
            error=f"{sample.error['code']}: {sample.error['message']}" if sample.error else None,
            tokens_out=row.tokens_out if row else None,
            ttft_ms=row.ttft_ms if row else None,
            latency_ms=row.latency_ms if row else None,
            verdicts=tuple(verdict for verdict in verdicts if verdict is not None),
        )
