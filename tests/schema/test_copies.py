"""Frozen values: nothing in them changes, and a copy is a value of its own."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import pytest

from aldo.catalog import load_catalog
from aldo.errors import AldoError, CatalogError, NoEligibleModelError, UnknownNameError
from aldo.router import route
from aldo.schema import Catalog, RouteRequest, Routing
from tests.schema.test_types import ENTRY
from tests.support.cases import MODELS

LIAR = ENTRY | {"locality": "cloud", "privacyAllowed": ["public", "sensitive"]}
SENSITIVE = RouteRequest(capability_class="fast-draft", privacy="sensitive")


def _used() -> Catalog:
    """A catalog that lets sensitive requests go to the cloud, with everything computed that can be."""
    catalog = Catalog.model_validate({"models": [LIAR], "routing": {"sensitiveLocalities": ["local", "cloud"]}})
    assert route(catalog, SENSITIVE).catalog_digest == catalog.digest
    assert catalog.by_id
    return catalog


COPIES: list[Callable[[Catalog], Catalog]] = [
    lambda catalog: catalog.model_copy(),
    lambda catalog: catalog.model_copy(deep=True),
    copy.copy,
    copy.deepcopy,
    lambda catalog: pickle.loads(pickle.dumps(catalog)),
]


@pytest.mark.parametrize("copied", COPIES)
def test_a_copy_is_equal_and_carries_nothing_that_was_computed(copied: Callable[[Catalog], Catalog]) -> None:
    catalog = _used()
    twin = copied(catalog)
    assert twin == catalog
    assert set(twin.__dict__) == set(Catalog.model_fields)
    assert route(twin, SENSITIVE) == route(catalog, SENSITIVE)


def test_a_copy_with_narrower_routing_routes_by_the_narrower_one() -> None:
    narrow = _used().model_copy(update={"routing": Routing()})
    with pytest.raises(NoEligibleModelError):
        route(narrow, SENSITIVE)
    assert narrow.digest == Catalog.model_validate({"models": [LIAR]}).digest


def test_nothing_inside_a_catalog_can_be_changed() -> None:
    catalog = load_catalog(MODELS)
    entry = catalog.by_id["mlx-qwen2.5-7b-instruct-4bit"]
    changes: list[Callable[[], Any]] = [
        lambda: catalog.by_id.clear(),  # type: ignore[attr-defined]
        lambda: entry.provider_config.extra.update(a=1),  # type: ignore[attr-defined]
        lambda: entry.provider_config.headers.setdefault("a", "b"),  # type: ignore[attr-defined]
        lambda: entry.provider_config.extra.__setitem__("a", 1),  # type: ignore[attr-defined]
    ]
    for change in changes:
        with pytest.raises(TypeError, match="frozen"):
            change()
    assert isinstance(hash(catalog), int)
    nested = Catalog.model_validate({"models": [ENTRY | {"providerConfig": {"extra": {"a": [{"b": [1]}]}}}]})
    with pytest.raises(TypeError):
        nested.models[0].provider_config.extra["a"][0]["b"] = 2  # type: ignore[index]


def test_a_decision_and_every_error_survive_pickling() -> None:
    catalog = load_catalog(MODELS)
    request = RouteRequest(capability_class="fast-draft", privacy="sensitive")
    decision = route(catalog, request)
    for twin in (pickle.loads(pickle.dumps(decision)), copy.deepcopy(decision), copy.copy(decision)):
        assert twin == decision
        assert twin.explain() == decision.explain()
    errors: list[AldoError] = []
    for wrong in ({"requires": ["audio-out"]}, {"requires": ["vison"]}):
        with pytest.raises(AldoError) as caught:
            route(catalog, RouteRequest(capability_class="fast-draft", privacy="sensitive", **wrong))
        errors.append(caught.value)
    with pytest.raises(CatalogError) as broken:
        load_catalog("no-such-file")
    for error in (*errors, broken.value):
        assert pickle.loads(pickle.dumps(error)).to_dict() == error.to_dict()
    assert isinstance(errors[1], UnknownNameError)


def test_two_decisions_differ_when_model_class_alternates_or_catalog_do() -> None:
    catalog = load_catalog(MODELS)

    def decide(**fields: Any) -> Any:
        return route(catalog, RouteRequest(**{"capability_class": "fast-draft", "privacy": "public", **fields}))

    first = decide()
    assert first == decide()
    for other in (
        decide(exclude=[first.model]), decide(capability_class="embeddings"), decide(down=[first.alternates[-1]]),
        decide(tokens_in=1), route(catalog.model_copy(update={"models": catalog.models[:-1]}), first.request),
    ):  # fmt: skip
        assert other != first


def test_the_digest_does_not_depend_on_the_order_of_tiers() -> None:
    turned = ENTRY | {"privacyAllowed": ["sensitive", "public"]}
    straight = ENTRY | {"privacyAllowed": ["public", "sensitive"]}
    first, second = (Catalog.model_validate({"models": [entry]}) for entry in (turned, straight))
    assert first.digest == second.digest
