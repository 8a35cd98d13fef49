"""Statements about small worlds, drawn or written down, and what `aldo.prove` says of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

import aldo
from aldo.schema import Catalog, RoutingPolicy
from tests.router.small_worlds import CLASSES, IDS, TAGS, catalog_of, priced, worlds
from tests.router.verdicts import When
from tests.support.brute import (
    LOCALITIES,
    TIERS,
    World,
    model_of,
    sizes,
)
from tests.support.reference_router import Entry, context


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
