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

PRICE_PLACES = 6
PICO_PLACES = 12
MOST_DIGITS = 60
_NUMBER = re.compile(r"[-+]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]{1,6})?")
LARGEST = Decimal(10) ** 9  # keeps a typo such as 1e99999999 from becoming a number with as many digits


class WrittenFloat(float):
    """A float that remembers how it was written, so that a price is read from its text, exactly."""

    __slots__ = ("text",)
    text: str

    def __new__(cls, text: str) -> WrittenFloat:
        self = super().__new__(cls, text)
        self.text = text
        return self


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


def pico_usd(usd: Decimal) -> int:
    """USD as whole 10⁻¹² USD, rounded down: what a budget of `usd` can pay for."""
    sign, digits, exponent = usd.as_tuple()
    assert isinstance(exponent, int)
    shift = exponent + PICO_PLACES
    if len(digits) + shift <= 0:
        return 0
    whole = int("".join(map(str, digits)))
    whole = whole * int(10**shift) if shift >= 0 else whole // int(10**-shift)
    return -whole if sign else whole


def pico_per_token(price: Decimal) -> int:
    """A price in USD per million tokens as 10⁻¹² USD per token. Exact for prices of six places."""
    return pico_usd(price) // 10**6


def usd_text(pico: int) -> str:
    """Whole 10⁻¹² USD as a plain decimal: no exponent, no zeros at the end, "0" for nothing."""
    whole, rest = divmod(pico, 10**PICO_PLACES)
    return f"{whole}.{rest:012d}".rstrip("0").rstrip(".")


def plain_text(number: Decimal) -> str:
    """The decimal without exponent and without zeros at its end."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


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
