"""The entries of one class, tier and locality, in the order of their prices, and who of them provides what."""

from __future__ import annotations

from collections.abc import Iterable

from aldo.router.facts import Facts
from aldo.router.rank import tie


class Shelf:
    """Entries between which sizes, prices and ties decide once the required tags are known."""

    __slots__ = ("_providing", "members")

    def __init__(self, members: Iterable[Facts]) -> None:
        self.members: list[Facts] = sorted(members, key=lambda f: (f.pico_in, f.pico_out, tie(f)))
        self._providing: dict[str, int] = {}  # per tag the places of those that provide it, as bits
        for place, facts in enumerate(self.members):
            for tag in facts.provides:
                self._providing[tag] = self._providing.get(tag, 0) | (1 << place)

    def providing(self, requires: frozenset[str]) -> list[Facts]:
        """Those that provide all of these tags, in their order."""
        if not requires:
            return self.members
        bits = -1
        for tag in requires:
            bits &= self._providing.get(tag, 0)
        found = []
        while bits:
            lowest = bits & -bits
            found.append(self.members[lowest.bit_length() - 1])
            bits ^= lowest
        return found
