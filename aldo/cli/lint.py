"""`aldo lint`: check catalog files."""

from __future__ import annotations

import json
import sys

import click

from aldo.cli.options import catalog_path
from aldo.cli.terminal import fold
from aldo.validate import lint, render_text, rule

_COLOURS = {"error": "red", "warning": "yellow", "info": "blue", "hint": "cyan", "ok": "green"}


@click.command("lint")
@click.argument("files", nargs=-1, metavar="[FILE]...")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="How to print findings.")
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@click.option("--explain", metavar="CODE", help="Print the documentation of a rule and stop.")
def command(files: tuple[str, ...], form: str, as_json: bool, explain: str | None) -> None:
    """Check catalog files and print every defect with file, line, reason and fix.

    Without FILE: the catalog in use. `-` is standard input. Exits with 1 when there are errors, with 2
    when a file cannot be read as one YAML document.

    \b
    aldo lint models.yaml
    aldo lint --format json catalogs/*.yaml
    aldo lint --explain AL104
    """
    if explain is not None:
        click.echo(_explained(explain))
        return
    report = lint(files or [catalog_path(None)])
    if as_json or form == "json":
        click.echo(json.dumps(report.to_dict(), ensure_ascii=False, indent=2))
    else:
        click.echo(render_text(report, _paint), nl=False)
    sys.exit(report.exit_code)


def _paint(text: str, style: str) -> str:
    if style == "dim":
        return click.style(text, dim=True)
    return click.style(text, fg=_COLOURS[style], bold=True)


def _explained(code: str) -> str:
    found = rule(code)
    bad, good = (example.rstrip() or "(an empty file)" for example in (found.bad, found.good))
    told = fold(" ".join(found.explanation.split()))
    head = click.style(f"{found.code} {found.name}", bold=True)
    return f"{head} ({found.severity})\n\n{found.summary}\n\n{told}\n\nBad:\n\n{bad}\n\nGood:\n\n{good}"
