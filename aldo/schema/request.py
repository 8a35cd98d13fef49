"""What a caller asks for: a class, a tier, capabilities, sizes and a budget. Never a vendor's model."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from difflib import get_close_matches
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BeforeValidator, Field, ValidationError
from pydantic_core import ErrorDetails

from aldo.errors import InvalidRequestError
from aldo.schema.base import Frozen, Name, Whole
from aldo.schema.money import Usd
from aldo.schema.vocabulary import LOCALITIES, PRIVACY_TIERS, Locality, PrivacyTier


def _ordered(value: object) -> object:
    """A set in Python code is as good as a list."""
    return tuple(sorted(value)) if isinstance(value, (set, frozenset)) else value


RequestTokens = Annotated[int, Field(ge=0, le=10**12), Whole]
Names = Annotated[tuple[Name, ...], BeforeValidator(_ordered)]


class RouteRequest(Frozen):
    """A routing request (camelCase in JSON, snake_case in Python).

    `privacy` has no default: what may leave the machine must be said.
    """

    capability_class: Name
    """The class to serve it from."""
    privacy: PrivacyTier
    """The tier of what is sent: public, internal or sensitive."""
    fallback_classes: Names = ()
    """Classes to try in order when the first has no eligible model."""
    requires: Names = ()
    """Capability tags that the model must provide."""
    tokens_in: RequestTokens = 256
    """Prompt size in tokens."""
    max_tokens_out: RequestTokens = 1024
    """Longest answer wanted, in tokens."""
    budget_usd: Usd | None = None
    """The most that the request may cost, in USD: both sizes at list price."""
    localities: Annotated[tuple[Locality, ...], Field(min_length=1)] | None = None
    """Only these localities."""
    pin: Name | None = None
    """Only this model. Every other rule still holds."""
    exclude: Names = ()
    """Never these models."""
    down: Names = ()
    """Models known to be down: the health snapshot. Health is an input, never looked up."""

    if TYPE_CHECKING:  # lists are as good as tuples, and amounts may be written as texts

        def __init__(
            self,
            *,
            capability_class: str,
            privacy: PrivacyTier,
            fallback_classes: Sequence[str] = (),
            requires: Sequence[str] = (),
            tokens_in: int = 256,
            max_tokens_out: int = 1024,
            budget_usd: Decimal | float | str | None = None,
            localities: Sequence[Locality] | None = None,
            pin: str | None = None,
            exclude: Sequence[str] = (),
            down: Sequence[str] = (),
        ) -> None: ...

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> RouteRequest:
        """A copy with some fields changed (snake_case), each checked as for a new request.

        Raises pydantic's `ValidationError`.
        """
        if not update:
            return super().model_copy(deep=deep)
        return RouteRequest.model_validate({**{name: getattr(self, name) for name in self.model_fields_set}, **update})

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes in the order they are tried, each once."""
        return tuple(dict.fromkeys((self.capability_class, *self.fallback_classes)))


def request_from_json(text: str) -> RouteRequest:
    """The request in a JSON object (camelCase). Amounts keep every digit they were written with.

    Raises `InvalidRequestError`, which names every field that is wrong.
    """
    try:
        data = json.loads(text, parse_float=Decimal, parse_constant=_no_constant, object_pairs_hook=_no_duplicates)
    except (ValueError, RecursionError) as error:
        raise InvalidRequestError(f"the request is no JSON: {error}") from None
    return request_from_value(data)


def request_from_value(data: Any) -> RouteRequest:
    """The request in a plain mapping with camelCase keys. Raises `InvalidRequestError`."""
    if not isinstance(data, dict):
        raise InvalidRequestError(
            'a request is a JSON object such as {"capabilityClass": "fast-draft", "privacy": "public"}'
        )
    try:
        return RouteRequest.model_validate(data, by_alias=True, by_name=False)
    except ValidationError as error:
        details = [detail for detail in error.errors(include_url=False) if not _is_echo(detail)]
        problems = "; ".join(_problem(detail) for detail in details)
        raise InvalidRequestError(problems) from None


def _is_echo(error: ErrorDetails) -> bool:
    """A list is "too short" for pydantic as well when none of its items is valid; those are told."""
    return error["type"] == "too_short" and bool(error["input"])


def _problem(error: ErrorDetails) -> str:
    path = ".".join(map(str, error["loc"]))
    if error["type"] == "missing":
        said = " (what may leave the machine must be said: public, internal or sensitive)"
        return f"{path} is missing{said if path == 'privacy' else ''}"
    if error["type"] == "extra_forbidden":
        known = [str(field.alias) for field in RouteRequest.model_fields.values()]
        near = get_close_matches(path, known, n=1)
        return f"unknown field {path!r}" + (f", did you mean {near[0]!r}?" if near else "")
    if error["type"] == "literal_error":
        near = get_close_matches(str(error["input"]), LOCALITIES + PRIVACY_TIERS, n=1)
        hint = f", did you mean {near[0]!r}?" if near else ""
        return f"{path.partition('.')[0]}: {error['input']!r} is not one of {error['ctx']['expected']}{hint}"
    if error["type"] == "string_pattern_mismatch":
        return f"{path}: {error['input']!r} is no name: letters, digits and . _ : / @ + -"
    return f"{path}: {error['msg'][:1].lower()}{error['msg'][1:]}"


def _no_constant(word: str) -> Any:
    raise ValueError(f"{word} is not JSON")


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    data = dict(pairs)
    if len(data) < len(pairs):
        raise ValueError("a key stands twice")
    return data
