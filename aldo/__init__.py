"""aldo: a catalog of language models, a pure router over it, and the tools that keep it true.

Importing this package imports nothing heavy: each name below loads its room on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aldo._lazy import Load, lazy_names
from aldo._version import __version__

if TYPE_CHECKING:
    from aldo.catalog import load_catalog, load_policy
    from aldo.errors import AldoError, CatalogError, NoEligibleModelError, TransportError, UnknownNameError, UsageError
    from aldo.router import Diff, diff, prove, route, route_many, why_not
    from aldo.schema import Catalog, Decision, ModelEntry, Proof, RouteRequest, RoutingChange, RoutingPolicy
    from aldo.transport import (
        ChatRequest,
        ChatResult,
        EmbeddingRequest,
        EmbeddingResult,
        UsageLog,
        resolve,
        resolve_async,
    )
    from aldo.validate import lint

_ROOMS = {
    "AldoError": "errors",
    "Catalog": "schema",
    "CatalogError": "errors",
    "ChatRequest": "transport",
    "ChatResult": "transport",
    "Decision": "schema",
    "Diff": "router",
    "EmbeddingRequest": "transport",
    "EmbeddingResult": "transport",
    "ModelEntry": "schema",
    "NoEligibleModelError": "errors",
    "Proof": "schema",
    "RouteRequest": "schema",
    "RoutingChange": "schema",
    "RoutingPolicy": "schema",
    "TransportError": "errors",
    "UnknownNameError": "errors",
    "UsageError": "errors",
    "UsageLog": "transport",
    "diff": "router",
    "lint": "validate",
    "load_catalog": "catalog",
    "load_policy": "catalog",
    "prove": "router",
    "resolve": "transport",
    "resolve_async": "transport",
    "route": "router",
    "route_many": "router",
    "why_not": "router",
}

__all__ = [
    "AldoError",
    "Catalog",
    "CatalogError",
    "ChatRequest",
    "ChatResult",
    "Decision",
    "Diff",
    "EmbeddingRequest",
    "EmbeddingResult",
    "ModelEntry",
    "NoEligibleModelError",
    "Proof",
    "RouteRequest",
    "RoutingChange",
    "RoutingPolicy",
    "TransportError",
    "UnknownNameError",
    "UsageError",
    "UsageLog",
    "__version__",
    "diff",
    "lint",
    "load_catalog",
    "load_policy",
    "prove",
    "resolve",
    "resolve_async",
    "route",
    "route_many",
    "why_not",
]


__getattr__: Load = lazy_names("aldo", _ROOMS)


def __dir__() -> list[str]:
    return sorted(__all__)
