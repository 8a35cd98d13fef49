"""The router: a pure function from a catalog and a request to a decision.

What may enter: values of `schema`. No I/O, no clock, no randomness, and no provider: `facts` projects
each entry to what routing may know, and the provider is not in that type.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aldo._lazy import Load, lazy_names

if TYPE_CHECKING:
    from aldo.router.compiled import CompiledCatalog, compile_catalog
    from aldo.router.decide import route, route_many, why_not
    from aldo.router.difference.compare import Diff, diff
    from aldo.router.facts import Facts
    from aldo.router.proof.check import prove

__all__ = ["CompiledCatalog", "Diff", "Facts", "compile_catalog", "diff", "prove", "route", "route_many", "why_not"]

_HOMES = {
    "CompiledCatalog": "compiled",
    "Diff": "difference.compare",
    "Facts": "facts",
    "compile_catalog": "compiled",
    "diff": "difference.compare",
    "prove": "proof.check",
    "route": "decide",
    "route_many": "decide",
    "why_not": "decide",
}

__getattr__: Load = lazy_names("aldo.router", _HOMES)
