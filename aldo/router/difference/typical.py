"""Typical requests: how large a change is, and the witness that a reviewer would have thought of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from itertools import product

from aldo.router.difference.found import Found, Key, Shown, Way
from aldo.router.difference.rise import Rise
from aldo.router.facts import Facts
from aldo.router.regions.sectors import TYPICAL_SIZES
from aldo.router.table import RoutingTable
from aldo.schema.vocabulary import PRIVACY_TIERS, PrivacyTier

_ANSWER = 1024  # tokens
_MOST_CONTEXTS = 8


class Typical:
    """Every tier, every single tag and none, a few sizes: routed on both sides, and counted by change."""

    def __init__(self, base: RoutingTable, head: RoutingTable, found: Found) -> None:
        self._sides = base, head
        self._found = found
        self._affected: Counter[tuple[Key, PrivacyTier]] = Counter()
        self._all: Counter[str] = Counter()

    def compare(self, capability_class: str, changed: Iterable[Facts]) -> None:
        """Adds to what is found, and counts. Sizes that just fit a changed entry are typical, too."""
        wanted = [frozenset[str](), *(frozenset({tag}) for tag in self._tags(capability_class))]
        contexts = sorted({facts.context_tokens for facts in changed if facts.context_tokens >= 2 * _ANSWER})
        all_sizes = (*TYPICAL_SIZES, *((context - _ANSWER, _ANSWER) for context in contexts[:_MOST_CONTEXTS]))
        for requires, privacy, sizes in product(wanted, PRIVACY_TIERS, all_sizes):
            base, head = (side.plain_first(capability_class, privacy, requires, *sizes) for side in self._sides)
            if base is None and head is None:
                continue
            self._all[capability_class] += 1
            for key in _keys(capability_class, base, head, sizes, self._found.rise):
                self._affected[key, privacy] += 1
                if not self._found.has(key, privacy, 0):
                    self._found.add(key, privacy, Shown(Way(requires), sizes))

    def share(self, key: Key) -> float:
        """The part of the typical requests of its class, of those that one side serves, that a change is about."""
        affected = sum(self._affected[key, privacy] for privacy in PRIVACY_TIERS)
        return affected / max(1, self._all[key.capability_class])

    def main_tier(self, key: Key, tiers: Iterable[PrivacyTier]) -> PrivacyTier:
        """Of some tiers the one with the most typical requests of a change; of equals the one with the most to lose."""
        return max(tiers, key=lambda tier: (self._affected[key, tier], PRIVACY_TIERS.index(tier)))

    def _tags(self, capability_class: str) -> list[str]:
        tags = {
            tag
            for side in self._sides
            for privacy in PRIVACY_TIERS
            for facts in side.cell(capability_class, privacy)
            for tag in facts.provides
        }
        return sorted(tags)


def _keys(
    capability_class: str, base: Facts | None, head: Facts | None, sizes: tuple[int, int], rise: Rise
) -> list[Key]:
    """The changes that a request is about."""
    ids = base and base.id, head and head.id
    if base is None or head is None:
        return [Key("routable" if base is None else "unroutable", capability_class, *ids)]
    keys = [Key("rerouted", capability_class, *ids)] if base.id != head.id else []
    before, after = base.cost(*sizes), head.cost(*sizes)
    if rise.holds(before, after):
        keys.append(Key("dearer", capability_class, *ids))
    if after < before:
        keys.append(Key("cheaper", capability_class, *ids))
    return keys
