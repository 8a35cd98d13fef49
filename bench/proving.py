"""Proof and difference over all requests, on catalogs of 1 000 entries that nothing was compiled for before."""

from __future__ import annotations

import gc
import random
import time
from collections.abc import Callable, Iterator
from typing import Any

import aldo
from aldo.schema import Catalog, RouteRequest
from bench.catalogs import SEED, entries
from bench.measure import Row

NUMBER = 1_000
CONTEXTS = (8_192, 32_768, 131_072, 200_000)
Entries = list[dict[str, Any]]


def rows() -> Iterator[Row]:
    base = entries(NUMBER)
    compiling = _fresh(_compiled, base)
    proving = _fresh(aldo.prove, base)
    yield Row(f"prove, {NUMBER} entries, built-ins", proving, "the bound", 0.3, "<= 1 x")
    yield Row("compiling alone (first route())", compiling, "prove", proving)
    for name, head in (
        ("10 changed", changed(base, 10)),
        ("100 changed", changed(base, 100)),
        ("unrelated", unrelated()),
    ):
        differing = _fresh(aldo.diff, base, head)
        yield Row(f"diff, {NUMBER} entries, {name}", differing, "the bound", 0.6, "<= 1 x")
    yield Row("compiling both alone", _fresh(_compiled, base, head), "diff, unrelated", differing)


def changed(base: Entries, number: int) -> Entries:
    """The catalog after a pull request that touches `number` entries: a fifth each get another price, another
    set of tags or another context, go, or come."""
    draw = random.Random(SEED)
    head = [dict(entry) for entry in base]
    picked = draw.sample(range(len(base)), number)
    for n, place in enumerate(picked):
        entry = head[place]
        if n % 5 == 0:
            factor = draw.choice([0.5, 0.9, 1.1, 2])
            entry["cost"] = {name: round(price * factor, 6) for name, price in entry["cost"].items()}
        elif n % 5 == 1:
            entry["provides"] = entry["provides"][1:]
        elif n % 5 == 2:
            entry["effectiveContextTokens"] = draw.choice([c for c in CONTEXTS if c != entry["effectiveContextTokens"]])
    come = entries(len(base) + number)[len(base) :][: len(picked[4::5])]
    gone = {base[place]["id"] for place in picked[3::5]}
    return [entry for entry in head if entry["id"] not in gone] + come


def unrelated() -> Entries:
    """As many entries with the same ids and nothing else in common."""
    return [{**entry, "id": f"model-{n}"} for n, entry in enumerate(entries(2 * NUMBER)[NUMBER:])]


def _compiled(*catalogs: Catalog) -> None:
    for models in catalogs:
        aldo.route(models, RouteRequest(capability_class=models.models[0].capability_class, privacy="public"))


def _fresh(work: Callable[..., object], *written: Entries, rounds: int = 5) -> float:
    """Seconds of some work on catalog values that were made for it: the best of some rounds."""
    best = float("inf")
    for _ in range(rounds):
        values = [Catalog.model_validate({"models": entries_}) for entries_ in written]
        gc.collect()
        started = time.perf_counter()
        work(*values)
        best = min(best, time.perf_counter() - started)
    return best
