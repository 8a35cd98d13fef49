"""Examples of routing (`kind: RouteTests`): a request, and what must come of it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from aldo.schema.base import Frozen, Name, Text
from aldo.schema.explanation import ReasonCode
from aldo.schema.money import Usd
from aldo.schema.policy import Places, SomeNames
from aldo.schema.request import RouteRequest

ROUTE_TESTS_VERSION: Literal["aldo/routes.v1"] = "aldo/routes.v1"
ROUTE_TESTS_KIND: Literal["RouteTests"] = "RouteTests"

_SERVED = ("model", "class_used", "locality", "estimated_usd", "alternates")


def _no_number(value: Any) -> Any:
    """1 equals true, but is not meant so."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        raise PydanticCustomError("refusal", "must be true, false or the code of a stage")
    return value


_Refusal = Literal[True, False, ReasonCode]
Refusal = Annotated[_Refusal, BeforeValidator(_no_number, json_schema_input_type=_Refusal)]


class Expected(Frozen):
    """What must come of a request. Of a list any value will do; what is left out is not looked at."""

    model: SomeNames | None = None
    class_used: SomeNames | None = None
    locality: Places | None = None
    estimated_usd: Usd | None = None
    """USD at list price, to the last digit."""
    alternates: tuple[Name, ...] | None = None
    """The rest of the failover chain, in order."""
    refusal: Refusal | None = None
    """True where nothing may serve it; or the stage that empties one of its classes."""

    @model_validator(mode="after")
    def _holds_together(self) -> Expected:
        served = any(getattr(self, field) is not None for field in _SERVED)
        refused = self.refusal not in (None, False)
        if not served and self.refusal is None:
            raise PydanticCustomError("expects_nothing", "must say what is expected, such as model or refusal")
        if served and refused:
            raise PydanticCustomError("expects_both", "cannot expect a refusal and a model at once")
        return self


class RouteTest(Frozen):
    """One example."""

    name: Text
    request: RouteRequest
    expect: Expected


class RouteTests(Frozen):
    """Examples that `aldo test` runs."""

    api_version: Literal["aldo/routes.v1"] = ROUTE_TESTS_VERSION
    kind: Literal["RouteTests"] = ROUTE_TESTS_KIND
    tests: Annotated[tuple[RouteTest, ...], Field(min_length=1)]
