"""What `aldo.prove` must say, held to every request of small worlds and to exact counts in large ones."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from itertools import combinations, product
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

import aldo
from aldo.errors import AldoError, UnknownNameError
from aldo.schema import Catalog, RoutingPolicy
from aldo.schema.request import request_from_value
from tests.router.test_diff_laws import CLASSES, IDS, TAGS, asks, catalog_of, long_pairs, priced, worlds
from tests.support.brute import (
    LOCALITIES,
    TIERS,
    Model,
    World,
    chain_of,
    dearest,
    model_of,
    pico,
    ranked,
    sizes,
    subsets,
)
from tests.support.reference_router import Ask, Entry, context
from tests.support.strategies import to_request

When = dict[str, Any]


def listed(value: Any) -> tuple[Any, ...]:
    return tuple(value) if isinstance(value, (list, tuple)) else (value,)


def inside(value: Any, wanted: Any) -> bool:
    """Whether a number is the one that is wanted, or in the wanted range."""
    if not isinstance(wanted, Mapping):
        return bool(value == Fraction(wanted))
    return all(
        value >= Fraction(bound) if side == "atLeast" else value <= Fraction(bound) for side, bound in wanted.items()
    )


def is_meant(chooses: Mapping[str, Any], entry: Entry) -> bool:
    """Whether an entry has every fact that a statement names. A fact that it does not have is none."""

    def fact(name: str, wanted: Any) -> bool:
        if name == "cost":
            return all(inside(Fraction(entry["cost"][side]), value) for side, value in wanted.items())
        if name == "effectiveContextTokens":
            return inside(context(entry), wanted)
        if name == "maxOutputTokens" and entry.get(name) is None:
            return isinstance(wanted, Mapping) and set(wanted) == {"atLeast"}  # no limit is more than any
        if name in ("maxOutputTokens", "latencyP95Ms"):
            return entry.get(name) is not None and inside(Fraction(entry[name]), wanted)
        if name == "enabled":
            return bool(entry.get("enabled", True) == wanted)
        return not set(listed(entry[name])).isdisjoint(listed(wanted))

    return all(fact(name, wanted) for name, wanted in chooses.items())


NAMES = {
    "capabilityClass": "capability_class",
    "privacy": "privacy",
    "fallbackClasses": "fallback_classes",
    "requires": "requires",
    "tokensIn": "tokens_in",
    "maxTokensOut": "max_tokens_out",
    "budgetUsd": "budget_usd",
    "localities": "localities",
    "pin": "pin",
    "exclude": "exclude",
    "down": "down",
}


def is_asked(when: When, ask: Ask, never: bool) -> bool:
    """Whether a request is one that a statement speaks of; the losses that `survives` adds are not in it."""
    defaults = Ask("", "")
    for field, name in NAMES.items():
        value = getattr(ask, name)
        if field not in when:
            if not never and value != getattr(defaults, name):
                return False
        elif field in ("privacy", "capabilityClass"):
            if value not in listed(when[field]):
                return False
        elif field in ("tokensIn", "maxTokensOut"):
            if not inside(value, when[field]):
                return False
        elif field == "budgetUsd":
            if value is None or Fraction(value) != Fraction(when[field]):
                return False
        elif field == "fallbackClasses":
            if ask.classes()[1:] != Ask(ask.capability_class, "", tuple(when[field])).classes()[1:]:
                return False
        elif field in ("requires", "exclude", "down"):
            wanted = set(when[field])
            if not (wanted <= set(value) if never else wanted == set(value)):
                return False
        elif field == "pin":
            if value != when[field]:
                return False
        elif value is None or set(value) != set(when[field]):
            return False
    return True


def sized(when: When, world: World, never: bool) -> list[tuple[int, int]]:
    """The sizes that a statement speaks of, as far as any context goes and one token further."""
    defaults = {} if never else {"tokensIn": 256, "maxTokensOut": 1024}
    asked = defaults | when
    if never:
        every = sizes(world.largest)
    else:
        ends = [
            [*range(world.largest + 2), *_ends(asked[name], world.largest)] for name in ("tokensIn", "maxTokensOut")
        ]
        every = list(product(*ends))
    return sorted(
        {
            (tokens_in, out)
            for tokens_in, out in every
            if inside(tokens_in, asked.get("tokensIn", {})) and inside(out, asked.get("maxTokensOut", {}))
        }
    )


def _ends(wanted: Any, largest: int) -> list[int]:
    """One value beyond all contexts, where the statement has one: they are all answered alike."""
    if not isinstance(wanted, Mapping):
        return [wanted]
    return [wanted.get("atMost", max(largest + 2, wanted.get("atLeast", 0))), wanted.get("atLeast", 0)]


def fixed(when: When) -> dict[str, Any]:
    """The fields that are one value each."""
    names = ("localities", "pin", "exclude", "down")
    found: dict[str, Any] = {
        NAMES[name]: tuple(when[name]) if name != "pin" else when[name] for name in names if name in when
    }
    return found | ({"budget_usd": Decimal(when["budgetUsd"])} if "budgetUsd" in when else {})


def asked_never(when: When, world: World) -> Iterator[Ask]:
    """The requests of a `never` that admit the most: any other of its requests only loses candidates.

    So of localities, budget and pin the absent ones are none, and of exclude and down the fewest are taken.
    """
    known = sorted({*world.classes, *(entry["capabilityClass"] for entry in world.entries), *CLASSES} & world.known)
    fallbacks = [tuple(when["fallbackClasses"])] if "fallbackClasses" in when else [(), *((name,) for name in known)]
    wanted = set(when.get("requires", ()))
    sets = [tags for tags in subsets(TAGS) if wanted <= set(tags)]
    for tags, size in product(sets, sized(when, world, never=True)):
        for wanted_class, tier in product(
            listed(when.get("capabilityClass", known)), listed(when.get("privacy", TIERS))
        ):
            for others in fallbacks:
                yield Ask(wanted_class, tier, others, tags, *size, **fixed(when))


def asked_always(when: When, world: World) -> Iterator[Ask]:
    """The requests of an `always`, once for all the sizes beyond every context."""
    others = {"fallback_classes": tuple(when.get("fallbackClasses", ())), "requires": tuple(when.get("requires", ()))}
    for tokens_in, out in sized(when, world, never=False):
        for wanted, tier in product(listed(when["capabilityClass"]), listed(when["privacy"])):
            yield Ask(wanted, tier, tokens_in=tokens_in, max_tokens_out=out, **others, **fixed(when))


def verdict_never(world: World, statement: When) -> str:
    meant = {entry["id"] for entry in world.entries if is_meant(statement["chooses"], entry)}
    if not meant:
        return "vacuous"
    for ask in asked_never(statement.get("when", {}), world):
        if any(model.id in meant for model, _ in chain_of(world, ask) or ()):
            return "refuted"
    return "proven"


def breaks(world: World, statement: When, ask: Ask) -> bool:
    """Whether nobody is left for a request, or the one who is costs too much."""
    found = chain_of(world, ask)
    bound = statement.get("costsAtMost")
    return not found or (bound is not None and found[0][1] > pico(Decimal(bound)))


def outages(world: World, number: int) -> Iterator[tuple[str, ...]]:
    names = [entry["id"] for entry in world.entries]
    for lost in range(min(number, len(names)) + 1):
        yield from combinations(names, lost)


def verdict_always(world: World, statement: When) -> str:
    lost = list(outages(world, statement.get("survives", 0)))
    for ask in asked_always(statement["when"], world):
        if any(breaks(world, statement, ask.but(down=(*ask.down, *down))) for down in lost):
            return "refuted"
    return "proven"


# ---- statements


@st.composite
def amounts(draw: st.DrawFn, largest: int) -> Any:
    low, high = sorted((draw(st.integers(0, largest)), draw(st.integers(0, largest))))
    return draw(st.sampled_from((low, {"atLeast": low, "atMost": high}, {"atMost": low}, {"atLeast": low})))


def some(draw: st.DrawFn, values: Sequence[Any]) -> Any:
    """One of the values, or a list of them."""
    one = draw(st.sampled_from(values))
    more = draw(st.lists(st.sampled_from(values), min_size=1, max_size=3, unique=True))
    return draw(st.sampled_from((one, more)))


def conditions(draw: st.DrawFn, world: World, fields: Mapping[str, int]) -> When:
    """Some fields of a request; each is there in so many of ten statements."""
    ids = [entry["id"] for entry in world.entries]
    classes = sorted({*CLASSES, "embeddings"} & world.known)
    known = [tag for tag in TAGS if any(tag in entry["provides"] for entry in world.entries)]
    models = st.lists(st.sampled_from((*ids, "ghost")), max_size=2, unique=True)

    def cost() -> str:
        model, size = draw(st.sampled_from(world.entries)), draw(st.sampled_from(sizes(world.largest)))
        exact = model_of(model).cost(*size) + draw(st.integers(-1, 1))
        return f"{Decimal(max(0, exact)).scaleb(-12):f}"

    makers = {
        "capabilityClass": lambda: some(draw, classes),
        "privacy": lambda: some(draw, TIERS),
        "fallbackClasses": lambda: draw(st.lists(st.sampled_from(classes), max_size=2)),
        "requires": lambda: draw(st.lists(st.sampled_from(known or ["streaming"]), max_size=2)),
        "tokensIn": lambda: draw(amounts(world.largest + 1)),
        "maxTokensOut": lambda: draw(amounts(world.largest + 1)),
        "budgetUsd": cost,
        "localities": lambda: draw(st.lists(st.sampled_from(LOCALITIES), min_size=1, max_size=2, unique=True)),
        "pin": lambda: draw(st.sampled_from(ids)),
        "exclude": lambda: draw(models),
        "down": lambda: draw(models),
        "costsAtMost": cost,
    }
    return {name: makers[name]() for name, often in fields.items() if draw(st.integers(1, 10)) <= often}


IN_NEVER = {
    "capabilityClass": 4,
    "privacy": 5,
    "fallbackClasses": 3,
    "requires": 2,
    "tokensIn": 3,
    "maxTokensOut": 3,
    "budgetUsd": 2,
    "localities": 2,
    "pin": 1,
    "exclude": 2,
    "down": 2,
}
IN_ALWAYS = IN_NEVER | {"capabilityClass": 10, "privacy": 10, "tokensIn": 9, "maxTokensOut": 9, "budgetUsd": 1}

FILTERS = {"requires", "budgetUsd", "localities", "pin", "exclude", "down"}


@st.composite
def facts_named(draw: st.DrawFn, world: World) -> When:
    """Facts by which entries are meant, mostly those of an entry of the world."""
    entry = draw(st.sampled_from(world.entries))
    prices = st.sampled_from(("0", "0.000001", "0.000002", 1))
    makers: dict[str, Any] = {
        "id": lambda: some(draw, [entry["id"], *IDS]),
        "capabilityClass": lambda: some(draw, sorted({*CLASSES} & world.known)),
        "locality": lambda: some(draw, LOCALITIES),
        "provides": lambda: some(draw, TAGS),
        "privacyAllowed": lambda: some(draw, TIERS),
        "effectiveContextTokens": lambda: draw(amounts(6)),
        "maxOutputTokens": lambda: draw(amounts(6)),
        "latencyP95Ms": lambda: draw(st.sampled_from((1, {"atMost": 1}, {"atLeast": 2}, {"atLeast": 1, "atMost": 2}))),
        "cost": lambda: {
            side: draw(st.sampled_from((draw(prices), {"atLeast": draw(prices)}, {"atMost": draw(prices)})))
            for side in draw(st.sampled_from((("usdPerMtokIn",), ("usdPerMtokIn", "usdPerMtokOut"))))
        },
        "enabled": lambda: draw(st.booleans()),
    }
    if draw(st.booleans()):  # its own facts
        makers = {name: lambda name=name: entry[name] for name in makers if name in entry and entry[name] != 1.5}
    names = draw(st.lists(st.sampled_from(sorted(makers)), min_size=1, max_size=2, unique=True))
    return {name: makers[name]() for name in names}


@st.composite
def nevers(draw: st.DrawFn, world: World) -> When:
    statement: When = {"chooses": draw(facts_named(world))}
    when = conditions(draw, world, IN_NEVER)
    return statement | ({"when": when} if when or draw(st.booleans()) else {})


@st.composite
def always(draw: st.DrawFn, world: World) -> When:
    """Mostly about what some entry serves, so that a good part of them holds."""
    when = conditions(draw, world, IN_ALWAYS)
    entry = draw(st.sampled_from(world.entries))
    if draw(st.integers(1, 10)) <= 8:
        half = context(entry) // 2
        served = {
            "tokensIn": {"atMost": half},
            "maxTokensOut": {"atMost": min(half, entry.get("maxOutputTokens", half))},
        }
        when = {name: draw(st.sampled_from((value, value, served.get(name, value)))) for name, value in when.items()}
        when |= draw(st.sampled_from(({}, served, served)))
        when |= {"capabilityClass": entry["capabilityClass"], "privacy": draw(st.sampled_from(entry["privacyAllowed"]))}
        for name in draw(st.sampled_from(((), tuple(sorted(FILTERS)), tuple(sorted(FILTERS))))):
            when.pop(name, None)
    statement: When = {"when": when} | conditions(draw, world, {"costsAtMost": 5})
    lost = draw(st.sampled_from((0, 0, 1, 1, 2, 3)))
    return statement | ({"survives": lost} if lost or "costsAtMost" not in statement else {})


@st.composite
def cases(draw: st.DrawFn, kind: str, number: int = 4) -> tuple[World, list[When]]:
    """A small world and statements of one kind about it."""
    world = draw(worlds())
    statements = draw(st.lists({"never": nevers, "always": always}[kind](world), min_size=number, max_size=number))
    return world, [{"name": f"statement {at}"} | statement for at, statement in enumerate(statements)]


def proof_of(world: World, **statements: list[When]) -> tuple[Catalog, Any]:
    catalog = catalog_of(world)
    return catalog, aldo.prove(catalog, RoutingPolicy.model_validate(statements))


# ---- the verdicts


@settings(max_examples=100)
@given(cases("never"))
def test_a_never_is_refuted_exactly_when_some_request_has_it_chosen_or_alternate(
    case: tuple[World, list[When]],
) -> None:
    world, statements = case
    _, proof = proof_of(world, never=statements)
    said = {statement.name: statement.verdict for statement in proof.statements}
    assert said == {statement["name"]: verdict_never(world, statement) for statement in statements}
    assert proof.holds == (set(said.values()) == {"proven"})


@settings(max_examples=100)
@given(cases("always"))
def test_an_always_is_refuted_exactly_when_some_request_and_outage_breaks_it(case: tuple[World, list[When]]) -> None:
    world, statements = case
    _, proof = proof_of(world, always=statements)
    said = {statement.name: statement.verdict for statement in proof.statements}
    assert said == {statement["name"]: verdict_always(world, statement) for statement in statements}
    assert proof.holds == (set(said.values()) == {"proven"})


@settings(max_examples=150)
@given(cases("never"))
def test_the_witness_against_a_never_is_asked_and_chooses_what_it_may_not(case: tuple[World, list[When]]) -> None:
    world, statements = case
    catalog, proof = proof_of(world, never=statements)
    for statement, given_one in zip(proof.statements, statements, strict=True):
        assert statement.name == given_one["name"]
        assert (statement.witness is not None) == (statement.verdict == "refuted")
        if statement.witness is not None:
            decision = aldo.route(catalog, statement.witness)
            chain = (decision.model, *decision.alternates)
            assert any(is_meant(given_one["chooses"], entry) for entry in world.entries if entry["id"] in chain)
            assert is_asked(given_one.get("when", {}), Ask.of(statement.witness), never=True)


@settings(max_examples=150)
@given(cases("always"))
def test_the_witness_against_an_always_is_asked_and_breaks_it(case: tuple[World, list[When]]) -> None:
    """Its `down` holds what the statement says and no more models than it must survive."""
    world, statements = case
    catalog, proof = proof_of(world, always=statements)
    for statement, given_one in zip(proof.statements, statements, strict=True):
        assert statement.name == given_one["name"]
        assert (statement.witness is not None) == (statement.verdict == "refuted")
        if statement.witness is not None:
            ask, when = Ask.of(statement.witness), given_one["when"]
            said = set(when.get("down", ()))
            assert said <= set(ask.down)
            assert len(set(ask.down) - said) <= given_one.get("survives", 0)
            assert is_asked(when, ask.but(down=tuple(said)), never=False)
            assert breaks(world, given_one, ask)
            try:
                usd = aldo.route(catalog, statement.witness).estimated_usd
            except aldo.NoEligibleModelError:
                continue
            assert Decimal(usd) > Decimal(given_one["costsAtMost"])


@settings(max_examples=60)
@given(cases("never", 3), st.data())
def test_no_request_breaks_a_never_that_is_proven(case: tuple[World, list[When]], data: st.DataObject) -> None:
    """Nor with any pin, losses, places and budget that the statement leaves open."""
    world, statements = case
    catalog, proof = proof_of(world, never=statements)
    ids = (*(entry["id"] for entry in world.entries), "ghost")
    for statement, given_one in zip(proof.statements, statements, strict=True):
        if statement.verdict != "proven":
            continue
        when = given_one.get("when", {})
        for ask in data.draw(st.lists(asks(world, world), min_size=10, max_size=10)):
            lists = {name: (*getattr(ask, name), *when.get(name, ())) for name in ("requires", "exclude", "down")}
            ask = ask.but(
                **lists | fixed({name: value for name, value in when.items() if name not in lists}),
                capability_class=data.draw(st.sampled_from(listed(when.get("capabilityClass", ask.capability_class)))),
                privacy=data.draw(st.sampled_from(listed(when.get("privacy", ask.privacy)))),
                fallback_classes=tuple(when.get("fallbackClasses", ask.fallback_classes)),
            )
            lost = tuple(data.draw(st.lists(st.sampled_from(ids), max_size=2)))
            ask = ask.but(down=(*ask.down, *lost), pin=ask.pin or data.draw(st.sampled_from((None, None, *ids[:-1]))))
            tokens_in, out = data.draw(st.sampled_from(sized(when, world, never=True) or [(0, 0)]))
            ask = ask.but(tokens_in=tokens_in, max_tokens_out=out)
            if not is_asked(when, ask, never=True):
                continue
            try:
                decision = aldo.route(catalog, to_request(ask))
            except AldoError:
                continue
            chain = (decision.model, *decision.alternates)
            assert not any(is_meant(given_one["chooses"], entry) for entry in world.entries if entry["id"] in chain)


@settings(max_examples=60)
@given(cases("always"))
def test_the_order_of_the_file_changes_no_verdict(case: tuple[World, list[When]]) -> None:
    world, statements = case
    _, proof = proof_of(world, always=statements)
    turned = World(tuple(reversed(world.entries)), world.sensitive, world.classes)
    _, again = proof_of(turned, always=list(reversed(statements)))
    assert {(s.name, s.verdict, s.witness) for s in again.statements} == {
        (s.name, s.verdict, s.witness) for s in proof.statements
    }
    assert {row[:2]: row for row in again.redundancy} == {row[:2]: row for row in proof.redundancy}


# ---- what can be said by one catalog


def one(model: str = "a", **more: Any) -> Entry:
    return priced(model, 1, 1, 10) | {"privacyAllowed": list(TIERS)} | more


def verdict(world: World, **statements: list[When]) -> str:
    _, proof = proof_of(world, **statements)
    (statement,) = proof.statements
    return str(statement.verdict)


def never_of(chooses: When, **when: Any) -> dict[str, list[When]]:
    return {"never": [{"name": "x", "when": when, "chooses": chooses}]}


def always_of(when: When, **what: Any) -> dict[str, list[When]]:
    asked = {"capabilityClass": "fast-draft", "privacy": "public"} | when
    return {"always": [{"name": "x", "when": asked, **what}]}


SMALL = {"tokensIn": 4, "maxTokensOut": 4}


def test_a_class_is_left_by_a_fallback_unless_the_statement_says_none() -> None:
    world = World((one(), one("b", capabilityClass="embeddings")))
    statement = never_of({"capabilityClass": "embeddings"}, capabilityClass="fast-draft")
    assert verdict(world, **statement) == "refuted"
    assert verdict(world, **never_of({"id": "b"}, capabilityClass="fast-draft", fallbackClasses=[])) == "proven"
    assert verdict(world, **never_of({"id": "b"}, fallbackClasses=["embeddings"])) == "refuted"
    assert verdict(world, **never_of({"id": "b"}, fallbackClasses=["fast-draft"])) == "refuted"
    later = never_of({"id": "b"}, capabilityClass="fast-draft", fallbackClasses=["coding-frontier"])
    assert verdict(world, **later) == "proven"


def test_an_alternate_refutes_a_never_as_the_chosen_does() -> None:
    world = World((one(), one("b", locality="cloud")))
    when = {"privacy": "public", "localities": ["local", "cloud"], **SMALL}
    assert verdict(world, **never_of({"locality": "cloud"}, **when)) == "refuted"


def test_what_a_wrong_catalog_claims_of_sensitive_requests_is_proven_never_to_happen() -> None:
    cloud = one("b", locality="cloud")
    statement = never_of({"locality": ["on-prem", "cloud"]}, privacy=["sensitive"])
    assert verdict(World((one(), cloud)), **statement) == "proven"
    assert verdict(World((one(), cloud), ("local", "cloud")), **statement) == "refuted"


def test_nothing_that_is_meant_or_nothing_that_is_asked_is_vacuous_and_fails() -> None:
    world = World((one(),))
    for statement in (
        never_of({"locality": "cloud"}),
        never_of({"id": "a"}, tokensIn={"atLeast": 5, "atMost": 4}),
        always_of({"tokensIn": {"atLeast": 5, "atMost": 4}, "maxTokensOut": 1}, survives=0),
    ):
        try:
            assert verdict(world, **statement) == "vacuous"
        except ValidationError:
            continue  # refusing the policy is as good
        assert not proof_of(world, **statement)[1].holds


def test_a_disabled_entry_is_meant_and_never_chosen() -> None:
    world = World((one(), one("off", enabled=False)))
    assert verdict(world, **never_of({"id": "off"})) == "proven"
    assert verdict(world, **never_of({"enabled": False})) == "proven"
    assert verdict(world, **never_of({"enabled": True})) == "refuted"


@pytest.mark.parametrize("wanted", [2.5, {"atLeast": 2.5}, {"atMost": 2.5}, {"atLeast": 2, "atMost": 2.75}])
def test_a_latency_is_named_as_exactly_as_a_catalog_may_state_it(wanted: Any) -> None:
    world = World((one(latencyP95Ms=2.5), one("b", latencyP95Ms=3), one("c")))
    assert verdict(world, **never_of({"latencyP95Ms": wanted, "id": ["a"]})) == "refuted"
    assert verdict(world, **never_of({"latencyP95Ms": wanted, "id": ["c"]})) == "vacuous"


def test_an_always_takes_the_defaults_of_a_request() -> None:
    """256 tokens in and 1024 out."""
    exact = World((one(effectiveContextTokens=1280),))
    assert verdict(exact, **always_of({}, costsAtMost="0.00000000128")) == "proven"
    assert verdict(exact, **always_of({}, costsAtMost="0.000000001279")) == "refuted"
    assert verdict(World((one(effectiveContextTokens=1279),)), **always_of({}, survives=0)) == "refuted"


def test_sizes_that_nobody_takes_refute_an_always_and_prove_a_never() -> None:
    world = World((one(),))
    assert verdict(world, **always_of({"tokensIn": 10, "maxTokensOut": 0}, survives=0)) == "proven"
    assert verdict(world, **always_of({"tokensIn": 11, "maxTokensOut": 0}, survives=0)) == "refuted"
    assert verdict(world, **always_of({"tokensIn": {"atLeast": 0}, "maxTokensOut": 0}, survives=0)) == "refuted"
    assert verdict(world, **never_of({"id": "a"}, tokensIn={"atLeast": 11})) == "proven"
    assert verdict(world, **never_of({"id": "a"}, tokensIn={"atLeast": 10})) == "refuted"
    assert verdict(world, **never_of({"id": "a"}, tokensIn=5, maxTokensOut={"atLeast": 6})) == "proven"


def test_a_bound_holds_under_the_outages_that_are_to_be_survived() -> None:
    world = World((one(), one("b", cost={"usdPerMtokIn": 1, "usdPerMtokOut": 1})))
    cheap = {"costsAtMost": "0.000000000008"}
    assert verdict(world, **always_of(SMALL, **cheap)) == "proven"
    assert verdict(world, **always_of(SMALL, survives=0, **cheap)) == "proven"
    assert verdict(world, **always_of(SMALL, survives=1)) == "proven"
    assert verdict(world, **always_of(SMALL, survives=1, **cheap)) == "refuted"
    assert verdict(world, **always_of(SMALL, survives=1, costsAtMost="0.000008")) == "proven"
    assert verdict(world, **always_of(SMALL | {"down": ["b"]}, survives=1)) == "refuted"
    assert verdict(world, **always_of(SMALL | {"exclude": ["b"]}, survives=1)) == "refuted"
    assert verdict(world, **always_of(SMALL, survives=2)) == "refuted"


def test_an_outage_in_the_nearer_place_makes_a_request_dearer_or_cheaper() -> None:
    """Locality comes before cost: losing the dear local model makes it cheaper, so the bound breaks without it."""
    dear, cheap = one("a", cost={"usdPerMtokIn": 1, "usdPerMtokOut": 1}), one("b", locality="cloud")
    statement = always_of(SMALL, survives=1, costsAtMost="0.000000000008")
    _, proof = proof_of(World((dear, cheap)), **statement)
    (found,) = proof.statements
    assert found.verdict == "refuted"
    assert found.witness.down == ()


@pytest.mark.parametrize(
    "policy",
    [
        {"never": [{"name": "x", "chooses": {"vendor": "a"}}]},
        {"never": [{"name": "x", "chooses": {"provider": "one"}}]},
        {"never": [{"name": "x", "when": {"tier": "public"}, "chooses": {"id": "a"}}]},
        {"never": [{"name": "x", "when": {"privacy": "secret"}, "chooses": {"id": "a"}}]},
        {"never": [{"name": "x", "when": {"tokensIn": {"least": 1}}, "chooses": {"id": "a"}}]},
        {"never": [{"name": "x"}]},
        {"never": [{"chooses": {"id": "a"}}]},
        {"always": [{"name": "x", "when": {"capabilityClass": "fast-draft", "privacy": "public"}}]},
        {"always": [{"name": "x", "when": {"capabilityClass": "fast-draft"}, "survives": 1}]},
        {"always": [{"name": "x", "when": {"privacy": "public"}, "survives": 1}]},
        {"always": [{"name": "x", "when": {"capabilityClass": "fast-draft", "privacy": "public"}, "survives": -1}]},
        {"always": [{"name": "x", "when": {"capabilityClass": "fast-draft", "privacy": "public"}, "costsAtMost": -1}]},
        {"sometimes": []},
        {"kind": "ModelCatalog", "never": []},
    ],
)
def test_a_policy_that_says_what_is_unknown_is_refused(policy: dict[str, Any]) -> None:
    with pytest.raises((ValidationError, AldoError)):
        RoutingPolicy.model_validate(policy)


@pytest.mark.parametrize(
    "statement",
    [
        never_of({"id": "a"}, capabilityClass="fast-drafd"),
        never_of({"id": "a"}, fallbackClasses=["fast-drafd"]),
        never_of({"capabilityClass": "fast-drafd"}),
        always_of({"capabilityClass": "fast-drafd"}, survives=0),
        always_of({"fallbackClasses": ["fast-drafd"]}, survives=0),
    ],
)
def test_a_statement_about_a_class_that_does_not_exist_is_an_error_that_names_the_nearest(
    statement: dict[str, list[When]],
) -> None:
    with pytest.raises(UnknownNameError, match="fast-draft"):
        proof_of(World((one(),)), **statement)


# ---- whole tokens


@settings(max_examples=150)
@given(worlds(largest=6), st.data())
def test_counting_finds_the_dearest_choice_that_trying_finds(world: World, data: st.DataObject) -> None:
    """The oracle for large sizes against the one for small ones."""
    models = [model for model in world.enabled if model.wanted == "fast-draft"]
    sides = tuple(
        tuple(sorted((data.draw(st.integers(0, 6)), data.draw(st.integers(0, 6))))) for _ in ("tokens in", "tokens out")
    )
    bound = data.draw(st.integers(0, 20))
    firsts = [ranked(models, x, y)[:1] for x, y in product(*(range(low, high + 1) for low, high in sides))]
    tried = any(not first or first[0][1] > bound for first in firsts)
    assert dearest(models, bound, sides) == tried  # type: ignore[arg-type]


def smallest_bound(models: Sequence[Model], sides: Sequence[tuple[int, int]], lost: int) -> int:
    """The least 10^-12 USD that no choice exceeds, whichever models are down."""
    low, high = -1, 10**30
    left = [rest for number in range(lost + 1) for rest in combinations(models, len(models) - number)]
    while high - low > 1:
        middle = (low + high) // 2
        if any(dearest(rest, middle, sides) for rest in left):
            low = middle
        else:
            high = middle
    return high


@settings(max_examples=25)
@given(long_pairs(), st.integers(0, 1), st.data())
def test_a_bound_is_proven_to_the_last_pico_dollar_over_millions_of_sizes(
    pair: tuple[World, World], lost: int, data: st.DataObject
) -> None:
    """The dearest request of a range lies between two whole tokens of the real crossing, and is found there."""
    world = pair[0]
    models = world.cell("fast-draft", "public")
    assume(len(models) > lost)
    room = sorted(model.context for model in models)[-1 - lost]
    most_in = data.draw(st.integers(0, room))
    most_out = data.draw(st.integers(0, room - most_in))
    sides = ((data.draw(st.integers(0, most_in)), most_in), (data.draw(st.integers(0, most_out)), most_out))
    bound = smallest_bound(models, sides, lost)
    when = {
        name: {"atLeast": low, "atMost": high}
        for name, (low, high) in zip(("tokensIn", "maxTokensOut"), sides, strict=True)
    }
    if bound == 10**30:  # an output limit leaves some of the sizes to nobody
        assert verdict(world, **always_of(when, survives=lost)) == "refuted"
        return
    usd, less = (f"{Decimal(max(0, amount)).scaleb(-12):f}" for amount in (bound, bound - 1))
    assume(Decimal(usd) <= 10**9)
    assert verdict(world, **always_of(when, survives=lost)) == "proven"
    assert verdict(world, **always_of(when, survives=lost, costsAtMost=usd)) == "proven"
    if bound:
        statement = always_of(when, survives=lost, costsAtMost=less)
        _, proof = proof_of(world, **statement)
        (found,) = proof.statements
        assert found.verdict == "refuted"
        ask = Ask.of(found.witness)
        assert is_asked(statement["always"][0]["when"], ask.but(down=()), never=False)
        assert len(ask.down) <= lost
        assert breaks(world, statement["always"][0], ask)


# ---- redundancy and the built-in statements


def is_served(catalog: Catalog, wanted: str, tier: str, down: Sequence[str]) -> bool:
    ask = Ask(wanted, tier, tokens_in=0, max_tokens_out=0, down=tuple(down))
    try:
        aldo.route(catalog, to_request(ask))
    except aldo.NoEligibleModelError:
        return False
    return True


@settings(max_examples=100)
@given(worlds(most=5))
def test_a_row_of_redundancy_is_what_really_putting_models_down_shows(world: World) -> None:
    """With as many down as are survived somebody is left, whoever they are; with the models of the row nobody is."""
    catalog = catalog_of(world)
    rows = {(row.capability_class, row.privacy): row for row in aldo.prove(catalog).redundancy}
    for wanted in {model.wanted for model in world.enabled}:
        for tier in TIERS:
            cell = sorted(model.id for model in world.cell(wanted, tier))
            row = rows.pop((wanted, tier), None)
            if row is None:
                assert not cell
                continue
            assert sorted(row.models) == cell
            assert row.survives == len(cell) - 1
            assert not is_served(catalog, wanted, tier, row.models)
            if cell:
                assert all(is_served(catalog, wanted, tier, down) for down in combinations(cell, row.survives))
    assert all(not row.models for row in rows.values())


@settings(max_examples=100)
@given(worlds(most=5), st.integers(0, 3))
def test_the_built_in_statements_break_where_an_outage_empties_a_cell(world: World, lost: int) -> None:
    """Vacuous ones do not fail; a refuted one shows a request and at most so many models down."""
    catalog = catalog_of(world)
    proof = aldo.prove(catalog, outages=lost)
    assert proof.statements
    assert proof.holds == all(statement.verdict != "refuted" for statement in proof.statements)
    if any(0 <= row.survives < lost for row in proof.redundancy):
        assert not proof.holds
    for statement in proof.statements:
        assert statement.verdict in ("proven", "refuted", "vacuous")
        assert (statement.witness is not None) == (statement.verdict == "refuted")
        if statement.witness is not None:
            ask = Ask.of(statement.witness)
            assert len(set(ask.down)) <= lost
            if ask.down:
                assert not chain_of(world, ask)
                assert chain_of(world, ask.but(down=()))


@settings(max_examples=30)
@given(cases("always"))
def test_the_json_of_a_proof_holds_requests_that_can_be_asked_again(case: tuple[World, list[When]]) -> None:
    world, statements = case
    _, proof = proof_of(world, always=statements)
    document = json.loads(json.dumps(proof.to_dict()))
    assert document["version"] == 1
    assert [(s["name"], s["verdict"]) for s in document["statements"]] == [
        (s.name, s.verdict) for s in proof.statements
    ]
    for row, statement in zip(document["statements"], proof.statements, strict=True):
        if statement.witness is None:
            assert row.get("witness") is None
        else:
            assert request_from_value(row["witness"]) == statement.witness
    assert [(r["capabilityClass"], r["privacy"], r["models"], r["survives"]) for r in document["redundancy"]] == [
        (r.capability_class, r.privacy, list(r.models), r.survives) for r in proof.redundancy
    ]
