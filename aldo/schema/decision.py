"""The answer of the router, and the record it leaves in logs."""

from __future__ import annotations

from typing import Annotated, Any, Protocol

from pydantic import Field

from aldo.schema.base import Frozen, Name
from aldo.schema.explanation import Trace, WhyNot
from aldo.schema.money import Usd
from aldo.schema.request import RouteRequest


class DecisionSource(Protocol):
    """What a decision needs of the routing table it came from, to say more when asked."""

    @property
    def catalog_digest(self) -> str: ...
    @property
    def routing_digest(self) -> str: ...
    def estimated_usd(self, request: RouteRequest, model: str) -> str: ...
    def alternates(self, request: RouteRequest, model: str) -> tuple[str, ...]: ...
    def trace(self, request: RouteRequest) -> Trace: ...
    def why_not(self, request: RouteRequest, model: str) -> WhyNot: ...


class Decision:
    """The model for a request, and who takes over when it fails.

    Small and immutable: all but the model and its class is computed when asked, not when routed.
    """

    __slots__ = ("_alternates", "_made")

    _made: tuple[str, str, RouteRequest, DecisionSource]
    _alternates: tuple[str, ...]

    def __init__(self, model: str, class_used: str, request: RouteRequest, source: DecisionSource) -> None:
        _put_made(self, (model, class_used, request, source))

    @property
    def model(self) -> str:
        """The id of the chosen entry."""
        return self._made[0]

    @property
    def class_used(self) -> str:
        """The requested class that it was found in."""
        return self._made[1]

    @property
    def request(self) -> RouteRequest:
        """What was asked."""
        return self._made[2]

    @property
    def _source(self) -> DecisionSource:
        return self._made[3]

    @property
    def estimated_usd(self) -> str:
        """Cost at list price in USD for the stated sizes, as an exact decimal text."""
        return self._source.estimated_usd(self.request, self.model)

    @property
    def alternates(self) -> tuple[str, ...]:
        """The rest of the failover chain, best first. Never outside the privacy tier."""
        try:
            return self._alternates
        except AttributeError:
            alternates = self._source.alternates(self.request, self.model)
            object.__setattr__(self, "_alternates", alternates)
            return alternates

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"a Decision is immutable; {name!r} cannot be set")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"a Decision is immutable; {name!r} cannot be deleted")

    @property
    def catalog_digest(self) -> str:
        """Digest of the whole catalog."""
        return self._source.catalog_digest

    @property
    def routing_digest(self) -> str:
        """Digest of the routing facts alone: equal digests route equally."""
        return self._source.routing_digest

    def explain(self) -> Trace:
        """Every stage's counts and every entry's reason code, per class."""
        return self._source.trace(self.request)

    def why_not(self, model: str) -> WhyNot:
        """What dropped the entry `model`, or what outranks it, and what would have to change.

        Raises `UnknownNameError` for an id that is not in the catalog.
        """
        return self._source.why_not(self.request, model)

    def record(self) -> DecisionRecord:
        """The decision as a plain value for logs."""
        return DecisionRecord(
            model=self.model,
            class_used=self.class_used,
            estimated_usd=self.estimated_usd,
            alternates=self.alternates,
            catalog_digest=self.catalog_digest,
            routing_digest=self.routing_digest,
            request=self.request,
        )

    def to_dict(self) -> dict[str, Any]:
        """The JSON form (camelCase)."""
        return self.record().to_dict()

    def to_json(self) -> str:
        """One line of JSON, byte for byte the same for the same catalog and request."""
        return self.record().model_dump_json(exclude_none=True)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), self._made

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Decision) and self.record() == other.record()

    def __hash__(self) -> int:
        return hash((self.model, self.class_used, self.request))

    def __repr__(self) -> str:
        return (
            f"Decision(model={self.model!r}, class_used={self.class_used!r}, "
            f"estimated_usd={self.estimated_usd!r}, alternates={self.alternates!r})"
        )


# One slot, set by itself: four by `object.__setattr__` would take longer than the choice of the model.
_put_made = Decision.__dict__["_made"].__set__


class DecisionRecord(Frozen):
    """The JSON of a decision, as `aldo route --json` prints it."""

    model: Name
    provider: Name | None = None
    """Filled in by the command line from the catalog; the router itself never sees it."""
    class_used: Name
    estimated_usd: Usd
    """USD at list price for `tokensIn` and `maxTokensOut`, an exact decimal text."""
    alternates: tuple[Name, ...]
    catalog_digest: Annotated[str, Field(pattern="^sha256:[0-9a-f]{64}$")]
    routing_digest: Annotated[str, Field(pattern="^sha256:[0-9a-f]{64}$")]
    request: RouteRequest
    trace: Trace | None = None

    def to_dict(self) -> dict[str, Any]:
        """camelCase plain values, absent fields left out."""
        data: dict[str, Any] = self.model_dump(mode="json", exclude_none=True)
        return data
