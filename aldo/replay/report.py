"""What a replay found: how many requests routed, for how much, and what another catalog would change."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal, localcontext
from typing import Any, NamedTuple

from aldo.schema.decimals import plain_text

MOST_REROUTES = 20
_DIGITS = 60
REPORT_VERSION = 1


class Outcome(NamedTuple):
    """Rows of a log with the same outcome. Amounts are USD."""

    model: str | None
    error: str | None
    rows: int
    usd: Decimal
    against_model: str | None = None
    against_error: str | None = None
    change: str | None = None
    against_usd: Decimal = Decimal(0)


class Totals(NamedTuple):
    """What one catalog makes of the log: rows, and USD at list price for the routed ones."""

    routed: int
    refused: int
    """Valid requests that no entry survived: `no_eligible_model`."""
    invalid: int
    """Rows that are no request, or name a class, tag or model that the catalog does not know."""
    usd: Decimal

    def to_dict(self) -> dict[str, Any]:
        return {**self._asdict(), "usd": plain_text(self.usd)}


class Reroute(NamedTuple):
    """Rows that move from one model, or from an error, to another; `usd` is how much dearer they become.

    Rows that stay with a model whose price is another are such a move, too.
    """

    before: str
    after: str
    rows: int
    usd: Decimal

    def to_dict(self) -> dict[str, Any]:
        return {"from": self.before, "to": self.after, "rows": self.rows, "usd": plain_text(self.usd)}


class Changes(NamedTuple):
    """Rows by what changes against another catalog."""

    same: int
    rerouted: int
    """Served by another model or class."""
    unroutable: int
    """Served before, and no longer."""
    routable: int
    """Served only now."""
    against: Totals
    reroutes: tuple[Reroute, ...]
    """The largest moves, at most 20, those of most rows first."""

    def to_dict(self) -> dict[str, Any]:
        kinds = {kind: getattr(self, kind) for kind in ("same", "rerouted", "unroutable", "routable")}
        return {**kinds, "totals": self.against.to_dict(), "reroutes": [move.to_dict() for move in self.reroutes]}


class Report(NamedTuple):
    """The totals of a replayed log; the same log and catalogs give the same report."""

    rows: int
    totals: Totals
    errors: tuple[tuple[str, int], ...]
    """Rows per error code, by code."""
    models: tuple[tuple[str, int, Decimal], ...]
    """Rows and USD per chosen model, most rows first."""
    changes: Changes | None = None

    def to_dict(self) -> dict[str, Any]:
        """The object of `aldo replay --json`."""
        return {
            "version": REPORT_VERSION,
            "rows": self.rows,
            **self.totals.to_dict(),
            "errors": dict(self.errors),
            "models": [{"model": name, "rows": rows, "usd": plain_text(usd)} for name, rows, usd in self.models],
            "against": self.changes and self.changes.to_dict(),
        }


def report(outcomes: Iterable[Outcome], *, against: bool) -> Report:
    """The report of a log's outcomes, in whatever order and however often each comes."""
    with localcontext(prec=_DIGITS):  # sums stay exact, whatever precision the caller works with
        return _report(tuple(outcomes), against)


def _report(outcomes: tuple[Outcome, ...], against: bool) -> Report:
    models: dict[str, tuple[int, Decimal]] = {}
    errors: dict[str, int] = {}
    for outcome in outcomes:
        if outcome.model is not None:
            rows, usd = models.get(outcome.model, (0, Decimal(0)))
            models[outcome.model] = rows + outcome.rows, usd + outcome.usd
        if outcome.error is not None:
            errors[outcome.error] = errors.get(outcome.error, 0) + outcome.rows
    return Report(
        rows=sum(outcome.rows for outcome in outcomes),
        totals=_totals((outcome.error, outcome.rows, outcome.usd) for outcome in outcomes),
        errors=tuple(sorted(errors.items())),
        models=tuple(
            (model, rows, usd) for model, (rows, usd) in sorted(models.items(), key=lambda item: (-item[1][0], item[0]))
        ),
        changes=_changes(outcomes) if against else None,
    )


def _totals(parts: Iterable[tuple[str | None, int, Decimal]]) -> Totals:
    routed = refused = invalid = 0
    total = Decimal(0)
    for error, rows, usd in parts:
        total += usd
        if error is None:
            routed += rows
        elif error == "no_eligible_model":
            refused += rows
        else:
            invalid += rows
    return Totals(routed, refused, invalid, total)


def _changes(outcomes: tuple[Outcome, ...]) -> Changes:
    kinds = dict.fromkeys(("same", "rerouted", "unroutable", "routable"), 0)
    moves: dict[tuple[str, str], tuple[int, Decimal]] = {}
    for outcome in outcomes:
        assert outcome.change is not None
        kinds[outcome.change] += outcome.rows
        if outcome.change != "same" or outcome.against_usd != outcome.usd:
            move = outcome.model or outcome.error or "", outcome.against_model or outcome.against_error or ""
            rows, usd = moves.get(move, (0, Decimal(0)))
            moves[move] = rows + outcome.rows, usd + outcome.against_usd - outcome.usd
    largest = sorted(moves.items(), key=lambda item: (-item[1][0], item[0]))[:MOST_REROUTES]
    return Changes(
        **kinds,
        against=_totals((outcome.against_error, outcome.rows, outcome.against_usd) for outcome in outcomes),
        reroutes=tuple(Reroute(*move, rows, usd) for move, (rows, usd) in largest),
    )
