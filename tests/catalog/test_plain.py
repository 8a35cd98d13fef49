"""A glance at a catalog: what it takes, the types of `schema` take too, and with the same routing facts."""

from __future__ import annotations

import copy
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from aldo.catalog import read_document
from aldo.catalog.plain import _OPTIONAL, _REQUIRED, is_plainly_valid
from aldo.router.facts import project, project_value
from aldo.schema import Catalog, ModelEntry
from aldo.schema.decimals import WrittenFloat
from tests.support.cases import MODELS

SHIPPED: dict[str, Any] = read_document(str(MODELS)).value
ODD: tuple[Any, ...] = (
    *(None, True, False, 0, 1, -1, 10**12, 10**12 + 1, 10**18, 2**63, "", " ", "x", "a b", "é", "a" * 200, "a" * 201),
    *("local", "moon", "public", "2026-02-30", "2026-11-22", "2026-1-1", "22.11.2026", "http://x", "https://x y", "x\n"),
    *("a\n", "http://x\n", "yes", "3", "0.5", "x" * 10_000, "x" * 10_001, "²", "a٣", "²026-11-22"),
    *(WrittenFloat(text) for text in ("0.5", "0.0000001", "1e3", "1e-7", ".5", "5.", "-0.5", "1000000001.0", "0.1234567")),
    *(float("nan"), float("inf"), 1e308),
    *([], ["x"], ["public"], ["x", 3], [None], {}, {"x": 1}, {"date": "2026-11-22"}, {1: "x"}, {"a": {"b": [None]}}),
    *({"date": "2026-11-22", "replacement": "a b"}, {"baseUrl": ""}, {"headers": {"": "x"}}, {"extra": {"x": float("nan")}}),
    *({"extra": {"x": {1: 2}}}, {"headers": {"x": "y"}}, {"unknown": 1}, {"usdPerMtokIn": 0, "usdPerMtokOut": 1}),
    *({"sensitiveLocalities": []}, {"localNetworks": ["10.0.0.0/8"]}, {"capabilities": ["x"]}, {"capabilities": [3]}),
)  # fmt: skip


def is_valid(value: Any) -> bool:
    try:
        Catalog.model_validate(value, by_alias=True, by_name=False, context={"file": True})
    except ValidationError:
        return False
    return True


def paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Of every value inside a value, and of keys that might stand beside them."""
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    found = [path]
    for part, child in children:
        found += paths(child, (*path, part))
    return found


def spoilt(rng: random.Random) -> dict[str, Any]:
    """Two entries of the shipped catalog with one to three values replaced, added or removed."""
    models = [copy.deepcopy(entry) for entry in rng.sample(SHIPPED["models"], 2)]
    value: dict[str, Any] = {"apiVersion": "aldo/models.v1", "kind": "ModelCatalog", "models": models}
    for _ in range(rng.randint(1, 3)):
        path = rng.choice(paths(value)[1:])
        around = value
        for part in path[:-1]:
            around = around[part]
        odd = copy.deepcopy(rng.choice(ODD))
        match rng.randrange(4):
            case 0 if isinstance(around, dict):
                around[rng.choice([*_OPTIONAL, "routing", "vocabulary", "unknown", "usdPerMtokCacheRead"])] = odd
            case 1:
                del around[path[-1]]
            case _:
                around[path[-1]] = odd
    return value


def test_the_shipped_catalog_is_plain_and_so_is_each_of_its_entries() -> None:
    assert is_plainly_valid(SHIPPED)
    assert is_valid(SHIPPED)


def test_the_glance_knows_every_field_of_an_entry_and_no_other() -> None:
    fields = {field.alias: field.is_required() for field in ModelEntry.model_fields.values()}
    assert {name for name, required in fields.items() if required} == _REQUIRED
    assert {name for name, required in fields.items() if not required} == _OPTIONAL.keys()


@settings(max_examples=400)
@given(st.randoms(use_true_random=False))
def test_what_a_glance_takes_the_types_take_too(rng: random.Random) -> None:
    value = spoilt(rng)
    assert not is_plainly_valid(value) or is_valid(value)


@pytest.mark.parametrize("seed", range(20))
def test_no_odd_value_at_any_place_passes_the_glance_and_not_the_types(seed: int) -> None:
    rng = random.Random(seed)
    for _ in range(300):
        value = spoilt(rng)
        assert not is_plainly_valid(value) or is_valid(value), value


def test_the_glance_is_not_blind() -> None:
    """Most of what is valid passes it: else nothing would be gained."""
    rng = random.Random(1)
    seen = [(is_plainly_valid(value), is_valid(value)) for value in (spoilt(rng) for _ in range(2000))]
    valid = [plain for plain, right in seen if right]
    assert sum(valid) > len(valid) / 2
    assert sum(not right for _, right in seen) > 500


@settings(max_examples=200)
@given(st.randoms(use_true_random=False))
def test_the_facts_of_plain_values_are_those_of_the_entry(rng: random.Random) -> None:
    value = spoilt(rng)
    if not is_plainly_valid(value):
        value = SHIPPED
    for entry in value["models"]:
        typed = ModelEntry.model_validate(entry, by_alias=True, by_name=False, context={"file": True})
        assert project_value(entry) == project(typed)
