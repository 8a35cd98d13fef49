"""The witness of each change is routed on both sides as the change says."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from aldo.catalog import load_catalog
from aldo.schema import Catalog
from tests.cli.diff.pairs import KINDS, PAIRS, Outcome, diff_json, routed
from tests.support.cli import aldo


def assert_as_told(told: Outcome | None, outcome: Outcome, catalog: Catalog) -> None:
    """What `route` makes of a witness is what the change says of that side."""
    if told is None:
        assert outcome["error"]["code"] in ("no_eligible_model", "unknown_class", "unknown_capability"), outcome
        return
    assert "error" not in outcome, outcome
    assert {name: outcome[name] for name in ("model", "classUsed", "estimatedUsd", "alternates")} == {
        name: value for name, value in told.items() if name != "locality"
    }
    assert told["locality"] == catalog.by_id[told["model"]].locality


def assert_kind(change: dict[str, Any]) -> None:
    """The outcomes on both sides are an example of what the kind says."""
    kind, base, head = change["kind"], change["base"], change["head"]
    chains = [[] if side is None else [side["model"], *side["alternates"]] for side in (base, head)]
    if kind == "unroutable":
        assert base
        assert head is None
    elif kind == "routable":
        assert base is None
        assert head
    elif kind == "rerouted":
        assert (base["model"], base["classUsed"]) != (head["model"], head["classUsed"])
    elif kind in ("dearer", "cheaper"):
        before, after = Decimal(base["estimatedUsd"]), Decimal(head["estimatedUsd"])
        assert after > before if kind == "dearer" else after < before
    elif kind == "redundancy-lost":
        assert 1 <= len(chains[1]) < len(chains[0])
    elif kind == "redundancy-gained":
        assert 1 <= len(chains[0]) < len(chains[1])
    else:
        reached, other = (head, base) if kind == "privacy-widened" else (base, head)
        assert reached["locality"] in change["detail"]
        assert other is None or other["locality"] != reached["locality"]


def assert_in_region(change: dict[str, Any]) -> None:
    witness, region = change["witness"], change["region"]
    size = witness.get("tokensIn", 256) + witness.get("maxTokensOut", 1024)
    assert witness["privacy"] in region["privacy"]
    assert size <= region.get("tokensAtMost", size)
    assert witness.get("maxTokensOut", 1024) <= region.get("maxTokensOutAtMost", 10**12)
    if region.get("capabilityClass") and "fallbackClasses" not in region.get("onlyWith", ()):
        assert witness["capabilityClass"] == region["capabilityClass"]
    if "requiresWithin" in region:
        assert set(witness.get("requires", ())) <= set(region["requiresWithin"])
    if not change["kind"].startswith("privacy"):  # it is about a locality, so its request may name one
        said = {"budgetUsd", "localities", "fallbackClasses"} & set(witness)
        assert said <= set(region.get("onlyWith", ()))
        assert bool(said) == bool(region.get("onlyWith"))


@pytest.mark.parametrize("name", PAIRS)
def test_each_witness_is_routed_on_both_sides_as_its_change_says_and_lies_in_its_region(
    name: str, tmp_path: Path
) -> None:
    sides = PAIRS[name](tmp_path)
    told = diff_json(*sides)
    changes = told["changes"]
    assert changes
    if name == "every kind":
        assert {change["kind"] for change in changes} == KINDS
    for place, side in zip(sides, ("base", "head"), strict=True):
        catalog = load_catalog(place)
        outcomes = routed(place, [change["witness"] for change in changes])
        digests = {outcome["routingDigest"] for outcome in outcomes if "error" not in outcome}
        assert digests <= {told["routingDigests"][side]}
        for change, outcome in zip(changes, outcomes, strict=True):
            assert_as_told(change[side], outcome, catalog)
    for change in changes:
        assert_kind(change)
        assert_in_region(change)


def test_a_witness_in_the_text_given_to_route_request_shows_the_costs_beside_it(every_kind: tuple[str, str]) -> None:
    told = aldo("diff", *every_kind, "--all").stdout
    paragraph = next(part for part in told.split("\n\n") if part.startswith("dearer") and "far (cloud)" in part)
    witness = next(line.strip() for line in paragraph.splitlines() if line.strip().startswith("{"))
    for catalog in every_kind:
        done = aldo("route", "--request", "-", "--json", "--catalog", catalog, stdin=witness)
        outcome = json.loads(done.stdout)
        assert (done.returncode, outcome["model"]) == (0, "far")
        assert outcome["estimatedUsd"] in paragraph


def test_a_request_that_no_change_is_about_is_routed_alike(every_kind: tuple[str, str]) -> None:
    """What `changes` leaves out: here the class that only gains a reserve keeps its model and its price."""
    requests = [
        {"capabilityClass": "reasoning-medium", "privacy": tier} for tier in ("public", "internal", "sensitive")
    ]
    before, after = (routed(place, requests) for place in every_kind)
    for one, other in zip(before, after, strict=True):
        assert one.get("model") == other.get("model")
        assert one.get("estimatedUsd") == other.get("estimatedUsd")
