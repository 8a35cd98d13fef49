"""The changes between two catalogs for a terminal, and for a comment on a pull request."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import click

from aldo.cli.changes import Line, lines
from aldo.cli.terminal import fold
from aldo.router import Diff

_SHOWN = 12
_COLOURS = {"privacy-widened": "red", "unroutable": "red", "dearer": "yellow", "redundancy-lost": "yellow"}


class Told(NamedTuple):
    """What a report is made of."""

    found: Diff
    beside: Sequence[str]
    """What differs and is no part of routing."""
    failing: Sequence[str]
    """What the run fails on."""
    all_lines: bool

    @property
    def shown(self) -> list[Line]:
        """The lines to show: whatever is grave, and of the others the largest. What takes an unusual request waits."""
        told = lines(self.found)
        if self.all_lines:
            return told
        usual = [line for line in told if not line.is_edge] or told
        grave = sum(line.gravity < 2 for line in usual)
        return usual[: max(_SHOWN, grave)]

    @property
    def hidden(self) -> str:
        told = lines(self.found)
        shown = self.shown
        rest = [line for line in told if line not in shown]
        if not rest:
            return ""
        edges = sum(line.is_edge for line in rest)
        why = f" ({edges} of them take a budget, localities, a fallback or no tokens to show)" if edges else ""
        return f"{len(rest)} smaller line{'' if len(rest) == 1 else 's'} not shown{why}; --all shows all."


def text(told: Told) -> str:
    """For a terminal."""
    parts = ["\n".join(_rows(line)) for line in told.shown]
    return "\n\n".join([*parts, "\n".join(fold(line, rest="  ") for line in _summary(told))])


def _rows(line: Line) -> list[str]:
    share = f" ({line.share:.0%} of the typical requests)" if line.share else ""
    head = fold(f"{line.kind}: {line.requests}{share}", rest="  ")
    colour = _COLOURS.get(next((word for word in line.also if word in _COLOURS), line.first.kind), "cyan")
    rows = [click.style(line.kind, fg=colour, bold=True) + head.removeprefix(line.kind)]
    if line.first.detail:
        rows.append(fold(line.first.detail, first="  ", rest="  "))
    if not line.first.kind.startswith("redundancy"):
        base, after = line.models()
        rows.append(fold(base if base == after else f"{base} -> {after}", first="  ", rest="    "))
        rows.append(f"  {line.cost} for")
    return [*rows, f"  {line.witness}"]


def _summary(told: Told) -> list[str]:
    found = told.found
    if found.changes:
        said = [f"{_count(found)}. Each is shown by its request: aldo route --catalog FILE --request '{{...}}'"]
    else:
        said = ["No request is routed differently."]
    if told.hidden:
        said.append(told.hidden)
    if told.beside:
        said.append(f"Also changed, and no part of routing: {', '.join(told.beside)}.")
    if not found.complete:
        said.append(
            "NOT COMPLETE: the catalogs differ in too many ways to compare all requests; there may be more changes."
        )
    return said


def _count(found: Diff) -> str:
    return f"{len(found.changes)} change{'' if len(found.changes) == 1 else 's'}"


def markdown(told: Told) -> str:
    """For a comment on a pull request."""
    summary = "\n".join(_summary(told))
    shown = told.shown
    if not shown:
        return f"### Routing\n\n{summary}"
    failing = [f"**Fails on {', '.join(told.failing)}.**", ""] if told.failing else []
    return "\n".join(
        [
            f"### Routing: {_count(told.found)}",
            "",
            *failing,
            "| change | requests | base | head | cost |",
            "| --- | --- | --- | --- | --- |",
            *map(_row, shown),
            "",
            summary,
            "",
            "<details><summary>The requests</summary>",
            "",
            "```",
            *(f"{line.kind}: {line.witness}" for line in shown),
            "```",
            "",
            "</details>",
        ]
    )


def _row(line: Line) -> str:
    share = f", {line.share:.0%} of the typical ones" if line.share else ""
    detail = f"; {line.first.detail}" if line.first.detail else ""
    cells = (f"**{line.kind}**", f"{line.requests}{share}{detail}", *line.models("`"), line.cost)
    return f"| {' | '.join(cells)} |"
