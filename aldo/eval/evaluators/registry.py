"""From what a suite says to an evaluator that runs."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import partial
from hashlib import sha256
from importlib.metadata import entry_points
from pathlib import Path
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


def code_of(evaluator: Evaluator, folder: str) -> Any:
    """What stands for code that a suite only names: digests of the files of a script, the version of a package."""
    if isinstance(evaluator, Script):
        files = [Path(folder, part) for part in evaluator.command]
        return [[path.name, sha256(path.read_bytes()).hexdigest()] for path in files if _is_readable(path)]
    if isinstance(evaluator, Custom):
        points = [point for point in entry_points(group=ENTRY_POINTS) if point.name == evaluator.type]
        return [[point.value, point.dist.version if point.dist else ""] for point in points]
    return None


def _is_readable(path: Path) -> bool:
    try:
        return path.is_file() and os.access(path, os.R_OK)
    except (OSError, ValueError):
        return False


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
        return await anyio.to_thread.run_sync(partial(_called, function, case, answer), abandon_on_cancel=True)

    return evaluate


def _called(function: Callable[[Case, str], Score], case: Case, answer: str) -> Grade:
    """What somebody else's code says, if that is a grade. It can neither end a run nor put nonsense into its log."""
    try:
        given: Any = function(case, answer)
    except (Exception, SystemExit) as error:
        return Grade("error", None, f"the evaluator failed: {_told(error)}")
    if not isinstance(given, Grade):
        return graded(given)
    reason = given.reason if isinstance(given.reason, str) else str(given.reason)
    if given.state in ("ok", "fail"):
        grade = graded(given.score, reason)
        if grade.state in (given.state, "error"):
            return grade
        return Grade("error", None, f"the evaluator gave the state {given.state} with the score {given.score}")
    if given.state in ("error", "judge-unparsable"):
        return Grade(given.state, None, reason)
    return Grade("error", None, f"the evaluator gave the state {str(given.state)[:80]!r}")


def _told(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"
