"""`GET /openapi.json`: the gateway as an OpenAPI document, made of the types that read and the schemas that answer."""

from __future__ import annotations

from functools import cache
from typing import Any

from pydantic import BaseModel

from aldo._version import __version__
from aldo.api.answered.schemas import SCHEMAS
from aldo.api.asked.chat import ChatBody
from aldo.api.asked.embeddings import EmbeddingBody
from aldo.api.call import Call
from aldo.schema.base import NAME_PATTERN
from aldo.schema.request import RouteRequest
from aldo.schema.vocabulary import PRIVACY_TIERS

_DOOR = (400, 401, 403, 405, 431)
_BODY = (408, 413, 415)
_ROUTED = (404, 422, 503)
_SERVER = (429, 500, 502, 504)
_SAID = {
    400: "The request makes no sense, or its server says so.",
    401: "A key is missing, or it is not one of ours.",
    403: "Without keys the gateway is called by a name of this machine.",
    404: "The catalog has no such model or class.",
    405: "The path takes another method.",
    408: "The client took too long to say what it wants.",
    413: "The body is too large.",
    415: "The body is no application/json.",
    422: "No entry of the catalog may serve it. The error says which stage dropped the last, and what would help.",
    429: "Too many requests, here or at the server; Retry-After says when to come again.",
    431: "Request line and headers are too large.",
    500: "The gateway failed.",
    502: "The server failed.",
    503: "All that could serve it are down; Retry-After says when they are tried again.",
    504: "The server took too long.",
}
_NAMES = {"type": "string", "pattern": r"^\s*{0}(\s*,\s*{0})*\s*$".replace("{0}", NAME_PATTERN.strip("^$"))}
_USD = {"type": "string", "pattern": r"^\s*\d+(\.\d+)?([eE][+-]?\d+)?\s*$"}
_WISHES = (
    ("X-Aldo-Privacy", {"enum": list(PRIVACY_TIERS)}, "The tier of what is sent. Needed unless the operator set one."),
    ("X-Aldo-Requires", _NAMES, "Capability tags that the model must provide, separated by commas."),
    ("X-Aldo-Budget-Usd", _USD, "The most that it may cost at list price, in USD."),
    ("X-Aldo-Fallback", _NAMES, "Classes to try when the first has no model, separated by commas."),
)
_TOLD = {
    "X-Aldo-Model": "The entry that answered.",
    "X-Aldo-Class": "Its class.",
    "X-Aldo-Routing-Digest": "Of the routing facts that the decision was made from.",
    "X-Aldo-Down": "Entries that were left out as down.",
}


async def openapi(call: Call) -> None:
    """The document."""
    await call.reply(document())


@cache
def document() -> dict[str, Any]:
    """The whole of it (OpenAPI 3.1)."""
    schemas: dict[str, Any] = dict(SCHEMAS)
    for body in (ChatBody, EmbeddingBody, RouteRequest):
        schemas |= _components(body)
    schemas["RouteRequest"] = {**schemas["RouteRequest"], "required": ["capabilityClass"]}  # a header may say the tier
    chat = _post("Answer a chat, streamed or whole.", "ChatBody", "ChatCompletion")
    chat["responses"]["200"]["content"]["text/event-stream"] = {"schema": {"type": "string"}}
    route = _post("What would be decided, and why. Nothing is sent to any server.", "RouteRequest", "Decision")
    route["parameters"] = [
        *route["parameters"],
        {"name": "explain", "in": "query", "schema": {"enum": ["true", "false"]}, "required": False},
    ]
    named = {"name": "model", "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "aldo",
            "version": __version__,
            "description": "An OpenAI-compatible gateway that routes by class, tier and cost.",
        },
        "paths": {
            "/v1/chat/completions": {"post": chat},
            "/v1/embeddings": {"post": _post("Embed texts.", "EmbeddingBody", "Embeddings")},
            "/v1/route": {"post": route},
            "/v1/models": {"get": _get("The entries of the catalog, and what is known of them now.", "Models")},
            "/v1/models/{model}": {"get": {**_get("One of them.", "Model", 404), "parameters": [named]}},
            "/health": {"get": {**_get("That the process serves.", "Health"), "security": []}},
            "/metrics": {"get": _metrics()},
        },
        "components": {
            "schemas": schemas,
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{"key": []}, {}],
    }


def _components(body: type[BaseModel]) -> dict[str, Any]:
    schema = body.model_json_schema(by_alias=True, ref_template="#/components/schemas/{model}")
    inner: dict[str, Any] = schema.pop("$defs", {})
    return {**inner, body.__name__: schema}


def _post(summary: str, body: str, answer: str) -> dict[str, Any]:
    headers = {name: {"schema": {"type": "string"}, "description": said} for name, said in _TOLD.items()}
    found: dict[str, Any] = {
        "summary": summary,
        "parameters": [
            {"name": name, "in": "header", "required": False, "schema": schema, "description": said}
            for name, schema, said in _WISHES
        ],
        "requestBody": {"required": True, "content": {"application/json": {"schema": _ref(body)}}},
        "responses": _responses(answer, *_DOOR, *_BODY, *_ROUTED, *_SERVER),
    }
    found["responses"]["200"]["headers"] = headers
    return found


def _get(summary: str, answer: str, *further: int) -> dict[str, Any]:
    return {"summary": summary, "responses": _responses(answer, *_DOOR, *further, 500)}


def _metrics() -> dict[str, Any]:
    found = _get("Counters in Prometheus' form.", "Health")
    found["responses"]["200"]["content"] = {"text/plain": {"schema": {"type": "string"}}}
    return found


def _responses(answer: str, *errors: int) -> dict[str, Any]:
    content = {"application/json": {"schema": _ref(answer)}}
    found: dict[str, Any] = {"200": {"description": "It is done.", "content": content}}
    for status in sorted(errors):
        failed = {"application/json": {"schema": _ref("Error")}}
        found[str(status)] = {"description": _SAID[status], "content": failed}
    return found


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}
