"""Layers over a catalog: overlays read, merged in the order given, and every value traced to where it was set.

The merge works on plain values and records each step as it makes it; nothing of that is found out afterwards.
"""

from aldo.catalog.layers.layered import Layered, MergedDocument, layered, read_layers
from aldo.catalog.layers.overlay import OverlayFile, is_overlay, overlay_of
from aldo.catalog.layers.provenance import Link, Trace, trace
from aldo.catalog.layers.steps import ABSENT, Step

__all__ = [
    "ABSENT",
    "Layered",
    "Link",
    "MergedDocument",
    "OverlayFile",
    "Step",
    "Trace",
    "is_overlay",
    "layered",
    "overlay_of",
    "read_layers",
    "trace",
]
