"""Catalogs made to be hard: the work ends, says so, and nothing is called proven that was not."""

from __future__ import annotations

import random
from decimal import localcontext
from typing import Any

import pytest

import aldo
from aldo.errors import UndecidedError
from aldo.schema import Catalog, RoutingPolicy
from tests.schema.test_types import ENTRY

TAGS = [f"tag-{number}" for number in range(30)]


def hard(entries: int, seed: int = 1) -> list[dict[str, Any]]:
    rng = random.Random(seed)
    return [
        ENTRY
        | {
            "id": f"m{number}",
            "provides": [tag for tag in TAGS if rng.random() < 0.5] or TAGS[:1],
            "cost": {"usdPerMtokIn": rng.randrange(900) / 100, "usdPerMtokOut": rng.randrange(900) / 100},
        }
        for number in range(entries)
    ]


def catalog_of(models: list[dict[str, Any]]) -> Catalog:
    return Catalog.model_validate({"models": models, "vocabulary": {"capabilities": TAGS}})


def changed(models: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [model | {"cost": {"usdPerMtokIn": 9, "usdPerMtokOut": 9}} for model in models]


def test_a_difference_that_takes_too_long_says_that_it_is_not_complete() -> None:
    models = hard(60)
    base, head = catalog_of(models), catalog_of(changed(models))
    short, whole = aldo.diff(base, head, effort=5_000), aldo.diff(base, head)
    assert whole.complete
    assert not short.complete
    assert short.to_dict()["complete"] is False
    known = {(c.kind, c.base and c.base.model, c.head and c.head.model) for c in whole.changes}
    assert {(c.kind, c.base and c.base.model, c.head and c.head.model) for c in short.changes} <= known


def test_find_stays_exact_where_the_list_is_not_complete() -> None:
    models = hard(40)
    base, head = catalog_of(models), catalog_of(changed(models))
    difference = aldo.diff(base, head, effort=0)
    rng = random.Random(2)
    for _ in range(300):
        request = aldo.RouteRequest(
            capability_class=ENTRY["capabilityClass"],
            privacy="public",
            requires=tuple(rng.sample(TAGS, rng.randrange(6))),
            tokens_in=rng.randrange(2000),
            max_tokens_out=rng.randrange(2000),
        )
        first, second = aldo.route_many(base, [request])[0], aldo.route_many(head, [request])[0]
        same = getattr(first, "model", None) == getattr(second, "model", None)
        assert (difference.find(request) is None) == same


def test_the_same_bound_ends_the_same_way() -> None:
    models = hard(60)
    dicts = [aldo.diff(catalog_of(models), catalog_of(changed(models)), effort=9_000).to_dict() for _ in range(2)]
    assert dicts[0] == dicts[1]


def test_a_statement_that_takes_too_long_is_an_error_and_no_proof() -> None:
    when = {
        "capabilityClass": ENTRY["capabilityClass"],
        "privacy": "public",
        "tokensIn": {"atMost": 2000},
        "maxTokensOut": {"atMost": 2000},
    }
    statement = {"name": "slow", "when": when, "survives": 12, "costsAtMost": 1000}
    policy = RoutingPolicy.model_validate({"always": [statement]})
    catalog = catalog_of(hard(200))
    with pytest.raises(UndecidedError, match="slow"):
        aldo.prove(catalog, policy, effort=20_000)


def test_a_budget_beyond_what_a_request_may_say_shows_no_difference() -> None:
    """Only a budget above 10⁹ USD would tell the two prices apart, where one token is dear enough."""
    huge = {"effectiveContextTokens": 10**12, "maxOutputTokens": 1}
    dear = [ENTRY | huge | {"cost": {"usdPerMtokIn": price, "usdPerMtokOut": price}} for price in (10**9 - 1, 10**9)]
    difference = aldo.diff(*(Catalog.model_validate({"models": [model]}) for model in dear))
    for change in difference.changes:
        assert change.witness.budget_usd is None or change.witness.budget_usd <= 10**9
        if change.kind == "unroutable":
            assert difference.find(change.witness) is change


def _one_class(*models: tuple[str, str, int]) -> Catalog:
    changes = ({"id": model, "provides": [tag], "effectiveContextTokens": context} for model, tag, context in models)
    return Catalog.model_validate({"models": [ENTRY | change for change in changes]})


def test_a_reserve_that_is_lost_below_another_that_is_gained_is_told() -> None:
    keep = (("a", "tool-use", 1), ("b", "streaming", 7))
    base = _one_class(*keep, ("n", "vision", 3))
    head = _one_class(*keep, ("g", "vision", 1), ("h", "vision", 1))
    assert {"redundancy-lost", "redundancy-gained"} <= {change.kind for change in aldo.diff(base, head).changes}


def test_nothing_depends_on_the_precision_that_the_caller_works_with() -> None:
    models = [ENTRY | {"cost": {"usdPerMtokIn": "1.234567", "usdPerMtokOut": price}} for price in ("1", "2.345678")]
    base, head = (Catalog.model_validate({"models": [model]}) for model in models)
    refused = aldo.RouteRequest(
        capability_class=ENTRY["capabilityClass"], privacy="public", budget_usd="0.000000000001"
    )
    with localcontext(prec=3):
        difference = aldo.diff(base, head)
        for change in difference.changes:
            if change.kind == "unroutable":
                assert difference.find(change.witness) is change
        with pytest.raises(aldo.NoEligibleModelError) as caught:
            aldo.route(base, refused)
        for relaxation in caught.value.relaxations:
            assert aldo.route(base, relaxation.apply(refused)).model == relaxation.model


def test_a_budget_that_no_request_may_say_is_no_advice() -> None:
    price = {"cost": {"usdPerMtokIn": 10**9, "usdPerMtokOut": 10**9}, "effectiveContextTokens": 10**12}
    catalog = Catalog.model_validate({"models": [ENTRY | price]})
    request = aldo.RouteRequest(
        capability_class=ENTRY["capabilityClass"], privacy="public", tokens_in=10**12, max_tokens_out=0, budget_usd=1
    )
    with pytest.raises(aldo.NoEligibleModelError) as caught:
        aldo.route(catalog, request)
    assert [aldo.route(catalog, one.apply(request)).model for one in caught.value.relaxations]
    assert aldo.why_not(catalog, request, ENTRY["id"]).changes


def test_statements_are_bounded_each_by_itself() -> None:
    when = {"capabilityClass": ENTRY["capabilityClass"], "privacy": "public", "tokensIn": {"atMost": 2000}}
    one = {"when": when | {"maxTokensOut": {"atMost": 2000}}, "survives": 1, "costsAtMost": 1000}
    catalog = catalog_of(hard(60))
    policy = RoutingPolicy.model_validate({"always": [one | {"name": f"s{number}"} for number in range(30)]})
    assert {statement.verdict for statement in aldo.prove(catalog, policy, effort=8_000).statements} == {"proven"}


def test_a_statement_about_outages_alone_looks_at_no_prices() -> None:
    when = {"capabilityClass": ENTRY["capabilityClass"], "privacy": "public", "tokensIn": {"atMost": 2000}}
    policy = RoutingPolicy.model_validate({"always": [{"name": "s", "when": when, "survives": 50}]})
    assert aldo.prove(catalog_of(hard(200)), policy, effort=0).holds


def test_many_of_the_best_models_down_leave_the_best_of_the_others() -> None:
    catalog = catalog_of(hard(80))
    request = aldo.RouteRequest(capability_class=ENTRY["capabilityClass"], privacy="public")
    chain = [aldo.route(catalog, request).model, *aldo.route(catalog, request).alternates]
    for down in range(len(chain)):
        asked = request.model_copy(update={"down": tuple(chain[:down])})
        assert aldo.route(catalog, asked).model == chain[down]
