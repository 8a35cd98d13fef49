"""The doors of the router: `route` and `why_not`.

The whole of routing is: check the names, list the failover chain, its head is the decision.
"""

from __future__ import annotations

from aldo.errors import NoEligibleModelError
from aldo.router.compiled import compile_catalog
from aldo.router.refusal import Refusal
from aldo.schema.catalog import Catalog
from aldo.schema.decimals import usd_text
from aldo.schema.decision import Decision
from aldo.schema.explanation import WhyNot
from aldo.schema.request import RouteRequest


def route(catalog: Catalog, request: RouteRequest) -> Decision:
    """The model for a request: the same every time, whatever the order of the catalog's entries.

    Compiles the catalog on first use and keeps the result with the value.

    Raises `UnknownNameError` for a class, tag or pinned id that does not exist, and
    `NoEligibleModelError` when no entry survives; that error says which stage emptied each class and
    the smallest changes of the request that would make it routable.
    """
    compiled = compile_catalog(catalog)
    table = compiled.table
    table.names.check(request)
    chain = list(table.failover_chain(request))
    if not chain:
        raise NoEligibleModelError(Refusal(table, request))
    class_used, chosen = chain[0]
    return Decision(
        model=chosen.id,
        class_used=class_used,
        estimated_usd=usd_text(chosen.cost(request.tokens_in, request.max_tokens_out)),
        alternates=tuple(facts.id for _, facts in chain[1:]),
        request=request,
        source=compiled,
    )


def why_not(catalog: Catalog, request: RouteRequest, model: str) -> WhyNot:
    """Why the entry `model` is not the decision for a request, routable or not.

    Says the stage that dropped it or the entry that outranks it, and the changes of the request that
    would make it the decision. Raises `UnknownNameError` as `route` does, and for an unknown `model`.
    """
    compiled = compile_catalog(catalog)
    compiled.table.names.check(request)
    return compiled.why_not(request, model)
