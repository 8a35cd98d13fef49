"""What a difference says of its changes: from which rise on a request is dearer, and the words of those about places
and reserves."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import aldo
from aldo.schema import Catalog
from tests.support.entries import entry
from tests.support.reference_router import LOCALITIES, Entry
from tests.support.strategies import TIERS, Scenario, build_catalog, scenarios


def priced(price_in: int, price_out: int) -> Catalog:
    return build_catalog([entry("only", cost={"usdPerMtokIn": price_in, "usdPerMtokOut": price_out})])


def kinds(base: Catalog, head: Catalog, **options: Any) -> set[str]:
    return {change.kind for change in aldo.diff(base, head, **options).changes}


PRICES = st.tuples(st.integers(0, 12), st.integers(0, 12))


@settings(max_examples=200)
@given(PRICES, PRICES, st.sampled_from([0, 10, 25, 50, 100, Decimal("33.5")]))
def test_a_request_is_dearer_from_the_given_rise_on_and_cheaper_by_anything(
    before: tuple[int, int], after: tuple[int, int], percent: Decimal | int
) -> None:
    """Of one model the price of input or of output alone is enough, for some mix of sizes."""
    found = kinds(priced(*before), priced(*after), dearer_by_percent=percent)
    rise = 1 + Fraction(percent) / 100
    assert ("dearer" in found) == any(new > rise * old for old, new in zip(before, after, strict=True))
    assert ("cheaper" in found) == any(new < old for old, new in zip(before, after, strict=True))


def places(entries: tuple[Entry, ...], tier: str, sensitive: tuple[str, ...]) -> list[str]:
    """The localities that a tier reaches."""
    cleared = [one for one in entries if one.get("enabled", True) and tier in one["privacyAllowed"]]
    found = {one["locality"] for one in cleared}
    return [place for place in LOCALITIES if place in found and (tier != "sensitive" or place in sensitive)]


@settings(max_examples=60)
@given(scenarios(max_entries=3), scenarios(max_entries=3))
def test_each_place_that_a_tier_reaches_anew_or_no_more_is_told_in_words(mine: Scenario, theirs: Scenario) -> None:
    changes = aldo.diff(mine.catalog(), theirs.catalog()).changes
    told = {
        (change.kind, change.region.privacy, change.detail)
        for change in changes
        if change.kind in ("privacy-widened", "privacy-narrowed")
    }
    expected = set()
    for tier in TIERS:
        base, head = (places(one.entries, tier, one.sensitive) for one in (mine, theirs))
        expected |= {
            ("privacy-widened", (tier,), f"{tier} requests can now reach {place}") for place in set(head) - set(base)
        }
        expected |= {
            ("privacy-narrowed", (tier,), f"{tier} requests can no longer reach {place}")
            for place in set(base) - set(head)
        }
    assert told == expected


@pytest.mark.parametrize(("base", "head"), [(1, 2), (2, 1), (3, 1), (1, 3)])
def test_reserves_that_are_lost_or_gained_are_told_in_numbers_of_models(base: int, head: int) -> None:
    catalogs = [build_catalog([entry(f"m{number}") for number in range(count)]) for count in (base, head)]
    (change,) = aldo.diff(*catalogs).changes
    kind = "redundancy-lost" if head < base else "redundancy-gained"
    words = [f"{count} model{'' if count == 1 else 's'}" for count in (base, head)]
    assert (change.kind, change.detail) == (kind, f"{words[0]} could serve it, now {words[1]}")
    assert change.region.privacy == ("public", "internal")
    assert (change.witness.requires, change.witness.localities, change.witness.budget_usd) == ((), None, None)
    for side, count in ((change.base, base), (change.head, head)):
        assert side is not None
        assert (side.model, len(side.alternates)) == ("m0", count - 1)


def test_a_witness_is_as_plain_as_it_can_be() -> None:
    """No tags, places and budget, and typical sizes, where those show the same change."""
    tags = ["streaming", "vision", "tool-use"]
    base, head = ([entry(name, provides=tags, effectiveContextTokens=10**6)] for name in ("old", "new"))
    (change,) = (one for one in aldo.diff(build_catalog(base), build_catalog(head)).changes if one.kind == "rerouted")
    asked = change.witness
    assert (asked.requires, asked.localities, asked.budget_usd) == ((), None, None)
    plain = build_catalog(
        [*head, entry("near", locality="local", provides=["streaming"], effectiveContextTokens=10**6)]
    )
    more = [*base, entry("near", locality="local", provides=["streaming"], effectiveContextTokens=10**6)]
    (change,) = (one for one in aldo.diff(build_catalog(more), plain).changes if one.kind == "rerouted")
    assert len(change.witness.requires) + (change.witness.localities is not None) == 1
