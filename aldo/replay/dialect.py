"""Where the engines' SQL differs. All else of the statement is the same text for each of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from aldo.errors import UsageError

DialectName = Literal["duckdb", "spark"]


@dataclass(frozen=True)
class Dialect:
    """The words of one engine for what the standard has no common word for."""

    name: DialectName
    once: str
    """After AS of a subquery that is read several times and is small: compute it once."""
    each: str
    """After AS of one that is as large as the log: never keep it."""
    wide: str
    """The type of a number of 38 digits."""
    texts: str
    """The type of a list of texts."""
    without: str
    """`SELECT *` without the columns that follow in parentheses."""
    length: str
    """The number of a list's elements."""
    every: str
    """Applies a function to a list's elements."""
    those: str
    """Keeps those elements of a list that a function is true of."""
    least: str
    """The smallest element of a list; nulls do not count."""
    matches: str
    """Whether a text contains what a regular expression describes."""

    def number(self, *, wide: bool) -> str:
        """The type of a whole number, of 64 bits where that is enough."""
        return self.wide if wide else "BIGINT"

    def function(self, variable: str, body: str) -> str:
        return f"lambda {variable}: {body}" if self.name == "duckdb" else f"{variable} -> {body}"

    def names(self, names: Sequence[str] = ()) -> str:
        """A list of texts that need no escaping."""
        quoted = ", ".join(f"'{name}'" for name in names)
        items = f"[{quoted}]" if self.name == "duckdb" else f"array({quoted})"
        return f"CAST({items} AS {self.texts})"

    def record(self, fields: Sequence[tuple[str, str]]) -> str:
        """A struct of named expressions."""
        if self.name == "duckdb":
            return "struct_pack(" + ", ".join(f"{name} := {value}" for name, value in fields) + ")"
        return "named_struct(" + ", ".join(f"'{name}', {value}" for name, value in fields) + ")"

    def within(self, some: str, all_of: str) -> str:
        """Whether every element of one list is in the other."""
        if self.name == "duckdb":
            return f"list_has_all({all_of}, {some})"
        return f"size(array_except({some}, {all_of})) = 0"


DUCKDB = Dialect(
    name="duckdb",
    once="MATERIALIZED ",
    each="NOT MATERIALIZED ",
    wide="HUGEINT",
    texts="VARCHAR[]",
    without="EXCLUDE",
    length="len",
    every="list_transform",
    those="list_filter",
    least="list_min",
    matches="regexp_matches",
)
SPARK = Dialect(
    name="spark",
    once="",
    each="",
    wide="DECIMAL(38, 0)",
    texts="ARRAY<STRING>",
    without="EXCEPT",
    length="size",
    every="transform",
    those="filter",
    least="array_min",
    matches="regexp_like",
)
_DIALECTS: dict[str, Dialect] = {dialect.name: dialect for dialect in (DUCKDB, SPARK)}


def dialect_named(name: str) -> Dialect:
    """Raises `UsageError` for an engine that the statement is not written for."""
    if name not in _DIALECTS:
        raise UsageError(f"unknown dialect {name!r}; there are {' and '.join(_DIALECTS)}")
    return _DIALECTS[name]
