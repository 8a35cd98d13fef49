"""DuckDB and Arrow. Nothing else of aldo imports them, and this does only when a log is replayed."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from aldo.errors import UsageError, printable
from aldo.replay.statement import Side
from aldo.replay.tables import RoutingColumns

MISSING = "aldo replay needs the extra: pip install 'aldo-gateway[replay]'"

# No network and nothing installed on the side. The log is the left side of every join and passes through it in its
# order; the engine must not decide that a short one is better kept in memory, nor that it is read only once.
_SETTINGS = (
    "SET autoinstall_known_extensions = false",
    "SET autoload_known_extensions = false",
    "SET allow_community_extensions = false",
    "SET enable_progress_bar = false",
    "SET preserve_insertion_order = true",
)
_KEPT_OUT = ("build_side_probe_side", "join_order", "common_subplan")


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
    with tempfile.TemporaryDirectory(prefix="aldo-replay-") as spill:
        connection = duckdb.connect(":memory:")
        try:
            for setting in _SETTINGS:
                connection.execute(setting)
            connection.execute(f"SET temp_directory = {quoted(spill)}")
            known = {name for (name,) in connection.execute("SELECT name FROM duckdb_optimizers()").fetchall()}
            kept_out = ",".join(name for name in _KEPT_OUT if name in known)
            connection.execute(f"SET disabled_optimizers = {quoted(kept_out)}")
            yield connection
        except duckdb.InterruptException:
            raise KeyboardInterrupt from None
        except duckdb.Error as error:
            raise UsageError(f"the log cannot be replayed: {_first_line(error)}") from None
        finally:
            connection.close()


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


def open_log(connection: Any, log: object) -> dict[str, str]:
    """Make a log known as `log`; its columns and their types. Raises `UsageError` where it cannot be read."""
    duckdb, arrow = engines()
    try:
        if isinstance(log, (str, Path)):
            _open_files(connection, [str(log)])
        elif isinstance(log, Sequence):
            _open_files(connection, [str(path) for path in log])
        elif isinstance(log, arrow.Table) or type(log).__module__.startswith("pyarrow._dataset"):
            connection.register("log", log)
        else:
            raise UsageError(f"a log is a Parquet file, a pyarrow Table or Dataset, not a {type(log).__name__}")
        described = connection.execute("DESCRIBE SELECT * FROM log").fetchall()
    except duckdb.Error as error:
        raise UsageError(f"the log cannot be read: {_first_line(error)}") from None
    return {str(row[0]): str(row[1]) for row in described}


def _open_files(connection: Any, paths: list[str]) -> None:
    listed = ", ".join(map(quoted, paths))
    connection.execute(f"CREATE VIEW log AS FROM read_parquet([{listed}])")
