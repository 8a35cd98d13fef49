"""A bound on how much is compared."""

from __future__ import annotations

MOST = 2_000_000
"""Ten to twenty seconds. Two catalogs of a thousand entries and seven classes that have nothing in common need about
half of it; what is made to be hard reaches it sooner."""


class OutOfEffortError(Exception):
    """The bound is reached: what was found is true, but there may be more."""


class Effort:
    """What may still be compared. A count and not a clock: the same catalogs always end the same way."""

    def __init__(self, most: int = MOST) -> None:
        self.left: int = most

    def spend(self, amount: int = 1) -> None:
        """Raises `OutOfEffortError` when nothing is left."""
        self.left -= amount
        if self.left < 0:
            raise OutOfEffortError
