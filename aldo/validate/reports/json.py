"""The report as one JSON object; `docs/reference/json.md` describes it."""

from __future__ import annotations

from aldo.schema.printed import dumps
from aldo.validate.outcome import LintReport


def render(report: LintReport) -> str:
    return dumps(report.to_dict(), indent=2) + "\n"
