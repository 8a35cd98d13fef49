"""What `why_not` says in words: the values that the stage compared, or those that separate two entries."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import event, given, settings

from aldo.router import why_not
from aldo.schema import Change, RouteRequest
from tests.support.entries import entry
from tests.support.reference_router import LOCALITIES, Ask, Entry, context, cost, decimal_string
from tests.support.strategies import TIERS, Scenario, build_catalog, routable, scenarios, unroutable


def listed(names: Iterable[str]) -> str:
    """Tiers and localities as they are ranked, tags by name."""
    order = [*TIERS, *LOCALITIES]
    return ", ".join(sorted(names, key=lambda name: (order.index(name) if name in order else -1, name)))


def size_words(one: Entry, ask: Ask) -> str:
    need = ask.tokens_in + ask.max_tokens_out
    if need > context(one):
        sizes = f"tokensIn {ask.tokens_in} + maxTokensOut {ask.max_tokens_out} = {need}"
        return f"{sizes}, its context is {context(one)}"
    return f"maxTokensOut is {ask.max_tokens_out}, it gives at most {one['maxOutputTokens']}"


def dropped_words(code: str, one: Entry, scenario: Scenario) -> str:
    ask, place = scenario.ask, one["locality"]
    match code:
        case "DISABLED":
            return "enabled is false in the catalog"
        case "PRIVACY_TIER":
            return f"{ask.privacy} is not in privacyAllowed [{listed(one['privacyAllowed'])}]"
        case "PRIVACY_LOCALITY":
            return f"a sensitive request may go to [{listed(scenario.sensitive)}], this entry is {place}"
        case "CLASS":
            return f"its class is {one['capabilityClass']}"
        case "CAPABILITY_MISSING":
            return f"it does not provide {listed(set(ask.requires) - set(one['provides']))}"
        case "CONTEXT_TOO_SMALL":
            return size_words(one, ask)
        case "LOCALITY":
            return f"it is {place}, the request takes [{listed(ask.localities or ())}]"
        case "NOT_PINNED":
            return f"the request is pinned to {ask.pin}"
        case "EXCLUDED":
            return "the request excludes it"
        case "BUDGET_EXCEEDED":
            assert ask.budget_usd is not None
            budget = f"{ask.budget_usd:f}"
            budget = budget.rstrip("0").rstrip(".") if "." in budget else budget
            return f"it costs {decimal_string(cost(one, ask))} USD, the budget is {budget} USD"
        case _:
            return "the health snapshot says it is down"


def latency_words(one: Entry) -> str:
    return f"{one['latencyP95Ms']:g} ms" if "latencyP95Ms" in one else "unknown"


def outranked_words(key: str, winner: Entry, loser: Entry, ask: Ask) -> str:
    match key:
        case "class":
            return f"class {winner['capabilityClass']} comes before {loser['capabilityClass']}"
        case "locality":
            return f"the chosen entry is nearer than {loser['locality']}"
        case "cost":
            return f"{decimal_string(cost(winner, ask))} USD against {decimal_string(cost(loser, ask))} USD"
        case "latency":
            return f"{latency_words(winner)} against {latency_words(loser)}"
        case _:
            return f"equal but for the id: {winner['id']!r} sorts before {loser['id']!r}"


def assert_words(scenario: Scenario) -> None:
    catalog = scenario.catalog()
    for one in scenario.entries:
        told = why_not(catalog, scenario.request, one["id"])
        event(f"{told.verdict} {told.code or told.decided_by}")
        if told.verdict == "dropped":
            assert told.detail == dropped_words(str(told.code), one, scenario)
        elif told.verdict == "outranked":
            winner = scenario.entry(str(told.outranked_by))
            assert told.detail == outranked_words(str(told.decided_by), winner, one, scenario.ask)
            assert told.changes == (Change(field="pin", before=scenario.ask.pin, after=one["id"]),)
        else:
            assert (told.detail, told.changes) == ("", ())


@settings(max_examples=200)
@given(routable())
def test_the_words_name_the_values_where_something_is_chosen(scenario: Scenario) -> None:
    assert_words(scenario)


@settings(max_examples=150)
@given(unroutable())
def test_the_words_name_the_values_where_nothing_is_eligible(scenario: Scenario) -> None:
    assert_words(scenario)


@settings(max_examples=150)
@given(scenarios())
def test_a_disabled_entry_needs_the_catalog_changed_and_the_request_left_alone(scenario: Scenario) -> None:
    for one in scenario.entries:
        if one.get("enabled", True) is False:
            told = why_not(scenario.catalog(), scenario.request, one["id"])
            assert told.changes == (Change(field="enabled", before=False, after=True, where="catalog"),)
            assert told.apply(scenario.request) == scenario.request


TAGS = ["json-mode", "streaming", "tool-use", "vision"]
BY_STAGE = {
    "PRIVACY_TIER": ({"privacy": "sensitive"}, {}, "sensitive is not in privacyAllowed [public, internal]"),
    "PRIVACY_LOCALITY": (
        {"privacy": "sensitive"},
        {"privacyAllowed": ["sensitive"]},
        "a sensitive request may go to [local, on-prem], this entry is cloud",
    ),
    "CAPABILITY_MISSING": ({"requires": TAGS[::-1]}, {}, "it does not provide json-mode, tool-use"),
    "LOCALITY": ({"localities": ["on-prem", "local"]}, {}, "it is cloud, the request takes [local, on-prem]"),
    "BUDGET_EXCEEDED": ({"budgetUsd": "0.0023"}, {}, "it costs 0.002304 USD, the budget is 0.0023 USD"),
    "CONTEXT_TOO_SMALL": ({}, {"maxOutputTokens": 1023}, "maxTokensOut is 1024, it gives at most 1023"),
    "NOT_PINNED": ({"pin": "other"}, {}, "the request is pinned to other"),
    "EXCLUDED": ({"exclude": ["one"]}, {}, "the request excludes it"),
    "DOWN": ({"down": ["one"]}, {}, "the health snapshot says it is down"),
    "CLASS": ({}, {"capabilityClass": "embeddings"}, "its class is embeddings"),
    "DISABLED": ({}, {"enabled": False}, "enabled is false in the catalog"),
}


@pytest.mark.parametrize("code", BY_STAGE)
def test_each_stage_says_what_it_compared(code: str) -> None:
    asked, held, words = BY_STAGE[code]
    request = RouteRequest.model_validate({"capabilityClass": "fast-draft", "privacy": "public"} | asked)
    entries = [entry("other", provides=TAGS), entry("one", **held)]
    told = why_not(build_catalog(entries, ("on-prem", "local")), request, "one")
    assert (told.verdict, told.code, told.detail) == ("dropped", code, words)


@pytest.mark.parametrize(
    ("winner", "loser", "key", "words"),
    [
        ({"latencyP95Ms": 10}, {}, "latency", "10 ms against unknown"),
        ({"latencyP95Ms": 10}, {"latencyP95Ms": 12.5}, "latency", "10 ms against 12.5 ms"),
        ({}, {}, "id", "equal but for the id: 'a' sorts before 'b'"),
        ({"locality": "on-prem"}, {}, "locality", "the chosen entry is nearer than cloud"),
        (
            {"cost": {"usdPerMtokIn": 0, "usdPerMtokOut": 2}},
            {},
            "cost",
            "0.002048 USD against 0.002304 USD",
        ),
        ({}, {"capabilityClass": "reasoning-large"}, "class", "class fast-draft comes before reasoning-large"),
    ],
)
def test_each_key_of_the_ranking_says_what_separates_the_two(winner: Entry, loser: Entry, key: str, words: str) -> None:
    catalog = build_catalog([entry("a", **winner), entry("b", **loser)])
    request = RouteRequest(capability_class="fast-draft", privacy="public", fallback_classes=("reasoning-large",))
    told = why_not(catalog, request, "b")
    assert (told.verdict, told.outranked_by, told.decided_by, told.detail) == ("outranked", "a", key, words)
