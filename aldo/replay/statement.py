"""`route` as one SQL statement over a log and the tables of `tables`.

Its steps, each a named subquery:

asked       the log, each row read as a request (`fields`)
shapes      what is asked for without sizes and amounts, each once: thousands where the log has millions
checked     what is wrong with a shape, first as a request, then by its names
admitted    per shape, the candidates that pass every stage which does not depend on sizes
thinned,    those that are the best for some sizes: another one that is never worse, fits whatever fits them
short_list  and is never dearer makes a candidate superfluous
listed      the shapes with their short lists
routed      each row with the smallest rank of its short list, over the candidates that fit and can be paid

Only `asked` and `routed` are as large as the log, and no engine has to keep either.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from aldo.replay.checks import checked
from aldo.replay.dialect import Dialect
from aldo.replay.fields import BUDGET, KEY, Kind, reading
from aldo.replay.tables import Limits
from aldo.schema.vocabulary import LOCALITIES

NEW_COLUMNS = ("model", "classUsed", "estimatedUsd", "error")
AGAINST_COLUMNS = ("againstModel", "againstClassUsed", "againstEstimatedUsd", "againstError", "change")


class Side(NamedTuple):
    """One of the catalogs: the names of its tables, and of what the statement makes of them."""

    tables: str = "aldo"
    suffix: str = ""
    columns: tuple[str, ...] = NEW_COLUMNS


BASE = Side()
AGAINST = Side("aldo_against", "_against", AGAINST_COLUMNS)


class Statement:
    """What is asked of a log: whole, or in two steps, so that a log can be routed part by part.

    `columns` are the request's columns that the table `log` has; its others pass through. `hidden` are columns of it
    that do not.
    """

    def __init__(
        self,
        dialect: Dialect,
        limits: Limits,
        columns: Mapping[str, Kind],
        *,
        against: bool = False,
        hidden: tuple[str, ...] = (),
    ) -> None:
        self._dialect, self._limits = dialect, limits
        self._sides = (BASE, AGAINST) if against else (BASE,)
        self._asked = _asked(dialect, limits, columns)
        self._hidden = hidden

    def whole(self) -> str:
        """Every row of `log` with its outcome, in no order."""
        return (
            _with(
                [
                    *self._asked,
                    *self._shapes(),
                    Step("listed", self._dialect.once, _listed(self._sides)),
                    self._routed(),
                ]
            )
            + self._chosen()
        )

    def listing(self) -> str:
        """What becomes the table `listed`: the shapes of all of `log`."""
        return _with([*self._asked, *self._shapes()]) + _listed(self._sides)

    def routing(self) -> str:
        """Every row of `log` with its outcome, by what is in `listed`."""
        return _with([*self._asked, self._routed()]) + self._chosen()

    def _shapes(self) -> list[Step]:
        steps = [Step("shapes", self._dialect.once, _SHAPES)]
        return steps + [step for side in self._sides for step in _side_steps(side, self._dialect, self._limits)]

    def _routed(self) -> Step:
        return Step("routed", self._dialect.each, _routed(self._sides, self._dialect, self._limits))

    def _chosen(self) -> str:
        return _chosen(self._sides, self._dialect, self._limits, self._hidden)


class Step(NamedTuple):
    """A named subquery, and whether its rows are kept."""

    name: str
    how: str
    text: str


def _with(steps: list[Step]) -> str:
    return "WITH\n" + ",\n".join(f"{step.name} AS {step.how}(\n{_indented(step.text)}\n)" for step in steps) + "\n"


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.strip().split("\n"))


def _asked(dialect: Dialect, limits: Limits, columns: Mapping[str, Kind]) -> list[Step]:
    read = ",\n".join(f"  {expression} AS {name}" for name, expression in reading(columns, dialect, limits))
    double = f"CAST(log.{BUDGET} AS DOUBLE)" if columns.get(BUDGET) == "real" else f"log.{BUDGET}"
    text = f"CAST({double} AS STRING)" if BUDGET in columns else "CAST(NULL AS STRING)"
    capped = f"request.{BUDGET} IS NOT NULL" if BUDGET in columns else "FALSE"
    return [
        Step("texts", dialect.each, f"SELECT log.*, {text} AS aldo_text FROM log"),
        Step("requests", dialect.each, f"SELECT log.*,\n{read}\nFROM texts AS log"),
        Step(
            "asked",
            dialect.each,
            f"""
SELECT request.*,
  coalesce(aldo_in > 0, FALSE) AS aldo_reads,
  coalesce(aldo_out > 0, FALSE) AS aldo_writes,
  {capped} AS aldo_capped
