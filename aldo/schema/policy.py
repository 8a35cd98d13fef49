"""A routing policy (`kind: RoutingPolicy`): what must never and what must always come of a request."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, StrictBool, model_validator
from pydantic_core import PydanticCustomError

from aldo.schema.base import Frozen, Name, Text, Whole
from aldo.schema.money import Price, Usd
from aldo.schema.request import RequestTokens
from aldo.schema.vocabulary import Locality, PrivacyTier

POLICY_VERSION: Literal["aldo/policy.v1"] = "aldo/policy.v1"
POLICY_KIND: Literal["RoutingPolicy"] = "RoutingPolicy"


def listed(value: Any) -> Any:
    """A single value is a list of one."""
    return value if isinstance(value, (list, tuple)) else [value]


def _ranged(value: Any) -> Any:
    """A single value is the range that holds it alone."""
    return value if isinstance(value, (dict, Frozen)) else {"atLeast": value, "atMost": value}


def _some_bound(bounds: Any) -> Any:
    if bounds.at_least is None and bounds.at_most is None:
        raise PydanticCustomError("no_bound", "must say atLeast or atMost")
    return bounds


class TokenRange(Frozen):
    """Token counts from `atLeast` to `atMost`, both included."""

    at_least: RequestTokens | None = None
    at_most: RequestTokens | None = None


NaturalNumber = Annotated[int, Field(ge=0), Whole]


class NumberRange(Frozen):
    """Whole numbers of an entry: a context, a limit."""

    at_least: NaturalNumber | None = None
    at_most: NaturalNumber | None = None


Milliseconds = Annotated[float, Field(ge=0, le=1e9, strict=True, allow_inf_nan=False)]


class LatencyRange(Frozen):
    """Latencies in ms."""

    at_least: Milliseconds | None = None
    at_most: Milliseconds | None = None


class PriceRange(Frozen):
    """Prices in USD per million tokens."""

    at_least: Price | None = None
    at_most: Price | None = None


def one_or_more(item: Any) -> BeforeValidator:
    """For a tuple: a single value is as good as a list of one, also for an editor."""
    return BeforeValidator(listed, json_schema_input_type=item | Annotated[list[item], Field(min_length=1)])


def _number_or(bounds: Any, number: Any) -> BeforeValidator:
    return BeforeValidator(_ranged, json_schema_input_type=number | bounds)


Names = Annotated[tuple[Name, ...], BeforeValidator(listed, json_schema_input_type=Name | list[Name])]
SomeNames = Annotated[tuple[Name, ...], one_or_more(Name), Field(min_length=1)]
Tiers = Annotated[tuple[PrivacyTier, ...], one_or_more(PrivacyTier), Field(min_length=1)]
Places = Annotated[tuple[Locality, ...], one_or_more(Locality), Field(min_length=1)]
Tokens = Annotated[TokenRange, _number_or(TokenRange, RequestTokens), AfterValidator(_some_bound)]
Numbers = Annotated[NumberRange, _number_or(NumberRange, NaturalNumber), AfterValidator(_some_bound)]
Latencies = Annotated[LatencyRange, _number_or(LatencyRange, Milliseconds), AfterValidator(_some_bound)]
Prices = Annotated[PriceRange, _number_or(PriceRange, Price), AfterValidator(_some_bound)]


class When(Frozen):
    """Requests, by their fields. A field that is left out has all its values in `never`, its default in `always`.

    A list means any of its values for `capabilityClass`, `privacy` and `pin`. For `requires`, `exclude` and `down`
    it means at least these in `never`, just these in `always`. `fallbackClasses` and `localities` are the request's.
    """

    capability_class: SomeNames | None = None
    privacy: Tiers | None = None
    fallback_classes: Names | None = None
    requires: Names | None = None
    tokens_in: Tokens | None = None
    """A number, or {atLeast, atMost}."""
    max_tokens_out: Tokens | None = None
    """A number, or {atLeast, atMost}."""
    budget_usd: Usd | None = None
    localities: Places | None = None
    pin: SomeNames | None = None
    exclude: Names | None = None
    down: Names | None = None


class PricesChosen(Frozen):
    """Prices of an entry in USD per million tokens: a number, or {atLeast, atMost}."""

    usd_per_mtok_in: Prices | None = None
    usd_per_mtok_out: Prices | None = None

    @model_validator(mode="after")
    def _says_something(self) -> PricesChosen:
        if self.usd_per_mtok_in is None and self.usd_per_mtok_out is None:
            raise PydanticCustomError("no_price", "must say usdPerMtokIn or usdPerMtokOut")
        return self


class Chooses(Frozen):
    """Entries, by their routing facts. Of a list any value counts; of several facts all do."""

    id: SomeNames | None = None
    capability_class: SomeNames | None = None
    locality: Places | None = None
    provides: SomeNames | None = None
    """Entries that provide any of these tags."""
    lacks: SomeNames | None = None
    """Entries that lack any of these tags."""
    privacy_allowed: Tiers | None = None
    """Entries that allow any of these tiers."""
    effective_context_tokens: Numbers | None = None
    """The lesser of effectiveContextTokens and servedContextTokens."""
    max_output_tokens: Numbers | None = None
    """An entry without one has no limit."""
    latency_p95_ms: Annotated[Latencies | None, Field(alias="latencyP95Ms")] = None
    """An entry without one matches no range."""
    cost: PricesChosen | None = None
    enabled: StrictBool | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Chooses:
        if all(getattr(self, field) is None for field in type(self).model_fields):
            raise PydanticCustomError("chooses_nothing", "must name a routing fact, such as locality")
        return self


class Never(Frozen):
    """No request of `when` has an entry of `chooses` as its choice or as an alternate."""

    name: Text
    when: When = Field(default_factory=When)
    chooses: Chooses
    allow_vacuous: StrictBool = False
    """Whether it may stand although no entry is one that it speaks of: a guard against those to come."""


class Always(Frozen):
    """Every request of `when` is served: also with any `survives` models down, at no more than `costsAtMost`, and by
    one of the models that it `chooses`."""

    name: Text
    when: When
    survives: Annotated[int, Field(ge=0, le=1000), Whole] | None = None
    """How many models may be down."""
    costs_at_most: Usd | None = None
    """USD at list price for the sizes of the request."""
    chooses: Chooses | None = None
    """What is true of the first choice."""

    @model_validator(mode="after")
    def _says_something(self) -> Always:
        if self.survives is None and self.costs_at_most is None and self.chooses is None:
            raise PydanticCustomError("asserts_nothing", "must say survives, costsAtMost or chooses")
        if self.when.capability_class is None or self.when.privacy is None:
            raise PydanticCustomError("no_request", "when must say capabilityClass and privacy")
        return self


def _distinct_names(policy: RoutingPolicy) -> RoutingPolicy:
    seen: set[str] = set()
    for name in [*(never.name for never in policy.never), *(always.name for always in policy.always)]:
        if name in seen:
            raise PydanticCustomError("duplicate_id", "the name {name} stands twice", {"name": name})
        seen.add(name)
    return policy


class RoutingPolicy(Frozen):
    """Statements about all requests, which `aldo.prove` proves or refutes."""

    api_version: Literal["aldo/policy.v1"] = POLICY_VERSION
    kind: Literal["RoutingPolicy"] = POLICY_KIND
    never: tuple[Never, ...] = ()
    always: tuple[Always, ...] = ()

    @model_validator(mode="after")
    def _holds_together(self) -> RoutingPolicy:
        if not self.never and not self.always:
            raise PydanticCustomError("no_statement", "must have a statement under never or always")
        return _distinct_names(self)
