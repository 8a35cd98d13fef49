"""What a statement about a small world must be found to be: every request is tried."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from fractions import Fraction
from itertools import combinations, product
from typing import Any

from tests.router.small_worlds import CLASSES, TAGS
from tests.support.brute import (
    TIERS,
    World,
    chain_of,
    pico,
    sizes,
    subsets,
)
from tests.support.reference_router import Ask, Entry, context

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
