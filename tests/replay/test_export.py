"""The exported tables and statement, run from their files alone: by DuckDB, and by Spark on this machine."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest

from aldo import Catalog, UsageError, load_catalog
from aldo.replay import export, replay
from tests.replay.logs import Row, one_by_one, outcomes, row_of, write_log
from tests.replay.odd import ODD_ROWS
from tests.support.cases import MODELS
from tests.support.strategies import crowd, to_request

COLUMNS = ("number", "model", "classUsed", "estimatedUsd", "error")
AGAINST = ("againstModel", "againstClassUsed", "againstEstimatedUsd", "againstError", "change")


def _catalogs() -> tuple[Catalog, Catalog, list[Row]]:
    first, asks = crowd(11, 60)
    second, more = crowd(12, 60)
    rows = [row_of(to_request(ask)) for ask in (*asks, *more)]
    return first.catalog(), second.catalog(), [*rows, *ODD_ROWS]


def _by_duckdb(place: Path, log: Path) -> list[Row]:
    with duckdb.connect() as connection:
        for file in place.glob("aldo_*.parquet"):
            connection.execute(f"CREATE VIEW {file.stem} AS FROM '{file}'")
        connection.execute(f"CREATE VIEW log AS FROM '{log}'")
        query = (place / "replay.sql").read_text("utf-8")
        found = connection.execute(query)
        names = [column[0] for column in found.description]
        rows = [dict(zip(names, row, strict=True)) for row in found.fetchall()]
    return sorted(rows, key=lambda row: row["number"])


def _shown(rows: list[Row], columns: tuple[str, ...]) -> list[tuple[Any, ...]]:
    return [tuple(row[column] for column in columns) for row in rows]


def test_duckdb_gives_the_same_from_the_exported_files_alone(tmp_path: Path) -> None:
    base, head, rows = _catalogs()
    log = write_log(tmp_path / "log.parquet", rows)
    replay(log, base, head, tmp_path / "out.parquet")
    ours = pq.read_table(tmp_path / "out.parquet").to_pylist()
    export(tmp_path / "both", base, head)
    assert _shown(_by_duckdb(tmp_path / "both", log), COLUMNS + AGAINST) == _shown(ours, COLUMNS + AGAINST)
    export(tmp_path / "one", base)
    assert _shown(_by_duckdb(tmp_path / "one", log), COLUMNS) == _shown(ours, COLUMNS)
    assert outcomes(ours) == [one_by_one(base, row) for row in rows]


def test_what_is_exported_is_the_same_bytes_every_time_and_names_no_provider(tmp_path: Path) -> None:
    catalog = load_catalog(MODELS)
    for place in ("first", "second"):
        export(tmp_path / place, catalog)
    for file in (tmp_path / "first").iterdir():
        assert file.read_bytes() == (tmp_path / "second" / file.name).read_bytes()
        assert b"api.openai.com" not in file.read_bytes()


def test_a_place_that_cannot_be_written_and_a_dialect_that_is_none_are_usage_errors(tmp_path: Path) -> None:
    catalog = load_catalog(MODELS)
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="cannot be written"):
        export(tmp_path / "file", catalog)
    with pytest.raises(UsageError, match="unknown dialect 'oracle'; there are duckdb and spark"):
        export(tmp_path / "there", catalog, dialect="oracle")  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Spark in this process's own JVM: two threads, no page, no address but this machine's."""
    if shutil.which("java") is None:
        pytest.skip("no java: Spark cannot run here")
    sql = pytest.importorskip("pyspark.sql", reason="no pyspark: it is in the group heavy")
    settings = {
        "spark.master": "local[2]",
        "spark.ui.enabled": "false",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        "spark.sql.shuffle.partitions": "4",
        "spark.sql.warehouse.dir": str(tmp_path_factory.mktemp("warehouse")),
        "spark.log.level": "ERROR",
    }
    builder = sql.SparkSession.builder
    for name, value in settings.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    yield session
    session.stop()


def _by_spark(spark: Any, place: Path, log: Path) -> list[Row]:
    for file in place.glob("aldo_*.parquet"):
        spark.read.parquet(str(file)).createOrReplaceTempView(file.stem)
    spark.read.parquet(str(log)).createOrReplaceTempView("log")
    found = spark.sql((place / "replay.sql").read_text("utf-8")).collect()
    return sorted((row.asDict(recursive=True) for row in found), key=lambda row: row["number"])


@pytest.mark.heavy
@pytest.mark.filterwarnings("ignore::ResourceWarning")  # pyspark leaves the pipe to its JVM open
@pytest.mark.parametrize("wide", [False, True], ids=["64-bits", "38-digits"])
def test_spark_gives_the_same_row_by_row(spark: Any, tmp_path: Path, wide: bool) -> None:
    base, head, rows = _catalogs()
    if wide:
        dear = {**head.models[0].model_dump(by_alias=True), "id": "dear", "effectiveContextTokens": 10**12}
        dear["cost"] = {"usdPerMtokIn": 10**9, "usdPerMtokOut": "999999999.999999"}
        value = head.model_dump(by_alias=True)
        head = Catalog.model_validate({**value, "models": [*value["models"], dear]})
        rows += [{**row, "tokensIn": 10**12 - random.Random(n).randrange(2000)} for n, row in enumerate(rows[:40])]
    log = write_log(tmp_path / "log.parquet", rows)
    replay(log, base, head, tmp_path / "out.parquet")
    ours = pq.read_table(tmp_path / "out.parquet").to_pylist()
    export(tmp_path / "spark", base, head, "spark")
    theirs = _by_spark(spark, tmp_path / "spark", log)
    assert list(theirs[0]) == list(ours[0])
    assert _shown(theirs, tuple(ours[0])) == _shown(ours, tuple(ours[0]))
