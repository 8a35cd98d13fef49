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


_CONTEXT_TAGS = {"32k-context": 32_768, "128k-context": 131_072, "200k-context": 200_000, "1m-context": 1_000_000}
_NOT_MLX = {"embeddings", "structured-output", "json-mode", "constrained-decoding"}


def _entry(draw: random.Random, number: int) -> dict[str, Any]:
    """An entry in which nothing is wrong; that others are cheaper cannot be helped among thousands."""
    locality = draw.choice(["local", "on-prem", "cloud", "cloud"])
    tiers = ["public", "internal", "sensitive"] if locality == "local" else ["public", "internal"]
    price = draw.randrange(1, 500) / 100
    context = draw.choice([8_192, 32_768, 131_072, 200_000])
    refused = {tag for tag, tokens in _CONTEXT_TAGS.items() if tokens > context}
    refused |= _NOT_MLX if locality == "local" else set()
    return {
        "id": f"model-{number}",
        "provider": "mlx" if locality == "local" else "somebody",
        "providerKind": "mlx" if locality == "local" else "openai-compat",
        "locality": locality,
        "capabilityClass": draw.choice([name for name in CAPABILITY_CLASSES if name not in refused]),
        "provides": draw.sample([tag for tag in CAPABILITIES if tag not in refused], draw.randrange(2, 7)),
        "privacyAllowed": tiers,
        "effectiveContextTokens": context,
        "cost": {"usdPerMtokIn": price, "usdPerMtokOut": price * 4},
        "providerConfig": {
            "baseUrl": "http://localhost:8081" if locality == "local" else f"https://host-{number % 50}.example/v1",
            "extra": {"quantization": "q4"} if locality == "local" else {"seed": 7},
        },
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
            *(f"        {name}: {value}" for name, value in config["extra"].items()),
        ]
    return "\n".join(lines) + "\n"
