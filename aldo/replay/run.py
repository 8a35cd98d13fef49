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
from aldo.replay.engine import connected, load_tables, open_log, quoted
from aldo.replay.log import request_columns
from aldo.replay.report import Outcome, Report, report
from aldo.replay.statement import AGAINST, AGAINST_COLUMNS, BASE, NEW_COLUMNS, statement
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
    with connected() as connection:
        for side, columns in sides:
            load_tables(connection, side, columns)
        held = request_columns(open_log(connection, log), taken)
        limits = widest(columns.limits for _, columns in sides)
        query = statement(DUCKDB, limits, held, against=against is not None)
        if output is None:
            outcomes = list(_outcomes(connection, f"({query})", against is not None))
        else:
            with _beside(Path(output), log) as file:
                connection.execute(f"COPY ({query}) TO {quoted(file)} (FORMAT parquet, COMPRESSION zstd)")
                written = f"read_parquet({quoted(file)})"
                outcomes = list(_outcomes(connection, written, against is not None))
    return report(outcomes, against=against is not None)


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
def _beside(output: Path, log: Log) -> Iterator[str]:
    """A file beside the output that takes its place when all is written. The log itself is never replaced."""
    if output.is_dir():
        raise UsageError(f"{output} is a directory; name a file")
    paths = [log] if isinstance(log, (str, Path)) else log if isinstance(log, Sequence) else []
    if output.exists() and any(Path(path).exists() and output.samefile(path) for path in paths):
        raise UsageError(f"{output} is the log itself; name another file")
    try:
        handle, name = tempfile.mkstemp(prefix=".aldo-", suffix=".parquet", dir=output.parent)
    except OSError as error:
        raise UsageError(f"{output} cannot be written: {error.strerror or error}") from None
    os.close(handle)
    beside = Path(name)
    try:
        yield name
        beside.chmod(0o666 & ~_umask())
        beside.replace(output)
    finally:
        beside.unlink(missing_ok=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
