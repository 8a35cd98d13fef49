"""Heavy: a seeded bulk of catalog × request pairs, against the naive reference."""

from __future__ import annotations

import pytest

from tests.router.test_against_reference import answer
from tests.support.reference_router import reference_route
from tests.support.strategies import build_catalog, crowd, to_request

CATALOGS = 1500


@pytest.mark.heavy
def test_route_equals_the_reference_on_a_seeded_bulk_of_requests() -> None:
    pairs = 0
    for seed in range(CATALOGS):
        scenario, asks = crowd(1000 + seed, 5 + seed % 60)
        catalog = build_catalog(scenario.entries, scenario.widened)
        for ask in asks:
            assert answer(catalog, to_request(ask)) == reference_route(scenario.entries, ask, scenario.sensitive)
            pairs += 1
    assert pairs == CATALOGS * 40
