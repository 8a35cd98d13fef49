"""The router equals the reference router: decisions, refusals and explanations."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings

from aldo.errors import NoEligibleModelError
from aldo.router import route
from aldo.schema import Catalog, RouteRequest
from tests.support.reference_router import (
    STAGES,
    Ask,
    Expected,
    emptied_by,
    first_failure,
    reference_route,
    survivors,
)
from tests.support.strategies import (
    Scenario,
    build_catalog,
    crowd,
    routable,
    scenarios,
    to_request,
    unroutable,
)

if TYPE_CHECKING:
    from aldo import Decision


def answer(catalog: Catalog, request: RouteRequest) -> Expected | None:
    """The real router's answer in the reference's terms."""
    try:
        decision = route(catalog, request)
    except NoEligibleModelError:
        return None
    return Expected(decision.model, decision.class_used, decision.estimated_usd, tuple(decision.alternates))


def assert_trace(scenario: Scenario, ask: Ask, decision: Decision) -> None:
    """Every class, every stage and every entry of the explanation is what the reference says."""
    traces = decision.explain().classes
    assert tuple(dict.fromkeys(trace.capability_class for trace in traces)) == ask.classes()
    for trace in traces:
        wanted, sensitive = trace.capability_class, scenario.sensitive
        codes = {e["id"]: first_failure(e, ask, wanted, sensitive) for e in scenario.entries}
        alive = survivors(scenario.entries, ask, wanted, sensitive)
        ranks = {entry["id"]: rank for rank, entry in enumerate(alive, start=1)}
        verdicts = [(verdict.model, verdict.code, verdict.rank) for verdict in trace.entries]
        assert verdicts == [(model, codes[model], ranks.get(model)) for model in sorted(codes)]

        left = len(scenario.entries)
        assert tuple(stage.code for stage in trace.stages) == STAGES
        for stage in trace.stages:
            assert stage.dropped == sum(code == stage.code for code in codes.values())
            assert stage.left == left - stage.dropped
            left = stage.left
        assert left == len(ranks)


@settings(max_examples=300, deadline=None)
@given(scenarios())
def test_route_equals_the_reference_and_raises_exactly_when_it_finds_nothing(scenario: Scenario) -> None:
    """For every catalog and request: same model, class, money and failover chain, or the same refusal."""
    assert answer(scenario.catalog(), scenario.request) == scenario.expected()


@settings(max_examples=200, deadline=None)
@given(routable())
def test_route_equals_the_reference_where_something_survives(scenario: Scenario) -> None:
    """The same law with no example spent on empty results."""
    expected = scenario.expected()
    assert expected is not None
    assert answer(scenario.catalog(), scenario.request) == expected


@settings(max_examples=150, deadline=None)
@given(scenarios(), scenarios())
def test_one_catalog_answers_any_sequence_of_requests_afresh(scenario: Scenario, other: Scenario) -> None:
    """An answer does not depend on what was asked of the catalog before, nor on the order of `requires`."""
    catalog = scenario.catalog()
    first, second = scenario.ask, other.ask
    asks = (
        first,
        scenario.asking(requires=tuple(reversed(first.requires)), down=(), exclude=()).ask,
        scenario.asking(tokens_in=second.tokens_in, budget_usd=second.budget_usd).ask,
        scenario.asking(max_tokens_out=second.max_tokens_out, privacy=second.privacy).ask,
        scenario.asking(localities=second.localities, requires=second.requires, budget_usd=None).ask,
        scenario.asking(fallback_classes=second.fallback_classes, down=second.down).ask,
        first,
    )
    for ask in asks:
        expected = reference_route(scenario.entries, ask, scenario.sensitive)
        assert answer(catalog, to_request(ask)) == expected


@pytest.mark.parametrize(("seed", "size"), [(1, 40), (2, 90), (3, 90), (4, 250), (5, 250), (6, 600)])
def test_route_and_explain_equal_the_reference_on_crowded_catalogs(seed: int, size: int) -> None:
    """Size, ties and interleaved requests change nothing: indexes answer what the loops answer."""
    scenario, asks = crowd(seed, size)
    catalog = build_catalog(scenario.entries, scenario.widened)
    routed = 0
    for ask in asks:
        expected = reference_route(scenario.entries, ask, scenario.sensitive)
        assert answer(catalog, to_request(ask)) == expected
        if expected is not None:
            routed += 1
            assert_trace(scenario, ask, route(catalog, to_request(ask)))
    assert routed >= 3, "a crowd in which nothing routes tests nothing"


@settings(max_examples=200, deadline=None)
@given(routable())
def test_explain_counts_add_up_and_codes_are_the_first_failing_stages(scenario: Scenario) -> None:
    """Per class: left = previous left - dropped, from all entries on; codes and ranks are the reference's."""
    assert_trace(scenario, scenario.ask, route(scenario.catalog(), scenario.request))


@settings(max_examples=200, deadline=None)
@given(unroutable())
def test_a_refusal_names_the_stage_that_emptied_each_class(scenario: Scenario) -> None:
    """The stage at which the last entry of the class fell, in request order; CLASS when there is none."""
    with pytest.raises(NoEligibleModelError) as refusal:
        route(scenario.catalog(), scenario.request)
    stages = tuple(dict.fromkeys((stage.capability_class, stage.code) for stage in refusal.value.stages))
    ask = scenario.ask
    assert stages == tuple(
        (wanted, emptied_by(scenario.entries, ask, wanted, scenario.sensitive)) for wanted in ask.classes()
    )
