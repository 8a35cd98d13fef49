"""From an answer to grades in the log: which are due, and writing them."""

from __future__ import annotations

from collections.abc import Mapping

from aldo.eval.evaluators import Evaluate
from aldo.eval.run.log import EvalLog, grade_digest
from aldo.schema.evaluation import RunRecord, SampleRecord, ScoreRecord
from aldo.schema.suite import Case, Evaluator, LlmJudge


class Grading:
    """The evaluators of a run over its log."""

    def __init__(self, record: RunRecord, log: EvalLog, evaluators: Mapping[str, Evaluate]) -> None:
        self.record = record
        self._log = log
        self._evaluators = evaluators

    async def grade(self, sample: SampleRecord, case: Case) -> None:
        """Everything that is due of an answer but what judges say."""
        for one in self.record.evaluators:
            if not isinstance(one, LlmJudge) and self.is_due(one, sample, case):
                await self.evaluate(one, sample, case)

    def is_due(self, evaluator: Evaluator, sample: SampleRecord, case: Case) -> bool:
        """Whether a whole answer has no grade by this evaluator as it is now, or only that it failed to give one."""
        if sample.state != "ok" or not evaluator.is_for(case):
            return False
        known = self._log.contents.scores.get((sample.key, evaluator.name, self._digest(evaluator, case)))
        return known is None or known.state == "error"

    async def evaluate(self, evaluator: Evaluator, sample: SampleRecord, case: Case) -> ScoreRecord:
        """Grade an answer, and write the grade to the log."""
        grade = await self._evaluators[evaluator.name](case, sample.answer)
        record = ScoreRecord(
            suite_digest=sample.suite_digest,
            parameters=sample.parameters,
            model=sample.model,
            case=sample.case,
            repeat=sample.repeat,
            evaluator=evaluator.name,
            evaluator_digest=self._digest(evaluator, case),
            state=grade.state,
            score=grade.score,
            reason=grade.reason,
            usage=grade.usage,
        )
        self._log.write(record)
        return record

    def _digest(self, evaluator: Evaluator, case: Case) -> str:
        return grade_digest(self.record.evaluator_digests[evaluator.name], case)
