"""GitLab's Code Quality report: https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format"""

from __future__ import annotations

from typing import Any

from aldo.errors import Finding, Span, printable
from aldo.schema.printed import dumps
from aldo.validate.outcome import LintReport
from aldo.validate.registry import all_rules
from aldo.validate.reports.fingerprint import fingerprints
from aldo.validate.reports.paths import relative

_SEVERITIES = {"error": "major", "warning": "minor", "info": "info"}


def render(report: LintReport) -> str:
    found = zip(report.findings, fingerprints(report.findings), strict=True)
    issues = [_issue(finding, fingerprint) for finding, fingerprint in found]
    return dumps(issues, indent=2) + "\n"


def _issue(finding: Finding, fingerprint: str) -> dict[str, Any]:
    span = finding.span or Span(1, 1, 1, 1)
    hint = f" ({printable(finding.hint)})" if finding.hint else ""
    return {
        "type": "issue",
        "check_name": f"{finding.code} {all_rules()[finding.code].name}",
        "description": printable(finding.message) + hint,
        "categories": ["Security" if finding.code.startswith("AL3") else "Bug Risk"],
        "severity": "blocker" if finding.unreadable else _SEVERITIES[finding.severity],
        "fingerprint": fingerprint,
        "location": {
            "path": relative(finding.path),
            "lines": {"begin": span.line, "end": span.end_line},
        },
        "content": {"body": finding.url},
    }
