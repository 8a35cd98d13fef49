"""One model: what came of its requests, how fast, and at which cost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from decimal import Decimal

from aldo.eval.report.model import ModelReport, Spread
from aldo.eval.statistics import quantiles
from aldo.schema.decimals import plain_text
from aldo.schema.evaluation import Arm, SampleRecord
from aldo.schema.usage import UsageRow


def model_report(arm: Arm, samples: Sequence[SampleRecord | None], superseded: Sequence[UsageRow] = ()) -> ModelReport:
    """`samples`: all that a whole run has, None for one that is not there yet. `superseded`: requests whose answers
    were asked for again; they were paid for, too."""
    there = [sample for sample in samples if sample is not None]
    states = Counter(sample.state for sample in there)
    rows = [*superseded, *(row for sample in there for row in sample.usage)]
    answers = [sample.usage[-1] for sample in there if sample.state != "error" and sample.usage]
    return ModelReport(
        model=arm.model,
        provider=arm.provider,
        upstream_model=arm.upstream_model,
        returned_models=tuple(sorted({row.returned_model for row in rows if row.returned_model})),
        base_url=arm.base_url,
        quantization=arm.quantization,
        expected=len(samples),
        ok=states["ok"],
        truncated=states["truncated"],
        error=states["error"],
        missing=len(samples) - len(there),
        errors=dict(Counter(str(sample.error["code"]) for sample in there if sample.error)),
        retried=len(superseded) + sum(max(0, len(sample.usage) - 1) for sample in there),
        tokens_in=sum(row.tokens_in or 0 for row in rows),
        tokens_out=sum(row.tokens_out or 0 for row in rows),
        usd=usd_of(rows),
        ttft_ms=_spread(row.ttft_ms for row in answers),
        tokens_per_second=_spread(decoding_rate(row.tokens_out, row.ttft_ms, row.latency_ms) for row in answers),
        latency_ms=_spread(row.latency_ms for row in answers),
    )


def decoding_rate(tokens_out: int | None, ttft_ms: float | None, latency_ms: float | None) -> float | None:
    """Tokens per second of decoding alone: those after the first over the time after it, where known."""
    if tokens_out is None or tokens_out < 2 or ttft_ms is None or latency_ms is None or latency_ms <= ttft_ms:
        return None
    return 1000 * (tokens_out - 1) / (latency_ms - ttft_ms)


def usd_of(rows: Iterable[UsageRow]) -> str | None:
    """The sum as an exact text; None where an answer came without a count of its tokens."""
    listed = list(rows)
    if any(row.usd is None and row.outcome == "ok" for row in listed):
        return None
    return plain_text(sum((Decimal(row.usd) for row in listed if row.usd is not None), Decimal(0)))


def _spread(values: Iterable[float | None]) -> Spread:
    known = [value for value in values if value is not None]
    both = quantiles(known)
    return Spread(0, None, None) if both is None else Spread(len(known), both[0], both[1])
