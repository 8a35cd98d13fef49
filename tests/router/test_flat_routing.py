"""Routing keeps what it made for earlier requests: nothing that was asked before may change an answer."""

from __future__ import annotations

import copy
import pickle
import random
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aldo.errors import AldoError, NoEligibleModelError, UnknownNameError
from aldo.router import route, route_many
from aldo.schema import Catalog, RouteRequest
from tests.support.brute import World, chain_of
from tests.support.reference_router import Ask, Entry, Expected, cost, decimal_string, reference_route
from tests.support.strategies import (
    GHOST,
    IDS,
    PICO,
    TIERS,
    Scenario,
    an_entry,
    build_catalog,
    compose,
    crowd,
    scenarios,
    to_request,
)

MANY_TAGS = ("tool-use", "vision", "streaming", "json-mode", "reasoning", "house-tag")
HUGE = (10**12, 10**12 - 1, 10**6, 10**11 + 7)


def said(outcome: Any) -> Expected | str:
    """An outcome in the reference's terms; the name of the error where it is one."""
    if isinstance(outcome, NoEligibleModelError):
        return "refused"
    if isinstance(outcome, UnknownNameError):
        return outcome.code
    return Expected(outcome.model, outcome.class_used, outcome.estimated_usd, tuple(outcome.alternates))


def routed(catalog: Catalog, request: RouteRequest) -> Expected | str:
    try:
        return said(route(catalog, request))
    except AldoError as error:
        return said(error)


def expected(scenario: Scenario, ask: Ask) -> Expected | str:
    return reference_route(scenario.entries, ask, scenario.sensitive) or "refused"


def a_crowd_of_sets(draw: random.Random, number: int) -> Scenario:
    """Entries of few classes with many sets of tags, prices that cross and contexts up to the largest."""
    scenario = compose(draw.choice, [f"{draw.choice(IDS)}-{at}" for at in range(number)])
    for entry in scenario.entries:
        entry["provides"] = draw.sample(MANY_TAGS, draw.randrange(1, len(MANY_TAGS) + 1))
        if draw.random() < 0.5:
            entry["capabilityClass"] = "fast-draft"
        if draw.random() < 0.6:
            entry["cost"] = {side: draw.choice(("0", "1", "2", "3", "4")) for side in entry["cost"]}
        if draw.random() < 0.3:
            entry["effectiveContextTokens"] = draw.choice(HUGE)
    return scenario


def an_ask(draw: random.Random, scenario: Scenario) -> Ask:
    """A request with any set of tags in any order, some twice, and any snapshot of health."""
    names = (*(entry["id"] for entry in scenario.entries), GHOST)
    classes = ("fast-draft", "fast-draft", "reasoning-small", "house-class", "embeddings")
    tags = draw.sample(MANY_TAGS, draw.choice((0, 0, 1, 2, 3)))
    ask = Ask(
        draw.choice(classes),
        draw.choice(TIERS),
        fallback_classes=tuple(draw.choice(classes) for _ in range(draw.choice((0, 0, 1, 2, 4)))),
        requires=tuple(draw.choice((tags, [*tags, *reversed(tags)]))),
        tokens_in=draw.choice((0, 1, 256, 333, 10**6, *HUGE)),
        max_tokens_out=draw.choice((0, 0, 1, 7, 1024, 10**12)),
        localities=draw.choice((None, None, ("cloud", "local"), ("local",), ("cloud", "cloud"), ("on-prem", "cloud"))),
        pin=draw.choice((*[None] * 6, draw.choice(names[:-1]))),
        exclude=tuple(draw.choices(names, k=draw.choice((0, 0, 0, 1, 3)))),
        down=tuple(draw.choices(names, k=draw.choice((0, 0, 1, 2, len(names))))),
    )
    if draw.random() < 0.5:
        exact = Decimal(decimal_string(cost(draw.choice(scenario.entries), ask)))
        usd = max(Decimal(0), exact + draw.choice((0, 0, -1, 1, Decimal("0.5"), Decimal("-0.5"))) * PICO)
        ask = ask.but(budget_usd=min(usd, Decimal(10**9)))
    return ask


