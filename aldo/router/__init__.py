"""The router: a pure function from a catalog and a request to a decision.

What may enter: values of `schema`. No I/O, no clock, no randomness, and no provider: `facts` projects
each entry to what routing may know, and the provider is not in that type.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aldo._lazy import lazy_names

if TYPE_CHECKING:
    from aldo.router.compiled import CompiledCatalog, compile_catalog
    from aldo.router.facts import Facts
    from aldo.router.route import route, route_many, why_not

__all__ = ["CompiledCatalog", "Facts", "compile_catalog", "route", "route_many", "why_not"]

_HOMES = {
    "CompiledCatalog": "compiled",
    "Facts": "facts",
    "compile_catalog": "compiled",
    "route": "route",
    "route_many": "route",
    "why_not": "route",
}

__getattr__ = lazy_names("aldo.router", _HOMES)
