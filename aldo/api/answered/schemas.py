"""The JSON Schemas of the answers, for the OpenAPI document. Our tests hold the answers against them."""

from __future__ import annotations

from typing import Any

from aldo.schema.vocabulary import LOCALITIES, PRIVACY_TIERS


def _object(properties: dict[str, Any], *, optional: tuple[str, ...] = (), further: bool = False) -> dict[str, Any]:
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": further}


_TEXT: dict[str, Any] = {"type": "string"}
_COUNT: dict[str, Any] = {"type": "integer", "minimum": 0}
_DIGEST = {"type": "string", "pattern": "^sha256:[0-9a-f]{64}$"}


def _maybe(schema: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [schema, {"type": "null"}]}


_USAGE = _object(
    {
        "prompt_tokens": _COUNT,
        "completion_tokens": _COUNT,
        "total_tokens": _COUNT,
        "prompt_tokens_details": _object({"cached_tokens": _COUNT}),
    },
    optional=("prompt_tokens_details",),
)
_CALL = _object(
    {
        "id": _TEXT,
        "type": {"const": "function"},
        "function": _object({"name": _TEXT, "arguments": {**_TEXT, "description": "A JSON object, as text."}}),
    }
)
_MESSAGE = _object(
    {
        "role": {"const": "assistant"},
        "content": _maybe(_TEXT),
        "refusal": _maybe(_TEXT),
        "reasoning_content": {**_TEXT, "description": "The model's reasoning, which is no part of the answer."},
        "tool_calls": {"type": "array", "items": _CALL},
    },
    optional=("reasoning_content", "tool_calls"),
)
_CHOICE = _object(
    {
        "index": {"const": 0},
        "message": _MESSAGE,
        "logprobs": _maybe({"type": "object"}),
        "finish_reason": {"enum": ["stop", "length", "tool_calls", "content_filter"]},
    }
)
_COMPLETION = _object(
    {
        "id": _TEXT,
        "object": {"const": "chat.completion"},
        "created": _COUNT,
        "model": {**_TEXT, "description": "The catalog id that answered."},
        "choices": {"type": "array", "items": _CHOICE, "minItems": 1, "maxItems": 1},
        "usage": _USAGE,
    }
)
_EMBEDDING = _object(
    {
        "object": {"const": "embedding"},
        "index": _COUNT,
        "embedding": {"anyOf": [{"type": "array", "items": {"type": "number"}}, _TEXT]},
    }
)
_EMBEDDINGS = _object(
    {
        "object": {"const": "list"},
        "data": {"type": "array", "items": _EMBEDDING},
        "model": _TEXT,
        "usage": _object({"prompt_tokens": _COUNT, "total_tokens": _COUNT}),
    }
)
_HEALTH = _object(
    {
        "state": {"enum": ["up", "down", "trying"]},
        "reason": _maybe(_TEXT),
        "since": _TEXT,
        "checked": _TEXT,
    },
    optional=("checked",),
)
_MODEL = _object(
    {
        "id": _TEXT,
        "object": {"const": "model"},
        "created": _COUNT,
        "owned_by": _TEXT,
        "available": {
            "type": "boolean",
            "description": "Its key is set, or its server was found or is named by a variable.",
        },
        "health": _HEALTH,
        "locality": {"enum": list(LOCALITIES)},
        "capabilityClass": _TEXT,
        "provides": {"type": "array", "items": _TEXT},
        "privacyAllowed": {"type": "array", "items": {"enum": list(PRIVACY_TIERS)}},
        "contextTokens": {"type": "integer", "minimum": 1},
        "cost": {"type": "object"},
        "enabled": {"type": "boolean"},
    },
    further=True,
)
_MODELS = _object({"object": {"const": "list"}, "data": {"type": "array", "items": _MODEL}})
_DECISION = _object(
    {
        "model": _TEXT,
        "provider": _TEXT,
        "classUsed": _TEXT,
        "estimatedUsd": _TEXT,
        "alternates": {"type": "array", "items": _TEXT},
        "catalogDigest": _DIGEST,
        "routingDigest": _DIGEST,
        "request": {"type": "object"},
        "health": {"type": "object", "additionalProperties": _HEALTH},
        "trace": {"type": "object"},
    },
    optional=("trace",),
)
_OPERATION = _object(
    {
        "status": {"const": "ok"},
        "models": _COUNT,
        "up": _COUNT,
        "routingDigest": _DIGEST,
        "loaded": _TEXT,
        "catalogFile": {"enum": ["ok", "failing"]},
    }
)
_ERROR = _object(
    {
        "error": _object(
            {"message": _TEXT, "type": _TEXT, "param": _maybe(_TEXT), "code": _TEXT},
            further=True,
        )
    }
)

SCHEMAS: dict[str, dict[str, Any]] = {
    "ChatCompletion": _COMPLETION,
    "Embeddings": _EMBEDDINGS,
    "Model": _MODEL,
    "Models": _MODELS,
    "Decision": _DECISION,
    "Health": _OPERATION,
    "Error": _ERROR,
}
"""By the name that the OpenAPI document gives them."""
