"""Oracles for proof and difference: every request of a small world, and exact counts of whole-token sizes.

The small world is enumerated; what is too large for that (contexts of millions) is decided by counting lattice
points. The tests hold the two against each other and against the reference router. Nothing of `aldo` may be
imported here.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from itertools import chain as joined
from itertools import combinations, pairwise
from math import ceil, floor, inf
from typing import Any, NamedTuple

from tests.support.reference_router import LOCALITIES, Ask, Entry, context

TIERS = ("public", "internal", "sensitive")
BUILT_IN_CLASSES = (
    "reasoning-large",
    "reasoning-medium",
    "reasoning-small",
    "local-reasoning",
    "fast-draft",
    "coding-frontier",
    "embeddings",
)


def subsets(items: Sequence[str]) -> list[tuple[str, ...]]:
    """All of them, the empty one first."""
    return list(joined.from_iterable(combinations(items, size) for size in range(len(items) + 1)))


PLACES: tuple[tuple[str, ...] | None, ...] = (None, *subsets(LOCALITIES)[1:])
"""Every value of a request's localities."""


class Model(NamedTuple):
    """An enabled entry in whole numbers: prices in 10^-12 USD a token, its place as its rank."""

    id: str
    wanted: str
    provides: frozenset[str]
    tiers: frozenset[str]
    place: int
    context: int
    limit: float
    price_in: int
    price_out: int
    tie: tuple[float, str]

    def cost(self, tokens_in: int, out: int) -> int:
        return tokens_in * self.price_in + out * self.price_out

    def fits(self, tokens_in: int, out: int) -> bool:
        return tokens_in + out <= self.context and out <= self.limit


def model_of(entry: Entry) -> Model:
    latency, limit = entry.get("latencyP95Ms"), entry.get("maxOutputTokens")
    prices = [Fraction(entry["cost"][side]) * 10**6 for side in ("usdPerMtokIn", "usdPerMtokOut")]
    assert all(price.denominator == 1 for price in prices)
    return Model(
        entry["id"],
        entry["capabilityClass"],
        frozenset(entry["provides"]),
        frozenset(entry["privacyAllowed"]),
        LOCALITIES.index(entry["locality"]),
        context(entry),
        inf if limit is None else limit,
        int(prices[0]),
        int(prices[1]),
        (inf if latency is None else latency, entry["id"]),
    )


@dataclass(frozen=True)
class World:
    """One side of a difference, as plain values."""

    entries: tuple[Entry, ...]
    sensitive: tuple[str, ...] = ("local",)
    classes: tuple[str, ...] = ()
    """Classes that stand in the vocabulary alone."""

    @property
    def document(self) -> dict[str, Any]:
        """The catalog in its camelCase form."""
        return {
            "models": [dict(entry) for entry in self.entries],
            "routing": {"sensitiveLocalities": list(self.sensitive)},
            "vocabulary": {"capabilityClasses": list(self.classes), "capabilities": []},
        }

    @cached_property
    def enabled(self) -> tuple[Model, ...]:
        return tuple(model_of(entry) for entry in self.entries if entry.get("enabled", True))

    @property
    def largest(self) -> int:
        return max(context(entry) for entry in self.entries)

    @cached_property
    def known(self) -> frozenset[str]:
        """The classes that a request may name."""
        return frozenset((*BUILT_IN_CLASSES, *self.classes, *(entry["capabilityClass"] for entry in self.entries)))

    def cell(self, wanted: str, tier: str, requires: Collection[str] = ()) -> list[Model]:
        """Who serves a class and a tier and provides what is required, whatever the sizes."""
        return [
            model
            for model in self.enabled
            if model.wanted == wanted
            and tier in model.tiers
            and (tier != "sensitive" or LOCALITIES[model.place] in self.sensitive)
            and model.provides.issuperset(requires)
        ]


def pico(usd: Decimal) -> int:
    """Whole 10^-12 USD in an amount; what is less than one buys nothing."""
    return floor(Fraction(usd) * 10**12)


def ranked(models: Iterable[Model], tokens_in: int, out: int) -> list[tuple[Model, int]]:
    """Those that take the sizes with their costs, best first."""
    found = [(model, model.cost(tokens_in, out)) for model in models if model.fits(tokens_in, out)]
    return sorted(found, key=lambda pair: (pair[0].place, pair[1], pair[0].tie))


def chain_of(world: World, ask: Ask) -> list[tuple[Model, int]] | None:
    """Everybody who may serve a request, best first, with the cost in 10^-12 USD; None for an unknown class."""
    if not world.known.issuperset(ask.classes()):
        return None
    limit = inf if ask.budget_usd is None else pico(ask.budget_usd)
    gone = {*ask.exclude, *ask.down}
    found: list[tuple[Model, int]] = []
    for wanted in ask.classes():
        alive = world.cell(wanted, ask.privacy, ask.requires)
        for model, cost in ranked(alive, ask.tokens_in, ask.max_tokens_out):
            within = ask.localities is None or LOCALITIES[model.place] in ask.localities
            if within and cost <= limit and model.id not in gone and ask.pin in (None, model.id):
                found.append((model, cost))
    return found


