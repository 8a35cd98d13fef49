"""The report as one JSON object; `docs/json.md` describes it."""

from __future__ import annotations

import json

from aldo.validate.lint import LintReport


def render(report: LintReport) -> str:
    return json.dumps(report.to_dict(), ensure_ascii=False, indent=2) + "\n"
