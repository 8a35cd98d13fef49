"""How much more a request must cost to count as dearer."""

from __future__ import annotations

from typing import NamedTuple

from aldo.router.facts import Facts
from aldo.router.regions.lattice import HalfPlane


class Rise(NamedTuple):
    """`denominator * after > numerator * before`. One to one: any rise counts."""

    numerator: int = 1
    denominator: int = 1

    def holds(self, before: int, after: int) -> bool:
        """For two costs in 10⁻¹² USD."""
        return self.denominator * after > self.numerator * before

    def is_possible(self, cheap: Facts, dear: Facts) -> bool:
        """Whether some sizes cost that much more."""
        return self.holds(cheap.pico_in, dear.pico_in) or self.holds(cheap.pico_out, dear.pico_out)

    def half_plane(self, cheap: Facts, dear: Facts) -> HalfPlane:
        """The sizes that do, by 10⁻¹² USD at least."""
        more_in = self.numerator * cheap.pico_in - self.denominator * dear.pico_in
        return more_in, self.numerator * cheap.pico_out - self.denominator * dear.pico_out, -1


ANY = Rise()
