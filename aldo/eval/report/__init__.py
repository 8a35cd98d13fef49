"""From a log to a report, and from a report to what a person or a program reads.

`build` makes the value (`model`) with the help of `scores`, `comparisons` and `speed`; `text`, `json`, `markdown`,
`junit` and `html` render it, with the words that they share in `words`.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from aldo.eval.report.build import build_report
from aldo.eval.report.limits import Limits
from aldo.eval.report.model import Report

FORMATS = ("text", "json", "junit", "markdown", "html")

__all__ = ["FORMATS", "Limits", "Report", "build_report", "render"]


def render(report: Report, form: str) -> str:
    """The report in one of `FORMATS`, with a line end at its end."""
    renderer: Callable[[Report], str] = import_module(f"aldo.eval.report.{form}").render
    text = renderer(report)
    return text if text.endswith("\n") else text + "\n"
