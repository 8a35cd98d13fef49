"""Statements about requests with a budget: each verdict is what trying every request shows, and is said in words."""

from __future__ import annotations

from decimal import Decimal
from itertools import product
from typing import Any, NamedTuple

from hypothesis import event, given, settings
from hypothesis import strategies as st

import aldo
from aldo.schema import Catalog, RoutingPolicy
from tests.support.entries import entry
from tests.support.reference_router import LOCALITIES
from tests.support.strategies import build_catalog

USD = Decimal(1).scaleb(-6)
"""What one token costs where a million of them cost one dollar."""


class World(NamedTuple):
    models: list[tuple[str, int, int, int]]
    """Place, prices of a million tokens, context."""
    budget: int | None
    bound: int | None
    place: str | None
    outages: int
    least_in: int
    least_out: int

    def catalog(self) -> Catalog:
        return build_catalog(
            [
                entry(
                    f"m{number}",
                    locality=place,
                    cost={"usdPerMtokIn": price_in, "usdPerMtokOut": price_out},
                    effectiveContextTokens=context,
                )
                for number, (place, price_in, price_out, context) in enumerate(self.models)
            ]
        )

    def statement(self, most_in: int, most_out: int) -> dict[str, Any]:
        when: dict[str, Any] = {"capabilityClass": "fast-draft", "privacy": "public"}
        when |= {
            "tokensIn": {"atLeast": min(self.least_in, most_in), "atMost": most_in},
            "maxTokensOut": {"atLeast": min(self.least_out, most_out), "atMost": most_out},
        }
        if self.budget is not None:
            when["budgetUsd"] = f"{self.budget * USD:f}"
        said: dict[str, Any] = {"name": "one", "when": when, "survives": self.outages}
        if self.bound is not None:
            said["costsAtMost"] = f"{self.bound * USD:f}"
        if self.place is not None:
            said["chooses"] = {"locality": self.place}
        return said

    def breaks(self, catalog: Catalog, request: aldo.RouteRequest) -> str | None:
        """What comes of a request that is not as stated."""
        (decision,) = aldo.route_many(catalog, [request])
        if not isinstance(decision, aldo.Decision):
            return "unserved"
        if self.bound is not None and Decimal(decision.estimated_usd) > self.bound * USD:
            return f"{decision.model} serves it for {decision.estimated_usd} USD"
        place = catalog.by_id[decision.model].locality
        return f"{decision.model} ({place}) is chosen" if self.place not in (None, place) else None


WORLDS = st.builds(
    World,
    models=st.lists(
        st.tuples(st.sampled_from(LOCALITIES), st.integers(0, 3), st.integers(0, 3), st.sampled_from([3, 5, 9])),
        min_size=1,
        max_size=4,
    ),
    budget=st.none() | st.integers(0, 16),
    bound=st.none() | st.integers(0, 16),
    place=st.none() | st.sampled_from(LOCALITIES),
    outages=st.integers(0, 1),
    least_in=st.integers(0, 3),
    least_out=st.integers(0, 3),
)


def requests(world: World, catalog: Catalog, most_in: int, most_out: int) -> list[aldo.RouteRequest]:
    downs = [(), *((model,) for model in catalog.by_id)] if world.outages else [()]
    return [
        aldo.RouteRequest(
            capability_class="fast-draft",
            privacy="public",
            tokens_in=tokens_in,
            max_tokens_out=tokens_out,
            budget_usd=None if world.budget is None else world.budget * USD,
            down=down,
        )
        for tokens_in, tokens_out, down in product(
            range(min(world.least_in, most_in), most_in + 1), range(min(world.least_out, most_out), most_out + 1), downs
        )
    ]


@settings(max_examples=400)
@given(WORLDS, st.integers(0, 4), st.integers(1, 4))
def test_an_always_holds_exactly_where_no_request_within_the_budget_breaks_it(
    world: World, most_in: int, most_out: int
) -> None:
    catalog = world.catalog()
    policy = RoutingPolicy.model_validate({"always": [world.statement(most_in, most_out)]})
    (found,) = aldo.prove(catalog, policy).statements
    asked = requests(world, catalog, most_in, most_out)
    broken = {request: said for request in asked if (said := world.breaks(catalog, request)) is not None}
    event(f"{found.verdict}, {'no ' if world.budget is None else ''}budget")
    assert (found.verdict == "refuted") == bool(broken)
    if found.witness is None:
        assert (found.verdict, found.detail) == ("proven", "")
        return
    said = broken[found.witness]
    if said != "unserved":
        assert found.detail == said
    elif found.witness.down:
        assert found.detail == f"with {', '.join(found.witness.down)} down nothing is left"
    else:
        assert found.detail == "nothing serves it"


@settings(max_examples=100)
@given(WORLDS)
def test_a_pin_and_what_is_excluded_leave_the_others_out_of_a_statement(world: World) -> None:
    """Of one pinned entry alone: whether it is served, at what cost, and where."""
    catalog = world.catalog()
    said = world.statement(2, 2) | {"survives": 0}
    said["when"] |= {"pin": "m0", "exclude": [f"m{number}" for number in range(1, len(world.models))]}
    (found,) = aldo.prove(catalog, RoutingPolicy.model_validate({"always": [said]})).statements
    asked = [
        request.model_copy(update={"pin": "m0", "exclude": tuple(said["when"]["exclude"])})
        for request in requests(world._replace(outages=0), catalog, 2, 2)
    ]
    assert (found.verdict == "refuted") == any(world.breaks(catalog, request) for request in asked)
