"""The doors of the router: `route`, `route_many` and `why_not`.

The whole of routing is: check the names, ask the groups of the requested classes in turn, the first that has
somebody gives the decision. What else a decision can tell is computed when asked.
"""

from __future__ import annotations

from collections.abc import Iterable

from aldo.errors import AldoError, NoEligibleModelError, UnknownNameError
from aldo.router.compiled import KEPT, CompiledCatalog, compile_catalog
from aldo.router.refusal import Refusal
from aldo.schema.catalog import Catalog
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
    try:
        compiled: CompiledCatalog = catalog.__dict__[KEPT]  # a call would take a tenth of the time
    except KeyError:
        compiled = compile_catalog(catalog)
    chosen = compiled.table.first(request)
    if chosen is None:
        raise NoEligibleModelError(Refusal(compiled.table, request))
    return Decision(chosen.id, chosen.capability_class, request, compiled)


def route_many(catalog: Catalog, requests: Iterable[RouteRequest]) -> list[Decision | AldoError]:
    """One outcome for each request, in their order: what `route` gives, or the error that it would raise.

    An error is given and not raised, so that one request of a log does not keep the others from their answers.
    """
    compiled = compile_catalog(catalog)
    table, first = compiled.table, compiled.table.first
    outcomes: list[Decision | AldoError] = []
    for request in requests:
        try:
            chosen = first(request)
        except UnknownNameError as error:
            outcomes.append(error)
            continue
        if chosen is None:
            outcomes.append(NoEligibleModelError(Refusal(table, request)))
        else:
            outcomes.append(Decision(chosen.id, chosen.capability_class, request, compiled))
    return outcomes


def why_not(catalog: Catalog, request: RouteRequest, model: str) -> WhyNot:
    """Why the entry `model` is not the decision for a request, routable or not.

    Says the stage that dropped it or the entry that outranks it, and the changes of the request that
    would make it the decision. Raises `UnknownNameError` as `route` does, and for an unknown `model`.
    """
    compiled = compile_catalog(catalog)
    compiled.table.names.check(request)
    return compiled.why_not(request, model)
