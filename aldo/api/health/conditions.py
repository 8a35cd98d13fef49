"""What is known of each model. No I/O and no clock of its own: whoever tells it something says when.

A model is down for one of two reasons. A probe said so: then the next probe that says otherwise ends it. Or its last
requests failed, one after another: then it is tried again after the stated interval, and the first failure puts it
back. An answer ends both.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Literal

from aldo.schema.catalog import Catalog
from aldo.schema.usage import UsageRow

FAILURES = 3
"""So many failed requests in a row put a model down."""

_FAULTS = frozenset(
    (
        "connection",
        "timeout",
        "rate_limited",
        "model_not_found",
        "server_loading",
        "unauthorized",
        "server_error",
        "stream_cut",
        "protocol",
    )
)
"""Outcomes that speak against the server. Not: what speaks against the request, or against the answer's content."""

_SEEN_BY_A_PROBE = frozenset(("connection", "server_loading"))
"""Faults that are over when a probe finds the server up."""

State = Literal["up", "down", "trying"]


@dataclass(frozen=True, slots=True)
class Condition:
    """One model. Times are seconds since the epoch."""

    available: bool = True
    """Whether its key is set, or its server was found or is named by a variable."""
    probed: str = ""
    """Why the last probe says that it is down; empty where it does not."""
    failed: str = ""
    """What the last requests failed with, where they did."""
    failures: int = 0
    """How many in a row."""
    until: float = 0.0
    """When a model whose requests failed is tried again."""
    since: float = 0.0
    """When it came into its state."""
    checked: float | None = None
    """When it was last probed."""

    def state(self, now: float) -> State:
        if self.probed or (self.failures >= FAILURES and now < self.until):
            return "down"
        return "trying" if self.failures >= FAILURES else "up"

    def reason(self, now: float) -> str:
        """Why it is not simply up."""
        if self.probed:
            return self.probed
        return f"the last {self.failures} requests failed: {self.failed}" if self.state(now) != "up" else ""

    def to_dict(self, now: float) -> dict[str, Any]:
        """As `/v1/models` shows it."""
        state = self.state(now)
        since = self.until if state == "trying" else self.since
        shown = {"state": state, "reason": self.reason(now) or None, "since": _moment(since)}
        if self.checked is not None:
            shown["checked"] = _moment(self.checked)
        return shown


@dataclass(frozen=True, slots=True)
class Turn:
    """A model that went down or came back."""

    model: str
    state: State
    reason: str


@dataclass(slots=True)
class Conditions:
    """Of every model of one catalog."""

    catalog: Catalog
    interval: float
    """Seconds after which a model that failed is tried again."""
    began: float
    _of: dict[str, Condition] = field(default_factory=dict)
    _down: dict[str, tuple[str, ...]] = field(default_factory=dict)
    _until: float = float("inf")

    def __getitem__(self, model: str) -> Condition:
        return self._of.get(model) or Condition(since=self.began)

    def adopt(self, others: Conditions, alike: Iterable[str]) -> None:
        """What another catalog's are known for: `alike` are the models that are the same in both."""
        for model in alike:
            self._of[model] = others[model]
        self._settle(self.began)

    def down(self, classes: Iterable[str], now: float) -> tuple[str, ...]:
        """The models of some classes that are down, in order of their ids: the health snapshot of a request."""
        if now >= self._until:
            self._settle(now)
        if not self._down:
            return ()
        return tuple(model for one in classes for model in self._down.get(one, ()))

    def reasons(self, models: Iterable[str], now: float) -> dict[str, Any]:
        """Why these are what they are."""
        return {model: self[model].to_dict(now) for model in models}

    def probed(self, found: Mapping[str, tuple[bool, str]], now: float) -> list[Turn]:
        """What probes say: by model whether it is available, and why it is down (empty where it is not)."""
        turns = []
        for model, (available, reason) in found.items():
            before = self[model]
            after = replace(before, available=available, probed=reason, checked=now)
            if not reason and before.failed in _SEEN_BY_A_PROBE:
                after = replace(after, failed="", failures=0, until=0.0)
            turns += self._put(model, before, after, now)
        self._settle(now)
        return turns

    def attempted(self, row: UsageRow, now: float) -> list[Turn]:
        """What came of one request to a model."""
        model, outcome = row.model, row.outcome
        before = self[model]
        if outcome == "ok":
            if not (before.failures or before.probed):  # nearly every request
                return []
            after = replace(before, probed="", failed="", failures=0, until=0.0)
        elif outcome in _FAULTS and model in self.catalog.by_id:
            after = replace(before, failed=outcome, failures=before.failures + 1, until=now + self.interval)
        else:
            return []
        turns = self._put(model, before, after, now)
        self._settle(now)
        return turns

    def _put(self, model: str, before: Condition, after: Condition, now: float) -> list[Turn]:
        was, state = before.state(now), after.state(now)
        if state != was:
            after = replace(after, since=now)
        self._of[model] = after
        return [Turn(model, state, after.reason(now))] if state != was else []

    def _settle(self, now: float) -> None:
        """Looks up who is down, for as long as nothing changes."""
        self._down.clear()
        self._until = float("inf")
        for model in sorted(self._of):
            condition = self._of[model]
            if condition.state(now) == "down" and model in self.catalog.by_id:
                group = self.catalog.by_id[model].capability_class
                self._down[group] = (*self._down.get(group, ()), model)
                if not condition.probed:
                    self._until = min(self._until, condition.until)


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
