"""One catalog in use: its value, who is down in it, and its models bound. A request keeps the one it began with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from aldo.api.health.conditions import Conditions
from aldo.router import compile_catalog, route
from aldo.schema.catalog import Catalog
from aldo.schema.decision import Decision
from aldo.schema.entry import ModelEntry
from aldo.schema.request import RouteRequest
from aldo.schema.usage import UsageRow
from aldo.transport.client import AsyncModelClient
from aldo.transport.resolver import Resolver

_MOST_TOLD = 1000
"""Characters of a header; `POST /v1/route` tells all."""


class Serving:
    """A catalog and what is kept of it."""

    def __init__(self, catalog: Catalog, conditions: Conditions, resolver: Resolver) -> None:
        self.catalog = catalog
        self.conditions = conditions
        self._resolver = resolver
        self.routing_digest: str = compile_catalog(catalog).routing_digest

    def decide(self, request: RouteRequest, now: float) -> Decision:
        """The decision for a request, with those who are down left out. Raises as `route` does."""
        down = self.conditions.down(request.classes, now)
        if down:
            request = request.model_copy(update={"down": tuple(dict.fromkeys((*request.down, *down)))})
        return route(self.catalog, request)

    def client(self, decision: Decision, on_usage: Callable[[UsageRow], None]) -> AsyncModelClient:
        """The client of a decision."""
        return self._resolver.client(decision, on_usage=on_usage)

    def target(self, model: str) -> dict[str, Any]:
        """What a client's `model` stands for, as fields of a request: an entry, which is pinned, or a class.

        An entry's id comes first. What is neither is taken for a class, of which the router says that it is unknown.
        """
        entry = self.catalog.by_id.get(model)
        if entry is None:
            return {"capabilityClass": model}
        return {"capabilityClass": entry.capability_class, "pin": entry.id}

    def headers(self, decision: Decision, model: str) -> list[tuple[bytes, bytes]]:
        """The decision as headers of an answer; `model` is the entry that answered."""
        entry = self.catalog.by_id[model]
        found = [
            (b"x-aldo-model", entry.id.encode("ascii")),
            (b"x-aldo-class", entry.capability_class.encode("ascii")),
            (b"x-aldo-routing-digest", decision.routing_digest.encode("ascii")),
        ]
        if decision.request.down:
            down = ", ".join(decision.request.down)
            found.append(
                (b"x-aldo-down", (down if len(down) <= _MOST_TOLD else f"{down[:_MOST_TOLD]}...").encode("ascii"))
            )
        return found


def alike(old: Catalog, new: Catalog) -> list[str]:
    """The models that both have at the same place, so that what is known of one is known of the other."""
    return [model for model in new.by_id if is_alike(old, new, model)]


def is_alike(old: Catalog, new: Catalog, model: str) -> bool:
    """Whether both have the model at the same place."""
    one, other = old.by_id.get(model), new.by_id.get(model)
    return one is not None and other is not None and _place(one) == _place(other)


def _place(entry: ModelEntry) -> Any:
    return entry.provider, entry.provider_kind, entry.locality, entry.provider_config
