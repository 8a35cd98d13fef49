"""The report as JSON, camelCase, with every case and answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from aldo.eval.report.model import Report
from aldo.schema.frozen import thawed
from aldo.schema.printed import dumps

VERSION = 1


def render(report: Report) -> str:
    return dumps(as_dict(report), indent=2)


def as_dict(report: Report) -> dict[str, Any]:
    """The report as plain values."""
    run = report.run
    return {
        "version": VERSION,
        "suite": {"name": run.suite, "digest": run.suite_digest, "cases": len(run.cases)},
        "agent": {"name": run.agent.identity.name, "privacyTier": run.privacy},
        "baseline": report.baseline,
        "parameters": {
            "repeat": run.repeat,
            "seed": run.seed,
            "maxTokens": run.max_tokens,
            "temperature": run.temperature,
            "topP": run.top_p,
        },
        **_value(report),
        "exitCode": report.exit_code,
    }


def _value(value: Any) -> Any:
    if is_dataclass(value):
        named = {field.name: getattr(value, field.name) for field in fields(value)}
        named.pop("run", None)  # what of the run is worth telling stands beside
        return {_camel(name): _value(part) for name, part in named.items()}
    if isinstance(value, Mapping):
        return {str(key): _value(part) for key, part in value.items()}
    if isinstance(value, tuple):
        return [_value(part) for part in value]
    return thawed(value)


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)
