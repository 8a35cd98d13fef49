"""What the comparison has found: for each kind and pair of winners the plainest request that shows it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from aldo.router.difference.rise import ANY, Rise
from aldo.router.facts import Facts
from aldo.router.regions.lattice import Point
from aldo.schema.difference import ChangeKind
from aldo.schema.vocabulary import Locality, PrivacyTier

PLAIN, PLACED, BUDGETED = range(3)
"""How much a request has to say to show a difference: class, tier, tags and sizes; also localities; also a budget."""


class Key(NamedTuple):
    """What the requests of one change have in common: the kind, the class, and the ids of the winners."""

    kind: ChangeKind
    capability_class: str
    base: str | None
    head: str | None


class Way(NamedTuple):
    """How a request comes by a pair of winners, but for its class, its tier and its sizes."""

    requires: frozenset[str]
    localities: tuple[Locality, ...] | None = None
    paid: tuple[Facts, ...] = ()
    """Where it needs a budget: those that the budget just pays for."""

    @property
    def plainness(self) -> int:
        return BUDGETED if self.paid else PLAIN if self.localities is None else PLACED

    def budget_pico(self, sizes: Point) -> int | None:
        """The budget in 10⁻¹² USD."""
        return max((facts.cost(*sizes) for facts in self.paid), default=None)


class Shown(NamedTuple):
    """A request that shows a difference."""

    way: Way
    sizes: Point


class Found:
    """Per change the tiers in which it is found, each with the plainest request so far."""

    def __init__(self, rise: Rise = ANY) -> None:
        self.rise = rise
        self._shown: dict[Key, dict[PrivacyTier, Shown]] = {}

    def has(self, key: Key, privacy: PrivacyTier, plainness: int) -> bool:
        """Whether a request as plain as that is known already."""
        shown = self._shown.get(key, {}).get(privacy)
        return shown is not None and shown.way.plainness <= plainness

    def add(self, key: Key, privacy: PrivacyTier, shown: Shown) -> None:
        self._shown.setdefault(key, {})[privacy] = shown

    def copy(self, capability_class: str, since: PrivacyTier, to: PrivacyTier) -> None:
        """What is found in one tier of a class holds in another, where the same entries may see both."""
        for key, tiers in self._shown.items():
            if key.capability_class == capability_class and since in tiers:
                tiers[to] = tiers[since]

    def __iter__(self) -> Iterator[tuple[Key, dict[PrivacyTier, Shown]]]:
        return iter(self._shown.items())
