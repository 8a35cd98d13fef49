"""A log replayed into rows, with what holds of every replay checked on the way."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
import pyarrow.parquet as pq

from aldo import Catalog
from aldo.replay import replay
from tests.replay.logs import Row


def replayed(log: pa.Table, catalog: Catalog, against: Catalog | None = None) -> list[Row]:
    """The rows of the output: in the log's order, and counted as without an output."""
    with TemporaryDirectory() as directory:
        output = Path(directory) / "out.parquet"
        report = replay(log, catalog, against, output)
        rows = pq.read_table(output).to_pylist()
    assert report == replay(log, catalog, against)
    assert report.rows == len(rows)
    assert [row["number"] for row in rows] == list(range(len(rows)))
    return rows
