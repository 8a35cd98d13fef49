"""Decisions, against one dictionary lookup of a four-field key."""

from __future__ import annotations

from collections.abc import Iterator

from aldo.router import route
from aldo.schema import RouteRequest
from bench.catalogs import catalog
from bench.measure import Row, per_call


def rows() -> Iterator[Row]:
    table = {(a, b, c, d): a for a in range(9) for b in range(9) for c in range(9) for d in range(9)}
    key = (4, 5, 6, 7)
    lookup = per_call(lambda: table[key])
    for number in (10, 1_000, 100_000):
        models = catalog(number)
        # The first entry is the same at every size, so the same request has an answer at every size.
        request = RouteRequest(capability_class=models.models[0].capability_class, privacy="public")
        route(models, request)
        ours = per_call(lambda models=models, request=request: route(models, request))
        yield Row(f"route(), {number} entries", ours, "one dict lookup", lookup, "<= 15 x, flat")
        if number == 1_000:
            explained = per_call(lambda models=models, request=request: route(models, request).explain())
            yield Row("route() and explain(), 1000 entries", explained, "one dict lookup", lookup, "<= 1 ms")