def first_of(world: World, ask: Ask) -> Model | None:
    """Who is chosen; None for every kind of refusal."""
    found = chain_of(world, ask)
    return found[0][0] if found else None


def kind_of(base: Model | None, head: Model | None) -> str | None:
    """What a reviewer is told of two choices; None where they are one."""
    if base is None or head is None:
        return None if base is head else "routable" if base is None else "unroutable"
    return None if (base.id, base.wanted) == (head.id, head.wanted) else "rerouted"


def sizes(largest: int) -> list[tuple[int, int]]:
    """All sizes that a context takes, and those one token beyond."""
    return [(total - out, out) for total in range(largest + 2) for out in range(total + 1)]


class Asked(NamedTuple):
    """One request of a small world and what it is answered on both sides."""

    ask: Ask
    base: Model | None
    head: Model | None
    costs: tuple[int, int]
    """In 10^-12 USD, where both are routed."""


Ranked = list[tuple[Model, int]]


def _chosen(alive: Ranked, places: Sequence[str] | None, limit: int | None) -> tuple[Model | None, int]:
    for model, cost in alive:
        if (places is None or LOCALITIES[model.place] in places) and (limit is None or cost <= limit):
            return model, cost
    return None, 0


def budgets(alive: Ranked) -> list[int | None]:
    """None, and every cost with its two neighbours: between two of them no budget changes anything."""
    return [None, *sorted({max(0, cost + step) for _, cost in alive for step in (-1, 0, 1)})]


def every_cell(base: World, head: World, tags: Sequence[str]) -> Iterator[tuple[Ask, Ranked, Ranked]]:
    """Each class, tier, requirement set and pair of sizes, with those who survive on either side."""
    largest = max(base.largest, head.largest)
    for wanted in sorted({entry["capabilityClass"] for entry in (*base.entries, *head.entries)}):
        for tier in TIERS:
            for requires in subsets(tags):
                before, after = base.cell(wanted, tier, requires), head.cell(wanted, tier, requires)
                for tokens_in, out in sizes(largest):
                    ask = Ask(wanted, tier, requires=requires, tokens_in=tokens_in, max_tokens_out=out)
                    yield ask, ranked(before, tokens_in, out), ranked(after, tokens_in, out)


def every_request(base: World, head: World, tags: Sequence[str]) -> Iterator[Asked]:
    """All requests of one class, with all localities and all budgets that can matter."""
    for ask, before, after in every_cell(base, head, tags):
        for places in PLACES:
            for limit in budgets(before + after):
                old, cost = _chosen(before, places, limit)
                new, price = _chosen(after, places, limit)
                usd = None if limit is None else Decimal(limit).scaleb(-12)
                yield Asked(ask.but(localities=places, budget_usd=usd), old, new, (cost, price))


def redundancy_kinds(base: World, head: World, tags: Sequence[str]) -> set[str]:
    """Which of the two redundancy kinds some class, tier, requirement set and sizes show."""
    found = set()
    for _, before, after in every_cell(base, head, tags):
        if 1 <= len(after) < len(before):
            found.add("redundancy-lost")
        if 1 <= len(before) < len(after):
            found.add("redundancy-gained")
    return found


def reach(world: World, tier: str) -> set[str]:
    """The localities that requests of a tier can come to."""
    classes = {entry["capabilityClass"] for entry in world.entries}
    return {LOCALITIES[model.place] for wanted in classes for model in world.cell(wanted, tier)}


Plane = tuple[int, int, int]
"""a, b, c: the whole sizes (x tokens in, y out) with a*x + b*y <= c."""


