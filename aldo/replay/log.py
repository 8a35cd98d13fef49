"""Which columns of a log are a request's, and whether they can be read as such."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from difflib import SequenceMatcher

from aldo.errors import UsageError
from aldo.replay.fields import ACCEPTED, FIELDS, MANDATORY, Kind

_WHOLE = {f"{sign}{size}" for sign in ("", "U") for size in ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT")}
_NOTHING = {"NULL", '"NULL"'}
_ADVICE = {
    "text": "cast it to VARCHAR",
    "list": "make it a list of texts, VARCHAR[]",
    "whole": "cast it to BIGINT",
    "decimal": "cast it to DECIMAL, or to VARCHAR as the JSON has it",
}
_LIKENESS = 0.82
_PREFIX = 5


def request_columns(types: Mapping[str, str], taken: Iterable[str]) -> dict[str, Kind]:
    """The request's columns of a log and what they hold. `types`: DuckDB's type of each column of the log.

    Raises `UsageError` for a column that cannot be read, looks like a misspelt field or has one of the names
    `taken` by what the replay writes, and for a log that lacks what has no default.
    """
    for column in types:
        _check_name(column, types, {name.lower() for name in taken})
    for field in MANDATORY:
        if field not in types:
            raise UsageError(f"the log has no column {field!r}, and a request has no default for it")
    return {field: _kind(field, types[field]) for field in FIELDS if field in types}


def _check_name(column: str, types: Mapping[str, str], taken: set[str]) -> None:
    if column.lower() in taken or column.lower().startswith("aldo_"):
        raise UsageError(f"the log has a column {column!r}, which is a name that the replay uses itself; rename it")
    if column not in FIELDS:
        for field in FIELDS:
            if field not in types and _alike(column, field):
                raise UsageError(
                    f"the log's column {column!r} is no field of a request, did you mean {field!r}? Rename it"
                )


def _alike(column: str, field: str) -> bool:
    ours, theirs = field.lower(), re.sub(r"[^a-z0-9]", "", column.lower())
    if len(theirs) >= _PREFIX and (ours.startswith(theirs) or theirs.startswith(ours)):
        return True
    return SequenceMatcher(None, ours, theirs).ratio() >= _LIKENESS


def _kind(field: str, type_name: str) -> Kind:
    kind = _held(type_name)
    if kind == "nothing" or kind in ACCEPTED[field]:
        return kind
    raise UsageError(f"the log's column {field!r} is {type_name}; {_ADVICE[ACCEPTED[field][0]]}")


def _held(type_name: str) -> Kind | None:
    if type_name in _NOTHING:
        return "nothing"
    if type_name.endswith("]"):
        element = _held(type_name[: type_name.rindex("[")])
        return "list" if element in ("text", "nothing") else None
    if type_name == "VARCHAR" or type_name.startswith("ENUM("):
        return "text"
    if type_name in _WHOLE:
        return "whole"
    return _fraction(type_name)


def _fraction(type_name: str) -> Kind | None:
    if type_name in ("FLOAT", "DOUBLE"):
        return "real"
    if decimal := re.fullmatch(r"DECIMAL\(([0-9]+),([0-9]+)\)", type_name):
        digits, places = map(int, decimal.groups())
        return "decimal" if places <= 12 and digits - places <= 26 else "digits"
    return None
