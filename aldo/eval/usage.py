"""Usage rows, put to the call that they are of. Many calls share a client, and run side by side."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from aldo.schema.usage import UsageRow

_rows: ContextVar[list[UsageRow] | None] = ContextVar("rows of the call", default=None)


def collect(row: UsageRow) -> None:
    """Give this to a client as `on_usage`."""
    rows = _rows.get()
    if rows is not None:
        rows.append(row)


@contextmanager
def collected() -> Iterator[list[UsageRow]]:
    """The rows of all requests that are sent inside, in the same task, as they come."""
    rows: list[UsageRow] = []
    token = _rows.set(rows)
    try:
        yield rows
    finally:
        _rows.reset(token)
