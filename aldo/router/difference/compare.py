"""`diff`: every change between two catalogs, and the change that a given request belongs to."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

from aldo.router.compiled import CompiledCatalog, compile_catalog
from aldo.router.difference.changes import told
from aldo.router.difference.comparison import Comparison
from aldo.router.difference.found import PLAIN, Key
from aldo.router.difference.rise import ANY, Rise
from aldo.router.difference.witness import firsts
from aldo.router.facts import Facts
from aldo.router.regions.effort import MOST, Effort
from aldo.schema.catalog import Catalog
from aldo.schema.difference import CHANGE_KINDS, ChangeKind, RoutingChange
from aldo.schema.request import RouteRequest


def diff(base: Catalog, head: Catalog, *, dearer_by_percent: Decimal | int = 0, effort: int = MOST) -> Diff:
    """Which requests two catalogs route differently: decided for all requests, not for those that were tried.

    A request counts as dearer if it costs more by over `dearer_by_percent`. `effort` bounds the work, in steps;
    where it is spent `Diff.complete` is False.
    """
    numerator, denominator = (1 + Fraction(dearer_by_percent) / 100).as_integer_ratio()
    return Diff(compile_catalog(base), compile_catalog(head), Rise(numerator, denominator), effort)


class Diff:
    """The difference of two catalogs as far as routing is concerned."""

    changes: tuple[RoutingChange, ...]
    """Every change: privacy first, then those that most typical requests are about."""
    complete: bool
    """Whether all requests were compared. If not, every change is true, but there may be more."""

    def __init__(self, base: CompiledCatalog, head: CompiledCatalog, rise: Rise = ANY, effort: int = MOST) -> None:
        self._sides = base, head
        comparison = Comparison(self._sides, Effort(effort), rise)
        self.complete = comparison.complete
        self._by_key = comparison.routes()
        self.changes = tuple(sorted((*self._by_key.values(), *comparison.others()), key=_order))

    @property
    def base_routing_digest(self) -> str:
        return self._sides[0].routing_digest

    @property
    def head_routing_digest(self) -> str:
        return self._sides[1].routing_digest

    def find(self, request: RouteRequest) -> RoutingChange | None:
        """The change that a request belongs to; None exactly when both catalogs give it the same model and class.

        A request with fallback classes belongs to the change of a class among them that one catalog does not know,
        else of the first of its classes that is routed differently. What outages change is told by the redundancy
        kinds: for a request with `pin`, `exclude` or `down` a change may be given that is not one of `changes`.
        """
        whole = firsts(self._sides, request)
        if _same(*whole):
            return None
        if len(request.classes) > 1 and (change := self._of_a_name(request)) is not None:
            return change
        for name in request.classes:
            alone = request.model_copy(update={"capability_class": name, "fallback_classes": ()})
            winners = firsts(self._sides, alone)
            if not _same(*winners):
                return self._change(_key(name, *winners), alone)
        return self._change(_key(request.capability_class, *whole), request)

    def to_dict(self) -> dict[str, Any]:
        """The JSON of `aldo diff --format json`."""
        return {
            "version": 1,
            "complete": self.complete,
            "changes": [change.to_dict() for change in self.changes],
            "routingDigests": {"base": self.base_routing_digest, "head": self.head_routing_digest},
        }

    def _of_a_name(self, request: RouteRequest) -> RoutingChange | None:
        """The change of a class that one side does not know: it refuses every request that names it."""
        for kind, side in zip(_ONE_SIDED, reversed(self._sides), strict=True):
            for name in request.classes:
                if name not in side.table.names.classes and (change := self._by_key.get(Key(kind, name, None, None))):
                    return change
        return None

    def _change(self, key: Key, request: RouteRequest) -> RoutingChange:
        return self._by_key.get(key) or told(self._sides, key, (request.privacy,), request, PLAIN)


_ONE_SIDED: tuple[ChangeKind, ...] = ("unroutable", "routable")


def _same(base: Facts | None, head: Facts | None) -> bool:
    """Whether both catalogs give the same model and class."""
    if base is None or head is None:
        return base is head
    return (base.id, base.capability_class) == (head.id, head.capability_class)


def _key(name: str, base: Facts | None, head: Facts | None) -> Key:
    kind: ChangeKind = "routable" if base is None else "unroutable" if head is None else "rerouted"
    return Key(kind, name, base and base.id, head and head.id)


def _order(change: RoutingChange) -> tuple[bool, float, int, int, str, tuple[str, ...], str, str]:
    base, head = change.base.model if change.base else "", change.head.model if change.head else ""
    region = change.region
    kind, name = CHANGE_KINDS.index(change.kind), region.capability_class or ""
    is_large = not change.kind.startswith("privacy")
    return is_large, -change.share, kind, len(region.only_with), name, region.privacy, base, head
