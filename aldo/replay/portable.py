"""`export`: the compiled routing table as Parquet and the statement as text, for the engine where a log lives."""

from __future__ import annotations

import os
from pathlib import Path

from aldo.errors import UsageError
from aldo.replay.dialect import DialectName, dialect_named
from aldo.replay.engine import arrow_tables, write_table
from aldo.replay.fields import EXPORTED
from aldo.replay.statement import AGAINST, BASE, Statement
from aldo.replay.tables import routing_columns, widest
from aldo.schema import Catalog

STATEMENT = "replay.sql"
GUIDE = "README.md"


def export(
    directory: str | Path, catalog: Catalog, against: Catalog | None = None, dialect: DialectName = "duckdb"
) -> tuple[Path, ...]:
    """Write the tables, `replay.sql` and a page that says how to run it; gives the paths that were written.

    The directory is made where it does not exist; files of these names in it are replaced. Raises `UsageError`
    where it cannot be written.
    """
    words = dialect_named(dialect)
    sides = [(BASE, routing_columns(catalog))]
    if against is not None:
        sides.append((AGAINST, routing_columns(against)))
    limits = widest(columns.limits for _, columns in sides)
    text = Statement(words, limits, EXPORTED, against=against is not None).whole()
    tables = {
        f"{side.tables}_{name}": table for side, columns in sides for name, table in arrow_tables(columns).items()
    }
    place = Path(directory)
    try:
        place.mkdir(parents=True, exist_ok=True)
        for name, table in tables.items():
            write_table(table, place / f"{name}.parquet")
        (place / STATEMENT).write_text(text, "utf-8")
        (place / GUIDE).write_text(_guide(dialect, list(tables)), "utf-8")
    except OSError as error:
        raise UsageError(f"{os.fspath(directory)} cannot be written: {error.strerror or error}") from None
    return tuple(place / name for name in (*(f"{name}.parquet" for name in tables), STATEMENT, GUIDE))


def _guide(dialect: DialectName, tables: list[str]) -> str:
    steps = _DUCKDB if dialect == "duckdb" else _SPARK
    return _GUIDE.format(steps=steps, tables="\n".join(f"- `{name}.parquet`" for name in tables))


_GUIDE = """# A routing table and its replay

`replay.sql` routes every row of a table `log` as `aldo route` would, with these tables:

{tables}

`log` needs these columns; a null takes the request's default. Its other columns pass through.

| column | type |
| --- | --- |
| capabilityClass, privacy, pin | text |
| fallbackClasses, requires, localities, exclude, down | list of texts |
| tokensIn, maxTokensOut | BIGINT |
| budgetUsd | DECIMAL, or text |

A budget that is a binary float should be made a decimal or a text first: engines differ in how they print one.
The statement says nothing of the order of its rows; give the log a column to sort by.

{steps}"""

_DUCKDB = """With DuckDB 1.3 or later, in this directory:

```python
import duckdb, glob, pathlib

for file in glob.glob("aldo_*.parquet"):
    duckdb.sql(f"CREATE VIEW {pathlib.Path(file).stem} AS FROM '{file}'")
duckdb.sql("CREATE VIEW log AS FROM 'path/to/log.parquet'")
duckdb.sql(pathlib.Path("replay.sql").read_text()).write_parquet("routed.parquet")
```
"""

_SPARK = """With Spark 4 or later, in this directory:

```python
import glob, pathlib
from pyspark.sql import SparkSession

spark = SparkSession.builder.getOrCreate()
for file in glob.glob("aldo_*.parquet"):
    spark.read.parquet(file).createOrReplaceTempView(pathlib.Path(file).stem)
spark.read.parquet("path/to/log.parquet").createOrReplaceTempView("log")
spark.sql(pathlib.Path("replay.sql").read_text()).write.parquet("routed")
```
"""
