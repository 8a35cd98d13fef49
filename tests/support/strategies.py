"""Hypothesis strategies for catalogs and requests in which everything nearly collides.

Values are drawn from small pools around the request: contexts at the need and one off, budgets at a cost and
one 10^-12 USD off, equal prices and latencies, ids that only code points order, catalogs that lie.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from aldo.errors import NoEligibleModelError
from aldo.router import route
from aldo.schema import Catalog, RouteRequest
from tests.support.reference_router import Ask, Entry, Expected, chain, cost, decimal_string, reference_route

if TYPE_CHECKING:
    from aldo import Decision

PICO = Decimal("0.000000000001")
GHOST = "ghost-that-left-the-catalog"
IDS = ("a", "a-1", "a.1", "a1", "a:1", "A", "B", "b", "a-10", "a-2", "0", "9z", "Z", "aA", "Aa")
TAGS = ("tool-use", "vision", "house-tag")
VOCABULARY = {"capabilityClasses": ["house-class"], "capabilities": ["house-tag"]}
PRICES = ("0", "0", "0.000001", "0.5", "0.50", "3", Decimal("0.5"), Decimal("15.000003"), "99999.999999")
TIERS = ("public", "internal", "sensitive")

_HELD = ("fast-draft", "fast-draft", "fast-draft", "reasoning-small", "house-class")
_ASKED = (*_HELD, "embeddings")
_PROVIDES = (TAGS, TAGS, TAGS[:2], TAGS[1:], ("streaming",))
_ALLOWED = (TIERS, TIERS, TIERS, TIERS[:1], TIERS[2:], TIERS[:2], TIERS[1:])
_PLACES = ("local", "on-prem", "cloud", "cloud")
_SENSITIVE = (None, None, ("local",), ("local", "on-prem"), ("local", "on-prem", "cloud"), ("on-prem",))
_WITHIN = (None, None, None, ("local",), ("cloud",), ("local", "cloud"), ("cloud", "on-prem"))
_TOKENS_IN = (0, 1, 256, 333, 1_000_003)
_TOKENS_OUT = (0, 1, 7, 1024)
_REQUIRES = ((), (), (), TAGS[:1], TAGS[1:2], TAGS[2:], TAGS[:2])

Pick = Callable[[Sequence[Any]], Any]


@dataclass(frozen=True)
class Scenario:
    """Entries as a file holds them, the localities that may see sensitive text, and one request."""

    entries: tuple[Entry, ...]
    ask: Ask
    widened: tuple[str, ...] | None = None

    @property
    def sensitive(self) -> tuple[str, ...]:
        """The localities a sensitive request may reach."""
        return ("local",) if self.widened is None else self.widened

    @property
    def request(self) -> RouteRequest:
        return to_request(self.ask)

    def catalog(self) -> Catalog:
        """A fresh catalog value; nothing is shared between two calls."""
        return build_catalog(self.entries, self.widened)

    def entry(self, model: str) -> Entry:
        return next(entry for entry in self.entries if entry["id"] == model)

    def expected(self) -> Expected | None:
        return reference_route(self.entries, self.ask, self.sensitive)

    def asking(self, **changes: Any) -> Scenario:
        return replace(self, ask=self.ask.but(**changes))


def to_request(ask: Ask) -> RouteRequest:
    """The ask as the type under test."""
    return RouteRequest(**asdict(ask))


def build_catalog(entries: Sequence[Entry], widened: Sequence[str] | None = None) -> Catalog:
    """A catalog as its YAML would read; `routing` is left out when nothing is widened."""
    document: dict[str, Any] = {"apiVersion": "aldo/models.v1", "kind": "ModelCatalog"}
    document |= {"models": [dict(entry) for entry in entries], "vocabulary": VOCABULARY}
    if widened is not None:
        document["routing"] = {"sensitiveLocalities": list(widened)}
    return Catalog.model_validate(document)


def try_route(catalog: Catalog, request: RouteRequest) -> Decision | None:
    """The decision, or None where nothing is eligible; every other error passes through."""
    try:
        return route(catalog, request)
    except NoEligibleModelError:
        return None


def candidates(catalog: Catalog, request: RouteRequest) -> tuple[str, ...]:
    """The chosen model and its alternates, in order; empty when nothing is eligible."""
    decision = try_route(catalog, request)
    return () if decision is None else (decision.model, *decision.alternates)


def an_entry(pick: Pick, model: str, need: int, out: int) -> Entry:
    """One entry whose limits sit at, one below or one above what the request needs; a few hold one token."""
    optional = {
        "servedContextTokens": pick((None, None, None, need - 1, need, need + 9)),
        "maxOutputTokens": pick((None, None, None, out - 1, out, out + 1)),
        "latencyP95Ms": pick((None, 100, 100, 200)),
    }
    entry: Entry = {
        "id": model,
        "provider": "one",
        "providerKind": "openai-compat",
        "locality": pick(_PLACES),
        "capabilityClass": pick(_HELD),
        "provides": list(pick(_PROVIDES)),
        "privacyAllowed": list(pick(_ALLOWED)),
        "effectiveContextTokens": max(1, need + pick((0, 0, 1, 5000, 5000, 5000, -1, -need))),
        "cost": {"usdPerMtokIn": pick(PRICES), "usdPerMtokOut": pick(PRICES)},
    }
    entry |= {key: max(1, value) for key, value in optional.items() if value is not None}
    enabled = pick((None, None, None, True, True, False))
    return entry if enabled is None else entry | {"enabled": enabled}


def _an_ask(pick: Pick, ids: Sequence[str], tokens_in: int, out: int) -> Ask:
    names = (*ids, GHOST)
    fallbacks = tuple(pick(_ASKED) for _ in range(pick((0, 0, 1, 2, 3))))
    return Ask(
        capability_class=pick(_ASKED),
        privacy=pick(TIERS),
        fallback_classes=fallbacks,
        requires=pick(_REQUIRES),
        tokens_in=tokens_in,
        max_tokens_out=out,
        localities=pick(_WITHIN),
        pin=pick((*[None] * 5, pick(ids))),
        exclude=tuple(pick(names) for _ in range(pick((0, 0, 0, 1)))),
        down=tuple(pick(names) for _ in range(pick((0, 0, 0, 1, 2)))),
    )


def _a_budget(pick: Pick, entries: Sequence[Entry], ask: Ask) -> Decimal | None:
    """No budget, or one at the exact cost of some entry, or 10^-12 USD to either side."""
    step: int | None = pick((None, None, 0, 0, -1, 1))
    if step is None:
        return None
    exact = Decimal(decimal_string(cost(pick(entries), ask)))
    return max(Decimal(0), exact + step * PICO)


def compose(pick: Pick, ids: Sequence[str]) -> Scenario:
    """A scenario from any source of choices: Hypothesis draws or a seeded generator."""
    tokens_in, out = pick(_TOKENS_IN), pick(_TOKENS_OUT)
    entries = tuple(an_entry(pick, model, tokens_in + out, out) for model in ids)
    ask = _an_ask(pick, ids, tokens_in, out)
    return Scenario(entries, ask.but(budget_usd=_a_budget(pick, entries, ask)), pick(_SENSITIVE))


@st.composite
def scenarios(draw: st.DrawFn, min_entries: int = 1, max_entries: int = 7) -> Scenario:
    """Any scenario; a good part of them route, with ties."""
    ids = draw(st.lists(st.sampled_from(IDS), min_size=min_entries, max_size=max_entries, unique=True))
    return compose(lambda pool: draw(st.sampled_from(pool)), ids)


@st.composite
def routable(draw: st.DrawFn) -> Scenario:
    """A scenario eased, where it has to be, until at least one entry survives."""
    scenario = draw(scenarios(min_entries=2))
    if scenario.expected() is not None:
        return scenario
    kept = [{**entry, "enabled": True, "privacyAllowed": list(TIERS)} for entry in scenario.entries]
    first = kept[0] | {"locality": scenario.sensitive[0]}
    eased = {"requires": (), "budget_usd": None, "localities": None, "pin": None, "exclude": (), "down": ()}
    return replace(scenario, entries=(first, *kept[1:])).asking(
        **eased, tokens_in=0, max_tokens_out=1, capability_class=first["capabilityClass"]
    )


@st.composite
def unroutable(draw: st.DrawFn) -> Scenario:
    """A scenario whose every survivor is then put down or excluded."""
    scenario = draw(scenarios())
    ask = scenario.ask
    for entry in chain(scenario.entries, ask, scenario.sensitive):
        field = draw(st.sampled_from(("down", "exclude")))
        ask = ask.but(**{field: (*getattr(ask, field), entry["id"])})
    return replace(scenario, ask=ask)


def crowd(seed: int, size: int) -> tuple[Scenario, list[Ask]]:
    """A large catalog and forty requests for it, the same for the same seed."""
    rng = random.Random(seed)
    ids = [f"{rng.choice(IDS)}{rng.choice('-.:')}{number}" for number in range(size)]
    scenario = compose(rng.choice, ids)
    prices = [f"{rng.randrange(10**8) / 10**6:.6f}" for _ in range(size // 3)]
    for entry in scenario.entries:
        if rng.random() < 0.5:
            entry["cost"] = {"usdPerMtokIn": rng.choice(prices), "usdPerMtokOut": rng.choice(prices)}
        entry["effectiveContextTokens"] = rng.choice((1, 7, 8, 1024, 1280, 1281, 1357, 1_001_027, 2_000_000))
    asks = [_an_ask(rng.choice, ids, rng.choice(_TOKENS_IN), rng.choice(_TOKENS_OUT)) for _ in range(40)]
    return scenario, [ask.but(budget_usd=_a_budget(rng.choice, scenario.entries, ask)) for ask in asks]
