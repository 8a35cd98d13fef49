"""The catalog as OpenAI's list of models, each with its routing facts and with what is known of it now."""

from __future__ import annotations

from datetime import UTC, datetime, time
from typing import Any

from aldo.api.health.conditions import Condition
from aldo.schema.entry import ModelEntry


def model_object(entry: ModelEntry, condition: Condition, now: float) -> dict[str, Any]:
    """One entry. Nothing of `providerConfig` is in it: where servers are, and by which key, is the operator's."""
    facts = entry.model_dump(mode="json", exclude_none=True, exclude={"provider_config", "provider_kind", "provider"})
    created = datetime.combine(entry.as_of, time(), UTC).timestamp() if entry.as_of else 0
    return {
        "id": entry.id,
        "object": "model",
        "created": int(created),
        "owned_by": entry.provider,
        "available": condition.available and entry.enabled,
        "health": condition.to_dict(now),
        **{name: value for name, value in facts.items() if name != "id"},
        "contextTokens": entry.context_tokens,
    }