@settings(max_examples=60)
@given(st.integers(0, 10**6), st.integers(1, 14))
def test_any_sequence_of_requests_is_answered_as_if_each_came_first(seed: int, number: int) -> None:
    """Sixty requests, asked again in another order, by `route` and `route_many` on one catalog value."""
    draw = random.Random(seed)
    scenario = a_crowd_of_sets(draw, number)
    catalog = scenario.catalog()
    asks = [an_ask(draw, scenario) for _ in range(40)]
    asks += [ask.but(down=draw.choice(asks).down, exclude=draw.choice(asks).exclude) for ask in asks[:10]]
    asks += [ask.but(tokens_in=draw.choice(asks).tokens_in, budget_usd=None) for ask in asks[:10]]
    for _ in range(3):
        draw.shuffle(asks)
        answers = [expected(scenario, ask) for ask in asks]
        requests = [to_request(ask) for ask in asks]
        assert [routed(catalog, request) for request in requests] == answers
        assert [said(outcome) for outcome in route_many(catalog, requests)] == answers


@settings(max_examples=60)
@given(st.integers(0, 10**6), st.data())
def test_putting_the_chain_down_one_by_one_walks_through_the_alternates(seed: int, data: st.DataObject) -> None:
    """Each model that is lost gives way to its alternate; put up again, it is chosen again."""
    draw = random.Random(seed)
    scenario = a_crowd_of_sets(draw, 9)
    catalog = scenario.catalog()
    ask = replace(an_ask(draw, scenario), down=(), pin=None, budget_usd=None)
    first = expected(scenario, ask)
    chain = () if isinstance(first, str) else (first.model, *first.alternates)
    snapshots = [chain[:lost] for lost in range(len(chain) + 1)]
    snapshots += [chain[1:], chain[2:], *(data.draw(st.lists(st.sampled_from(chain), max_size=5)) for _ in chain)]
    for down in (*snapshots, *reversed(snapshots)):
        left = tuple(model for model in chain if model not in down)
        for lost in (ask.but(down=tuple(down)), ask.but(exclude=(*ask.exclude, *down))):
            answer = routed(catalog, to_request(lost))
            assert answer == expected(scenario, lost)
            assert left == (() if isinstance(answer, str) else (answer.model, *answer.alternates))


@settings(max_examples=100)
@given(st.integers(0, 10**6))
def test_how_a_request_is_written_changes_no_answer(seed: int) -> None:
    """Requirements, places and snapshots are sets; a class that is repeated is tried once."""
    draw = random.Random(seed)
    scenario = a_crowd_of_sets(draw, 7)
    catalog = scenario.catalog()
    for _ in range(6):
        ask = an_ask(draw, scenario)
        again = ask.but(
            requires=(*reversed(ask.requires), *ask.requires),
            fallback_classes=(ask.capability_class, *ask.fallback_classes, *ask.fallback_classes),
            localities=ask.localities and (*reversed(ask.localities), *ask.localities),
            exclude=(*reversed(ask.exclude), GHOST),
            down=(*reversed(ask.down), *ask.down),
        )
        answer = expected(scenario, ask)
        pair = draw.sample((ask, again), 2)
        assert [routed(catalog, to_request(one)) for one in pair] == [answer, answer]


@settings(max_examples=60)
@given(st.integers(0, 10**6), st.sampled_from(("class", "fallback", "tag", "pin")))
def test_an_unknown_name_is_refused_before_and_after_any_other_request(seed: int, where: str) -> None:
    """By `route` raised, by `route_many` given in its place; the rest of a batch keeps its answers."""
    draw = random.Random(seed)
    scenario = a_crowd_of_sets(draw, 5)
    catalog = scenario.catalog()
    good = [an_ask(draw, scenario) for _ in range(8)]
    wrong = {
        "class": good[0].but(capability_class="no-such-class"),
        "fallback": good[0].but(fallback_classes=(*good[0].fallback_classes, "no-such-class")),
        "tag": good[0].but(requires=(*good[0].requires, "no-such-tag")),
        "pin": good[0].but(pin=GHOST),
    }[where]
    batch = [good[0], wrong, *good, wrong]
    code = {"fallback": "unknown_class", "tag": "unknown_capability", "pin": "unknown_model"}.get(
        where, "unknown_class"
    )
    answers = [code if ask is wrong else expected(scenario, ask) for ask in batch]
    for fresh in (catalog, catalog, scenario.catalog()):
        requests = [to_request(ask) for ask in batch]
        assert [said(outcome) for outcome in route_many(fresh, requests)] == answers
        assert [routed(fresh, request) for request in requests] == answers


