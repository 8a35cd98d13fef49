"""What an evaluator says of one answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from aldo.schema.evaluation import ScoreState
from aldo.schema.suite import Case
from aldo.schema.usage import UsageRow


@dataclass(frozen=True, slots=True)
class Grade:
    """A state, a score from 0 to 1 where there is one, and why."""

    state: ScoreState
    score: float | None = None
    reason: str = ""
    usage: tuple[UsageRow, ...] = ()
    """What a judge was asked."""


Evaluate = Callable[[Case, str], Awaitable[Grade]]
"""An evaluator, ready: the case and the text of a whole answer."""


def graded(score: Any, reason: str = "", usage: tuple[UsageRow, ...] = ()) -> Grade:
    """A grade of a score: ok for 1, fail below. What is no number from 0 to 1 is the evaluator's own error."""
    if not isinstance(score, (bool, int, float)) or not 0 <= score <= 1:  # which NaN is not either
        shown = "a number without end" if isinstance(score, int) and abs(score) > 10**80 else repr(score)[:80]
        return Grade("error", None, f"the score is {shown}, not a number from 0 to 1", usage)
    return Grade("ok" if score == 1 else "fail", float(score), reason, usage)
