"""aldo: a catalog of language models, a pure router over it, and the tools that keep it true.

Importing this package imports nothing heavy: each name below loads its room on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aldo._lazy import lazy_names
from aldo._version import __version__

if TYPE_CHECKING:
    from aldo.catalog import load_catalog
    from aldo.errors import AldoError, CatalogError, NoEligibleModelError, TransportError, UnknownNameError, UsageError
    from aldo.router import route, why_not
    from aldo.schema import Catalog, Decision, ModelEntry, RouteRequest
    from aldo.transport import ChatRequest, ChatResult, resolve
    from aldo.validate import lint

_ROOMS = {
    "AldoError": "errors",
    "Catalog": "schema",
    "CatalogError": "errors",
    "ChatRequest": "transport",
    "ChatResult": "transport",
    "Decision": "schema",
    "ModelEntry": "schema",
    "NoEligibleModelError": "errors",
    "RouteRequest": "schema",
    "TransportError": "errors",
    "UnknownNameError": "errors",
    "UsageError": "errors",
    "lint": "validate",
    "load_catalog": "catalog",
    "resolve": "transport",
    "route": "router",
    "why_not": "router",
}

__all__ = [
    "AldoError",
    "Catalog",
    "CatalogError",
    "ChatRequest",
    "ChatResult",
    "Decision",
    "ModelEntry",
    "NoEligibleModelError",
    "RouteRequest",
    "TransportError",
    "UnknownNameError",
    "UsageError",
    "__version__",
    "lint",
    "load_catalog",
    "resolve",
    "route",
    "why_not",
]


__getattr__ = lazy_names("aldo", _ROOMS)


def __dir__() -> list[str]:
    return sorted(__all__)