@settings(max_examples=100)
@given(scenarios(), st.sampled_from((0, 1, 7, 10**12)), st.sampled_from((0, 1, 10**12)))
def test_zero_and_the_largest_sizes_are_routed_as_any_other(scenario: Scenario, tokens_in: int, out: int) -> None:
    """Nothing is rounded: the cost of 10^12 tokens at six places is exact, and free is not the same as absent."""
    room = {"effectiveContextTokens": 10**12, "servedContextTokens": min(10**12, tokens_in + out or 1)}
    large = replace(scenario, entries=tuple(entry | room for entry in scenario.entries))
    catalog = large.catalog()
    for ask in (scenario.ask, scenario.ask.but(budget_usd=None), scenario.ask.but(budget_usd=Decimal(0))):
        sized = ask.but(tokens_in=tokens_in, max_tokens_out=out)
        assert routed(catalog, to_request(sized)) == expected(large, sized)


@pytest.mark.parametrize("seed", range(4))
def test_threads_that_share_a_catalog_give_what_one_gives(seed: int) -> None:
    """The catalog is compiled, and all that is kept is made, by whoever comes first."""
    draw = random.Random(seed)
    scenario = a_crowd_of_sets(draw, 60)
    asks = [an_ask(draw, scenario) for _ in range(400)]
    requests = [to_request(ask) for ask in asks]
    answers = [expected(scenario, ask) for ask in asks]
    catalog = scenario.catalog()

    def ask_all(start: int) -> list[Expected | str]:
        order = [*range(start, len(requests)), *range(start)]
        found = {at: routed(catalog, requests[at]) for at in order}
        return [found[at] for at in range(len(requests))]

    with ThreadPoolExecutor(8) as threads:
        for found in threads.map(ask_all, range(0, 400, 50)):
            assert found == answers


def pickled(value: Any) -> Any:
    return pickle.loads(pickle.dumps(value))


@settings(max_examples=60)
@given(st.integers(0, 10**6), st.sampled_from((pickled, copy.copy, copy.deepcopy)), st.booleans())
def test_copies_of_catalogs_and_decisions_say_the_same(seed: int, copied: Any, warm: bool) -> None:
    """Before and after routing; nothing that is kept for routing travels along."""
    draw = random.Random(seed)
    scenario = a_crowd_of_sets(draw, 6)
    catalog = scenario.catalog()
    size = len(pickle.dumps(catalog))
    asks = [an_ask(draw, scenario) for _ in range(12)]
    requests = [to_request(ask) for ask in asks]
    decisions = route_many(catalog, requests) if warm else []
    other = copied(catalog)
    assert other == catalog
    assert len(pickle.dumps(catalog)) == size
    assert [routed(other, request) for request in requests] == [expected(scenario, ask) for ask in asks]
    for decision in decisions:
        if isinstance(decision, AldoError):
            continue
        again = copied(decision)
        assert again == decision
        assert hash(again) == hash(decision)
        assert again.to_json() == decision.to_json()
        assert again.explain() == decision.explain()


@settings(max_examples=60)
@given(st.integers(0, 10**6))
def test_a_copy_with_other_facts_routes_by_them(seed: int) -> None:
    """What was kept for the one value is not used for the other."""
    draw = random.Random(seed)
    scenario = a_crowd_of_sets(draw, 6)
    catalog = scenario.catalog()
    asks = [an_ask(draw, scenario).but(pin=None) for _ in range(10)]
    for ask in asks:
        routed(catalog, to_request(ask))
    fewer = replace(scenario, entries=scenario.entries[1:])
    wider = replace(scenario, widened=("local", "on-prem", "cloud"))
    for changed in (fewer, wider):
        other = changed.catalog()
        updated = catalog.model_copy(update={"models": other.models, "routing": other.routing})
        for ask in asks:
            assert routed(updated, to_request(ask)) == expected(changed, ask)
    assert [routed(catalog, to_request(ask)) for ask in asks] == [expected(scenario, ask) for ask in asks]


@settings(max_examples=40)
@given(st.integers(0, 10**6))
def test_an_answer_that_is_read_late_is_the_answer_to_its_own_request(seed: int) -> None:
    """Alternates and costs are computed when asked: after any other request, in any order, the same."""
    draw = random.Random(seed)
    scenario = a_crowd_of_sets(draw, 8)
    catalog = scenario.catalog()
    asks = [an_ask(draw, scenario) for _ in range(30)]
    outcomes = list(zip(asks, route_many(catalog, [to_request(ask) for ask in asks]), strict=True))
    draw.shuffle(outcomes)
    for ask, outcome in outcomes:
        assert said(outcome) == expected(scenario, ask)


