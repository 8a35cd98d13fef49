"""Exact money. Prices are USD per million tokens with at most six places; costs are whole numbers of
10⁻¹² USD ("pico-USD"), because one token at a price of 10⁻⁶ USD per million costs 10⁻¹² USD.

Nothing here is ever a binary float: 0.1 + 0.2 must be 0.3 when a budget is compared with it.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer, ValidationInfo, WithJsonSchema
from pydantic_core import PydanticCustomError

from aldo.schema.decimals import LARGEST, MOST_DIGITS, PRICE_PLACES, WrittenFloat, plain_text

_NUMBER = re.compile(r"[-+]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]{1,6})?")


def exact_decimal(value: Any) -> Decimal:
    """The exact decimal a number was written as.

    Accepts Decimal, int, float (its shortest text) and numeric str. Raises a pydantic error of type
    `decimal_type` or `decimal_range`.
    """
    if isinstance(value, bool) or not isinstance(value, (Decimal, int, float, str)):
        raise PydanticCustomError("decimal_type", "must be a number")
    text = value.text if isinstance(value, WrittenFloat) else str(value)
    if isinstance(value, str) and not _NUMBER.fullmatch(text):
        raise PydanticCustomError("decimal_type", "must be a number")
    number = Decimal(text) if len(text) <= MOST_DIGITS else Decimal("nan")
    if not number.is_finite():
        raise PydanticCustomError("decimal_range", "must be a finite number of at most 60 characters")
    if not number:
        return Decimal(0)  # whatever its sign and its exponent
    if number.adjusted() < -MOST_DIGITS:
        raise PydanticCustomError("decimal_range", "must be 0 or at least 1e-60")
    if number < 0:
        raise PydanticCustomError("decimal_range", "must not be negative")
    if number > LARGEST:
        raise PydanticCustomError("decimal_range", "must be at most 1000000000")
    return number


def _price(value: Any, info: ValidationInfo) -> Decimal:
    if isinstance(value, str) and info.context and info.context.get("file"):
        raise PydanticCustomError("decimal_type", "must be a number")
    number = exact_decimal(value)
    if _places(number) > PRICE_PLACES:
        raise PydanticCustomError("decimal_places", "must have at most six decimal places")
    return number


def _places(number: Decimal) -> int:
    """Decimal places that matter: 0.1500 has two."""
    _, digits, exponent = number.as_tuple()
    assert isinstance(exponent, int)
    for digit in reversed(digits):
        if digit or exponent >= 0:
            break
        exponent += 1
    return max(0, -exponent) if any(digits) else 0


def _as_json_number(number: Decimal) -> int | float:
    # At most 10⁹ and six places: 15 digits, which a double holds and prints back unchanged.
    return int(number) if number == number.to_integral_value() else float(number)


_SCHEMA = {"type": "number", "minimum": 0, "maximum": int(LARGEST)}

Price = Annotated[
    Decimal,
    BeforeValidator(_price),
    PlainSerializer(_as_json_number, when_used="json"),
    WithJsonSchema(_SCHEMA),
]
"""USD per million tokens: exact, not negative, at most six decimal places."""

Usd = Annotated[
    Decimal,
    BeforeValidator(exact_decimal),
    PlainSerializer(plain_text, when_used="json"),
    WithJsonSchema({"anyOf": [_SCHEMA, {"type": "string", "pattern": r"^[0-9]+(\.[0-9]+)?$"}]}),
]
"""An amount of USD: exact, not negative. Printed as a decimal text."""
