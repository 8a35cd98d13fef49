"""Catalogs of any size, the same for every run."""

from __future__ import annotations

import random
from typing import Any

from aldo.schema import Catalog
from aldo.schema.vocabulary import CAPABILITIES, CAPABILITY_CLASSES

SEED = 20261122


def entries(number: int) -> list[dict[str, Any]]:
    draw = random.Random(SEED)
    return [_entry(draw, n) for n in range(number)]


def _entry(draw: random.Random, number: int) -> dict[str, Any]:
    locality = draw.choice(["local", "on-prem", "cloud", "cloud"])
    tiers = ["public", "internal", "sensitive"] if locality == "local" else ["public", "internal"]
    price = draw.randrange(0, 500) / 100
    return {
        "id": f"model-{number}",
        "provider": "mlx",
        "providerKind": "mlx",
        "locality": locality,
        "capabilityClass": draw.choice(CAPABILITY_CLASSES),
        "provides": draw.sample(CAPABILITIES, draw.randrange(2, 7)),
        "privacyAllowed": tiers,
        "effectiveContextTokens": draw.choice([8192, 32768, 131072, 200000]),
        "cost": {"usdPerMtokIn": price, "usdPerMtokOut": price * 4},
        "providerConfig": {"baseUrl": "http://localhost:8081", "extra": {"quantization": "q4"}},
    }


def catalog(number: int) -> Catalog:
    return Catalog.model_validate({"models": entries(number)})


def as_yaml(number: int) -> str:
    """The catalog as a person would write it."""
    lines = ["apiVersion: aldo/models.v1", "kind: ModelCatalog", "models:"]
    for entry in entries(number):
        cost, config = entry["cost"], entry["providerConfig"]
        lines += [
            f"  - id: {entry['id']}",
            f"    provider: {entry['provider']}",
            f"    providerKind: {entry['providerKind']}",
            f"    locality: {entry['locality']}   # where it runs",
            f"    capabilityClass: {entry['capabilityClass']}",
            f"    provides: [{', '.join(entry['provides'])}]",
            f"    privacyAllowed: [{', '.join(entry['privacyAllowed'])}]",
            f"    effectiveContextTokens: {entry['effectiveContextTokens']}",
            f"    cost: {{ usdPerMtokIn: {cost['usdPerMtokIn']:.2f}, usdPerMtokOut: {cost['usdPerMtokOut']:.2f} }}",
            "    providerConfig:",
            f"      baseUrl: {config['baseUrl']}",
            "      extra:",
            f"        quantization: {config['extra']['quantization']}",
        ]
    return "\n".join(lines) + "\n"