FROM requests AS request""",
        ),
    ]


# Numbered by an order that is total, so that an engine which computes this twice numbers alike.
_SHAPES = f"""
SELECT row_number() OVER (ORDER BY {", ".join(KEY)}) AS shape, different.*
FROM (SELECT DISTINCT {", ".join(KEY)} FROM asked) AS different"""


def _side_steps(side: Side, dialect: Dialect, limits: Limits) -> list[Step]:
    end = side.suffix
    return [
        Step(f"checked{end}", dialect.once, checked(side.tables, dialect)),
        Step(f"placed{end}", "", _placed(side, dialect)),
        Step(f"admitted{end}", "", _admitted(side, dialect)),
        Step(f"ordered{end}", "", _ordered(side, dialect, limits)),
        Step(f"thinned{end}", dialect.once, _thinned(side)),
        Step(f"short_list{end}", "", _short_list(side, dialect)),
    ]


def _placed(side: Side, dialect: Dialect) -> str:
    """The classes of a shape that has no error, in the order they are tried, each once."""
    position = "CASE WHEN aldo_class = class THEN 0 ELSE array_position(aldo_fallback, class) END"
    return f"""
SELECT shape, class, row_number() OVER (PARTITION BY shape ORDER BY {position}) - 1 AS position
FROM checked{side.suffix}
CROSS JOIN (SELECT DISTINCT capabilityClass AS class FROM {side.tables}_candidates) AS served
WHERE refusal IS NULL AND (class = aldo_class OR array_contains(aldo_fallback, class))"""


def _admitted(side: Side, dialect: Dialect) -> str:
    """What depends on no size. A price counts only for tokens there are, a limit only where something is written."""
    return f"""
SELECT asked.shape, asked.aldo_capped AS capped, candidate.entry, candidate.contextTokens,
  placed.position * {len(LOCALITIES)} + candidate.nearness AS place,
  CASE WHEN asked.aldo_writes THEN candidate.outputTokens ELSE 0 END AS outputTokens,
  CASE WHEN asked.aldo_reads THEN candidate.picoIn ELSE 0 END AS picoIn,
  CASE WHEN asked.aldo_writes THEN candidate.picoOut ELSE 0 END AS picoOut
FROM checked{side.suffix} AS asked
JOIN placed{side.suffix} AS placed ON placed.shape = asked.shape
JOIN {side.tables}_candidates AS candidate
  ON candidate.capabilityClass = placed.class AND candidate.privacy = asked.aldo_privacy
WHERE {dialect.within("asked.aldo_requires", "candidate.provides")}
  AND array_contains(asked.aldo_localities, candidate.locality)
  AND (asked.aldo_pin = '' OR asked.aldo_pin = candidate.model)
  AND NOT array_contains(asked.aldo_exclude, candidate.model)
  AND NOT array_contains(asked.aldo_down, candidate.model)"""


def _ordered(side: Side, dialect: Dialect, limits: Limits) -> str:
    """Candidates by the rank they have among those that are nowhere dearer: `turn`.

    Where no budget is set, a nearer place outweighs every price, and is made part of the prices that are compared.
    """
    number = dialect.number(wide=limits.wide)
    apart = f"CASE WHEN capped THEN 0 ELSE CAST(place AS {number}) * {limits.price} END"
    return f"""
SELECT admitted.*, {apart} + picoIn AS dearIn, {apart} + picoOut AS dearOut,
  row_number() OVER (PARTITION BY shape ORDER BY place, picoIn + picoOut, entry) AS turn
FROM admitted{side.suffix} AS admitted"""


def _thinned(side: Side) -> str:
    """Most are superfluous beside the first one of equal limits; this spares the comparison of each with each."""
    group = "PARTITION BY shape, contextTokens, outputTokens ORDER BY turn"
    return f"""
SELECT * FROM (
  SELECT ordered.*, first_value(turn) OVER ({group}) AS firstTurn,
    first_value(dearIn) OVER ({group}) AS firstIn, first_value(dearOut) OVER ({group}) AS firstOut
  FROM ordered{side.suffix} AS ordered
) AS compared
WHERE turn = firstTurn OR dearIn < firstIn OR dearOut < firstOut"""


def _short_list(side: Side, dialect: Dialect) -> str:
    fields = [(name, name) for name in ("place", "entry", "contextTokens", "outputTokens", "picoIn", "picoOut")]
    return f"""
