"""`aldo eval`: put suites to models, and compare."""

from __future__ import annotations

from typing import ClassVar

import click

from aldo.cli.lazy import Commands, LazyGroup


class _Eval(LazyGroup):
    commands_at: ClassVar[Commands] = {
        "run": ("aldo.cli.eval_run:command", "Put a suite to models, log every answer, compare."),
        "report": ("aldo.cli.eval_report:command", "Report on a log: text, JSON, JUnit, Markdown, HTML."),
    }


@click.group("eval", cls=_Eval)
def command() -> None:
    """Put suites of cases to models, and tell how they compare.

    Needs the extra `eval`: pip install 'aldo-gateway[eval]'.
    """
