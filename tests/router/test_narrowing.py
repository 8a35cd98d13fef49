"""Privacy holds whatever the catalog claims, and asking for more never finds more."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from aldo.router import route
from tests.support.reference_router import LOCALITIES, Ask
from tests.support.strategies import (
    GHOST,
    PICO,
    TAGS,
    Scenario,
    candidates,
    routable,
    scenarios,
    to_request,
    try_route,
)


def lying(scenario: Scenario) -> Scenario:
    """The same catalog in which every entry claims that it may see everything."""
    tiers = ["public", "internal", "sensitive"]
    return replace(scenario, entries=tuple(entry | {"privacyAllowed": tiers} for entry in scenario.entries))


@settings(max_examples=300, deadline=None)
@given(scenarios(min_entries=2))
def test_a_sensitive_request_never_leaves_the_sensitive_localities(scenario: Scenario) -> None:
    """No chosen model and no alternate is elsewhere, though every entry claims to allow sensitive."""
    liar = lying(scenario).asking(privacy="sensitive")
    small = liar.asking(requires=(), budget_usd=None, tokens_in=0, max_tokens_out=1)
    open_again = small.asking(pin=None, localities=None)
    for case in (liar, open_again):
        for model in candidates(case.catalog(), case.request):
            assert case.entry(model)["locality"] in case.sensitive


@settings(max_examples=200, deadline=None)
@given(scenarios(min_entries=2))
def test_no_candidate_ever_lacks_the_tier_of_the_request(scenario: Scenario) -> None:
    """The tier is checked for every link of the failover chain, not for the first alone."""
    for model in candidates(scenario.catalog(), scenario.request):
        assert scenario.ask.privacy in scenario.entry(model)["privacyAllowed"]
        assert scenario.entry(model).get("enabled", True) is True


@settings(max_examples=150, deadline=None)
@given(scenarios())
def test_the_default_sensitive_localities_are_this_machine_alone(scenario: Scenario) -> None:
    """A catalog that says nothing of routing and one that says [local] answer alike."""
    silent, explicit = replace(scenario, widened=None), replace(scenario, widened=("local",))
    ask = scenario.asking(privacy="sensitive").request
    assert candidates(silent.catalog(), ask) == candidates(explicit.catalog(), ask)


@st.composite
def narrowed(draw: st.DrawFn) -> tuple[Scenario, Ask]:
    """A scenario and a request that asks for more, or allows less, in one to three ways."""
    scenario = draw(routable())
    ask = scenario.ask
    names = [entry["id"] for entry in scenario.entries]
    for way in draw(st.lists(st.sampled_from(tuple(WAYS)), min_size=1, max_size=3)):
        ask = ask.but(**draw(WAYS[way](ask, names)))
    return scenario, ask


Changes = st.SearchStrategy[dict[str, object]]


BUDGETS = st.sampled_from((Decimal(0), PICO, Decimal("0.001"), Decimal(3)))


def more_requires(ask: Ask, _names: list[str]) -> Changes:
    return st.sampled_from(TAGS).map(lambda tag: {"requires": tuple(dict.fromkeys((*ask.requires, tag)))})


def more_tokens_in(ask: Ask, _names: list[str]) -> Changes:
    return st.sampled_from((1, 2, 5000, 10**6)).map(lambda more: {"tokens_in": ask.tokens_in + more})


def more_tokens_out(ask: Ask, _names: list[str]) -> Changes:
    return st.sampled_from((1, 2, 5000)).map(lambda more: {"max_tokens_out": ask.max_tokens_out + more})


def less_budget(ask: Ask, _names: list[str]) -> Changes:
    if ask.budget_usd is None:
        return BUDGETS.map(lambda budget: {"budget_usd": budget})
    lower = max(Decimal(0), ask.budget_usd - PICO)
    return st.sampled_from((lower, Decimal(0))).map(lambda budget: {"budget_usd": budget})


def fewer_localities(ask: Ask, _names: list[str]) -> Changes:
    held = LOCALITIES if ask.localities is None else ask.localities
    kept = st.lists(st.sampled_from(held), min_size=1, unique=True)
    return kept.map(lambda names: {"localities": tuple(names)})


def more_down(ask: Ask, names: list[str]) -> Changes:
    return st.sampled_from((*names, GHOST)).map(lambda name: {"down": (*ask.down, name)})


def more_excluded(ask: Ask, names: list[str]) -> Changes:
    return st.sampled_from((*names, GHOST)).map(lambda name: {"exclude": (*ask.exclude, name)})


WAYS = {
    "requires": more_requires,
    "tokens in": more_tokens_in,
    "tokens out": more_tokens_out,
    "budget": less_budget,
    "localities": fewer_localities,
    "down": more_down,
    "exclude": more_excluded,
}


@settings(max_examples=300, deadline=None)
@given(narrowed())
def test_narrowing_a_request_never_adds_a_candidate(pair: tuple[Scenario, Ask]) -> None:
    """More requires, tokens, exclusions or outages, less budget or fewer localities: a subset."""
    scenario, narrower = pair
    catalog = scenario.catalog()
    assert set(candidates(catalog, to_request(narrower))) <= set(candidates(catalog, scenario.request))


@settings(max_examples=200, deadline=None)
@given(routable())
def test_failing_over_takes_exactly_the_next_alternate_and_never_crosses_the_tier(scenario: Scenario) -> None:
    """With every earlier link down, route chooses the next one, keeps the rest, and then has nothing."""
    catalog, ask = scenario.catalog(), scenario.ask
    links = candidates(catalog, scenario.request)
    for done in range(len(links)):
        decision = route(catalog, to_request(ask.but(down=(*ask.down, *links[:done]))))
        assert decision.model == links[done]
        assert decision.alternates == links[done + 1 :]
        assert ask.privacy in scenario.entry(decision.model)["privacyAllowed"]
    assert try_route(catalog, to_request(ask.but(down=(*ask.down, *links)))) is None


@settings(max_examples=150, deadline=None)
@given(routable())
def test_down_exclude_and_absence_from_the_catalog_leave_the_same_candidates(scenario: Scenario) -> None:
    """Taking the chosen model away by any of the three means gives one and the same chain."""
    scenario = scenario.asking(pin=None)
    chosen, *rest = candidates(scenario.catalog(), scenario.request)
    without = replace(scenario, entries=tuple(e for e in scenario.entries if e["id"] != chosen))
    assert candidates(without.catalog(), scenario.request) == tuple(rest)
    for field in ("down", "exclude"):
        taken = scenario.ask.but(**{field: (*getattr(scenario.ask, field), chosen)})
        assert candidates(scenario.catalog(), to_request(taken)) == tuple(rest)