SELECT shape, array_agg({dialect.record(fields)}) AS candidates
FROM thinned{side.suffix} AS candidate
WHERE NOT EXISTS (
  SELECT 1 FROM thinned{side.suffix} AS better
  WHERE better.shape = candidate.shape AND better.turn < candidate.turn
    AND better.dearIn <= candidate.dearIn AND better.dearOut <= candidate.dearOut
    AND better.contextTokens >= candidate.contextTokens AND better.outputTokens >= candidate.outputTokens
)
GROUP BY shape"""


def _listed(sides: tuple[Side, ...]) -> str:
    columns = ", ".join(
        f"checked{end}.refusal AS aldo_refusal{end}, short_list{end}.candidates AS aldo_candidates{end}"
        for end in (side.suffix for side in sides)
    )
    joins = "\n".join(
        f"LEFT JOIN checked{end} ON checked{end}.shape = shapes.shape\n"
        f"LEFT JOIN short_list{end} ON short_list{end}.shape = shapes.shape"
        for end in (side.suffix for side in sides)
    )
    return f"SELECT shapes.*, {columns}\nFROM shapes\n{joins}"


def _routed(sides: tuple[Side, ...], dialect: Dialect, limits: Limits) -> str:
    number = dialect.number(wide=limits.wide)
    cost = f"(CAST(aldo_in AS {number}) * c.picoIn + CAST(aldo_out AS {number}) * c.picoOut)"
    eligible = f"aldo_in + aldo_out <= c.contextTokens AND aldo_out <= c.outputTokens AND {cost} <= aldo_budget"
    rank = f"(c.place * CAST({limits.costs} AS {number}) + {cost}) * {limits.entries} + c.entry"
    best = dialect.function("c", f"CASE WHEN {eligible} THEN {rank} END")
    valid = "aldo_in IS NOT NULL AND aldo_out IS NOT NULL AND aldo_budget IS NOT NULL AND listed.shape IS NOT NULL"
    ranks = ",\n".join(
        f"  {dialect.least}({dialect.every}(listed.aldo_candidates{side.suffix}, {best})) AS aldo_rank{side.suffix},\n"
        f"  CASE WHEN {valid} THEN listed.aldo_refusal{side.suffix} ELSE 'invalid_request' END"
        f" AS aldo_refusal{side.suffix}"
        for side in sides
    )
    same = " AND ".join(f"listed.{name} = asked.{name}" for name in KEY)
    return f"SELECT asked.*,\n{ranks}\nFROM asked LEFT JOIN listed ON {same}"


def _chosen(sides: tuple[Side, ...], dialect: Dialect, limits: Limits, unseen: tuple[str, ...]) -> str:
    hidden = [*unseen, "aldo_text", *KEY, "aldo_in", "aldo_out", "aldo_budget"]
    hidden += [f"{name}{side.suffix}" for side in sides for name in ("aldo_rank", "aldo_refusal")]
    columns = ",\n".join(_columns(side) for side in sides)
    change = f",\n  {_CHANGE} AS change" if len(sides) > 1 else ""
    joins = "\n".join(
        f"LEFT JOIN {side.tables}_models AS won{side.suffix}\n"
        f"  ON won{side.suffix}.entry = CAST(routed.aldo_rank{side.suffix} % {limits.entries} AS INTEGER)"
        for side in sides
    )
    return f"SELECT routed.* {dialect.without} ({', '.join(hidden)}),\n{columns}{change}\nFROM routed\n{joins}\n"


def _columns(side: Side) -> str:
    won, end = f"won{side.suffix}", side.suffix
    model, class_used, usd, error = side.columns[:4]
    sum_ = " + ".join(
        f"CAST(routed.{count} AS DECIMAL(13, 0)) * {won}.{price}"
        for count, price in (("aldo_in", "usdPerTokenIn"), ("aldo_out", "usdPerTokenOut"))
    )
    refusal = f"coalesce(routed.aldo_refusal{end}, 'no_eligible_model')"
    return (
        f"  {won}.model AS {model},\n  {won}.capabilityClass AS {class_used},\n"
        f"  CAST({sum_} AS DECIMAL(38, 12)) AS {usd},\n"
        f"  CASE WHEN {won}.entry IS NULL THEN {refusal} END AS {error}"
    )


_CHANGE = """CASE
    WHEN won.entry IS NULL AND won_against.entry IS NULL THEN 'same'
    WHEN won_against.entry IS NULL THEN 'unroutable'
    WHEN won.entry IS NULL THEN 'routable'
    WHEN won.model = won_against.model AND won.capabilityClass = won_against.capabilityClass THEN 'same'
    ELSE 'rerouted' END"""
