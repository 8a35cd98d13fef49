"""Budgets in SQL: USD, however a column holds them, as whole 10⁻¹² USD. Exact, as `schema.money` reads them.

Each function gives an expression that is null where the amount is not valid, and `most` where it is more. No
binary float has a part in it: a double is taken by its shortest text, as everywhere in aldo.
"""

from __future__ import annotations

from aldo.replay.dialect import Dialect
from aldo.schema.decimals import LARGEST, MOST_DIGITS, PICO_PLACES

_MOST = int(LARGEST)
_MOST_PLACE = len(str(_MOST)) - 1  # the power of ten of the first digit of the largest amount
_LONGEST = _MOST_PLACE + 1 + PICO_PLACES
_NUMBER = "^[-+]?([0-9]+([.][0-9]*)?|[.][0-9]+)([eE][-+]?[0-9]{1,6})?$"


def decimal_budget(amount: str, most: int, dialect: Dialect) -> str:
    """Of a whole number, or of a decimal with at most 12 places."""
    exact = f"CAST({amount} AS DECIMAL({_LONGEST}, {PICO_PLACES}))"
    pico = f"CAST({exact} * {10**PICO_PLACES} AS {dialect.wide})"
    return f"CASE WHEN {amount} BETWEEN 0 AND {_MOST} THEN least({pico}, {most}) END"


def text_budget(text: str, most: int, dialect: Dialect) -> str:
    """Of a text as JSON or Python write a number."""
    plain = f"least({_plain(text, dialect)}, {most})"
    return f"CASE WHEN {_is_plain(text)} THEN {plain} ELSE {_any_number(text, most, dialect)} END"


def _is_plain(text: str) -> str:
    """Digits and at most one point, below 10⁹: what nearly all are, so they have a short way."""
    left = f"translate({text}, '0123456789', '') IN ('', '.') AND {text} NOT IN ('', '.')"
    return f"{left} AND length({text}) <= {MOST_DIGITS} AND length(split_part({text}, '.', 1)) <= {_MOST_PLACE}"


def _plain(text: str, dialect: Dialect) -> str:
    places = f"rpad(split_part({text}, '.', 2), {PICO_PLACES}, '0')"  # cuts off what is longer
    return f"CAST(concat(split_part({text}, '.', 1), {places}) AS {dialect.wide})"


def _any_number(text: str, most: int, dialect: Dialect) -> str:
    """With sign, exponent, and any number of digits: the significant digits and the place of the first."""
    mantissa = f"TRIM(LEADING '+-' FROM split_part(lower({text}), 'e', 1))"
    digits = f"replace({mantissa}, '.', '')"
    significant = f"TRIM(LEADING '0' FROM {digits})"
    exponent = f"CAST(coalesce(nullif(split_part(lower({text}), 'e', 2), ''), '0') AS INTEGER)"
    zeros = f"length({digits}) - length({significant})"
    place = f"(length(split_part({mantissa}, '.', 1)) - ({zeros}) - 1 + {exponent})"
    more = f"{place} > {_MOST_PLACE} OR {place} = {_MOST_PLACE} AND TRIM(TRAILING '0' FROM {significant}) <> '1'"
    # Some engines let $ match before a line break at the end; no character of one is left by the second test.
    number = f"{dialect.matches}({text}, '{_NUMBER}') AND translate({text}, '0123456789.eE+-', '') = ''"
    taken = f"substr(rpad({significant}, {_LONGEST}, '0'), 1, {place} + 1 + {PICO_PLACES})"
    return (
        f"CASE WHEN NOT ({number}) OR length({text}) > {MOST_DIGITS} THEN NULL "
        f"WHEN {significant} = '' THEN 0 WHEN {text} LIKE '-%' THEN NULL "
        f"WHEN {place} < -{MOST_DIGITS} OR {more} THEN NULL "
        f"WHEN {place} < -{PICO_PLACES} THEN 0 ELSE least(CAST({taken} AS {dialect.wide}), {most}) END"
    )
