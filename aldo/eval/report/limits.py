"""How much worse than the baseline a model may be."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from math import isfinite

from aldo.errors import UsageError
from aldo.eval.report.model import RegressionGate
from aldo.eval.statistics import Interval


@dataclass(frozen=True)
class Limits:
    """Regressions that are put up with, as shares of the full score: 0.05 is five points."""

    every: float | None = None
    by_name: dict[str, float] = field(default_factory=dict)

    @classmethod
    def of(cls, given: Iterable[str]) -> Limits:
        """From `0.05`, for all evaluators, and `NAME=0.05`, for one. Raises `UsageError`."""
        every, by_name = None, {}
        for text in given:
            name, equals, number = text.rpartition("=")
            try:
                limit = float(number)
            except ValueError:
                limit = float("nan")
            if not (isfinite(limit) and 0 <= limit <= 1) or (equals and not name):
                raise UsageError(f"--max-regression is a number from 0 to 1, or NAME=NUMBER, not {text!r}")
            if equals:
                by_name[name] = limit
            else:
                every = limit
        return cls(every, by_name)

    def check(self, evaluators: Iterable[str], models: int) -> None:
        """Raises `UsageError` for a limit for no evaluator, and where nothing is compared."""
        known = list(evaluators)
        if models < 2 and (self.every is not None or self.by_name):
            raise UsageError("--max-regression compares with the first model, and there is no other")
        for name in self.by_name:
            if name not in known:
                raise UsageError(f"--max-regression for {name!r}, which is no evaluator; there are {', '.join(known)}")

    def gate(self, evaluator: str, interval: Interval | None, against: Interval | None) -> RegressionGate | None:
        """What the intervals of a difference say of the limit: that a larger regression is excluded, or shown, or
        neither. `against`: where answers have no score, the interval if all of them spoke against the model."""
        limit = self.by_name.get(evaluator, self.every)
        if limit is None:
            return None
        worst = against or interval
        if worst is not None and worst.low >= -limit:
            return RegressionGate(limit, "excluded", against)
        shown = interval is not None and interval.high < -limit
        return RegressionGate(limit, "shown" if shown else "not excluded", against)
