"""Policies about the first choice, about tags that are lacking, and guards against entries to come."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

import aldo
from aldo.schema import Catalog, RoutingPolicy
from tests.schema.test_types import ENTRY

PLACES = ("local", "on-prem", "cloud")
MODELS = st.lists(
    st.tuples(st.sampled_from(PLACES), st.sampled_from([0, 1, 2]), st.sampled_from([0, 1, 2]), st.sampled_from([3, 5])),
    min_size=1, max_size=5,
)  # fmt: skip


def catalog_of(drawn: list[tuple[str, int, int, int]]) -> Catalog:
    models = [
        ENTRY
        | {"id": f"m{place}", "locality": where, "cost": {"usdPerMtokIn": p, "usdPerMtokOut": q}}
        | {"effectiveContextTokens": context}
        for place, (where, p, q, context) in enumerate(drawn)
    ]
    return Catalog.model_validate({"models": models})


def proof(catalog: Catalog, **statements: Any) -> aldo.Proof:
    return aldo.prove(catalog, RoutingPolicy.model_validate(statements))


@given(MODELS, st.integers(0, 4), st.integers(0, 4), st.sampled_from(PLACES), st.integers(0, 1))
def test_always_chooses_speaks_of_the_first_choice_at_all_sizes_and_under_outages(
    drawn: list[tuple[str, int, int, int]], most_in: int, most_out: int, place: str, outages: int
) -> None:
    catalog = catalog_of(drawn)
    when = {"capabilityClass": ENTRY["capabilityClass"], "privacy": "public"}
    when |= {"tokensIn": {"atMost": most_in}, "maxTokensOut": {"atMost": most_out}}
    statement = {"name": "first", "when": when, "chooses": {"locality": place}, "survives": outages}
    found = proof(catalog, always=[statement]).statements[0]
    downs = [(), *((model,) for model in catalog.by_id)] if outages else [()]
    requests = [
        aldo.RouteRequest(
            capability_class=ENTRY["capabilityClass"], privacy="public", tokens_in=x, max_tokens_out=y, down=down
        )
        for x in range(most_in + 1)
        for y in range(most_out + 1)
        for down in downs
    ]
    outcomes = aldo.route_many(catalog, requests)
    holds = all(isinstance(one, aldo.Decision) and catalog.by_id[one.model].locality == place for one in outcomes)
    assert found.verdict == ("proven" if holds else "refuted")
    if found.witness is not None:
        (again,) = aldo.route_many(catalog, [found.witness])
        assert not isinstance(again, aldo.Decision) or catalog.by_id[again.model].locality != place


def test_an_entry_that_lacks_any_of_the_tags_is_one_that_lacks_them() -> None:
    catalog = catalog_of([("local", 0, 0, 4000)])
    for tags, verdict in ((["vision"], "refuted"), (["streaming", "vision"], "refuted"), (["streaming"], "vacuous")):
        never = {"name": "n", "chooses": {"lacks": tags}}
        assert proof(catalog, never=[never]).statements[0].verdict == verdict


def test_a_guard_against_entries_to_come_may_be_vacuous_where_that_is_said() -> None:
    catalog = catalog_of([("local", 0, 0, 4000)])
    ceiling = {"name": "ceiling", "chooses": {"cost": {"usdPerMtokOut": {"atLeast": 100}}}}
    for guard, holds in ((ceiling, False), (ceiling | {"allowVacuous": True}, True)):
        found = proof(catalog, never=[guard])
        assert (found.statements[0].verdict, found.holds) == ("vacuous", holds)
