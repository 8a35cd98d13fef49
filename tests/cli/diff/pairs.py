"""Pairs of catalogs, and what `aldo diff` and `aldo route` say of them."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from tests.support.cases import MODELS
from tests.support.cli import aldo
from tests.support.entries import entry as cloud_entry
from tests.support.strategies import compose

Outcome = dict[str, Any]
KINDS = {
    "privacy-widened",
    "privacy-narrowed",
    "unroutable",
    "routable",
    "rerouted",
    "dearer",
    "cheaper",
    "redundancy-lost",
    "redundancy-gained",
}


def entry(model: str, usd_in: object = 1, usd_out: object = 2, **more: Any) -> dict[str, Any]:
    prices = {"usdPerMtokIn": usd_in, "usdPerMtokOut": usd_out}
    return cloud_entry(model, **{"provides": ["streaming", "tool-use"], "cost": prices} | more)


def written(path: Path, *entries: dict[str, Any], **more: Any) -> str:
    document = {"apiVersion": "aldo/models.v1", "kind": "ModelCatalog", "models": list(entries), **more}
    path.write_text(json.dumps(document, default=float), "utf-8")
    return str(path)


def local(model: str, **more: Any) -> dict[str, Any]:
    everything = ["public", "internal", "sensitive"]
    return entry(
        model, 0, 0, **({"locality": "local", "privacyAllowed": everything, "effectiveContextTokens": 4096} | more)
    )


EVERY_KIND = (
    [
        local("near"),
        local("near-2"),
        entry("far"),
        entry("old", capabilityClass="reasoning-small"),
        entry("gone", capabilityClass="embeddings", locality="on-prem", privacyAllowed=["internal"]),
        entry("x-cheap", 3, 3, capabilityClass="coding-frontier"),
        entry("one", capabilityClass="reasoning-medium"),
    ],
    [
        local("near", effectiveContextTokens=2048),
        entry("far", 1.5, 3),
        entry("old", 0.5, 1, capabilityClass="reasoning-small"),
        entry("new", capabilityClass="reasoning-large", locality="on-prem", privacyAllowed=["public"]),
        entry("y-cheaper", 2, 2, capabilityClass="coding-frontier"),
        entry("one", capabilityClass="reasoning-medium"),
        entry("two", capabilityClass="reasoning-medium"),
    ],
)


def shipped_pair(directory: Path) -> tuple[str, str]:
    """The shipped catalog, and the same without some entries, with other prices, contexts and tiers."""
    document = yaml.safe_load(MODELS.read_text("utf-8"))
    rng = random.Random(5)
    models = []
    for model in document["models"]:
        roll = rng.random()
        if roll < 0.1:
            continue
        if roll < 0.3:
            model["cost"] = {**model["cost"], "usdPerMtokOut": round(model["cost"]["usdPerMtokOut"] * 1.04 + 0.01, 6)}
        elif roll < 0.45:
            model["effectiveContextTokens"] = max(1, model["effectiveContextTokens"] // 4)
        elif roll < 0.55:
            model["privacyAllowed"] = ["public"]
        models.append(model)
    path = directory / "head.yaml"
    path.write_text(json.dumps({**document, "models": models}, default=str), "utf-8")
    return str(MODELS), str(path)


def random_pair(directory: Path, seed: int) -> tuple[str, str]:
    """Two catalogs of entries that nearly collide."""
    rng = random.Random(seed)
    pair = []
    for name in ("base", "head"):
        scenario = compose(rng.choice, [f"m{number}" for number in range(6)])
        models = [
            {**model, "cost": {side: float(usd) for side, usd in model["cost"].items()}} for model in scenario.entries
        ]
        routing = {"routing": {"sensitiveLocalities": list(scenario.widened)}} if scenario.widened else {}
        vocabulary = {"capabilityClasses": ["house-class"], "capabilities": ["house-tag"]}
        pair.append(written(directory / f"{name}{seed}.yaml", *models, vocabulary=vocabulary, **routing))
    return pair[0], pair[1]


def diff_json(base: str, head: str, *arguments: str, **more: Any) -> dict[str, Any]:
    done = aldo("diff", base, head, "--format", "json", *arguments, **more)
    assert done.stderr == "", done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def routed(catalog: str, requests: list[dict[str, Any]]) -> list[Outcome]:
    """What `aldo route` makes of each request, with one process for all."""
    lines = "".join(json.dumps(request) + "\n" for request in requests)
    done = aldo("route", "--requests", "-", "--catalog", catalog, stdin=lines)
    outcomes = [json.loads(line) for line in done.stdout.split("\n") if line]
    assert len(outcomes) == len(requests)
    return outcomes


def _every_kind(directory: Path) -> tuple[str, str]:
    return written(directory / "base.yaml", *EVERY_KIND[0]), written(directory / "head.yaml", *EVERY_KIND[1])


PAIRS: dict[str, Callable[[Path], tuple[str, str]]] = {
    "every kind": _every_kind,
    "shipped": shipped_pair,
    **{f"random {seed}": lambda directory, seed=seed: random_pair(directory, seed) for seed in (1, 3)},
}
