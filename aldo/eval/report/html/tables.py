"""Tables that scroll by themselves where a screen is narrower than they are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from aldo.eval.report import words
from aldo.eval.report.html.markup import Child, Markup, el


def table(label: str, heads: Sequence[Child], rows: Iterable[Sequence[Markup]]) -> Markup:
    """Rows of cells under one row of heads, each aligned as the cells below it."""
    kept = list(rows)
    numbers = [one.startswith('<td class="n') for one in kept[0]] if kept else [False] * len(heads)
    head = [el("th", one, scope="col", class_="n" if many else None) for one, many in zip(heads, numbers, strict=True)]
    return scrolling(label, el("table", el("thead", el("tr", head)), el("tbody", [el("tr", row) for row in kept])))


def scrolling(label: str, inside: Child) -> Markup:
    """The label is for those who cannot see what the region holds."""
    return el("div", inside, class_="scroll", role="region", aria_label=label, tabindex=0)


def head(*children: Child) -> Markup:
    """The head of a row."""
    return el("th", children, scope="row")


def cell(child: Child) -> Markup:
    """A cell of text."""
    return el("td", child)


def number(written: str | int | None, title: str | None = None) -> Markup:
    """A cell with a number, aligned with those above it; a zero steps back."""
    shown = words.NONE if written is None else str(written)
    return el("td", shown, class_="n zero" if shown in ("0", words.NONE) else "n", title=title)


def chip(word: str, good: bool | None) -> Markup:
    """A word for an outcome, with a sign beside it for those who do not see its colour."""
    look, sign = ("open", "?") if good is None else ("good", "✓") if good else ("bad", "✗")
    return el("span", el("span", sign, aria_hidden="true"), " ", word, class_=f"chip {look}")
