"""How failures leave the command line: a message on stderr, or an `error` object with --json, and a code."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click

from aldo.errors import AldoError, CatalogError, NoEligibleModelError

INTERRUPTED = 130


@contextmanager
def reported(*, as_json: bool = False) -> Iterator[None]:
    """Prints our errors and exits with their code. A reader that closed the pipe early is no error."""
    try:
        yield
    except AldoError as error:
        print_error(error, as_json=as_json)
        sys.exit(error.exit_code)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)


def print_error(error: AldoError, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({"error": error.to_dict()}, ensure_ascii=False))
    elif isinstance(error, CatalogError):
        _print_findings(error)
    else:
        click.echo(f"{click.style('error', fg='red', bold=True)}: {_safe(str(error))}", err=True)
        if isinstance(error, NoEligibleModelError):
            _print_relaxations(error)


def _print_findings(error: CatalogError) -> None:
    for finding in error.findings:
        line = f"{finding.place}: {finding.severity}[{finding.code}] {finding.message}"
        click.echo(_safe(line + (f" ({finding.hint})" if finding.hint else "")), err=True)
    if any(finding.span for finding in error.findings):
        click.echo("Nothing was done. aldo lint shows the lines in place.", err=True)


def _print_relaxations(error: NoEligibleModelError) -> None:
    for relaxation in error.relaxations:
        changes = " and ".join(change_text(change) for change in relaxation.to_dict()["changes"])
        lowered = any(change.field == "privacy" for change in relaxation.changes)
        only = " (only if what you send allows it)" if lowered else ""
        click.echo(f"  would route to {relaxation.model} with {changes}{only}", err=True)
    if not error.relaxations:
        click.echo("  no change of the request would help; see aldo route --explain", err=True)


def change_text(change: dict[str, Any]) -> str:
    """A change in words: `budgetUsd "0.01" -> "0.02"`; catalog changes say so."""
    where = " in the catalog" if change.get("where") == "catalog" else ""
    return f"{change['field']} {_value(change['from'])} -> {_value(change['to'])}{where}"


def _value(value: object) -> str:
    return "none" if value in (None, []) else json.dumps(value, ensure_ascii=False)


def _safe(text: str) -> str:
    from aldo.validate.text import printable

    return printable(text)
