"""Second opinions: what lint says of addresses is what the egress guard does, of cells and choices what the router does."""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aldo.schema import RouteRequest
from aldo.transport.egress import EgressPolicy
from tests.support.strategies import TIERS, Scenario, candidates, scenarios
from tests.validate.contract.catalogs import at_url, catalog, codes, document, found, subject, told

ADDRESSES = (
    *("127.0.0.1", "127.9.8.7", "126.255.255.255", "128.0.0.0", "0.0.0.0", "10.1.2.3", "10.2.0.0", "192.168.1.20"),
    *("169.254.169.254", "::1", "::", "::2", "fe80::1", "fd00::1", "fe00::", "::ffff:127.0.0.1", "::ffff:10.1.0.1"),
    *("::ffff:8.8.8.8", "::127.0.0.1", "64:ff9b::7f00:1", "2001:db8::1", "2002:7f00:1::"),
)
NETWORKS = (
    (),
    ("10.1.0.0/16",),
    ("192.168.1.20", "fd00::/8"),
    ("8.8.8.8", "172.16.0.0/12", "fc00::/7"),
    ("10.1.2.3/16", "fe80::/10"),
)


@pytest.mark.parametrize("networks", NETWORKS, ids=str)
@pytest.mark.parametrize("address", ADDRESSES)
def test_a_local_address_is_told_exactly_when_the_egress_guard_refuses_it(
    address: str, networks: tuple[str, ...], folder: Path
) -> None:
    url = f"http://[{address}]:8081" if ":" in address else f"http://{address}:8081"
    head = f"routing: {{ localNetworks: {json.dumps(networks)} }}\n"
    told_of = "AL302" in codes(found(catalog(subject("local", {"providerConfig": at_url(url)}), head=head), folder))
    assert told_of is not EgressPolicy(networks).admits(address, address)


GRID = tuple(
    itertools.product(
        (
            (),
            ("tool-use",),
            ("vision",),
            ("house-tag",),
            ("tool-use", "vision"),
            ("vision", "house-tag"),
            ("streaming",),
        ),
        ("public", "internal", "sensitive"),
        (None, ("local",), ("on-prem",), ("cloud",), ("on-prem", "cloud")),
    )
)


def asked(scenario: Scenario, picks: random.Random) -> list[RouteRequest]:
    """Requests of at least one token each way at every class, requirement and tier, sizes at the entries' limits."""
    sizes = {1, 2, 256, 1_000_003} | {
        one[key] - delta
        for one in scenario.entries
        for key in ("effectiveContextTokens", "maxOutputTokens", "servedContextTokens")
        if key in one
        for delta in (0, 1, 2)
    }
    budgets = [None, None, Decimal(0), Decimal("0.0000005"), Decimal("0.000003"), Decimal("0.5")]
    positive = sorted(size for size in sizes if size > 0)
    return [
        RouteRequest(
            capability_class=picks.choice(("fast-draft", "fast-draft", "reasoning-small", "house-class")),
            privacy=privacy,
            requires=requires,
            tokens_in=picks.choice(positive),
            max_tokens_out=picks.choice(positive),
            localities=localities,
            budget_usd=picks.choice(budgets),
        )
        for requires, privacy, localities in GRID
    ]


@given(scenarios(min_entries=2), st.randoms(use_true_random=False))
@settings(max_examples=60)
def test_what_lint_calls_never_first_no_request_ever_chooses(
    folder: Path, scenario: Scenario, picks: random.Random
) -> None:
    findings = found(document(scenario), folder, select=["AL501"])
    never = {scenario.entries[int(f.pointer.split("/")[2])]["id"] for f in findings}
    unreachable = {scenario.entries[int(f.pointer.split("/")[2])]["id"] for f in findings if f.severity == "warning"}
    value = scenario.catalog()
    for request in asked(scenario, picks):
        chain = candidates(value, request)
        assert not never & set(chain[:1]), (request, told(findings))
        assert not unreachable & set(chain), (request, told(findings))


def asked_for(one: Mapping[str, Any], rivals: Sequence[Mapping[str, Any]]) -> list[RouteRequest]:
    """The requests that favour an entry: all it provides, its own locality, sizes of every shape up to its limits."""
    context = min(one["effectiveContextTokens"], one.get("servedContextTokens", 10**9))
    longest = min(one.get("maxOutputTokens", context), context - 1)
    steps = {1, 2, 3, 7, 20, 100, 1000, 10**4, 10**5, 10**6, longest}
    outs = {n for n in steps | {rival.get("maxOutputTokens", 0) + 1 for rival in rivals} if 0 < n <= longest}
    return [
        RouteRequest(
            capability_class=one["capabilityClass"],
            privacy=tier,
            requires=tuple(one["provides"]),
            tokens_in=size,
            max_tokens_out=out,
            localities=(one["locality"],),
        )
        for tier in one["privacyAllowed"]
        for out in outs
        for size in {n for n in (*steps, context - out) if 0 < n <= context - out}
    ]


@given(scenarios(min_entries=2, max_entries=4))
@settings(max_examples=60)
def test_what_lint_does_not_call_never_first_some_request_chooses(folder: Path, scenario: Scenario) -> None:
    findings = found(document(scenario), folder, select=["AL501", "AL504"])
    told_of = {scenario.entries[int(f.pointer.split("/")[2])]["id"] for f in findings}
    value = scenario.catalog()
    for one in scenario.entries:
        requests = asked_for(one, scenario.entries)
        if one["id"] in told_of or not one.get("enabled", True) or not requests:
            continue
        assert any(candidates(value, request)[:1] == (one["id"],) for request in requests), (one["id"], told(findings))


@given(scenarios(min_entries=2, max_entries=4), st.randoms(use_true_random=False))
@settings(max_examples=60)
def test_cells_are_told_exactly_where_the_router_has_none_or_one(
    folder: Path, scenario: Scenario, picks: random.Random
) -> None:
    findings = found(document(scenario), folder, select=["AL502", "AL503"])
    value = scenario.catalog()
    live = [one for one in scenario.entries if one.get("enabled", True)]
    for name in {one["capabilityClass"] for one in live}:
        for tier in TIERS:
            filled = [
                one
                for one in live
                if one["capabilityClass"] == name
                and tier in one["privacyAllowed"]
                and (tier != "sensitive" or one["locality"] in scenario.sensitive)
            ]
            about = [f for f in findings if f" {name} " in f"{f.message} "]
            said = {f.code for f in about if tier in f.message or not any(word in f.message for word in TIERS)}
            expected = {0: {"AL502"}, 1: {"AL503"}}.get(len(filled), set())
            assert said == expected, (name, tier, told(findings))
            if not filled:
                assert candidates(value, RouteRequest(capability_class=name, privacy=tier, tokens_in=0)) == ()
