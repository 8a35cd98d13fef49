"""The lines of an evaluation's log (JSONL): what was run, what each model answered, what each evaluator made of it.

A log only grows. It holds the cases, the answers and the evaluators, so that a report needs nothing else; prompts
and answers stand in it, so it is as sensitive as they are.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from aldo._lazy import lazy_pattern
from aldo.schema.agent import Agent
from aldo.schema.base import Frozen, Whole
from aldo.schema.frozen import frozen
from aldo.schema.printed import dumps
from aldo.schema.suite import Case, Evaluator, Score
from aldo.schema.usage import FinishReason, UsageRow
from aldo.schema.vocabulary import PrivacyTier

SampleState = Literal["ok", "truncated", "error"]
"""An answer that is whole, one that was cut at max_tokens, none."""

ScoreState = Literal["ok", "fail", "error", "truncated", "judge-unparsable"]
"""ok: the full score; fail: any lower one; the others have no score."""

Count = Annotated[int, Field(ge=0), Whole]


class Arm(Frozen):
    """A model of the comparison, and what answers for it."""

    model: str
    """The catalog id."""
    provider: str
    upstream_model: str
    """The name that is sent on the wire."""
    base_url: str
    quantization: str | None = None
    """What `providerConfig.extra.quantization` says."""
    parameters: str
    """The digest of all but the case that decides what is sent, and where to."""


class Judge(Frozen):
    """The model that an evaluator asks, the same for all arms."""

    evaluator: str
    model: str
    provider: str
    upstream_model: str


class RunRecord(Frozen):
    """The first line, and one for each resumption: what is run, whole."""

    kind: Literal["run"] = "run"
    version: Literal[1] = 1
    at: str
    aldo: str
    """The version that wrote it."""
    suite: str
    """Its name."""
    suite_path: str
    description: str | None = None
    suite_digest: str
    """Of the cases and of how they are asked."""
    max_tokens: Count
    temperature: float
    top_p: float
    cases: tuple[Case, ...]
    evaluators: tuple[Evaluator, ...]
    evaluator_digests: Annotated[dict[str, str], AfterValidator(frozen)]
    """Of all that the grades of an evaluator depend on but the case and the answer."""
    threshold: Annotated[dict[str, Score], AfterValidator(frozen)]
    agent: Agent
    privacy: PrivacyTier
    models: tuple[Arm, ...]
    """The first one is the baseline."""
    judges: tuple[Judge, ...] = ()
    repeat: Annotated[int, Field(ge=1), Whole]
    seed: int
    catalog_digest: str


class _Keyed(Frozen):
    suite_digest: str
    parameters: str
    model: str
    case: str
    repeat: Count
    """Counted from 0."""

    @property
    def key(self) -> SampleKey:
        return self.suite_digest, self.parameters, self.model, self.case, self.repeat


SampleKey = tuple[str, str, str, str, int]
"""Suite digest, parameters, model, case and repeat: what may be answered once."""


class SampleRecord(_Keyed):
    """What a model answered."""

    kind: Literal["sample"] = "sample"
    at: str
    state: SampleState
    answer: str = ""
    reasoning: str = ""
    refusal: str = ""
    tool_calls: Annotated[tuple[Any, ...], AfterValidator(frozen)] = ()
    finish_reason: FinishReason | None = None
    error: Annotated[dict[str, Any], AfterValidator(frozen)] | None = None
    """`code` and `message` of what kept the answer from coming."""
    usage: tuple[UsageRow, ...] = ()
    """A row for every request that was sent, the last one that of the answer."""


class ScoreRecord(_Keyed):
    """What an evaluator made of an answer."""

    kind: Literal["score"] = "score"
    evaluator: str
    evaluator_digest: str
    """Of what it looks for; a change of it is a reason to look again."""
    state: ScoreState
    score: Score | None = None
    """From 0 to 1; none unless ok or fail."""
    reason: str = ""
    usage: tuple[UsageRow, ...] = ()
    """The requests to a judge."""


Record = Annotated[RunRecord | SampleRecord | ScoreRecord, Field(discriminator="kind")]


def line_of(record: RunRecord | SampleRecord | ScoreRecord) -> str:
    """One line of a log, without its end. Half a surrogate pair, which no JSON may hold, becomes U+FFFD."""
    return dumps(_without_halves({"kind": record.kind, **record.model_dump(mode="json")}))


def _without_halves(value: Any) -> Any:
    if isinstance(value, str):
        return value if value.isascii() else _HALF.sub("\ufffd", value)
    if isinstance(value, dict):
        return {_without_halves(key): _without_halves(part) for key, part in value.items()}
    return [_without_halves(part) for part in value] if isinstance(value, list) else value


_HALF = lazy_pattern("[\ud800-\udfff]")
