"""How failures leave the command line: a message on stderr, or an `error` object with --json, and a code."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click

from aldo.cli.terminal import fold
from aldo.errors import AldoError, CatalogError, NoEligibleModelError, TransportError, printable
from aldo.schema.printed import dumps

INTERRUPTED = 130
UNWRITABLE = 2


_HINTS = {
    "connection": "Is its server running? A variable such as MLX_BASE_URL or OLLAMA_BASE_URL moves it.",
    "egress_refused": "Use an address of this machine, or name the network under routing.localNetworks.",
}


def _discard_stdout() -> None:
    """So that the interpreter, which flushes once more when it ends, does not stumble again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@contextmanager
def reported(*, as_json: bool = False) -> Iterator[None]:
    """Prints our errors and exits with their code. A reader that closed the pipe early is no error."""
    try:
        try:
            yield
            sys.stdout.flush()
        except AldoError as error:
            print_error(error, as_json=as_json)
            sys.exit(error.exit_code)
    except BrokenPipeError:
        _discard_stdout()
        sys.exit(0)
    except OSError as error:
        _discard_stdout()
        _say(f"the output cannot be written: {error.strerror}")
        sys.exit(UNWRITABLE)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)


class Ending:
    """The exit code so far, for output that may find no reader."""

    code = 0


@contextmanager
def unread() -> Iterator[Ending]:
    """Where the reader closes the pipe early, the exit code is what was found until then."""
    ending = Ending()
    try:
        yield ending
    except BrokenPipeError:
        _discard_stdout()
        sys.exit(ending.code)


def print_error(error: AldoError, *, as_json: bool) -> None:
    if as_json:
        click.echo(dumps({"error": error.to_dict()}))
    elif isinstance(error, CatalogError):
        _print_findings(error)
    else:
        where = f"{error.where.model}: " if isinstance(error, TransportError) and error.where.model else ""
        _say(printable(where + str(error)))
        if error.code in _HINTS:
            click.echo(fold(_HINTS[error.code], first="  ", rest="  "), err=True)
        if isinstance(error, NoEligibleModelError):
            _print_relaxations(error)


def _say(message: str) -> None:
    text = fold(f"error: {message}", rest="  ")
    click.echo(click.style("error", fg="red", bold=True) + text.removeprefix("error"), err=True)


def _print_findings(error: CatalogError) -> None:
    for finding in error.findings:
        click.echo(printable(str(finding)), err=True)
    click.echo("Nothing was done.", err=True)


def _print_relaxations(error: NoEligibleModelError) -> None:
    for relaxation in error.relaxations:
        changes = " and ".join(change_text(change) for change in relaxation.to_dict()["changes"])
        lowered = any(change.field == "privacy" for change in relaxation.changes)
        only = " (only if what you send allows it)" if lowered else ""
        advice = f"would route to {relaxation.model} with {changes}{only}"
        click.echo(fold(advice, first="  ", rest="    "), err=True)
    if not error.relaxations:
        click.echo("  no change of the request would help; see aldo route --explain", err=True)


def change_text(change: dict[str, Any]) -> str:
    """A change in words: `budgetUsd "0.01" -> "0.02"`; catalog changes say so."""
    where = " in the catalog" if change.get("where") == "catalog" else ""
    return f"{change['field']} {_value(change['from'])} -> {_value(change['to'])}{where}"


def _value(value: object) -> str:
    return "none" if value in (None, []) else dumps(value)
