"""The fields of a request as columns of a log: which there are, of what kinds, and how a kind is read in SQL."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from aldo.replay.amounts import decimal_budget, text_budget
from aldo.replay.dialect import Dialect
from aldo.replay.tables import Limits
from aldo.schema.request import RouteRequest
from aldo.schema.vocabulary import LOCALITIES

Kind = Literal["text", "list", "whole", "real", "decimal", "digits", "nothing"]
"""What a column holds; `nothing` but nulls is a kind as well.

A `decimal` has at most 12 places and 26 digits before the point, `digits` are a decimal with more of either.
"""

TEXTS = ("capabilityClass", "privacy", "pin")
LISTS = ("fallbackClasses", "requires", "localities", "exclude", "down")
TOKENS = ("tokensIn", "maxTokensOut")
BUDGET = "budgetUsd"
FIELDS = (*TEXTS, *LISTS, *TOKENS, BUDGET)
MANDATORY = ("capabilityClass", "privacy")

ACCEPTED: Mapping[str, tuple[Kind, ...]] = {
    **dict.fromkeys(TEXTS, ("text",)),
    **dict.fromkeys(LISTS, ("list",)),
    **dict.fromkeys(TOKENS, ("whole", "real", "decimal", "digits")),
    BUDGET: ("decimal", "text", "whole", "real", "digits"),
}

EXPORTED: Mapping[str, Kind] = {
    **{field: kinds[0] for field, kinds in ACCEPTED.items()},
    BUDGET: "text",  # a text can be had of every kind of number, on every engine
}
"""The kinds that an exported statement reads."""

KEY = (
    *("aldo_class", "aldo_privacy", "aldo_pin", "aldo_fallback", "aldo_requires", "aldo_localities"),
    *("aldo_exclude", "aldo_down", "aldo_reads", "aldo_writes", "aldo_capped"),
)
"""What a request's short list of candidates depends on: all but its sizes and the amount of its budget."""

MOST_TOKENS = 10**12  # of schema.request.RequestTokens


def reading(columns: Mapping[str, Kind], dialect: Dialect, limits: Limits) -> list[tuple[str, str]]:
    """Names and expressions that make a request of a row. Null: the row has no valid value there.

    `columns` are the request's columns that the log has; the others, and nulls, take the request's defaults.
    """
    held = {field: _column(field, columns, dialect) for field in FIELDS}
    none = dialect.names()
    return [
        ("aldo_class", _or(held["capabilityClass"], "''")),  # no name is empty
        ("aldo_privacy", _or(held["privacy"], "''")),
        ("aldo_pin", _pin(held["pin"])),
        ("aldo_fallback", _or(held["fallbackClasses"], none)),
        ("aldo_requires", _or(held["requires"], none)),
        ("aldo_localities", _or(held["localities"], dialect.names(LOCALITIES))),
        ("aldo_exclude", _or(held["exclude"], none)),
        ("aldo_down", _or(held["down"], none)),
        *((name, _tokens(field, held[field], limits)) for name, field in _COUNTS),
        ("aldo_budget", _budget(columns.get(BUDGET, "nothing"), dialect, limits)),
    ]


_COUNTS = (("aldo_in", "tokensIn"), ("aldo_out", "maxTokensOut"))


def _column(field: str, columns: Mapping[str, Kind], dialect: Dialect) -> str | None:
    """The column as an expression: texts and lists of texts may come as other types that stand for such."""
    kind = columns.get(field, "nothing")
    types = {"text": "STRING", "list": dialect.texts}
    return None if kind == "nothing" else f"CAST(log.{field} AS {types[kind]})" if kind in types else f"log.{field}"


def _or(column: str | None, default: str) -> str:
    return default if column is None else f"coalesce({column}, {default})"


def _pin(column: str | None) -> str:
    """An empty text for no pin; an empty pin becomes another text that is no name either."""
    return "''" if column is None else f"coalesce(CASE WHEN {column} = '' THEN ' ' ELSE {column} END, '')"


def _tokens(field: str, column: str | None, limits: Limits) -> str:
    """A count beyond every context is cut off: it fits nowhere either way, and costs stay within their limit."""
    default = min(_default(field), limits.tokens)
    if column is None:
        return f"CAST({default} AS BIGINT)"
    valid = f"{column} BETWEEN 0 AND {MOST_TOKENS} AND {column} = floor({column})"
    whole = f"least(CAST({column} AS BIGINT), {limits.tokens})"
    return f"CASE WHEN {column} IS NULL THEN {default} WHEN {valid} THEN {whole} END"


def _default(field: str) -> int:
    return next(int(known.default) for known in RouteRequest.model_fields.values() if known.alias == field)


def _budget(kind: Kind, dialect: Dialect, limits: Limits) -> str:
    """Whole 10⁻¹² USD, rounded down, at most `limits.costs`: more buys nothing, and no budget is as good."""
    number = dialect.number(wide=limits.wide)
    if kind == "nothing":
        return f"CAST({limits.costs} AS {number})"
    column = f"log.{BUDGET}"
    if kind in ("decimal", "whole"):
        pico = decimal_budget(column, limits.costs, dialect)
    else:
        pico = text_budget("log.aldo_text", limits.costs, dialect)
    return f"CASE WHEN {column} IS NULL THEN {limits.costs} ELSE CAST({pico} AS {number}) END"
