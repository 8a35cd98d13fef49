"""Who may serve which class and tier, as far as enabled, privacy and class decide."""

from __future__ import annotations

from collections.abc import Iterable

from aldo.router.facts import Facts
from aldo.router.stages import may_see
from aldo.schema.vocabulary import PRIVACY_TIERS


def cells(facts: Iterable[Facts], sensitive: frozenset[str]) -> dict[tuple[str, str], tuple[Facts, ...]]:
    """Per class × tier the enabled entries that may see it, in the order of `facts`."""
    found: dict[tuple[str, str], list[Facts]] = {}
    for entry in facts:
        if entry.enabled:
            for tier in PRIVACY_TIERS:
                if may_see(entry, tier, sensitive) is None:
                    found.setdefault((entry.capability_class, tier), []).append(entry)
    return {key: tuple(cell) for key, cell in found.items()}
