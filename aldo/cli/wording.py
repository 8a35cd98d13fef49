"""Decisions, traces and verdicts as text for a terminal of 80 columns."""

from __future__ import annotations

import click

from aldo.cli.failure import change_text
from aldo.cli.terminal import fold
from aldo.schema import ClassTrace, Decision, ModelEntry, Trace, WhyNot

_SHOWN = 12  # entries per reason before the rest is counted


def decision_text(decision: Decision, entry: ModelEntry) -> str:
    request = decision.request
    sizes = f"{request.tokens_in} tokens in, at most {request.max_tokens_out} out"
    rows = [
        ("class", decision.class_used),
        ("where", f"{entry.locality} ({entry.provider})"),
        ("cost", f"{decision.estimated_usd} USD for {sizes}"),
        ("then", ", ".join(decision.alternates) or "nothing: no other model is eligible"),
    ]
    return "\n".join([click.style(decision.model, bold=True), *(_field(name, value) for name, value in rows)])


def _field(name: str, value: str) -> str:
    lead = f"  {name:<6} "
    return fold(value, first=lead, rest=" " * len(lead))


def trace_text(trace: Trace) -> str:
    return "\n\n".join(_class_text(part) for part in trace.classes)


def _class_text(part: ClassTrace) -> str:
    total = len(part.entries)
    lines = [click.style(f"class {part.capability_class}", bold=True) + f": {total} entries"]
    for stage in part.stages:
        if stage.dropped:
            names = [entry.model for entry in part.entries if entry.code == stage.code]
            lines.append(f"  {stage.code:<18} -{stage.dropped} leaves {stage.left}")
            lines.append(_names(names))
    survivors = sorted((e for e in part.entries if e.rank), key=lambda entry: entry.rank or 0)
    lines += [f"  {entry.rank}. {entry.model}" for entry in survivors] or ["  nothing is left"]
    return "\n".join(lines)


def _names(names: list[str]) -> str:
    more = f", and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    text = ", ".join(names[:_SHOWN]) + more
    return fold(text, first="      ", rest="      ")


def why_not_text(verdict: WhyNot) -> str:
    name = verdict.model
    if verdict.verdict == "chosen":
        return f"{click.style(name, bold=True)} is the decision."
    if verdict.verdict == "dropped":
        lines = [f"{name} is dropped at {verdict.code}: {verdict.detail}."]
    else:
        lines = [
            f"{name} is eligible, but {verdict.outranked_by} outranks it by {verdict.decided_by}: {verdict.detail}."
        ]
    changes = [change_text(change.to_dict()) for change in verdict.changes]
    lines.append(
        "It would be the decision with " + " and ".join(changes) + "." if changes else "No request reaches it."
    )
    return "\n".join(fold(line) for line in lines).replace(verdict.model, click.style(verdict.model, bold=True), 1)
