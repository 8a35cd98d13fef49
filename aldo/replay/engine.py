"""DuckDB and Arrow. Nothing else of aldo imports them, and this does only when a log is replayed."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from aldo.errors import UsageError, printable
from aldo.replay.statement import Side
from aldo.replay.tables import RoutingColumns

MISSING = "aldo replay needs the extra: pip install 'aldo-gateway[replay]'"

# No network, and nothing installed on the side.
_SETTINGS = (
    "SET autoinstall_known_extensions = false",
    "SET autoload_known_extensions = false",
    "SET allow_community_extensions = false",
    "SET enable_progress_bar = false",
    "SET preserve_insertion_order = false",  # what has to be in order is sorted
)


def engines() -> tuple[ModuleType, ModuleType]:
    """duckdb and pyarrow. Raises `UsageError` without the extra."""
    try:
        return import_module("duckdb"), import_module("pyarrow")
    except ImportError:
        raise UsageError(MISSING) from None


@contextmanager
def connected() -> Iterator[Any]:
    """A connection to a database in memory that spills into a temporary directory. Maps its errors to ours."""
    duckdb, _ = engines()
    with tempfile.TemporaryDirectory(prefix="aldo-replay-") as spill, mapped("the log cannot be replayed"):
        connection = duckdb.connect(":memory:")
        try:
            for setting in (*_SETTINGS, f"SET temp_directory = {quoted(spill)}"):
                connection.execute(setting)
            yield connection
        finally:
            connection.close()


@contextmanager
def mapped(what: str) -> Iterator[None]:
    """Maps the engines' errors to `UsageError`: what could not be done, and the first line of why."""
    duckdb, arrow = engines()
    try:
        yield
    except duckdb.InterruptException:
        raise KeyboardInterrupt from None
    except RuntimeError as error:  # so DuckDB tells of a SIGINT, and errors of its own are none of these
        if "interrupt" not in str(error).lower():
            raise
        raise KeyboardInterrupt from None
    except (duckdb.Error, arrow.ArrowException) as error:
        if "magic bytes" in str(error).lower():
            raise UsageError(f"{what}: that is no Parquet file ({_first_line(error)})") from None
        raise UsageError(f"{what}: {_first_line(error)}") from None


def quoted(text: str) -> str:
    """A text as a literal."""
    return "'" + text.replace("'", "''") + "'"


def _first_line(error: Exception) -> str:
    return printable(str(error).strip().split("\n")[0])


def arrow_tables(columns: RoutingColumns) -> dict[str, Any]:
    """The tables of a catalog, with the types that every engine reads alike. By the end of their names."""
    _, arrow = engines()
    names = arrow.list_(arrow.string())
    text, count, small = arrow.string(), arrow.int64(), arrow.int32()
    price = arrow.decimal128(20, 12)  # wider than 18 digits, so that no engine keeps a product of it in 64 bits
    candidate = {
        "capabilityClass": text,
        "privacy": text,
        "entry": small,
        "model": text,
        "locality": text,
        "nearness": small,
        "provides": names,
        "contextTokens": count,
        "outputTokens": count,
        "picoIn": count,
        "picoOut": count,
    }
    model = {"entry": small, "model": text, "capabilityClass": text, "usdPerTokenIn": price, "usdPerTokenOut": price}
    known = {"classes": names, "capabilities": names}
    return {
        "candidates": arrow.Table.from_pylist(columns.candidates, arrow.schema(candidate)),
        "models": arrow.Table.from_pylist(columns.models, arrow.schema(model)),
        "names": arrow.Table.from_pylist(columns.names, arrow.schema(known)),
    }


def write_table(table: Any, path: Path) -> None:
    """Write an Arrow table as Parquet. Raises `OSError`."""
    import_module("pyarrow.parquet").write_table(table, path)


def load_tables(connection: Any, side: Side, columns: RoutingColumns) -> None:
    """Make the tables of one catalog known to the statement."""
    for name, table in arrow_tables(columns).items():
        connection.register("arrived", table)
        connection.execute(f"CREATE TABLE {side.tables}_{name} AS FROM arrived")
        connection.unregister("arrived")


class Writer:
    """Writes Arrow tables one after the other into one Parquet file, each while the next one is made."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: Any = None
        self._queue = ThreadPoolExecutor(max_workers=1)
        self._last: Future[None] | None = None

    def __enter__(self) -> Writer:
        return self

    def add(self, table: Any) -> None:
        """At most one table waits. Raises what went wrong with those before."""
        self._wait()
        self._last = self._queue.submit(self._write, table)

    def _write(self, table: Any) -> None:
        if self._file is None:
            parquet = import_module("pyarrow.parquet")
            self._file = parquet.ParquetWriter(self._path, table.schema, compression="zstd")
        self._file.write_table(table)

    def _wait(self) -> None:
        if self._last is not None:
            self._last.result()

    def __exit__(self, *raised: object) -> None:
        try:
            if raised[0] is None:
                self._wait()
        finally:
            self._queue.shutdown()
            if self._file is not None:
                self._file.close()
