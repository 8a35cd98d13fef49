"""What a run of lint says, one file a format. Each takes the report and gives a text that ends in a newline."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from aldo.validate.outcome import LintReport

FORMATS = ("text", "json", "sarif", "github", "junit", "gitlab")


def render(form: str, report: LintReport) -> str:
    """The report in one of the `FORMATS`; text without colours."""
    module = import_module(f"{__name__}.{form}")
    rendered: Callable[[LintReport], str] = module.render
    return rendered(report)
