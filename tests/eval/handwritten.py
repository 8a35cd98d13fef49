"""Logs of evaluations as a person would write them: the scores are given, and nobody was asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from aldo.eval.report import Limits, Report, build_report
from aldo.eval.run import read_log
from aldo.eval.run.log import grade_digest, keys
from aldo.schema.evaluation import RunRecord, SampleRecord, ScoreRecord, line_of
from aldo.schema.usage import UsageRow

AT = "2026-11-22T10:00:00.000000Z"
STATES = ("error", "truncated", "judge-unparsable")
Outcome = float | str | None
"""A score, one of `STATES`, or None for an answer that is not there."""
Table = Mapping[str, Mapping[str, Sequence[Outcome]]]
"""By model and case, the outcome of each repeat."""


def row(**more: Any) -> UsageRow:
    """A request to a model."""
    base = {
        "at": AT, "provider": "p", "model": "m", "upstream_model": "m", "capability_class": "local-reasoning", "privacy": "public",
        "tokens_in": 3, "tokens_out": 5, "usd": "0", "latency_ms": 50.0, "ttft_ms": 10.0, "outcome": "ok", "routing_digest": "d",
    }  # fmt: skip
    return UsageRow(**(base | more))


def write_log(
    folder: Path,
    table: Table,
    *,
    threshold: float | None = None,
    sources: Mapping[str, str] | None = None,
    rows: Mapping[str, Sequence[UsageRow]] | None = None,
) -> Path:
    """A log with one evaluator, `it`. `rows`: by case, its requests."""
    first = next(iter(table.values()))
    run = RunRecord(
        at=AT, aldo="0", suite="by-hand", suite_path="suite.yaml", suite_digest="s", max_tokens=9, temperature=0.0, top_p=1.0,
        cases=[{"id": case, "input": f"question {case}", "source": (sources or {}).get(case)} for case in first],
        evaluators=[{"name": "it", "type": "contains", "ref": "x"}],
        evaluator_digests={"it": "e"},
        threshold={} if threshold is None else {"it": threshold},
        agent={"identity": {"name": "tester"}, "privacy_tier": "public", "model_policy": {"capability_class": "local-reasoning"}},
        privacy="public",
        models=[{"model": one, "provider": "p", "upstream_model": one, "base_url": f"http://{one}", "parameters": "q"} for one in table],
        repeat=len(next(iter(first.values()))),
        seed=1,
        catalog_digest="c",
    )  # fmt: skip
    lines = [line_of(run)]
    for key, case in keys(run):
        named = dict(zip(("suite_digest", "parameters", "model", "case", "repeat"), key, strict=True))
        outcome = table[key[2]][case.id][key[-1]]
        state = outcome if outcome in ("error", "truncated") else "ok"
        if outcome is None:
            continue
        usage = tuple((rows or {}).get(case.id, (row(),)))
        error = {"code": "connection", "message": "gone"} if state == "error" else None
        answer = "" if error else f"the answer of {key[2]} to {case.id}"
        lines.append(line_of(SampleRecord(**named, at=AT, state=state, answer=answer, error=error, usage=usage)))
        if state == "ok":
            score = outcome if isinstance(outcome, float) else None
            grade = "ok" if score == 1 else "fail" if score is not None else outcome
            digest = grade_digest("e", case)
            lines.append(
                line_of(ScoreRecord(**named, evaluator="it", evaluator_digest=digest, state=grade, score=score))
            )
    path = folder / "log.jsonl"
    path.write_text("".join(f"{line}\n" for line in lines), "utf-8")
    return path


def report_of(folder: Path, table: Table, *, limits: Limits | None = None, **more: Any) -> Report:
    """The report on such a log."""
    return build_report(read_log(write_log(folder, table, **more)), limits)
