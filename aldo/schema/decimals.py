"""Exact decimals: how a number was written, and amounts as whole 10⁻¹² USD. Pure: no types of pydantic here.

One token at a price of 10⁻⁶ USD per million costs 10⁻¹² USD, so every cost is a whole number of them.
"""

from __future__ import annotations

from decimal import Context, Decimal

PRICE_PLACES = 6
PICO_PLACES = 12
MOST_DIGITS = 60
_EXACT = Context(prec=2 * MOST_DIGITS)  # all digits of an amount have room, so nothing is ever rounded
LARGEST = Decimal(10) ** 9  # keeps a typo such as 1e99999999 from becoming a number with as many digits


class WrittenFloat(float):
    """A float that remembers how it was written, so that a price is read from its text, exactly."""

    __slots__ = ("text",)
    text: str

    def __new__(cls, text: str) -> WrittenFloat:
        self = super().__new__(cls, text)
        self.text = text
        return self


def pico_decimal(usd: Decimal) -> Decimal:
    """USD as 10⁻¹² USD, with what is left of one behind the point: comparing needs no more, and this is quicker."""
    return _EXACT.scaleb(usd, PICO_PLACES)


def pico_usd(usd: Decimal) -> int:
    """USD as whole 10⁻¹² USD, rounded down: what a budget of `usd` can pay for."""
    return int(pico_decimal(usd))


def usd_decimal(pico: int) -> Decimal:
    """Whole 10⁻¹² USD as an exact amount in USD, whatever precision the caller works with."""
    return _EXACT.scaleb(Decimal(pico), -PICO_PLACES)


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