def same_chain(world: World, ask: Ask, outcome: Any) -> bool:
    """Whether the answer, money and alternates included, is the oracle's."""
    found = chain_of(world, ask)
    if not found:
        return isinstance(outcome, NoEligibleModelError)
    if isinstance(outcome, AldoError) or Decimal(outcome.estimated_usd) != Decimal(found[0][1]).scaleb(-12):
        return False
    return (outcome.model, *outcome.alternates) == tuple(model.id for model, _ in found)


def bulk(seed: int) -> tuple[Scenario, list[Ask]]:
    """A catalog and 400 requests on its edges: thresholds, equal costs, budgets to 10^-12 USD, losses, pins."""
    draw = random.Random(seed)
    entries: Sequence[Entry]
    if seed % 4:
        scenario = a_crowd_of_sets(draw, 2 + seed % 7)
    else:
        need = draw.choice((1, 8, 1280))
        entries = [an_entry(draw.choice, model, need, need // 2) for model in draw.sample(IDS, 6)]
        scenario = Scenario(tuple(entries), Ask("fast-draft", "public"), draw.choice((None, ("on-prem",))))
    asks = []
    for _ in range(400):
        ask = an_ask(draw, scenario)
        if draw.random() < 0.8:
            ask = aimed_at(draw.choice(scenario.entries), draw, ask)
        asks.append(ask)
    return scenario, asks


def aimed_at(entry: Entry, draw: random.Random, ask: Ask) -> Ask:
    """The request turned to one entry: its class, mostly its tiers and tags, its limits and its cost, or one off."""
    off = (-1, 0, 0, 0, 1)
    room = min(entry["effectiveContextTokens"], entry.get("servedContextTokens", 10**12)) + draw.choice(off)
    room = min(10**12, draw.choice((room, room, room // 2)))
    out = min(room, draw.choice((0, 1, room // 2, entry.get("maxOutputTokens", room) + draw.choice(off))))
    ask = ask.but(
        capability_class=entry["capabilityClass"],
        privacy=draw.choice((*entry["privacyAllowed"] * 3, "sensitive")),
        requires=tuple(draw.sample(entry["provides"], draw.randrange(min(3, len(entry["provides"])) + 1))),
        tokens_in=max(0, room - out),
        max_tokens_out=max(0, out),
        pin=draw.choice((ask.pin, entry["id"])) if ask.pin else None,
    )
    if ask.budget_usd is not None:
        usd = Decimal(decimal_string(cost(entry, ask))) + draw.choice(off) * PICO
        ask = ask.but(budget_usd=min(max(Decimal(0), usd), Decimal(10**9)))
    return ask if draw.random() < 0.5 else ask.but(down=ask.down[:1], exclude=(), localities=None)


def assert_bulk(seeds: Sequence[int]) -> int:
    """How many pairs were held to the oracle; every twentieth to the slower reference as well."""
    pairs = routable = 0
    for seed in seeds:
        scenario, asks = bulk(seed)
        world = World(scenario.entries, scenario.sensitive, ("house-class",))
        catalog = build_catalog(scenario.entries, scenario.widened)
        requests = [to_request(ask) for ask in asks]
        for ask, outcome in zip(asks, route_many(catalog, requests), strict=True):
            assert same_chain(world, ask, outcome), (seed, ask, outcome)
            if pairs % 20 == 0:
                assert said(outcome) == expected(scenario, ask), (seed, ask)
            pairs += 1
            routable += not isinstance(outcome, AldoError)
    assert routable > pairs / 4, "a bulk in which nothing routes tests nothing"
    return pairs


def test_a_sample_of_the_bulk_equals_the_oracle() -> None:
    assert assert_bulk(range(12)) == 4_800


@pytest.mark.heavy
@pytest.mark.parametrize("part", range(10))
def test_two_million_pairs_of_catalog_and_request_equal_the_oracle(part: int) -> None:
    assert assert_bulk(range(500 * part, 500 * part + 500)) == 200_000


@pytest.mark.heavy
@pytest.mark.parametrize("size", [100, 1_000, 4_000])
def test_a_crowd_answers_a_mixed_stream_as_the_oracle_does(size: int) -> None:
    """Many groups, many envelopes, what is kept thrown away and made again."""
    draw = random.Random(size)
    scenario, _ = crowd(size, 5)
    scenario = replace(a_crowd_of_sets(draw, size), widened=scenario.widened)
    world = World(scenario.entries, scenario.sensitive, ("house-class",))
    asks = [an_ask(draw, scenario) for _ in range(300)]
    outcomes = route_many(scenario.catalog(), [to_request(ask) for ask in asks])
    assert all(same_chain(world, ask, outcome) for ask, outcome in zip(asks, outcomes, strict=True))
