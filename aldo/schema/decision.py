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
    def trace(self, request: RouteRequest) -> Trace: ...
    def why_not(self, request: RouteRequest, model: str) -> WhyNot: ...


class Decision:
    """The model for a request, and who takes over when it fails.

    Small and immutable: digests and explanations are computed when asked, not when routed.
    """

    __slots__ = ("_source", "alternates", "class_used", "estimated_usd", "model", "request")

    model: str
    """The id of the chosen entry."""
    class_used: str
    """The requested class that it was found in."""
    estimated_usd: str
    """Cost at list price in USD for the stated sizes, as an exact decimal text."""
    alternates: tuple[str, ...]
    """The rest of the failover chain, best first. Never outside the privacy tier."""
    request: RouteRequest
    _source: DecisionSource

    def __init__(
        self,
        model: str,
        class_used: str,
        estimated_usd: str,
        alternates: tuple[str, ...],
        request: RouteRequest,
        source: DecisionSource,
    ) -> None:
        put = object.__setattr__
        put(self, "model", model)
        put(self, "class_used", class_used)
        put(self, "estimated_usd", estimated_usd)
        put(self, "alternates", alternates)
        put(self, "request", request)
        put(self, "_source", source)

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
        fields = (self.model, self.class_used, self.estimated_usd, self.alternates, self.request, self._source)
        return type(self), fields

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Decision) and self.record() == other.record()

    def __hash__(self) -> int:
        return hash((self.model, self.class_used, self.estimated_usd, self.alternates))

    def __repr__(self) -> str:
        return (
            f"Decision(model={self.model!r}, class_used={self.class_used!r}, "
            f"estimated_usd={self.estimated_usd!r}, alternates={self.alternates!r})"
        )


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
