"""What a file means to be, told from its header."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Literal

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
