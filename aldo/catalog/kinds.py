"""What a file means to be, told from its header."""

from __future__ import annotations

from difflib import get_close_matches

from aldo.catalog.document import Document
from aldo.schema.vocabulary import CATALOG_KIND, OVERLAY_KIND


def is_overlay(document: Document) -> bool:
    """Whether a document means to be an overlay: its kind says so, or nearly."""
    value = document.value
    kind = value.get("kind") if isinstance(value, dict) else None
    if not isinstance(kind, str) or kind == CATALOG_KIND:
        return isinstance(value, dict) and "models" not in value and bool({"override", "remove"} & value.keys())
    return kind == OVERLAY_KIND or ("models" not in value and bool(get_close_matches(kind, [OVERLAY_KIND], cutoff=0.9)))
