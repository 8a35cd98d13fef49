"""Logs as lists of plain rows, and what `aldo.route` says of each row."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from aldo import AldoError, Catalog, RouteRequest, route
from aldo.schema.request import request_from_value

Row = dict[str, Any]
NAMES = pa.list_(pa.string())
TYPES = {
    "capabilityClass": pa.string(),
    "privacy": pa.string(),
    "fallbackClasses": NAMES,
    "requires": NAMES,
    "tokensIn": pa.int64(),
    "maxTokensOut": pa.int64(),
    "budgetUsd": pa.decimal128(24, 12),
    "localities": NAMES,
    "pin": pa.string(),
    "exclude": NAMES,
    "down": NAMES,
}


class Routed(NamedTuple):
    """The four columns that a replay adds for a catalog."""

    model: str | None = None
    class_used: str | None = None
    usd: Decimal | None = None
    error: str | None = None


def one_by_one(catalog: Catalog, row: Row) -> Routed:
    """What the library says of the row; a null is a field that was not given."""
    fields = {name: value for name, value in row.items() if value is not None and name in TYPES}
    try:
        decision = route(catalog, request_from_value(fields))
    except AldoError as error:
        return Routed(error=error.code)
    return Routed(decision.model, decision.class_used, Decimal(decision.estimated_usd))


def row_of(request: RouteRequest) -> Row:
    return request.model_dump(by_alias=True)


def log_table(rows: Iterable[Row], **types: pa.DataType) -> pa.Table:
    """The rows as a log with every column, and a number of its own for each row."""
    rows = [{**row, "number": number} for number, row in enumerate(rows)]
    schema = pa.schema({**TYPES, **types, "number": pa.int64()})
    return pa.Table.from_pylist(rows, schema)


def write_log(path: Path, rows: Sequence[Row], **types: pa.DataType) -> Path:
    pq.write_table(log_table(rows, **types), path)
    return path


def outcomes(rows: Iterable[Row], *names: str) -> list[Routed]:
    """The added columns of replayed rows, as `one_by_one` gives them."""
    model, class_used, usd, error = names or ("model", "classUsed", "estimatedUsd", "error")
    return [Routed(row[model], row[class_used], row[usd], row[error]) for row in rows]
