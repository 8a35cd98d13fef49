"""What a proof says of its statements: names, verdicts, words and witnesses, of the built-in ones and of a policy's."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

import aldo
from aldo.errors import UnknownNameError
from aldo.schema import Catalog, RoutingPolicy
from aldo.schema.proof import Statement
from tests.support.entries import entry
from tests.support.reference_router import LOCALITIES, Entry
from tests.support.strategies import TIERS, Scenario, build_catalog, scenarios, try_route

ALLOWED = "a tier reaches only the models that allow it"


def cell(scenario: Scenario, wanted: str, tier: str) -> tuple[str, ...]:
    """Who may serve a class and tier at all, by id."""
    return tuple(sorted(one["id"] for one in scenario.entries if may_serve(one, wanted, tier, scenario.sensitive)))


def may_serve(one: Entry, wanted: str, tier: str, sensitive: tuple[str, ...]) -> bool:
    cleared = tier in one["privacyAllowed"] and (tier != "sensitive" or one["locality"] in sensitive)
    return bool(one.get("enabled", True) and cleared and one["capabilityClass"] == wanted)


def cells(scenario: Scenario) -> list[tuple[str, str, tuple[str, ...]]]:
    classes = sorted({one["capabilityClass"] for one in scenario.entries})
    return [(name, tier, cell(scenario, name, tier)) for name in classes for tier in TIERS]


@settings(max_examples=150)
@given(scenarios())
def test_the_built_in_statements_hold_or_have_nothing_to_say(scenario: Scenario) -> None:
    """A router that keeps its word refutes neither; which places are meant is said in the order of their ranks."""
    proof = aldo.prove(scenario.catalog())
    places = [place for place in LOCALITIES if place in scenario.sensitive]
    stay = f"sensitive requests stay in {' and '.join(places)}"
    out = any(one["locality"] not in places for one in scenario.entries)
    lacking = any(set(TIERS) - set(one["privacyAllowed"]) for one in scenario.entries)
    assert proof.statements == (
        Statement(stay, "proven") if out else Statement(stay, "vacuous", None, "every entry is there", True),
        Statement(ALLOWED, "proven")
        if lacking
        else Statement(ALLOWED, "vacuous", None, "every model allows every tier", True),
    )
    assert proof.built_in
    assert proof.holds


@settings(max_examples=150)
@given(scenarios())
def test_the_rows_are_the_cells_by_class_and_tier(scenario: Scenario) -> None:
    rows = aldo.prove(scenario.catalog()).redundancy
    assert [tuple(row) for row in rows] == cells(scenario)


@settings(max_examples=200)
@given(scenarios(), st.integers(1, 3))
def test_outages_are_proven_or_refuted_at_the_cell_with_the_fewest_models(scenario: Scenario, outages: int) -> None:
    *_, told = aldo.prove(scenario.catalog(), outages=outages).statements
    event(told.verdict)
    name = f"every class and tier that has a model has one left with any {outages} down"
    served = [row for row in cells(scenario) if row[2]]
    short = sorted((row for row in served if len(row[2]) <= outages), key=lambda row: len(row[2]))
    if not served:
        assert told == Statement(name, "vacuous", None, "no class and tier has a model", True)
    elif not short:
        assert told == Statement(name, "proven")
    else:
        (wanted, tier, models), *rest = short
        more = f" (nor can {'; '.join(f'{other}, {its}' for other, its, _ in rest)} lose as many)" if rest else ""
        assert told.detail == f"nothing is left for {wanted}, {tier}{more}"
        assert (told.name, told.verdict, told.may_be_vacuous) == (name, "refuted", False)
        witness = told.witness
        assert witness is not None
        assert (witness.capability_class, witness.privacy, witness.down) == (wanted, tier, models)
        assert try_route(scenario.catalog(), witness) is None
        assert try_route(scenario.catalog(), witness.model_copy(update={"down": ()})) is not None


def test_a_witness_of_an_outage_keeps_its_sizes_where_somebody_takes_them() -> None:
    for context, sizes in ((100_000, (256, 1024)), (9, (0, 0))):
        catalog = build_catalog([entry("only", effectiveContextTokens=context)])
        *_, told = aldo.prove(catalog, outages=1).statements
        assert told.witness is not None
        assert (told.witness.tokens_in, told.witness.max_tokens_out) == sizes


CATALOG = build_catalog([entry("near", locality="local"), entry("far"), entry("tall", capabilityClass="embeddings")])


def statement(catalog: Catalog, **said: Any) -> Statement:
    (told,) = aldo.prove(catalog, RoutingPolicy.model_validate(said)).statements
    return told


def never(**more: Any) -> Statement:
    return statement(CATALOG, never=[{"name": "no", "when": {"privacy": "public"}} | more])


@pytest.mark.parametrize("allowed", [False, True])
@pytest.mark.parametrize(
    ("chooses", "hint"),
    [
        ({"id": "fra"}, "; did you mean 'far'?"),
        ({"id": ["nea", "fa"]}, "; did you mean 'near' or 'far'?"),
        ({"id": "qqqqqq"}, ""),
        ({"id": "far", "locality": "local"}, ""),
        ({"locality": "on-prem"}, ""),
    ],
)
def test_a_never_that_means_no_entry_says_so_and_what_may_have_been_meant(
    chooses: dict[str, Any], hint: str, allowed: bool
) -> None:
    detail = f"no entry of the catalog is one that it speaks of{hint}"
    assert never(chooses=chooses, allowVacuous=allowed) == Statement("no", "vacuous", None, detail, allowed)


@pytest.mark.parametrize("kind", ["never", "always"])
@pytest.mark.parametrize("field", ["tokensIn", "maxTokensOut"])
def test_sizes_that_end_below_their_start_are_those_of_no_request(kind: str, field: str) -> None:
    when = {"privacy": "public", "capabilityClass": "fast-draft", field: {"atLeast": 5, "atMost": 4}}
    told = statement(CATALOG, **{kind: [{"name": "none", "when": when, "chooses": {"id": "far"}}]})
    detail = f"no request is one that it speaks of: {field} ends below its start"
    assert told == Statement("none", "vacuous", None, detail, False)


@settings(max_examples=100)
@given(scenarios())
def test_a_refuted_never_says_who_serves_its_witness_where_and_in_which_role(scenario: Scenario) -> None:
    catalog = scenario.catalog()
    for tier in TIERS:
        for place in LOCALITIES:
            told = statement(catalog, never=[{"name": "no", "when": {"privacy": tier}, "chooses": {"locality": place}}])
            if told.verdict == "refuted":
                assert told.witness is not None
                decision = aldo.route(catalog, told.witness)
                names = [name for name in (decision.model, *decision.alternates) if f"{name} (" in told.detail]
                role = "is chosen" if decision.model in names else "is an alternate"
                event(role)
                assert told.detail in [f"{name} ({place}) {role}" for name in names]


WHEN = {"privacy": "public", "capabilityClass": "fast-draft"}


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ({"when": {"capabilityClass": "fast-drat"}}, "class"),
        ({"when": {"fallbackClasses": ["fast-drat"]}}, "class"),
        ({"when": {"requires": ["visio"]}}, "capability"),
        ({"when": {"pin": "nera"}}, "model"),
        ({"chooses": {"capabilityClass": "fast-drat"}}, "class"),
        ({"chooses": {"provides": "visio"}}, "capability"),
        ({"chooses": {"lacks": "visio"}}, "capability"),
    ],
)
@pytest.mark.parametrize("sort", ["never", "always"])
def test_a_name_that_nobody_knows_is_told_with_its_statement(sort: str, said: dict[str, Any], kind: str) -> None:
    whole = {"name": "mine", "when": {**WHEN, **said.get("when", {})}}
    whole["chooses"] = said.get("chooses", {"locality": "cloud"})
    with pytest.raises(UnknownNameError) as raised:
        statement(CATALOG, **{sort: [whole]})
    assert raised.value.what == kind
    assert raised.value.suggestions
    assert "the statement 'mine'" in str(raised.value)
