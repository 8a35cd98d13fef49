"""Layers over a catalog: overlays read, merged in the order given, and every value traced to where it was set.

The merge works on plain values and records each step as it makes it; nothing of that is found out afterwards.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aldo._lazy import Load, lazy_names

if TYPE_CHECKING:
    from aldo.catalog.layers.layered import Layered, MergedDocument, layered, read_layers
    from aldo.catalog.layers.overlay import OverlayFile, overlay_of
    from aldo.catalog.layers.provenance import Link, Trace, trace
    from aldo.catalog.layers.steps import ABSENT, Step

_HOMES = {
    "ABSENT": "steps",
    "Layered": "layered",
    "Link": "provenance",
    "MergedDocument": "layered",
    "OverlayFile": "overlay",
    "Step": "steps",
    "Trace": "provenance",
    "layered": "layered",
    "overlay_of": "overlay",
    "read_layers": "layered",
    "trace": "provenance",
}

__all__ = [
    "ABSENT",
    "Layered",
    "Link",
    "MergedDocument",
    "OverlayFile",
    "Step",
    "Trace",
    "layered",
    "overlay_of",
    "read_layers",
    "trace",
]

__getattr__: Load = lazy_names("aldo.catalog.layers", _HOMES)
