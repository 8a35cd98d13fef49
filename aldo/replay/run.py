"""`replay`: a log in, its outcomes counted, and where a place is named, a Parquet file with every row's outcome."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

from aldo.errors import UsageError
from aldo.replay.dialect import DUCKDB
from aldo.replay.engine import Writer, connected, load_tables, quoted
from aldo.replay.log import request_columns
from aldo.replay.report import Outcome, Report, report
from aldo.replay.sources import PLACE_COLUMNS, ROW, Source, source, types_of
from aldo.replay.statement import AGAINST, AGAINST_COLUMNS, BASE, NEW_COLUMNS, Statement
from aldo.replay.tables import routing_columns, widest
from aldo.schema import Catalog

Log = str | Path | Sequence[str | Path] | Any
"""Parquet files (also a pattern such as `log/*.parquet`), or a pyarrow Table or Dataset."""


def replay(log: Log, catalog: Catalog, against: Catalog | None = None, output: str | Path | None = None) -> Report:
    """Route every request of a log as `aldo.route` would, and against a second catalog where one is given.

    The columns of the log are a request's fields by their JSON names; others pass through. A row that is no
    request, or that no model serves, has its error's code in the output and ends nothing. The log is streamed;
    with `output` every row is written there, in the log's order. Raises `UsageError` where the log cannot be read
    or the output cannot be written.
    """
    sides = [(BASE, routing_columns(catalog))]
    if against is not None:
        sides.append((AGAINST, routing_columns(against)))
    taken = NEW_COLUMNS if against is None else (*NEW_COLUMNS, *AGAINST_COLUMNS)
    read = source(log)
    with connected() as connection:
        for side, columns in sides:
            load_tables(connection, side, columns)
        read.whole(connection)
        if output is not None and read.files:
            taken = (*taken, *PLACE_COLUMNS)
        held = request_columns(types_of(connection), taken)
        limits = widest(columns.limits for _, columns in sides)
        hidden = () if output is None else (ROW,)
        statement = Statement(DUCKDB, limits, held, against=against is not None, hidden=hidden)
        connection.execute(f"CREATE TABLE listed AS {statement.listing()}")
        if output is None:
            outcomes = list(_outcomes(connection, f"({statement.routing()})", against is not None))
        else:
            with _beside(Path(output), read.files) as file:
                _write(connection, read, statement.routing(), file)
                outcomes = list(_outcomes(connection, f"read_parquet({quoted(str(file))})", against is not None))
    return report(outcomes, against=against is not None)


def _write(connection: Any, read: Source, routing: str, file: Path) -> None:
    """Part by part, each in its order."""
    with Writer(file) as writer:
        for _ in read.parts(connection):
            writer.add(connection.sql(f"{routing} ORDER BY routed.{ROW}").to_arrow_table())


def _outcomes(connection: Any, rows: str, against: bool) -> Iterator[Outcome]:
    keys = ["model", "error", *(("againstModel", "againstError", "change") if against else ())]
    sums = ["sum(estimatedUsd)", *(("sum(againstEstimatedUsd)",) if against else ())]
    columns = ", ".join((*keys, "count(*)", *(f"CAST(coalesce({amount}, 0) AS DECIMAL(38, 12))" for amount in sums)))
    for row in connection.execute(f"SELECT {columns} FROM {rows} AS replayed GROUP BY {', '.join(keys)}").fetchall():
        model, error, *rest = row
        if against:
            other, other_error, change, count, usd, other_usd = rest
            yield Outcome(model, error, count, Decimal(usd), other, other_error, change, Decimal(other_usd))
        else:
            count, usd = rest
            yield Outcome(model, error, count, Decimal(usd))


@contextmanager
def _beside(output: Path, files: list[str]) -> Iterator[Path]:
    """A file beside the output that takes its place when all is written. The log itself is never replaced."""
    if output.is_dir():
        raise UsageError(f"{output} is a directory; name a file")
    if output.exists() and any(output.samefile(file) for file in files):
        raise UsageError(f"{output} is the log itself; name another file")
    beside = None
    try:
        handle, name = tempfile.mkstemp(prefix=".aldo-", suffix=".parquet", dir=output.parent)
        os.close(handle)
        beside = Path(name)
        yield beside
        beside.chmod(0o666 & ~_umask())
        beside.replace(output)
    except OSError as error:
        raise UsageError(f"{output} cannot be written: {error.strerror or error}") from None
    finally:
        if beside is not None:
            beside.unlink(missing_ok=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
