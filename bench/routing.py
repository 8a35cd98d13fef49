"""Decisions, against one lookup in a bare dictionary, and beside other routers over the same catalog."""

from __future__ import annotations

import gc
import random
import time
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from typing import Any

import aldo
from aldo.schema import Catalog, RouteRequest
from bench import peers
from bench.catalogs import entries
from bench.measure import Row, per_call

SIZES = (10, 1_000, 100_000)
LISTED = 1_000


def rows() -> Iterator[Row | str]:
    repeated: dict[int, float] = {}
    different: dict[int, float] = {}
    listed = requests(LISTED, seed=0)
    assert len(set(listed)) == LISTED
    # The first entry is the same at every size, and so is the answer's existence.
    single = RouteRequest(capability_class=entries(1)[0]["capabilityClass"], privacy="public")
    for number in SIZES:
        models, making = _timed(Catalog.model_validate, {"models": entries(number)})
        _, compiling = _timed(aldo.route, models, single)
        yield Row(f"first route(), {number} entries: compiles", compiling, "making the catalog", making)

        table, keys = _dictionary(number)
        lookup = per_call(lambda table=table, key=keys[0]: table[key])
        repeated[number] = per_call(lambda models=models: aldo.route(models, single))
        yield Row(f"route(), {number} entries", repeated[number], "one dict lookup", lookup, "<= 15 x")

        first, unseen = _first_time(lambda request, models=models: aldo.route(models, request), seed=1)
        lookup = _each(lambda key, table=table: table[key], keys)
        different[number] = _each(lambda request, models=models: aldo.route(models, request), listed)
        name = f"route(), {number} entries, {LISTED} requests"
        yield Row(name, different[number], "one dict lookup", lookup, "<= 15 x")
        yield Row("the same, never seen before", unseen, "one dict lookup", lookup)
        yield Row("the same, the first after compiling", first, "one dict lookup", lookup)

        assert not any(isinstance(outcome, Exception) for outcome in aldo.route_many(models, listed))
        at_once = per_call(lambda models=models: aldo.route_many(models, listed)) / LISTED
        yield Row("the same by route_many(), per request", at_once, "one dict lookup", lookup)
        if number == 1_000:
            yield from _told(models)
    most = SIZES[-1]
    yield Row(f"route(), {most} entries", repeated[most], "10 entries", repeated[10], "<= 1.5 x")
    yield Row(f"route(), {most} entries, {LISTED} requests", different[most], "10 entries", different[10], "<= 1.5 x")
    for figure in peers.decisions(SIZES):
        if isinstance(figure, str):
            yield figure
        else:
            yield Row(f"route(), {figure.entries} entries", repeated[figure.entries], figure.name, figure.seconds)


def _told(models: Catalog) -> Iterator[Row]:
    """What a decision tells when it is asked for more, for requests that were never routed before."""
    _, explained = _first_time(lambda request: aldo.route(models, request).explain(), seed=100, number=100)
    yield Row("route() and explain(), 1000 entries", explained, "the bound", 1e-3, "<= 1 x")
    _, chain = _first_time(lambda request: aldo.route(models, request).alternates, seed=200, number=100)
    yield Row("route() and alternates, 1000 entries", chain, "the bound", 1e-3)


def requests(number: int, seed: int) -> list[RouteRequest]:
    """Different requests, the same for every run, each with an answer in a catalog of any of the `SIZES`.

    Each is aimed at one of the first ten entries, which are the same at every size: its class, one of its
    tiers, some of its tags, sizes that fit, and at times a budget that suffices.
    """
    draw = random.Random(seed)
    aims = entries(10)
    return [_request(draw, draw.choice(aims)) for _ in range(number)]


def _request(draw: random.Random, entry: dict[str, Any]) -> RouteRequest:
    tokens_out = draw.randrange(1, 4_000)
    tokens_in = draw.randrange(1, entry["effectiveContextTokens"] - tokens_out)
    price_in, price_out = (Decimal(str(entry["cost"][name])) for name in ("usdPerMtokIn", "usdPerMtokOut"))
    cost = (tokens_in * price_in + tokens_out * price_out) / 10**6
    return RouteRequest(
        capability_class=entry["capabilityClass"],
        privacy=draw.choice(entry["privacyAllowed"]),
        requires=draw.sample(entry["provides"], draw.randrange(3)),
        tokens_in=tokens_in,
        max_tokens_out=tokens_out,
        budget_usd=draw.choice([None, cost, 2 * cost]),
    )


def _dictionary(number: int) -> tuple[dict[Any, int], list[Any]]:
    """A dictionary with one four-field key for each entry, and a list of keys equal to some of them."""
    draw = random.Random(number)
    table = {(n % 7, n % 3, n, 1024): n for n in range(number)}
    picked = (draw.randrange(number) for _ in range(LISTED))
    return table, [(n % 7, n % 3, n, 1024) for n in picked]


def _each(call: Callable[[Any], object], items: Sequence[Any]) -> float:
    """Seconds per item of a list; the first pass over it is not counted."""

    def one_pass() -> None:
        for item in items:
            call(item)

    return per_call(one_pass) / len(items)


def _first_time(call: Callable[[RouteRequest], object], seed: int, number: int = LISTED) -> tuple[float, float]:
    """Seconds per request of lists that nobody has seen before: of the first list, and the best of five more."""
    times = []
    for unseen in [requests(number, seed + n) for n in range(6)]:
        gc.collect()
        started = time.perf_counter()
        for request in unseen:
            call(request)
        times.append((time.perf_counter() - started) / number)
    return times[0], min(times[1:])


def _timed(work: Callable[..., Any], *given: object) -> tuple[Any, float]:
    """What comes of some work that can be done only once, and its seconds."""
    gc.collect()
    started = time.perf_counter()
    done = work(*given)
    return done, time.perf_counter() - started
