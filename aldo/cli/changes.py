"""The changes between two catalogs in a handful of lines: what a reviewer must know first."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import NamedTuple

from aldo.router import Diff
from aldo.schema import Catalog, ModelEntry, Outcome, RoutingChange
from aldo.schema.difference import CHANGE_KINDS
from aldo.schema.printed import dumps
from aldo.schema.vocabulary import LOCALITIES, PRIVACY_TIERS

_NAMED = 3
_PRICES = ("dearer", "cheaper")


def is_outward(change: RoutingChange) -> bool:
    """Whether requests move to a farther place: from this machine or from the premises, or from both."""
    base, head = change.base, change.head
    if change.kind != "rerouted" or base is None or head is None:
        return False
    return LOCALITIES.index(head.locality) > LOCALITIES.index(base.locality)


def is_of_the_price(change: RoutingChange) -> bool:
    """Whether only a budget shows it: every rise leaves a budget that pays no longer. `cost` is the gate for that."""
    return change.kind in ("unroutable", "routable", "rerouted") and change.region.only_with == ("budgetUsd",)


class Line(NamedTuple):
    """Changes that are told together: of one kind, and with a model on one of the two sides in common."""

    changes: tuple[RoutingChange, ...]
    also: tuple[str, ...] = ()
    """What else is true of the largest: dearer, cheaper, outward."""

    @property
    def first(self) -> RoutingChange:
        """The largest of them, whose witness stands for all."""
        return self.changes[0]

    @property
    def kind(self) -> str:
        return ", ".join((self.first.kind, *self.also))

    @property
    def share(self) -> float:
        """Of the typical requests of its classes."""
        classes = {change.region.capability_class for change in self.changes}
        return min(1.0, sum(change.share for change in self.changes) / len(classes))

    @property
    def is_edge(self) -> bool:
        """Whether it takes an unusual request to show it: with a budget, with localities, or without any tokens."""
        change = self.first
        if change.kind.startswith(("privacy", "redundancy")) or change.share:
            return False
        return bool(change.region.only_with) or not (change.witness.tokens_in and change.witness.max_tokens_out)

    @property
    def gravity(self) -> int:
        """Whether it comes before others, however large they are: privacy, then refusals; edges come last."""
        if self.first.kind.startswith("privacy"):
            return 0
        if self.is_edge:
            return 4
        return 1 if self.first.kind == "unroutable" else 3 if self.first.kind.startswith("redundancy") else 2

    @property
    def requests(self) -> str:
        """Which requests, in words."""
        tiers = {tier for change in self.changes for tier in change.region.privacy}
        classes = list(dict.fromkeys(change.region.capability_class or "" for change in self.changes))
        told = _and([tier for tier in PRIVACY_TIERS if tier in tiers])
        where = f"{_some(classes)}, {told}" if any(classes) else told
        needed = self.first.region.only_with
        return f"{where}, only with {' or '.join(needed)}" if needed else where

    def models(self, quote: str = "") -> tuple[str, str]:
        """The models on both sides, with a quote around each id; "nothing" for a refusal."""
        base, head = (change.base for change in self.changes), (change.head for change in self.changes)
        return _models(base, quote), _models(head, quote)

    @property
    def cost(self) -> str:
        """What the witness costs on both sides."""
        base, head = self.first.base, self.first.head
        if base is None or head is None:
            return " -> ".join(f"{one.estimated_usd} USD" if one else "refused" for one in (base, head))
        if base.estimated_usd == head.estimated_usd:
            return f"{base.estimated_usd} USD as before"
        percent = _percent(self.first)
        return f"{base.estimated_usd} -> {head.estimated_usd} USD" + (f" ({percent})" if percent else "")

    @property
    def witness(self) -> str:
        return dumps(self.first.witness.model_dump(mode="json", exclude_defaults=True))


def lines(found: Diff) -> list[Line]:
    """All changes, the gravest first, among equals those of which the largest part of the typical requests is."""
    pairs: dict[tuple[str | None, str, str, tuple[str, ...]], list[RoutingChange]] = {}
    told: list[Line] = []
    for change in found.changes:
        if change.kind.startswith(("privacy", "redundancy")):
            told.append(Line((change,)))
        else:
            pair = change.region.capability_class, _model(change.base), _model(change.head), change.region.only_with
            pairs.setdefault(pair, []).append(change)
    told += _merged([_pair(changes) for changes in pairs.values()])
    return sorted(told, key=lambda line: (line.gravity, -line.share, CHANGE_KINDS.index(line.first.kind)))


def _pair(changes: list[RoutingChange]) -> Line:
    """All that is true of one pair of models: that requests move comes before what that costs."""
    first = next((change for change in changes if change.kind not in _PRICES), changes[0])
    also = ["outward"] if is_outward(first) else []
    prices = [change.kind for change in changes if change.kind in _PRICES and change is not first]
    if first.kind == "rerouted" and first.base and first.head:
        before, after = Decimal(first.base.estimated_usd), Decimal(first.head.estimated_usd)
        also += [] if before == after else ["dearer"] if after > before else ["cheaper"]
    return Line((first,), (*also, *(f"{kind} for others" for kind in prices if kind not in also)))


def _merged(pairs: list[Line]) -> list[Line]:
    """Those that leave one model together, of the rest those that go to one; and models that are repriced alike."""
    repriced = [line for line in pairs if line.first.kind in _PRICES]
    moved = _buckets([line for line in pairs if line not in repriced], lambda change: _model(change.base))
    single = [bucket[0] for bucket in moved if len(bucket) == 1]
    groups = [bucket for bucket in moved if len(bucket) > 1]
    groups += _buckets(single, lambda change: _model(change.head))
    return [_together(group) for group in (*groups, *_buckets(repriced, _percent, by_class=False))]


def _buckets(pairs: list[Line], alike: Callable[[RoutingChange], str], *, by_class: bool = True) -> list[list[Line]]:
    found: dict[object, list[Line]] = {}
    for line in pairs:
        change = line.first
        name = change.region.capability_class if by_class else None
        key = change.kind, line.also, line.is_edge, name, change.region.only_with, alike(change)
        found.setdefault(key, []).append(line)
    return list(found.values())


def _together(group: list[Line]) -> Line:
    changes = sorted((line.first for line in group), key=lambda change: -change.share)
    return Line(tuple(changes), group[0].also)


def _percent(change: RoutingChange) -> str:
    """How much dearer the witness becomes; nothing where it was free."""
    base, head = change.base, change.head
    if base is None or head is None or not Decimal(base.estimated_usd):
        return ""
    before, after = Decimal(base.estimated_usd), Decimal(head.estimated_usd)
    return f"{(after - before) / before:+.0%}"


def beside(base: Catalog, head: Catalog) -> list[str]:
    """What else differs, in words: fields of entries and settings that routing does not read."""
    told = []
    for model in sorted(base.by_id.keys() & head.by_id.keys()):
        fields = [name for name in _UNSEEN if getattr(base.by_id[model], name) != getattr(head.by_id[model], name)]
        if fields:
            told.append(f"{model} ({', '.join(_camel(name) for name in fields)})")
    if base.routing.local_networks != head.routing.local_networks:
        told.append("routing.localNetworks")
    if base.routing.sensitive_localities != head.routing.sensitive_localities:
        told.append("routing.sensitiveLocalities")
    return told


_UNSEEN = ("provider", "provider_kind", "provider_config")


def _camel(name: str) -> str:
    return ModelEntry.model_fields[name].alias or name


def _model(outcome: Outcome | None) -> str:
    return outcome.model if outcome else "nothing"


def _models(outcomes: Iterable[Outcome | None], quote: str) -> str:
    told = (f"{quote}{one.model}{quote} ({one.locality})" if one else "nothing" for one in outcomes)
    return _some(list(dict.fromkeys(told)))


def _some(names: list[str]) -> str:
    more = [f"{len(names) - _NAMED} more"] if len(names) > _NAMED + 1 else []
    return _and(names[:_NAMED] + more if more else names)


def _and(names: list[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
