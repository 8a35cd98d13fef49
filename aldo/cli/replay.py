"""`aldo replay`: whole logs of requests, priced and compared as columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from aldo.catalog.chosen import catalog_path
from aldo.catalog.revision import load_catalog_at
from aldo.cli.failure import reported
from aldo.cli.options import catalog_option, json_option, sides
from aldo.errors import UsageError, printable
from aldo.replay import export, replay
from aldo.schema.decimals import plain_text
from aldo.schema.printed import dumps

if TYPE_CHECKING:
    from decimal import Decimal

    from aldo.replay import Changes, Report

_SHOWN = 10


@click.command("replay")
@click.argument("log", nargs=-1, metavar="[LOG.parquet]...")
@catalog_option
@click.option("--against", metavar="FILE", help="A second catalog: what would it change?")
@click.option(
    "--against-overlay", "against_overlays", multiple=True, metavar="FILE", help="An overlay over the second alone."
)
@click.option("-o", "--output", metavar="FILE", help="Write every row with its outcome, as Parquet.")
@click.option("--export", "directory", metavar="DIR", help="Write the routing table and the SQL statement instead.")
@click.option("--dialect", type=click.Choice(["duckdb", "spark"]), help="The SQL of --export. [default: duckdb]")
@json_option
def command(
    log: tuple[str, ...],
    catalog: str | None,
    overlays: tuple[str, ...],
    against: str | None,
    against_overlays: tuple[str, ...],
    output: str | None,
    directory: str | None,
    dialect: str | None,
    as_json: bool,
) -> None:
    """Price and compare every request of a large log, exactly as `route` would.

    The columns of the log are a request's fields (capabilityClass, privacy, tokensIn, ...); others pass
    through. Needs the extra `replay`: pip install 'aldo-gateway[replay]'.

    \b
    aldo replay log.parquet --catalog models.yaml -o routed.parquet
    aldo replay log.parquet --catalog models.yaml --against next.yaml
    aldo replay log.parquet --against-overlay mine.yaml
    aldo replay --export table/ --catalog models.yaml --dialect spark
    """
    with reported(as_json=as_json):
        _check(log, output, directory, dialect)
        if against_overlays and against is None:
            against = catalog_path(catalog)
        base_layers, head_layers = sides(overlays, (), against_overlays)
        base = load_catalog_at(catalog_path(catalog), base_layers)
        head = None if against is None else load_catalog_at(against, head_layers)
        if directory is not None:
            written = export(directory, base, head, "spark" if dialect == "spark" else "duckdb")
            names = [str(path) for path in written]
            click.echo(
                dumps({"written": names}) if as_json else "\n".join(f"wrote {printable(name)}" for name in names)
            )
            return
        report = replay(log[0] if len(log) == 1 else log, base, head, output)
        click.echo(dumps(report.to_dict()) if as_json else report_text(report))


def _check(log: tuple[str, ...], output: str | None, directory: str | None, dialect: str | None) -> None:
    if directory is None:
        if not log:
            raise UsageError("name a log: aldo replay LOG.parquet; or --export DIR")
        if dialect is not None:
            raise UsageError("--dialect goes with --export; a replay here runs on DuckDB")
    elif log or output is not None:
        raise UsageError("--export writes the routing table alone; give no log and no --output with it")


def report_text(report: Report) -> str:
    """The report for a terminal of 80 columns; amounts are USD."""
    totals = report.totals
    lines = [
        f"{click.style(_count(report.rows), bold=True)} requests",
        _line("routed", totals.routed, totals.usd),
        _line("refused", totals.refused),
        _line("invalid", totals.invalid),
    ]
    lines += [_line(f"  {code}", rows) for code, rows in report.errors if code != "no_eligible_model"]
    lines += _table("models", [(model, rows, usd) for model, rows, usd in report.models])
    if report.changes is not None:
        lines += _changes_lines(report.changes, totals.usd)
    return "\n".join(lines)


def _changes_lines(changes: Changes, before: Decimal) -> list[str]:
    other = changes.against
    moves = [(_move(move.before, move.after), move.rows, move.usd) for move in changes.reroutes]
    return [
        "",
        click.style("against the other catalog", bold=True),
        _line("routed", other.routed, other.usd),
        _line("refused", other.refused),
        _line("invalid", other.invalid),
        _line("same", changes.same),
        _line("rerouted", changes.rerouted),
        _line("unroutable", changes.unroutable),
        _line("routable", changes.routable),
        f"  {'difference':<20} {'':>14}  {_amount(other.usd - before, signed=True):>22} USD",
        *_table("moves", moves, signed=True),
    ]


def _move(before: str, after: str) -> str:
    return f"{before}, other price" if before == after else f"{before} -> {after}"


def _table(title: str, rows: list[tuple[str, int, Decimal]], *, signed: bool = False) -> list[str]:
    """The first rows of a table; a name that leaves no room stands on a line of its own."""
    if not rows:
        return []
    lines = ["", click.style(title, bold=True)]
    for name, count, usd in rows[:_SHOWN]:
        figures = f"{_count(count):>14}  {_amount(usd, signed=signed):>22} USD"
        lines += [f"  {name:<33} {figures}"] if len(name) <= 33 else [f"  {name}", f"  {'':<33} {figures}"]
    if len(rows) > _SHOWN:
        lines.append(f"  and {len(rows) - _SHOWN} more; see --json")
    return lines


def _line(name: str, rows: int, usd: Decimal | None = None) -> str:
    amount = "" if usd is None else f"  {_amount(usd):>22} USD"
    return f"  {name:<20} {_count(rows):>14}{amount}"


def _count(number: int) -> str:
    return f"{number:,}"


def _amount(usd: Decimal, *, signed: bool = False) -> str:
    text = plain_text(usd)
    return f"+{text}" if signed and usd > 0 else text
