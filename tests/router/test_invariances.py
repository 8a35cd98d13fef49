"""What may not change a decision: provider labels, file order, repetition, the hash seed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from aldo.errors import NoEligibleModelError
from aldo.router import route, why_not
from aldo.schema import Catalog, RouteRequest
from tests.support.reference_router import Entry
from tests.support.strategies import Scenario, routable, scenarios, try_route

LABELS = st.fixed_dictionaries(
    {
        "provider": st.sampled_from(("one", "mlx", "ollama", "anthropic")),
        "providerKind": st.sampled_from(("openai-compat", "mlx")),
    },
    optional={
        "providerConfig": st.sampled_from(
            (
                {"baseUrl": "http://localhost:8081", "model": "a/b", "extra": {"quantization": "q4"}},
                {"baseUrl": "https://example.com/v1", "apiKeyEnv": "SOME_KEY"},
                {"model": "default_model"},
            )
        )
    },
)
SAID = ("model", "class_used", "estimated_usd", "alternates", "request")
DIGESTS = ("catalog_digest", "routing_digest")


def outcome(catalog: Catalog, request: RouteRequest) -> tuple[object, ...]:
    """All a caller can see of one routing, digests aside."""
    names = sorted(entry.id for entry in catalog.models)
    reasons = tuple(why_not(catalog, request, name) for name in names)
    try:
        decision = route(catalog, request)
    except NoEligibleModelError as refusal:
        return ("refused", refusal.stages, refusal.relaxations, reasons)
    said = tuple(getattr(decision, name) for name in SAID)
    return ("routed", said, decision.explain(), reasons)


@st.composite
def relabelled(draw: st.DrawFn) -> tuple[Scenario, Scenario]:
    """A scenario, and the same one with random labels on every entry; at least one differs."""
    scenario = draw(scenarios())
    entries: tuple[Entry, ...] = tuple(entry | draw(LABELS) for entry in scenario.entries)
    return scenario, replace(scenario, entries=({**entries[0], "provider": "two"}, *entries[1:]))


@settings(max_examples=200, deadline=None)
@given(relabelled())
def test_relabelling_providers_changes_the_catalog_digest_alone(
    pair: tuple[Scenario, Scenario],
) -> None:
    """provider, providerKind and providerConfig reach neither a decision, a refusal nor an explanation."""
    before, after = pair
    old, new = before.catalog(), after.catalog()
    assert outcome(old, before.request) == outcome(new, before.request)
    was, now = try_route(old, before.request), try_route(new, before.request)
    if was is not None and now is not None:
        assert was.routing_digest == now.routing_digest
        assert was.catalog_digest != now.catalog_digest


@settings(max_examples=150, deadline=None)
@given(st.data(), scenarios(min_entries=2))
def test_file_order_changes_nothing_digests_included(data: st.DataObject, scenario: Scenario) -> None:
    """A catalog is a set of entries: any permutation gives the same decision, explanation and digests."""
    shuffled = replace(scenario, entries=tuple(data.draw(st.permutations(scenario.entries))))
    first, second = scenario.catalog(), shuffled.catalog()
    assert outcome(first, scenario.request) == outcome(second, scenario.request)
    was, now = try_route(first, scenario.request), try_route(second, scenario.request)
    assert was == now
    if was is not None and now is not None:
        assert [getattr(was, name) for name in DIGESTS] == [getattr(now, name) for name in DIGESTS]
        assert was.to_json() == now.to_json()


@settings(max_examples=150, deadline=None)
@given(routable())
def test_the_same_input_twice_gives_an_equal_decision_and_identical_json(scenario: Scenario) -> None:
    """Neither the catalog value, nor asking before, nor explaining leaves a trace in the next answer."""
    catalog = scenario.catalog()
    first = route(catalog, scenario.request)
    text = first.to_json()
    first.explain()
    again, fresh = route(catalog, scenario.request), route(scenario.catalog(), scenario.request)
    assert first == again == fresh
    assert text == first.to_json() == again.to_json() == fresh.to_json()


@settings(max_examples=100, deadline=None)
@given(routable())
def test_decision_json_says_what_the_decision_says_in_camel_case(scenario: Scenario) -> None:
    """The published shape: model, classUsed, estimatedUsd, alternates, both digests, request."""
    decision = route(scenario.catalog(), scenario.request)
    document: dict[str, Any] = json.loads(decision.to_json())
    assert document["model"] == decision.model
    assert document["classUsed"] == decision.class_used
    assert document["estimatedUsd"] == decision.estimated_usd
    assert document["alternates"] == list(decision.alternates)
    assert document["catalogDigest"] == decision.catalog_digest
    assert document["routingDigest"] == decision.routing_digest
    assert document["request"]["tokensIn"] == scenario.ask.tokens_in
    assert document["request"]["privacy"] == scenario.ask.privacy


ONE_RUN = """
from tests.support.strategies import build_catalog, crowd, to_request, try_route
scenario, asks = crowd(11, 60)
catalog = build_catalog(scenario.entries, scenario.widened)
for decision in (try_route(catalog, to_request(ask)) for ask in asks):
    print(None if decision is None else decision.to_json())
"""


def one_run(hash_seed: str) -> str:
    """What a fresh interpreter answers under one hash seed."""
    root = Path(__file__).parents[2]
    path = os.pathsep.join((str(root), *filter(None, sys.path)))
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": path}
    done = subprocess.run(
        [sys.executable, "-c", ONE_RUN], cwd=root, env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout


def test_another_process_with_another_hash_seed_gives_the_same_bytes() -> None:
    """Set and dict order of the interpreter never reach a decision or a digest."""
    first = one_run("1")
    assert "classUsed" in first
    assert first == one_run("2")
