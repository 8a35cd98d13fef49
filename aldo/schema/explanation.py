"""Why a decision is what it is: reason codes, traces, and the changes that would alter it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Literal, get_args

from pydantic import Field

from aldo.schema.base import Frozen
from aldo.schema.decimals import plain_text
from aldo.schema.request import RouteRequest

ReasonCode = Literal[
    "DISABLED",
    "PRIVACY_TIER",
    "PRIVACY_LOCALITY",
    "CLASS",
    "CAPABILITY_MISSING",
    "CONTEXT_TOO_SMALL",
    "LOCALITY",
    "NOT_PINNED",
    "EXCLUDED",
    "BUDGET_EXCEEDED",
    "DOWN",
]

REASON_CODES: tuple[ReasonCode, ...] = get_args(ReasonCode)
"""In the order in which an entry is tested; the first failure is its reason."""

RankKey = Literal["class", "locality", "cost", "latency", "id"]
"""What separates two survivors, in the order in which it counts."""


class StageCount(Frozen):
    """One stage: how many entries it dropped, how many it left."""

    code: ReasonCode
    dropped: int
    left: int


class EntryVerdict(Frozen):
    """One entry in one class: why it was dropped, or its rank (from 1) among the survivors."""

    model: str
    code: ReasonCode | None = None
    rank: int | None = None


class ClassTrace(Frozen):
    """What happened in one of the requested classes. Entries stand in order of their ids."""

    capability_class: str
    stages: tuple[StageCount, ...]
    entries: tuple[EntryVerdict, ...]


class Trace(Frozen):
    """The whole decision, class by class, in the order tried."""

    classes: tuple[ClassTrace, ...]

    def to_dict(self) -> dict[str, Any]:
        data: dict[str, Any] = self.model_dump(mode="json", exclude_none=True)
        return data


class EmptiedClass(Frozen):
    """The stage at which the last entry of a class was dropped; CLASS where the catalog has none."""

    capability_class: str
    code: ReasonCode
    entries: int
    """How many entries of that class the catalog has."""


class Change(Frozen):
    """One field of a request, as it is and as it would have to be.

    `where` is "catalog" where no request can help: the entry itself is switched off.
    """

    field: str
    before: Any = None
    after: Any = None
    where: Literal["request", "catalog"] = "request"

    def to_dict(self) -> dict[str, Any]:
        data = {"field": self.field, "from": _plain(self.before), "to": _plain(self.after)}
        return data if self.where == "request" else {"where": self.where, **data}


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return plain_text(value)
    return list(value) if isinstance(value, tuple) else value


def apply_changes(request: RouteRequest, changes: tuple[Change, ...]) -> RouteRequest:
    """The request with the changes made. Changes of the catalog are passed over."""
    update = {change.field: change.after for change in changes if change.where == "request"}
    return RouteRequest.model_validate({**request.model_dump(by_alias=True), **update})


class Relaxation(Frozen):
    """A smallest set of changes that makes a refused request routable, and the model it then reaches."""

    changes: tuple[Change, ...]
    model: str

    def apply(self, request: RouteRequest) -> RouteRequest:
        return apply_changes(request, self.changes)

    def to_dict(self) -> dict[str, Any]:
        return {"changes": [change.to_dict() for change in self.changes], "model": self.model}


class WhyNot(Frozen):
    """Why one entry is not the decision, and the changes of the request that would make it so."""

    model: str
    verdict: Literal["chosen", "outranked", "dropped"]
    code: ReasonCode | None = None
    """The stage that dropped it."""
    detail: str = ""
    """The values compared, in words."""
    outranked_by: str | None = None
    decided_by: RankKey | None = None
    changes: tuple[Change, ...] = Field(default=())

    def apply(self, request: RouteRequest) -> RouteRequest:
        return apply_changes(request, self.changes)

    def to_dict(self) -> dict[str, Any]:
        data: dict[str, Any] = self.model_dump(mode="json", exclude_none=True, exclude={"changes"})
        return {**data, "changes": [change.to_dict() for change in self.changes]}
