"""Small worlds to route in: catalogs of a few entries, pairs of them that differ a little, and requests for them."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from aldo.schema import Catalog
from tests.support.brute import (
    LOCALITIES,
    PLACES,
    TIERS,
    World,
    model_of,
    subsets,
)
from tests.support.reference_router import Ask, Entry, context
from tests.support.strategies import PICO

TAGS = ("tool-use", "vision")
CLASSES = ("fast-draft", "house-class")
VOCABULARY = ("word-a", "word-b")
IDS = ("a", "a-1", "B", "b", "Z")
PRICES = ("0", "0", "0.000001", "0.000002", "0.000003", "0.000001", "1")
SENSITIVE = (("local",), ("local",), ("local", "on-prem"), LOCALITIES, ("cloud",))


def fields(draw: st.DrawFn, largest: int) -> dict[str, Any]:
    """The routing facts of one entry; most are of one class and place, because those compete."""

    def pick(values: Sequence[Any]) -> Any:
        return draw(st.sampled_from(values))

    contexts = range(1, largest + 1)
    optional = {
        "servedContextTokens": pick((None, None, None, *contexts)),
        "maxOutputTokens": pick((None, None, None, *contexts)),
        "latencyP95Ms": pick((None, 1, 1, 1.5)),
        "enabled": pick((None, None, None, None, True, False)),
    }
    return {
        "locality": pick(("local", "local", *LOCALITIES)),
        "capabilityClass": pick((*CLASSES[:1] * 3, *CLASSES)),
        "provides": list(pick((TAGS, TAGS, *subsets(TAGS)[1:]))),
        "privacyAllowed": list(pick((TIERS, TIERS, TIERS, *subsets(TIERS)[1:]))),
        "effectiveContextTokens": pick(contexts),
        "cost": {side: pick(PRICES) for side in ("usdPerMtokIn", "usdPerMtokOut")},
    } | {name: value for name, value in optional.items() if value is not None}


@st.composite
def worlds(draw: st.DrawFn, largest: int = 5, most: int = 4) -> World:
    ids = draw(st.lists(st.sampled_from(IDS), min_size=1, max_size=most, unique=True))
    labels = {"provider": "one", "providerKind": "openai-compat"}
    entries = tuple({"id": name, **labels, **fields(draw, largest)} for name in ids)
    classes = draw(st.sampled_from(subsets(VOCABULARY)))
    return World(entries, draw(st.sampled_from(SENSITIVE)), classes)


@st.composite
def pairs(draw: st.DrawFn, largest: int = 5, most: int = 4) -> tuple[World, World]:
    """Two worlds; half of the time the second is the first with a few facts changed."""
    base, other = draw(worlds(largest, most)), draw(worlds(largest, most))
    if draw(st.booleans()):
        return base, other
    entries: dict[str, Entry] = {entry["id"]: dict(entry) for entry in base.entries}
    for change in other.entries:
        found = entries.get(change["id"])
        if found is None:
            if draw(st.booleans()):
                entries[change["id"]] = change
        elif draw(st.booleans()) and len(entries) > 1:
            del entries[change["id"]]
        else:
            name = draw(st.sampled_from(sorted(change.keys())))
            found[name] = change[name]
    sensitive = draw(st.sampled_from((base.sensitive, base.sensitive, other.sensitive)))
    return base, World(tuple(entries.values()), sensitive, draw(st.sampled_from((base.classes, other.classes))))


def catalog_of(world: World) -> Catalog:
    return Catalog.model_validate(world.document)


@st.composite
def asks(draw: st.DrawFn, base: World, head: World) -> Ask:
    """Any request without pin, exclude and down; fallbacks, unknown names and odd budgets included."""

    def pick(values: Sequence[Any]) -> Any:
        return draw(st.sampled_from(values))

    classes = (*CLASSES, *CLASSES, *VOCABULARY, "embeddings", "nobody-knows")
    room = max(base.largest, head.largest) + 1
    ask = Ask(
        pick(classes),
        pick(TIERS),
        fallback_classes=tuple(pick(classes) for _ in range(pick((0, 1, 1, 2, 3)))),
        requires=tuple(pick((*TAGS, *TAGS, "streaming", "no-such-tag")) for _ in range(pick((0, 0, 0, 1, 2)))),
        tokens_in=draw(st.integers(0, room)),
        max_tokens_out=draw(st.integers(0, room)),
        localities=pick(PLACES),
    )
    if draw(st.integers(1, 4)) > 1:
        ask = aimed_at(pick((*base.entries, *head.entries)), ask, draw)
    tokens_in, out = ask.tokens_in, ask.max_tokens_out
    entries = [model_of(entry) for entry in (*base.entries, *head.entries)]
    cost = pick(entries).cost(tokens_in, out)
    step = pick((None, None, 0, 0, -1, 1, Decimal("0.1"), Decimal("-0.1")))
    return ask if step is None else ask.but(budget_usd=max(Decimal(0), (cost + Decimal(step)) * PICO))


def aimed_at(entry: Entry, ask: Ask, draw: st.DrawFn) -> Ask:
    """The request turned to what one entry serves, mostly: as the first class or as a fallback."""
    room = context(entry)
    out = draw(st.integers(0, min(room, entry.get("maxOutputTokens", room))))
    wanted, others = entry["capabilityClass"], ask.fallback_classes
    return ask.but(
        **draw(
            st.sampled_from(
                (
                    {"capability_class": wanted},
                    {"capability_class": wanted, "fallback_classes": others[:1]},
                    {"fallback_classes": (wanted, *others)},
                    {"fallback_classes": (*others[:1], wanted)},
                    {"fallback_classes": (wanted,)},
                )
            )
        ),
        privacy=draw(st.sampled_from(entry["privacyAllowed"])),
        requires=draw(st.sampled_from(((), (), tuple(entry["provides"]), ask.requires))),
        tokens_in=draw(st.integers(0, room - out)),
        max_tokens_out=out,
        localities=draw(st.sampled_from((None, None, (entry["locality"],), ask.localities))),
    )


def priced(model: str, price_in: int, price_out: int, room: int, **more: Any) -> Entry:
    """An entry of whole prices in 10^-12 USD a token."""
    costs = {"usdPerMtokIn": Decimal(price_in).scaleb(-6), "usdPerMtokOut": Decimal(price_out).scaleb(-6)}
    return {
        "id": model,
        "provider": "one",
        "providerKind": "openai-compat",
        "locality": "local",
        "capabilityClass": "fast-draft",
        "provides": ["tool-use"],
        "privacyAllowed": ["public"],
        "effectiveContextTokens": room,
        "cost": costs,
    } | more


@st.composite
def long_pairs(draw: st.DrawFn) -> tuple[World, World]:
    """Contexts of millions, nearly parallel prices, ties, limits and places: one class and one tier."""
    rooms = (1_000_000, 1_000_001, 3_999_999, 10**12, draw(st.integers(1, 10**7)))
    steep = draw(st.integers(1, 10**6)), draw(st.integers(1, 10**6))
    worlds = []
    for _ in range(2):
        entries = []
        for name in draw(st.lists(st.sampled_from("abc"), min_size=1, max_size=3, unique=True)):
            times = draw(st.integers(0, 3))
            prices = (max(0, times * price + draw(st.integers(-1, 1))) for price in steep)
            limit = draw(st.sampled_from((None, None, 1, 1000, 999_999)))
            latency = draw(st.sampled_from((None, 1, 2)))
            more = {"maxOutputTokens": limit, "latencyP95Ms": latency}
            place = draw(st.sampled_from(("local", "local", "cloud")))
            entries.append(
                priced(name, *prices, draw(st.sampled_from(rooms)), locality=place)
                | {field: value for field, value in more.items() if value is not None}
            )
        worlds.append(World(tuple(entries)))
    return worlds[0], worlds[1]
