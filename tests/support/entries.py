"""An entry to start from: a cloud model with everything an entry must say, and whatever a test says of it."""

from __future__ import annotations

from typing import Any


def entry(model: str, **more: Any) -> dict[str, Any]:
    base = {
        "id": model,
        "provider": "one",
        "providerKind": "openai-compat",
        "locality": "cloud",
        "capabilityClass": "fast-draft",
        "provides": ["streaming", "vision"],
        "privacyAllowed": ["public", "internal"],
        "effectiveContextTokens": 100_000,
        "cost": {"usdPerMtokIn": 1, "usdPerMtokOut": 2},
    }
    return base | more
