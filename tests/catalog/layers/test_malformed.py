"""Layers in which anything may have any shape: all of it is findings, nothing an exception."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from aldo.validate import lint
from tests.support.entries import entry

HEADER = {"apiVersion": "aldo/models.v1"}
CONFIG = {"extra": {"a": [1, {"b": 2}], "c": {"d": 1}}, "headers": {"X.y": "z"}}
BASE = {
    **HEADER,
    "kind": "ModelCatalog",
    "lock": ["privacyAllowed", "providerConfig.baseUrl", "routing.localNetworks"],
    "routing": {"localNetworks": ["10.0.0.0/8"]},
    "vocabulary": {"capabilities": ["x"]},
    "models": [entry("one", providerConfig=CONFIG), entry("two", providerConfig=CONFIG)],
}
OVERLAY = {
    **HEADER,
    "kind": "ModelCatalogOverlay",
    "override": {
        "one": {
            "provides": {"$add": ["tool-use"], "$remove": ["streaming"]},
            "$unset": ["description", "providerConfig.headers.X.y"],
            "providerConfig": {"extra": {"a": {"$add": [3]}, "c": {"d": 2}}},
            "cost": {"usdPerMtokIn": 1, "usdPerMtokOut": 3},
            "privacyAllowed": ["public", "internal", "sensitive"],
        }
    },
    "add": [entry("three")],
    "remove": ["two"],
    "expect": {"one": {"provides": ["streaming"], "cost": {"usdPerMtokIn": 0}}},
    "lock": ["locality"],
    "acknowledge": {"one": "why"},
    "routing": {"localNetworks": {"$add": ["11.0.0.0/8"]}, "sensitiveLocalities": ["local"]},
    "vocabulary": {"capabilities": ["y"]},
}
ABOVE = {name: OVERLAY[name] for name in ("apiVersion", "kind", "override", "expect", "routing")}
SHAPES: list[Any] = [
    *(None, 5, True, 1.5, "x", "one", [], {}, [[1]], [None], {"a": 1}, [{"b": [1]}], ["one", "one"]),
    *({"$add": [1]}, {"$add": 5}, {"one": None}, {"one": 5}, {"one": [1]}),
]


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in inside:
        yield (*path, key)
        yield from places(inner, (*path, key))


def misshapen(value: Any, draw: random.Random) -> Any:
    value = copy.deepcopy(value)
    *around, last = draw.choice(list(places(value)))
    inner = value
    for part in around:
        inner = inner[part]
    inner[last] = draw.choice(SHAPES)
    return value


@pytest.mark.parametrize("seed", range(8))
def test_any_shape_in_any_layer_is_findings(seed: int, tmp_path: Path) -> None:
    draw = random.Random(seed)
    base, overlay, above = (tmp_path / f"{name}.yaml" for name in ("base", "overlay", "above"))
    above.write_text(json.dumps(ABOVE), "utf-8")
    for _ in range(60):
        below, layer = (misshapen(value, draw) if draw.random() < 0.6 else value for value in (BASE, OVERLAY))
        base.write_text(json.dumps(below), "utf-8")
        overlay.write_text(json.dumps(misshapen(layer, draw)), "utf-8")
        assert lint(base, overlays=[overlay, above]).exit_code in (0, 1, 2)
        assert lint(overlay).exit_code in (0, 1, 2)
