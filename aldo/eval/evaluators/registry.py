"""From what a suite says to an evaluator that runs."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import partial
from importlib.metadata import entry_points
from typing import Any

import anyio.to_thread

from aldo.catalog.suites import LoadedSuite
from aldo.catalog.suites.checks import ENTRY_POINTS
from aldo.errors import UsageError
from aldo.eval.evaluators.grade import Evaluate, Grade, graded
from aldo.eval.evaluators.json_schema import evaluate_json
from aldo.eval.evaluators.judge import evaluate_judge
from aldo.eval.evaluators.script import evaluate_script
from aldo.eval.evaluators.texts import evaluate_texts
from aldo.schema.suite import Case, Contains, Custom, Evaluator, Exact, JsonSchema, LlmJudge, Regex, Script
from aldo.transport import AsyncModelClient

Score = bool | float | Grade
Plugin = Callable[[Custom], Callable[[Case, str], Score]]
"""What the entry points `aldo.evaluators` lead to: from the evaluator of a suite to a function of the case and the
text of the answer. The function gives true or false, a number from 0 to 1, or a `Grade`; it may block."""


def evaluate_with(
    evaluator: Evaluator,
    suite: LoadedSuite,
    judges: Mapping[str, AsyncModelClient],
    *,
    seed: int,
    environ: Mapping[str, str],
) -> Evaluate:
    """The evaluator, ready. Raises `UsageError` for one that cannot be had."""
    match evaluator:
        case Contains() | Exact() | Regex():
            return evaluate_texts(evaluator)
        case JsonSchema():
            return evaluate_json(suite.schemas[evaluator.name])
        case LlmJudge():
            return evaluate_judge(evaluator, judges[evaluator.name], seed)
        case Script():
            return evaluate_script(evaluator, suite.folder, environ)
        case Custom():
            return _plugged_in(evaluator)


def _plugged_in(evaluator: Custom) -> Evaluate:
    points = {point.name: point for point in entry_points(group=ENTRY_POINTS)}
    if evaluator.type not in points:
        raise UsageError(f"no evaluator {evaluator.type!r} is installed")
    try:
        plugin: Plugin = points[evaluator.type].load()
        function = plugin(evaluator)
    except Exception as error:  # somebody else's code
        raise UsageError(f"the evaluator {evaluator.type!r} cannot be made: {_told(error)}") from None

    async def evaluate(case: Case, answer: str) -> Grade:
        try:
            given: Any = await anyio.to_thread.run_sync(partial(function, case, answer), abandon_on_cancel=True)
        except Exception as error:
            return Grade("error", None, f"the evaluator failed: {_told(error)}")
        if isinstance(given, Grade):
            return given if given.score is None or math.isfinite(given.score) else graded(given.score)
        return graded(given)

    return evaluate


def _told(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
