"""What a file means to be, told from its header."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Any, Literal

from aldo.catalog.document import Document
from aldo.schema.vocabulary import CATALOG_KIND, OVERLAY_KIND

Kind = Literal["catalog", "overlay", "suite", "agent"]


def kind_of(document: Document) -> Kind:
    """What a document means to be: its header says so, or nearly, or what is in it does."""
    value = document.value
    if isinstance(value, dict) and "models" not in value and "kind" not in value:
        schema = value.get("schema")
        told = schema if isinstance(schema, str) else ""
        if told.startswith("aldo-ai/eval") or ("suite" in value and not told.startswith("aldo-ai/agent")):
            return "suite"
        if told.startswith("aldo-ai/agent") or {"identity", "model_policy"} & value.keys():
            return "agent"
    return "overlay" if is_overlay(document) else "catalog"


def is_overlay(document: Document) -> bool:
    """Whether a document means to be an overlay: its kind says so, or nearly."""
    value = document.value
    kind = value.get("kind") if isinstance(value, dict) else None
    if not isinstance(kind, str) or kind == CATALOG_KIND:
        return isinstance(value, dict) and "models" not in value and bool({"override", "remove"} & value.keys())
    return kind == OVERLAY_KIND or ("models" not in value and bool(get_close_matches(kind, [OVERLAY_KIND], cutoff=0.9)))


_READ_BY = {
    "ModelCatalog": "a catalog is named with --catalog, or checked by aldo lint",
    "ModelCatalogOverlay": "an overlay is laid over a catalog: name it with --overlay",
    "RoutingPolicy": "a policy is read by aldo prove",
    "RouteTests": "examples of routing are run by aldo test",
}
_READ_BY_SCHEMA = {
    "aldo-ai/agent.v1": "an agent is named with --agent, or put to a suite by aldo eval run",
    "aldo-ai/eval.v1": "a suite is named with aldo eval run --suite",
}


def read_by(value: Any) -> str | None:
    """What to do with a file of this value, where its header says what it is."""
    if not isinstance(value, dict):
        return None
    kind, schema = value.get("kind"), value.get("schema")
    found = _READ_BY.get(kind) if isinstance(kind, str) else None
    return found or (_READ_BY_SCHEMA.get(schema) if isinstance(schema, str) else None)
