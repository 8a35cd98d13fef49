"""`aldo replay` of a log of millions of rows, as a whole process, against 20 million rows a minute and `route`."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from aldo import AldoError, Catalog, load_catalog, route
from aldo.schema.request import request_from_value
from aldo.schema.vocabulary import CAPABILITIES, CAPABILITY_CLASSES
from bench.catalogs import as_yaml
from bench.linting import _peak_megabytes
from bench.measure import Row

ROWS = 4_000_000
SHAPES = 4_000
MINUTE_BOUND = 20_000_000
SHIPPED = Path(__file__).parents[1] / "models.yaml"


def rows() -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as directory:
        place = Path(directory)
        large = place / "models.yaml"
        large.write_text(as_yaml(1_000), "utf-8")
        for name, file in (("shipped catalog", SHIPPED), ("1000 entries", large)):
            catalog = load_catalog(file)
            log = _log(place / "log.parquet", catalog)
            replay = [sys.executable, "-m", "aldo.cli.main", "replay", str(log), "--catalog", str(file)]
            bound = 60 * ROWS / MINUTE_BOUND
            yield Row(f"replay 4 M rows, {name}", _seconds(replay), "20 M rows a minute", bound, "<= 1 x")
            writing = [*replay, "--against", str(file), "-o", str(place / "out.parquet")]
            yield Row("  against another, written", _seconds(writing), "20 M rows a minute", bound)
            yield Row("  a row of it", _seconds(replay) / ROWS, "aldo.route()", _one_by_one(log, catalog))
        yield Row("replay, written, peak memory", _peak_megabytes(writing), "the bound", 2_000.0, "<= 1 x", unit="MB")


def _seconds(command: list[str]) -> float:
    started = time.perf_counter()
    subprocess.run(command, capture_output=True, check=True)
    return time.perf_counter() - started


def _log(path: Path, catalog: Catalog) -> Path:
    """Thousands of shapes, a few of them most of the log; sizes of a long tail; a budget in every third row."""
    import duckdb

    names = {"classes": CAPABILITY_CLASSES, "tags": CAPABILITIES[:12], "ids": [m.id for m in catalog.models]}
    lists = ", ".join(f"{list(values)!r} AS {name}" for name, values in names.items())
    duckdb.sql("SET enable_progress_bar = false")
    duckdb.sql("CREATE OR REPLACE TEMP MACRO drawn(below, a, b) AS CAST(hash(a, b) % below AS BIGINT)")
    duckdb.sql("CREATE OR REPLACE TEMP MACRO picked(pool, a, b) AS pool[drawn(len(pool), a, b) + 1]")
    duckdb.sql("CREATE OR REPLACE TEMP MACRO several(pool, n, a, b) AS [picked(pool, a, b + f) FOR f IN range(n)]")
    duckdb.sql(f"""
        COPY (
            WITH pools AS (SELECT {lists}),
            shapes AS (
                SELECT s, picked(classes, s, 1) AS capabilityClass,
                    picked(['public', 'internal', 'sensitive'], s, 2) AS privacy,
                    several(classes, drawn(3, s, 3), s, 10) AS fallbackClasses,
                    several(tags, drawn(3, s, 4), s, 20) AS requires,
                    several(ids, drawn(4, s, 5), s, 30) AS down,
                    CASE WHEN drawn(5, s, 6) = 0 THEN ['local', 'on-prem'] END AS localities
                FROM range({SHAPES}) AS shape(s), pools
            )
            SELECT shapes.* EXCLUDE (s), i AS number, CAST(exp(drawn(1000, i, 1) / 80) AS BIGINT) AS tokensIn,
                picked([256, 1024, 4096, 8192], i, 2) AS maxTokensOut,
                CASE WHEN drawn(3, i, 3) = 0 THEN CAST(drawn(100000, i, 4) / 1e6 AS DECIMAL(12, 6)) END AS budgetUsd
            FROM range({ROWS}) AS row(i)
            JOIN shapes ON s = CAST(floor({SHAPES} * pow(drawn(1000000, i, 5) / 1e6, 4)) AS BIGINT)
        ) TO '{path}' (FORMAT parquet, COMPRESSION zstd)
    """)
    return path


def _one_by_one(log: Path, catalog: Catalog, number: int = 5_000) -> float:
    """Seconds per row of the plain way: each row made a request and routed, in this process."""
    import duckdb

    found = duckdb.sql(f"SELECT * EXCLUDE (number) FROM '{log}' USING SAMPLE reservoir({number} ROWS) REPEATABLE (1)")
    names = found.columns
    values = [dict(zip(names, row, strict=True)) for row in found.fetchall()]
    started = time.perf_counter()
    for row in values:
        try:
            route(catalog, request_from_value({name: value for name, value in row.items() if value is not None}))
        except AldoError:
            continue
    return (time.perf_counter() - started) / len(values)
