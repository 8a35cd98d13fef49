"""Any number of threads may use one catalog at once, and each gets what it would get alone."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from typing import Any

import pytest

import aldo
from aldo.schema.vocabulary import CAPABILITY_CLASSES, PRIVACY_TIERS
from tests.support.cases import MODELS, ROOT

TEXT = MODELS.read_text("utf-8")
THREADS = 8
REQUESTS = [
    aldo.RouteRequest(capability_class=name, privacy=tier, tokens_in=tokens)
    for name in CAPABILITY_CLASSES
    for tier in PRIVACY_TIERS
    for tokens in (1, 5_000, 40_000)
]


def routed(catalog: aldo.Catalog) -> list[str]:
    return [str(one) for one in aldo.route_many(catalog, REQUESTS)]


def explained(catalog: aldo.Catalog) -> str:
    return aldo.route(catalog, REQUESTS[0]).explain().model_dump_json()


def proven(catalog: aldo.Catalog) -> Any:
    return aldo.prove(catalog, aldo.load_policy(ROOT / "policy.yaml"))


def compared(catalog: aldo.Catalog) -> Any:
    head = catalog.model_copy(update={"models": catalog.models[1:]})
    return aldo.diff(catalog, aldo.Catalog.model_validate(head.model_dump(by_alias=True))).changes


def asked_why(catalog: aldo.Catalog) -> Any:
    return [aldo.why_not(catalog, REQUESTS[0], entry.id) for entry in catalog.models]


def loaded(_: aldo.Catalog) -> Any:
    return aldo.load_catalog(MODELS).digest


def linted(_: aldo.Catalog) -> Any:
    return aldo.lint([MODELS]).findings


@pytest.fixture
def impatient() -> Any:
    """Threads take turns a thousand times as often."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(5e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.parametrize("work", [routed, explained, proven, compared, asked_why, loaded, linted])
def test_threads_that_share_a_fresh_catalog_get_what_each_would_get_alone(
    work: Callable[[aldo.Catalog], Any], impatient: None
) -> None:
    alone = work(aldo.load_catalog(MODELS))
    shared = aldo.load_catalog(MODELS)  # nothing is compiled for it yet: the threads meet there
    together = threading.Barrier(THREADS)
    found: list[Any] = []

    def run() -> None:
        together.wait()
        found.append(work(shared))

    threads = [threading.Thread(target=run) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == THREADS
    assert all(one == alone for one in found)
