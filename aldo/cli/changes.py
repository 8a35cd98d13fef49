"""The changes between two catalogs as a reviewer reads them: a handful of lines, the largest first."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import NamedTuple

import click

from aldo.cli.terminal import fold
from aldo.router import Diff
from aldo.schema import Outcome, RoutingChange
from aldo.schema.difference import CHANGE_KINDS
from aldo.schema.printed import dumps
from aldo.schema.vocabulary import PRIVACY_TIERS

_SHOWN = 12
_NAMED = 3
_PRICES = ("dearer", "cheaper")
_COLOURS = {"privacy-widened": "red", "unroutable": "red", "dearer": "yellow", "redundancy-lost": "yellow"}


class Line(NamedTuple):
    """Changes that are told together: one kind and class, and one model on one of the two sides."""

    changes: tuple[RoutingChange, ...]
    also: tuple[str, ...] = ()
    """What else is true of the largest: dearer, cheaper."""

    @property
    def first(self) -> RoutingChange:
        """The largest of them, whose witness stands for all."""
        return self.changes[0]

    @property
    def kind(self) -> str:
        return ", ".join((self.first.kind, *self.also))

    @property
    def share(self) -> float:
        return min(1.0, sum(change.share for change in self.changes))

    @property
    def requests(self) -> str:
        """Which requests, in words."""
        tiers = {tier for change in self.changes for tier in change.region.privacy}
        told = _and([tier for tier in PRIVACY_TIERS if tier in tiers])
        where = f"{self.first.region.capability_class}, {told}" if self.first.region.capability_class else told
        needed = self.first.region.only_with
        return f"{where}, only with {' or '.join(needed)}" if needed else where

    @property
    def models(self) -> tuple[str, str]:
        """The models on both sides; "nothing" for a refusal."""
        return self.quoted("")

    def quoted(self, quote: str) -> tuple[str, str]:
        """The same with a quote around each id."""
        base, head = (change.base for change in self.changes), (change.head for change in self.changes)
        return _models(base, quote), _models(head, quote)

    @property
    def cost(self) -> str:
        """What the witness costs on both sides."""
        base, head = self.first.base, self.first.head
        if base is None or head is None:
            return " -> ".join(f"{one.estimated_usd} USD" if one else "refused" for one in (base, head))
        before, after = Decimal(base.estimated_usd), Decimal(head.estimated_usd)
        if before == after:
            return f"{base.estimated_usd} USD as before"
        percent = f" ({(after - before) / before:+.0%})" if before else ""
        return f"{base.estimated_usd} -> {head.estimated_usd} USD{percent}"

    @property
    def witness(self) -> str:
        return dumps(self.first.witness.model_dump(mode="json", exclude_defaults=True))


def lines(found: Diff) -> list[Line]:
    """All changes, a few to a line, in the order of the changes."""
    routes: dict[tuple[str | None, str, str, tuple[str, ...]], list[RoutingChange]] = {}
    told: list[Line] = []
    for change in found.changes:
        if change.kind.startswith(("privacy", "redundancy")):
            told.append(Line((change,)))
        else:
            pair = change.region.capability_class, _model(change.base), _model(change.head), change.region.only_with
            routes.setdefault(pair, []).append(change)
    told += _merged([_pair(changes) for changes in routes.values()])
    return sorted(told, key=_order)


def _order(line: Line) -> tuple[bool, float, int, bool]:
    kind = line.first.kind
    return not kind.startswith("privacy"), -line.share, CHANGE_KINDS.index(kind), bool(line.first.region.only_with)


def _pair(changes: list[RoutingChange]) -> Line:
    """All that is true of one pair of models: that requests move comes before what that costs."""
    first = next((change for change in changes if change.kind not in _PRICES), changes[0])
    base, head = first.base, first.head
    also: tuple[str, ...] = ()
    if base and head and first.kind == "rerouted":
        before, after = Decimal(base.estimated_usd), Decimal(head.estimated_usd)
        also = () if before == after else ("dearer",) if after > before else ("cheaper",)
    return Line((first,), also)


def _merged(pairs: list[Line]) -> list[Line]:
    """Those that leave one model together, and of the rest those that go to one."""
    by_base = _buckets(pairs, lambda line: _model(line.first.base))
    single = [bucket[0] for bucket in by_base if len(bucket) == 1]
    groups = [bucket for bucket in by_base if len(bucket) > 1]
    groups += _buckets(single, lambda line: _model(line.first.head))
    return [_together(group) for group in groups]


def _buckets(pairs: list[Line], model: Callable[[Line], str]) -> list[list[Line]]:
    found: dict[object, list[Line]] = {}
    for line in pairs:
        change = line.first
        key = change.kind, line.also, change.region.capability_class, change.region.only_with, model(line)
        found.setdefault(key, []).append(line)
    return list(found.values())


def _together(group: list[Line]) -> Line:
    changes = sorted((line.first for line in group), key=lambda change: -change.share)
    return Line(tuple(changes), group[0].also)


def text(found: Diff, *, all_lines: bool) -> str:
    """For a terminal."""
    told = lines(found)
    shown = told if all_lines else told[:_SHOWN]
    parts = [_line(line) for line in shown]
    parts.append(_summary(found, len(told) - len(shown)))
    return "\n\n".join(parts)


def _line(line: Line) -> str:
    share = f" ({line.share:.0%} of its typical requests)" if line.share else ""
    head = fold(f"{line.kind}: {line.requests}{share}", rest="  ")
    colour = _COLOURS.get(line.also[0] if line.also else line.first.kind, "cyan")
    rows = [click.style(line.kind, fg=colour, bold=True) + head.removeprefix(line.kind)]
    if line.first.detail:
        rows.append(fold(line.first.detail, first="  ", rest="  "))
    if not line.first.kind.startswith("redundancy"):
        base, after = line.models
        rows.append(fold(f"{base} -> {after}", first="  ", rest="    "))
        rows.append(f"  {line.cost} for")
    rows.append(f"  {line.witness}")
    return "\n".join(rows)


def _summary(found: Diff, hidden: int) -> str:
    if not found.changes:
        told = "No request is routed differently."
    else:
        told = f"{_count(found)}. Each is shown by its request: aldo route --request -"
    if hidden:
        told += f"\n{hidden} smaller ones are not shown; --all shows them."
    if not found.complete:
        told += "\nNOT COMPLETE: the catalogs differ in too many ways to compare all requests; there may be more."
    return told


def _count(found: Diff) -> str:
    return f"{len(found.changes)} change{'' if len(found.changes) == 1 else 's'}"


def markdown(found: Diff, *, all_lines: bool) -> str:
    """For a comment on a pull request."""
    told = lines(found)
    shown = told if all_lines else told[:_SHOWN]
    if not told:
        return "### Routing\n\n" + _summary(found, 0)
    rows = [f"| {' | '.join((f'**{line.kind}**', _cell(line), *line.quoted('`'), line.cost))} |" for line in shown]
    witnesses = [f"{line.kind}: {line.witness}" for line in shown]
    return "\n".join(
        [
            f"### Routing: {_count(found)}",
            "",
            "| change | requests | base | head | cost |",
            "| --- | --- | --- | --- | --- |",
            *rows,
            "",
            _summary(found, len(told) - len(shown)),
            "",
            "<details><summary>The requests</summary>",
            "",
            "```",
            *witnesses,
            "```",
            "",
            "</details>",
        ]
    )


def _cell(line: Line) -> str:
    share = f", {line.share:.0%} of the typical ones" if line.share else ""
    detail = f"; {line.first.detail}" if line.first.detail else ""
    return f"{line.requests}{share}{detail}"


def _model(outcome: Outcome | None) -> str:
    return outcome.model if outcome else "nothing"


def _models(outcomes: Iterable[Outcome | None], quote: str) -> str:
    told = (f"{quote}{one.model}{quote} ({one.locality})" if one else "nothing" for one in outcomes)
    names = list(dict.fromkeys(told))
    more = [f"{len(names) - _NAMED} more"] if len(names) > _NAMED + 1 else []
    return _and(names[:_NAMED] + more if more else names)


def _and(names: list[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
