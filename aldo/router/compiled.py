"""A catalog compiled for routing: once per catalog value, kept with the value, then only read."""

from __future__ import annotations

from typing import Any

from aldo.router.table import RoutingTable
from aldo.router.trace import trace
from aldo.router.why import why_not
from aldo.schema.catalog import Catalog
from aldo.schema.decimals import usd_text
from aldo.schema.explanation import Trace, WhyNot
from aldo.schema.request import RouteRequest

KEPT = "_compiled_for_routing"
"""Where a catalog value keeps what is compiled from it: in its own dictionary, as functools.cached_property does. The
value is frozen, and its equality and its dumps look at the declared fields only."""


class CompiledCatalog:
    """The routing table of a catalog value, and what decisions made from it can tell (a `DecisionSource`)."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self.table: RoutingTable = RoutingTable(catalog)

    @property
    def catalog_digest(self) -> str:
        return self._catalog.digest

    @property
    def routing_digest(self) -> str:
        return self.table.routing_digest

    def estimated_usd(self, request: RouteRequest, model: str) -> str:
        return usd_text(self.table.facts[model].cost(request.tokens_in, request.max_tokens_out))

    def alternates(self, request: RouteRequest, model: str) -> tuple[str, ...]:
        return tuple(facts.id for _, facts in self.table.failover_chain(request) if facts.id != model)

    def trace(self, request: RouteRequest) -> Trace:
        return trace(self.table, request)

    def why_not(self, request: RouteRequest, model: str) -> WhyNot:
        return why_not(self.table, request, model)

    def __reduce__(self) -> tuple[Any, ...]:
        return compile_catalog, (self._catalog,)


def compile_catalog(catalog: Catalog) -> CompiledCatalog:
    """Compile a catalog, or give what was compiled before.

    Two threads may compile at the same time: both results are equal and the later one is kept.
    """
    try:
        kept: CompiledCatalog = catalog.__dict__[KEPT]
    except KeyError:
        kept = catalog.__dict__[KEPT] = CompiledCatalog(catalog)
    return kept
