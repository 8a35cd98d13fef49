"""Requests as witnesses: made from what was found, made plainer where that shows the same, and routed on both sides."""

from __future__ import annotations

from collections.abc import Iterator

from aldo.router.compiled import CompiledCatalog
from aldo.router.difference.found import Key, Shown
from aldo.router.difference.rise import Rise
from aldo.router.facts import Facts
from aldo.router.regions.sectors import TYPICAL_SIZES
from aldo.schema.decimals import usd_decimal
from aldo.schema.decision import Decision
from aldo.schema.difference import Outcome
from aldo.schema.request import RouteRequest
from aldo.schema.vocabulary import PrivacyTier

Sides = tuple[CompiledCatalog, CompiledCatalog]


def request_of(key: Key, privacy: PrivacyTier, shown: Shown) -> RouteRequest:
    """The request that was found."""
    way, (tokens_in, tokens_out) = shown
    budget = way.budget_pico(shown.sizes)
    return RouteRequest(
        capability_class=key.capability_class,
        privacy=privacy,
        requires=tuple(sorted(way.requires)),
        tokens_in=tokens_in,
        max_tokens_out=tokens_out,
        localities=way.localities,
        budget_usd=None if budget is None else usd_decimal(budget),
    )


def plainest(sides: Sides, key: Key, request: RouteRequest, rise: Rise) -> RouteRequest:
    """The same request with all left out that it can do without and still show the same change."""
    for field, value in _attempts(request):
        candidate = request.model_copy(update={field: value})
        if shows(sides, key, candidate, rise):
            request = candidate
    for tag in request.requires:
        fewer = tuple(other for other in request.requires if other != tag)
        candidate = request.model_copy(update={"requires": fewer})
        if shows(sides, key, candidate, rise):
            request = candidate
    for sizes in TYPICAL_SIZES:
        candidate = request.model_copy(update={"tokens_in": sizes[0], "max_tokens_out": sizes[1]})
        if shows(sides, key, candidate, rise):
            return candidate
    return request


def _attempts(request: RouteRequest) -> Iterator[tuple[str, object]]:
    if request.budget_usd is not None:
        yield "budget_usd", None
    if request.localities is not None:
        yield "localities", None
    if request.requires:
        yield "requires", ()


def shows(sides: Sides, key: Key, request: RouteRequest, rise: Rise) -> bool:
    """Whether a request is routed as the change says: to these models, and dearer or cheaper where that is the kind."""
    base, head = firsts(sides, request)
    if (base and base.id, head and head.id) != (key.base, key.head):
        return False
    if key.kind not in ("dearer", "cheaper"):
        return True
    assert base is not None
    assert head is not None
    before, after = (facts.cost(request.tokens_in, request.max_tokens_out) for facts in (base, head))
    return rise.holds(before, after) if key.kind == "dearer" else after < before


def firsts(sides: Sides, request: RouteRequest) -> tuple[Facts | None, Facts | None]:
    """The first choices on both sides. None where one refuses, also for a name that it does not know."""
    base, head = (side.table.first_or_none(request) for side in sides)
    return base, head


def outcome(side: CompiledCatalog, request: RouteRequest) -> Outcome | None:
    """What one side makes of a request."""
    chosen = side.table.first_or_none(request)
    if chosen is None:
        return None
    return Outcome(Decision(chosen.id, chosen.capability_class, request, side), chosen.locality)
