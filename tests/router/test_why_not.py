"""Why not this model: the verdict agrees with the trace, and what it proposes makes it the decision."""

from __future__ import annotations

from hypothesis import event, given, settings

from aldo.router import route, why_not
from tests.support.reference_router import Ask, chain, decided_by, reachable, reference_route, why_dropped
from tests.support.strategies import Scenario, routable, scenarios, unroutable

CHAIN_PLACES = {"chosen", "outranked"}


@settings(max_examples=200, deadline=None)
@given(scenarios())
def test_why_not_is_chosen_outranked_or_dropped_as_the_reference_says(scenario: Scenario) -> None:
    """For every entry: the verdict, its code, the chosen model in its place and what separates the two."""
    catalog, ask = scenario.catalog(), scenario.ask
    links = chain(scenario.entries, ask, scenario.sensitive)
    names = [entry["id"] for entry in links]
    for entry in scenario.entries:
        told = why_not(catalog, scenario.request, entry["id"])
        event(told.verdict)
        assert told.model == entry["id"]
        assert told.code == why_dropped(entry, ask, scenario.sensitive)
        assert (told.verdict == "dropped") == (told.code is not None)
        assert (told.verdict in CHAIN_PLACES) == (entry["id"] in names)
        outranked = entry["id"] in names[1:]
        assert (told.verdict == "outranked") == outranked
        assert told.outranked_by == (names[0] if outranked else None)
        assert told.decided_by == (decided_by(links[0], entry, ask) if outranked else None)


@settings(max_examples=150, deadline=None)
@given(routable())
def test_why_not_agrees_with_the_trace_of_the_decision(scenario: Scenario) -> None:
    """The same code as the entry's verdict in its own class; the method and the function answer alike."""
    catalog = scenario.catalog()
    decision = route(catalog, scenario.request)
    for trace in decision.explain().classes:
        for verdict in trace.entries:
            told = why_not(catalog, scenario.request, verdict.model)
            assert told == decision.why_not(verdict.model)
            if scenario.entry(verdict.model)["capabilityClass"] == trace.capability_class:
                assert told.code == verdict.code
                assert (told.verdict == "dropped") == (verdict.rank is None)


def assert_changes_win(scenario: Scenario) -> None:
    """For every entry some request can choose, the proposed changes make it the decision."""
    catalog = scenario.catalog()
    for entry in scenario.entries:
        told = why_not(catalog, scenario.request, entry["id"])
        if entry.get("enabled", True) is False:
            assert [change.field for change in told.changes] == ["enabled"]
        elif reachable(entry, scenario.sensitive):
            wished = told.apply(scenario.request)
            assert route(catalog, wished).model == entry["id"]
            expected = reference_route(scenario.entries, Ask.of(wished), scenario.sensitive)
            assert expected is not None
            assert expected.model == entry["id"]
            assert bool(told.changes) == (told.verdict != "chosen")
            assert (wished == scenario.request) == (told.verdict == "chosen")


@settings(max_examples=150, deadline=None)
@given(routable())
def test_the_changes_of_why_not_make_exactly_that_model_the_decision(scenario: Scenario) -> None:
    """Applied, route chooses that model and no other; nothing is proposed for the one already chosen."""
    assert_changes_win(scenario)


@settings(max_examples=150, deadline=None)
@given(unroutable())
def test_the_changes_of_why_not_help_where_nothing_was_eligible(scenario: Scenario) -> None:
    """The same law where the request as asked is refused: why_not answers, it does not raise."""
    assert_changes_win(scenario)


@settings(max_examples=150, deadline=None)
@given(scenarios())
def test_no_changes_are_promised_for_a_model_no_request_can_choose(scenario: Scenario) -> None:
    """Where no tier lets the entry in, applying what is proposed does not route elsewhere in its name."""
    catalog = scenario.catalog()
    for entry in scenario.entries:
        if not reachable(entry, scenario.sensitive):
            wished = why_not(catalog, scenario.request, entry["id"]).apply(scenario.request)
            links = chain(scenario.entries, Ask.of(wished), scenario.sensitive)
            assert entry["id"] not in [link["id"] for link in links]
