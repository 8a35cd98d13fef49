"""json-schema: whether an answer is JSON that fits a schema. The check is the transport's own."""

from __future__ import annotations

from typing import Any

from aldo.errors import SchemaMismatch, UsageError
from aldo.eval.evaluators.grade import Evaluate, Grade, graded
from aldo.schema.suite import Case
from aldo.transport.chat import ChatResult, Usage
from aldo.transport.structured import Wanted


def evaluate_json(schema: Any) -> Evaluate:
    """The evaluator, ready. Raises `UsageError` for a schema that is none."""
    wanted = Wanted(schema)

    async def evaluate(case: Case, answer: str) -> Grade:
        try:
            wanted.read(ChatResult(answer, "", (), "stop", Usage(), None))
        except SchemaMismatch as mismatch:
            return graded(False, str(mismatch))
        except UsageError as error:  # a reference that leads nowhere shows only when it is followed
            return Grade("error", None, str(error))
        return graded(True)

    return evaluate
