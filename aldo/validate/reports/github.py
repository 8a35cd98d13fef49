"""Workflow commands of GitHub Actions, which shows them at the lines of a pull request.

https://docs.github.com/en/actions/reference/workflow-commands-for-github-actions
"""

from __future__ import annotations

from aldo.errors import Finding, printable
from aldo.validate.outcome import LintReport
from aldo.validate.registry import all_rules
from aldo.validate.reports.paths import relative
from aldo.validate.reports.text import summary

_COMMANDS = {"error": "error", "warning": "warning", "info": "notice"}


def render(report: LintReport) -> str:
    return "".join(f"{_command(finding)}\n" for finding in report.findings) + summary(report) + "\n"


def _command(finding: Finding) -> str:
    properties = {"file": finding.path if finding.span is None else relative(finding.path)}
    span = finding.span
    if span is not None:
        properties |= {"line": str(span.line), "endLine": str(span.end_line)}
        if span.line == span.end_line:  # columns are only taken together with a single line
            properties |= {"col": str(span.column), "endColumn": str(span.end_column)}
    properties["title"] = f"{finding.code} {all_rules()[finding.code].name}"
    told = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    message = printable(finding.message) + (f"\n{printable(finding.hint)}" if finding.hint else "")
    return f"::{_COMMANDS[finding.severity]} {told}::{_data(message + chr(10) + finding.url)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(printable(text)).replace(":", "%3A").replace(",", "%2C")