def floor_sum(number: int, divisor: int, slope: int, start: int) -> int:
    """The sum of floor((slope*i + start) / divisor) for i from 0 to number-1."""
    if number <= 0:
        return 0
    steps, slope = divmod(slope, divisor)
    rest, start = divmod(start, divisor)
    total = steps * number * (number - 1) // 2 + rest * number
    top = slope * number + start
    return total + (floor_sum(top // divisor, slope, divisor, top % divisor) if top >= divisor else 0)


def count_points(planes: Sequence[Plane], largest: int) -> int:
    """How many pairs of whole numbers from 0 to `largest` lie in all the half-planes."""
    walls = [(1, 0, largest), (-1, 0, 0), (0, 1, largest), (0, -1, 0), *planes]
    if any(a == b == 0 and c < 0 for a, b, c in walls):
        return 0
    left = max(ceil(Fraction(c, a)) for a, b, c in walls if b == 0 and a < 0)
    right = min(floor(Fraction(c, a)) for a, b, c in walls if b == 0 and a > 0)
    above, below = [w for w in walls if w[1] > 0], [w for w in walls if w[1] < 0]

    def height(wall: Plane, x: int) -> Fraction:
        return Fraction(wall[2] - wall[0] * x, wall[1])

    corners = {left, right}
    for (a, b, c), (d, e, f) in combinations(above + below, 2):
        if a * e != b * d:
            at = Fraction(c * e - f * b, a * e - b * d)
            corners |= {x for x in (floor(at), ceil(at)) if left <= x <= right}
    columns = sorted(x for x in corners if left <= x <= right)

    total = 0
    for x in columns:
        top, bottom = min(height(w, x) for w in above), max(height(w, x) for w in below)
        total += max(0, floor(top) - ceil(bottom) + 1)
    for before, after in pairwise(columns):  # between two columns no walls cross
        start, number = before + 1, after - before - 1
        if not number:
            continue
        top, bottom = min(above, key=lambda w: height(w, start)), max(below, key=lambda w: height(w, start))
        if height(top, start) >= height(bottom, start):
            total += floor_sum(number, top[1], -top[0], top[2] - top[0] * start) + number
            total += floor_sum(number, -bottom[1], -bottom[0], bottom[2] - bottom[0] * start)
    return total


def _dearer(model: Model, than: Model, least: int) -> Plane:
    """Where one costs at least so much more than another."""
    return than.price_in - model.price_in, than.price_out - model.price_out, -least


def _bands(bounds: Iterable[float], last: int) -> list[tuple[int, int]]:
    """The stretches of whole numbers between which nothing stops or starts to fit."""
    ends = sorted({min(int(bound), last) for bound in bounds if bound != inf} | {last})
    return list(zip((0, *(end + 1 for end in ends)), ends, strict=False))


def fit_cells(models: Sequence[Model]) -> Iterator[list[Plane]]:
    """The sizes parted so that in each part the same entries fit; those that fit nobody are left out."""
    largest = max((model.context for model in models), default=-1)
    for low, high in _bands([model.context for model in models], largest):
        for shortest, longest in _bands([model.limit for model in models], largest):
            if shortest <= high:
                yield [(1, 1, high), (-1, -1, -low), (0, 1, longest), (0, -1, -shortest)]


def _fitting(models: Iterable[Model], cell: Sequence[Plane]) -> list[Model]:
    return [model for model in models if model.context >= cell[0][2] and model.limit >= cell[2][2]]


def _wins(model: Model | None, among: Iterable[Model], winners: Sequence[Model]) -> list[Plane]:
    """Where one is first of those that fit, under a budget that is just enough for all the winners."""
    planes = []
    for other in among:
        if model is None or other.place < model.place:
            planes += [_dearer(other, winner, 1) for winner in winners]
        elif other.place == model.place and other != model:
            planes.append(_dearer(other, model, 0 if model.tie < other.tie else 1))
    return planes


def exact_changes(base: World, head: World, wanted: str, tier: str, requires: Collection[str] = ()) -> set[Any]:
    """What every request of one class, tier and requirement set shows, counted and not tried.

    `(kind, base id, head id)` of each pair of choices that occurs, and "dearer" and "cheaper". The smallest
    budget that pays for both choices leaves the fewest others, so no other budget has to be looked at.
    """
    found: set[Any] = set()
    for places in PLACES[1:]:
        old, new = (
            [m for m in world.cell(wanted, tier, requires) if LOCALITIES[m.place] in places] for world in (base, head)
        )
        for cell in fit_cells(old + new):
            before, after = _fitting(old, cell), _fitting(new, cell)
            for one in (*before, None):
                for two in (*after, None):
                    winners = [model for model in (one, two) if model is not None]
                    if not winners:
                        continue
                    planes = [*cell, *_wins(one, before, winners), *_wins(two, after, winners)]
                    if not count_points(planes, cell[0][2]):
                        continue
                    kind = kind_of(one, two)
                    if kind is not None:
                        found.add((kind, one and one.id, two and two.id))
                    if one is not None and two is not None:
                        for name, model, than in (("dearer", two, one), ("cheaper", one, two)):
                            if count_points([*planes, _dearer(model, than, 1)], cell[0][2]):
                                found.add(name)
    return found


def dearest(models: Sequence[Model], bound: int, sides: Sequence[tuple[int, int]]) -> bool:
    """Whether some sizes, each from one number to another, choose nobody or cost more than `bound` pico-USD."""
    (least_in, most_in), (least_out, most_out) = sides
    asked = [(1, 0, most_in), (-1, 0, -least_in), (0, 1, most_out), (0, -1, -least_out)]
    largest = most_in + most_out
    fitting = 0
    for cell in fit_cells(models):
        alive = sorted(_fitting(models, cell), key=lambda model: model.place)
        if not alive:
            continue
        fitting += count_points([*asked, *cell], largest)
        nearest = [model for model in alive if model.place == alive[0].place]
        for model in nearest:
            dear = (-model.price_in, -model.price_out, -bound - 1)
            if count_points([*asked, *cell, *_wins(model, nearest, ()), dear], largest):
                return True
    return fitting < (most_in - least_in + 1) * (most_out - least_out + 1)
