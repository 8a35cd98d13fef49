"""Ranges of a policy: whether a value lies in one, and its ends."""

from __future__ import annotations

from aldo.router.regions.lattice import LARGEST
from aldo.schema.decimals import pico_per_token
from aldo.schema.policy import LatencyRange, NumberRange, PriceRange, TokenRange


def least(sizes: TokenRange) -> int:
    return sizes.at_least or 0


def most(sizes: TokenRange) -> int:
    return LARGEST if sizes.at_most is None else sizes.at_most


def is_empty(sizes: TokenRange | None) -> bool:
    """Whether it ends before it begins."""
    return sizes is not None and least(sizes) > most(sizes)


def nearest(sizes: TokenRange | None, wanted: int) -> int:
    """The size of the range that is nearest to the one wanted."""
    return wanted if sizes is None else min(max(wanted, least(sizes)), most(sizes))


def holds(bounds: NumberRange | LatencyRange | None, number: float | None) -> bool:
    """Whether a number of an entry lies in a range; one that is not known lies in none."""
    if bounds is None:
        return True
    if number is None:
        return False
    above = bounds.at_least is None or number >= bounds.at_least
    return above and (bounds.at_most is None or number <= bounds.at_most)


def holds_price(bounds: PriceRange | None, pico: int) -> bool:
    """The same for a price, in 10⁻¹² USD per token."""
    if bounds is None:
        return True
    above = bounds.at_least is None or pico >= pico_per_token(bounds.at_least)
    return above and (bounds.at_most is None or pico <= pico_per_token(bounds.at_most))
