"""`aldo eval report`, and what `aldo eval run` prints at its end."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

import click

from aldo.cli.failure import reported
from aldo.cli.options import json_option, output_of, outputs_option
from aldo.errors import UsageError
from aldo.eval.report import FORMATS, Limits, Report, build_report, render
from aldo.eval.report import text as text_report
from aldo.eval.run.log import read_log

Command = TypeVar("Command", bound=Callable[..., Any])

_STYLES: dict[str, dict[str, Any]] = {
    "bold": {"bold": True},
    "dim": {"dim": True},
    "good": {"fg": "green", "bold": True},
    "bad": {"fg": "red", "bold": True},
    "open": {"fg": "yellow", "bold": True},
}


def report_options(command: Command) -> Command:
    """--max-regression, --format, --output and --json."""
    options = (
        click.option(
            "--max-regression",
            multiple=True,
            metavar="[NAME=]X",
            help="Fail unless the interval of the difference to the first model excludes a regression of more than X "
            "(0.05 is five points), by every evaluator or by NAME.",
        ),
        click.option("--format", "form", type=click.Choice(FORMATS), help="How to print it. [default: text]"),
        outputs_option,
        json_option,
    )
    for option in reversed(options):
        command = option(command)
    return command


@click.command("report")
@click.argument("log", metavar="LOG")
@report_options
def command(log: str, **options: Any) -> None:
    """Report on a log of `aldo eval run`: scores with intervals, differences, speed, cost, and what got worse.

    The first model is the baseline. A threshold is met when the mean over all cases reaches it even if every answer
    without a score had 0, missed when it does not even if they all had 1, and open between. Exits with 1 where a
    gate is missed, else with 3 where a server or a script failed or answers are missing, else with 1 where a gate
    is open.

    \b
    aldo eval report eval-logs/code-review-20261123-0930.jsonl
    aldo eval report LOG --output html=report.html --output junit=report.xml
    aldo eval report LOG --max-regression 0.1
    """
    with reported(as_json=options["as_json"]):
        wanted = Wanted.of(options)
        wanted.keep((log,))
        report = build_report(read_log(log), wanted.limits)
        wanted.tell(report)
        sys.exit(report.exit_code)


class Wanted:
    """Which reports were asked for, and where to."""

    def __init__(self, form: str, outputs: tuple[tuple[str, str], ...], limits: Limits) -> None:
        self.form = form
        self.outputs = outputs
        self.limits = limits

    @classmethod
    def of(cls, options: dict[str, Any]) -> Wanted:
        """Takes the options of `report_options` out of the keyword arguments. Raises `UsageError`."""
        form, as_json = options.pop("form"), options.pop("as_json")
        if as_json and form not in (None, "json"):
            raise UsageError(f"--json and --format {form} are two formats; choose one")
        outputs = tuple(output_of(given, FORMATS) for given in options.pop("outputs"))
        if any(one == "html" for one, _ in outputs) or form == "html":
            _check_plots()
        limits = Limits.of(options.pop("max_regression"))
        return cls("json" if as_json else form or "text", outputs, limits)

    def keep(self, files: Iterable[str]) -> None:
        """Raises `UsageError` for a report that would take the place of one of these files, or has no folder."""
        kept = {os.path.realpath(file) for file in files}
        for form, name in self.outputs:
            if name != "-" and os.path.realpath(name) in kept:
                raise UsageError(f"--output {form}={name}: that file is read here; the report would take its place")
            if name != "-" and not Path(name).parent.is_dir():
                raise UsageError(f"--output {form}={name}: there is no folder {Path(name).parent}")

    def tell(self, report: Report) -> None:
        """Print and write. Where one cannot be written the others are, and that is told last."""
        if not any(name == "-" for _, name in self.outputs):
            text = text_report.render(report, _paint) + "\n" if self.form == "text" else render(report, self.form)
            click.echo(_for_stdout(text), nl=False)
        unwritten = []
        for form, name in self.outputs:
            if name == "-":
                click.echo(render(report, form), nl=False)
                continue
            try:
                _write(name, render(report, form), private=report.run.privacy != "public")
            except (OSError, ValueError) as error:
                reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
                unwritten.append(f"{name} cannot be written: {reason}")
        if unwritten:
            raise UsageError("; ".join(unwritten))


def _for_stdout(text: str) -> str:
    """A terminal without the signs gets plainer ones: a minus must not become a question mark."""
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        return text.translate(_PLAINER)
    return text


_PLAINER = str.maketrans({"−": "-", "–": "-", "→": "->", "×": "x", "…": "..."})


def _write(name: str, text: str, *, private: bool) -> None:
    """A file that did not exist is for its owner alone where prompts and answers in it are not public."""
    handle = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600 if private else 0o666)
    with open(handle, "w", encoding="utf-8", errors="replace", newline="") as file:  # noqa: PTH123 - a handle
        file.write(text)


def _check_plots() -> None:
    """A missing library is told before models are asked for an hour."""
    from importlib.util import find_spec

    if find_spec("vl_convert") is None:
        raise UsageError("the plots of the page need the extra `eval`: pip install 'aldo-gateway[eval]'")


def _paint(text: str, style: str) -> str:
    return click.style(text, **_STYLES[style])
