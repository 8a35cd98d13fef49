"""What a report says, as values: no text, no file. Renderers turn one into text, JSON, JUnit, Markdown and HTML.

Scores are from 0 to 1, times in ms, costs exact decimal texts in USD. `models[0]` is the baseline; a difference is
always that of a model less the baseline, so a negative one is a regression.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from aldo.eval.statistics import Agreement, Interval, LeftOut
from aldo.schema.evaluation import RunRecord, ScoreState

Gate = Literal["met", "missed", "open"]
"""open: what has no score could turn it either way."""

RegressionState = Literal["excluded", "not excluded", "shown"]
"""Whether a regression larger than the limit is excluded by the interval, is not, or is shown by it."""


@dataclass(frozen=True)
class Spread:
    """Of n times or rates: the median and the 95th percentile. Both are None where n is 0."""

    n: int
    p50: float | None
    p95: float | None


@dataclass(frozen=True)
class ModelReport:
    """One model: what came of its requests, how fast, at which cost."""

    model: str
    provider: str
    upstream_model: str
    returned_models: tuple[str, ...]
    base_url: str
    quantization: str | None
    expected: int
    """Answers that a whole run has: cases times repeats."""
    ok: int
    truncated: int
    error: int
    missing: int
    """Not asked yet."""
    errors: Mapping[str, int]
    """How often each error code, of the answers in error."""
    retried: int
    """Requests beyond one for each answer."""
    tokens_in: int
    tokens_out: int
    usd: str | None
    """None where a request has no cost because its server did not count."""
    ttft_ms: Spread
    tokens_per_second: Spread
    """Decoding alone: tokens out after the first, over the time after the first."""
    latency_ms: Spread


@dataclass(frozen=True)
class EvaluatorScore:
    """One model by one evaluator."""

    model: str
    states: Mapping[ScoreState | Literal["missing"], int]
    """How many answers are in which state; they add up to cases times repeats."""
    cases: int
    """Cases with a score: what the mean is over."""
    of: int
    """Cases that the evaluator is for."""
    mean: float | None
    interval: Interval | None
    threshold: float | None
    gate: Gate | None
    least: float
    """The mean over all cases if everything without a score had 0."""
    most: float
    """The same if it had 1."""


@dataclass(frozen=True)
class RegressionGate:
    """`--max-regression` for one comparison."""

    limit: float
    state: RegressionState
    against: Interval | None = None
    """The interval if every answer without a score spoke against the model: it 0 there, the baseline 1. None where
    all have a score."""


@dataclass(frozen=True)
class Comparison:
    """One model against the baseline by one evaluator, over the cases that both have a score for."""

    model: str
    baseline: str
    cases: int
    sources: int
    """What was resampled: cases, or groups of cases of one source."""
    left_out: LeftOut
    """`only_a`: only the model has no score; `only_b`: only the baseline."""
    mean: float | None
    baseline_mean: float | None
    difference: float | None
    interval: Interval | None
    p_value: float | None
    adjusted_p_value: float | None
    """Holm's, over the models compared by this evaluator."""
    test: str | None
    better: tuple[str, ...]
    """Cases in which the model scores higher than the baseline."""
    worse: tuple[str, ...]
    """Cases in which it scores lower."""
    agreement: Agreement | None
    """None for scores that are not binary."""
    minimum_detectable_effect: float | None
    """The smallest difference that so many cases show with a power of 80 %."""
    regression: RegressionGate | None


@dataclass(frozen=True)
class EvaluatorReport:
    """One evaluator over all models."""

    name: str
    type: str
    threshold: float | None
    judge: str | None
    """The model that judged."""
    binary: bool
    scores: tuple[EvaluatorScore, ...]
    comparisons: tuple[Comparison, ...]
    """One for each model but the baseline."""


@dataclass(frozen=True)
class Verdict:
    """What an evaluator made of one answer."""

    evaluator: str
    state: ScoreState
    score: float | None
    reason: str


@dataclass(frozen=True)
class Answer:
    """One answer of one model to one case."""

    model: str
    repeat: int
    state: Literal["ok", "truncated", "error", "missing"]
    text: str
    reasoning: str
    finish_reason: str | None
    error: str | None
    """Code and message."""
    tokens_out: int | None
    ttft_ms: float | None
    latency_ms: float | None
    verdicts: tuple[Verdict, ...]


@dataclass(frozen=True)
class CaseReport:
    """One case with all its answers, model after model."""

    id: str
    input: str
    ground_truth: Any
    tags: tuple[str, ...]
    source: str | None
    answers: tuple[Answer, ...]


@dataclass(frozen=True)
class Regression:
    """A case in which a model scores lower than the baseline."""

    evaluator: str
    case: str
    model: str
    score: float
    baseline_score: float

    @property
    def drop(self) -> float:
        return self.baseline_score - self.score


@dataclass(frozen=True)
class Report:
    """A whole report."""

    run: RunRecord
    log: str
    started: str
    ended: str
    models: tuple[ModelReport, ...]
    evaluators: tuple[EvaluatorReport, ...]
    regressions: tuple[Regression, ...]
    """The largest drop first."""
    cases: tuple[CaseReport, ...]
    judge_usd: str | None
    judge_requests: int

    @property
    def baseline(self) -> str:
        return self.models[0].model

    @property
    def missed(self) -> bool:
        """Whether a gate is missed for certain: a threshold, or a regression that is not excluded."""
        thresholds = any(score.gate == "missed" for one in self.evaluators for score in one.scores)
        return thresholds or any(
            comparison.regression is not None and comparison.regression.state != "excluded"
            for one in self.evaluators
            for comparison in one.comparisons
        )

    @property
    def incomplete(self) -> bool:
        """Whether a server, a script or a stop kept a score from coming."""
        states = [score.states for one in self.evaluators for score in one.scores]
        return any(counts.get("error", 0) or counts.get("missing", 0) for counts in states)

    @property
    def exit_code(self) -> int:
        """1 where a gate is missed; else 3 where something failed on the way; else 1 where a gate is left open."""
        if self.missed:
            return 1
        if self.incomplete:
            return 3
        return int(any(score.gate == "open" for one in self.evaluators for score in one.scores))
