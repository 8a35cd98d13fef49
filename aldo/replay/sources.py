"""Where a log comes from. Parquet files or Arrow: as a whole, and in parts that follow each other.

An engine of columns gives rows in any order. A part is small enough to be sorted in memory, so that an output of
any length keeps the order of its log.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import chain, groupby
from pathlib import Path
from typing import Any, Protocol

from aldo.errors import UsageError
from aldo.replay.engine import engines, mapped, quoted
from aldo.replay.fields import LISTS, TEXTS

PART_ROWS = 2**20
ROW = "aldo_row"
"""The column of a part by which it is sorted."""
PLACE_COLUMNS = ("filename", "file_row_number")
"""DuckDB's own columns by which a part of a file is told; a column of the log would hide them."""


class Source(Protocol):
    """A log that can be made known to a connection under the name `log`."""

    files: list[str]
    """The files of a log that was made known; none where it is in memory."""

    def whole(self, connection: Any) -> None:
        """All of it."""

    def parts(self, connection: Any) -> Iterator[None]:
        """One part after the other, at least one, with a column `aldo_row` more."""


def source(log: object) -> Source:
    """Raises `UsageError` for what is no log."""
    if isinstance(log, (str, Path)):
        return Files([str(log)])
    if isinstance(log, Sequence) and log and all(isinstance(path, (str, Path)) for path in log):
        return Files([str(path) for path in log])
    _, arrow = engines()
    if isinstance(log, arrow.Table) or hasattr(log, "to_batches"):
        return Arrow(log)
    raise UsageError("a log is a Parquet file, a list of them, a pyarrow Table or a Dataset")


def types_of(connection: Any) -> dict[str, str]:
    """The columns of the log and their types, in DuckDB's words."""
    types = {str(row[0]): str(row[1]) for row in connection.execute("DESCRIBE SELECT * FROM log").fetchall()}
    return {name: _no_type(connection, name, said) if name in _MAY_BE_EMPTY else said for name, said in types.items()}


_MAY_BE_EMPTY = {*TEXTS, *LISTS}


def _no_type(connection: Any, column: str, said: str) -> str:
    """A column without any value has no type; DuckDB 1 calls it INTEGER, and its lists INTEGER[]."""
    found = {"INTEGER": f"count({column})", "INTEGER[]": f"sum(len(list_filter({column}, lambda x: x IS NOT NULL)))"}
    if said not in found:
        return said
    ((values,),) = connection.execute(f"SELECT {found[said]} FROM log").fetchall()
    return said if values else {"INTEGER": '"NULL"', "INTEGER[]": "VARCHAR[]"}[said]


class Files:
    """Parquet files, each by its path or by a pattern; the files of a pattern by name."""

    def __init__(self, paths: Sequence[str]) -> None:
        self.paths = paths
        self.files: list[str] = []

    def whole(self, connection: Any) -> None:
        with mapped("the log cannot be read"):
            found = [file for path in self.paths for file in _files(connection, path)]
            self.files = list(dict.fromkeys(found))
            self._scan = f"read_parquet([{', '.join(quoted(_literal(file)) for file in self.files)}])"
            connection.execute(f"CREATE OR REPLACE VIEW log AS FROM {self._scan}")

    def parts(self, connection: Any) -> Iterator[None]:
        for file in self.files:
            counted = f"SELECT num_rows FROM parquet_file_metadata({quoted(_literal(file))})"
            ((rows,),) = connection.execute(counted).fetchall()
            for start in range(0, max(rows, 1), PART_ROWS):
                within = f"file_row_number >= {start} AND file_row_number < {start + PART_ROWS}"
                connection.execute(
                    f"CREATE OR REPLACE VIEW log AS SELECT *, file_row_number AS {ROW} FROM {self._scan} "
                    f"WHERE filename = {quoted(file)} AND {within}"
                )
                yield


def _files(connection: Any, path: str) -> list[str]:
    if Path(path).is_file():
        return [path]
    files = connection.execute(f"SELECT file FROM glob({quoted(path)}) ORDER BY file").fetchall()
    if not files:
        raise UsageError(f"the log cannot be read: there is no file {path!r}")
    return [str(file) for (file,) in files]


def _literal(path: str) -> str:
    """A path as a pattern that only it matches."""
    return re.sub(r"([*?\[])", r"[\1]", path)


class Arrow:
    """A pyarrow Table, or a Dataset, which is read from where it is."""

    def __init__(self, log: Any) -> None:
        self.log = log
        self.files: list[str] = []

    def whole(self, connection: Any) -> None:
        with mapped("the log cannot be read"):
            connection.register("log", self.log)

    def parts(self, connection: Any) -> Iterator[None]:
        _, arrow = engines()
        rows = 0
        empty = arrow.RecordBatch.from_pylist([], schema=self.log.schema)
        for _, batches in groupby(chain(self.log.to_batches(), [empty]), key=_Parts()):
            part = arrow.Table.from_batches(batches)
            numbers = arrow.array(range(rows, rows + part.num_rows), arrow.int64())
            rows += part.num_rows
            connection.unregister("log")
            connection.register("log", part.append_column(ROW, numbers))
            yield


class _Parts:
    """Says for each batch, in turn, which part it belongs to."""

    def __init__(self) -> None:
        self._rows = 0

    def __call__(self, batch: Any) -> int:
        self._rows += batch.num_rows
        return (self._rows - 1) // PART_ROWS
