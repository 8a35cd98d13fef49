"""`aldo test`: examples of requests, and what must come of them."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from aldo.catalog import load_route_tests
from aldo.catalog.chosen import chosen_catalog, chosen_name
from aldo.cli.examples import RENDERED, as_yaml
from aldo.cli.failure import reported
from aldo.cli.options import catalog_option, output_of, outputs_option
from aldo.errors import UsageError, printable
from aldo.router.examples import recorded, run_tests
from aldo.schema.route_tests import RouteTests

_DEFAULT = "routes.test.yaml"


@click.command("test")
@click.argument("files", nargs=-1, metavar="[FILE]...")
@catalog_option
@click.option("--format", "form", type=click.Choice(list(RENDERED)), help="[default: text]")
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@outputs_option
@click.option("--record", is_flag=True, help="Write a first FILE from what the catalog does now; it must not exist.")
def command(
    files: tuple[str, ...],
    catalog: str | None,
    overlays: tuple[str, ...],
    form: str | None,
    as_json: bool,
    outputs: tuple[str, ...],
    record: bool,
) -> None:
    """Run examples of requests (`kind: RouteTests`) against the catalog.

    Without FILE: routes.test.yaml. Exits with 1 when an example fails.

    \b
    aldo test
    aldo test tests/*.test.yaml --output junit=routes.xml
    aldo test --record routes.test.yaml
    """
    with reported(as_json=as_json or form == "json"):
        if as_json and form not in (None, "json"):
            raise UsageError(f"--json and --format {form} are two formats; choose one")
        form = "json" if as_json else form or "text"
        if not files and not record and not Path(_DEFAULT).exists():
            raise UsageError(f"no {_DEFAULT} is here: name a file, or write a first one with aldo test --record")
        files = files or (_DEFAULT,)
        reports = [output_of(given, RENDERED) for given in outputs]
        loaded = chosen_catalog(catalog, overlays)
        if record:
            _record(files, recorded(loaded))
            return
        results = {file: tuple(run_tests(loaded, load_route_tests(file))) for file in files}
        over = chosen_name(catalog, overlays)
        if all(target != "-" for _, target in reports):  # else standard output is spoken for
            click.echo(RENDERED[form](results, over), nl=form != "junit")
        for name, target in reports:
            _write(target, click.unstyle(RENDERED[name](results, over)).rstrip("\n") + "\n")
        sys.exit(0 if all(result.passed for tests in results.values() for result in tests) else 1)


def _write(target: str, text: str) -> None:
    if target == "-":
        click.echo(text, nl=False)
        return
    try:
        Path(target).write_text(text, "utf-8", errors="replace", newline="")
    except OSError as error:
        raise UsageError(f"{target} cannot be written: {error.strerror}") from None


def _record(files: tuple[str, ...], tests: RouteTests) -> None:
    if len(files) != 1:
        raise UsageError("--record writes one file; name one")
    if files[0] == "-":
        click.echo(as_yaml(tests), nl=False)
        return
    try:
        with Path(files[0]).open("x", encoding="utf-8", newline="\n") as file:
            file.write(as_yaml(tests))
    except FileExistsError:
        raise UsageError(f"{files[0]} exists; --record writes a new file only") from None
    except OSError as error:
        raise UsageError(f"{files[0]} cannot be written: {error.strerror}") from None
    click.echo(f"{len(tests.tests)} examples recorded in {printable(files[0])}", err=True)
