"""What the bodies share: strict about fields, and errors that name the field."""

from __future__ import annotations

import json
import math
from difflib import get_close_matches
from typing import Any, ClassVar, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

from aldo.api.faults import RequestFault


class Body(BaseModel):
    """The JSON of a request. A field that nobody knows is refused: dropped in silence it would be missed too late."""

    model_config: ClassVar[ConfigDict] = ConfigDict(extra="forbid", hide_input_in_errors=True, frozen=True, strict=True)


def _number(value: Any) -> Any:
    """JSON has one kind of number: 8.0 is 8."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


Integer: BeforeValidator = BeforeValidator(_number)
Read = TypeVar("Read", bound=Body)


def read_json(data: bytes) -> Any:
    """The JSON value. Raises `RequestFault` without a word of what stood there."""
    try:
        return json.loads(data, parse_constant=_no_constant, parse_float=_finite, object_pairs_hook=_once)
    except json.JSONDecodeError as error:
        said = f"{error.msg[:1].lower()}{error.msg[1:]} at line {error.lineno}, column {error.colno}"
    except UnicodeDecodeError:
        said = "it is no UTF-8"
    except RecursionError:
        said = "it is too deep"
    except ValueError as error:
        said = str(error)
    raise RequestFault(f"the body is no JSON: {said}")


def _no_constant(_: str) -> Any:
    raise ValueError("NaN and Infinity are no numbers")


def _finite(text: str) -> float:
    """1e999 would be read as infinity, which no JSON to a server can say."""
    number = float(text)
    if math.isinf(number):
        raise ValueError(f"{text[:20]} is too large a number")
    return number


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Of two tiers, or two models, nobody knows which one was meant."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name stands twice in one object")
    return found


def read_body(kind: type[Read], data: bytes) -> Read:
    """The body. Raises `RequestFault`, which names the first field that is wrong."""
    value = read_json(data)
    if not isinstance(value, dict):
        raise RequestFault("the body is no JSON object")
    try:
        return kind.model_validate(value)
    except ValidationError as error:
        raise _fault(kind, error.errors(include_url=False, include_input=False)) from None


def _fault(kind: type[Body], errors: list[ErrorDetails]) -> RequestFault:
    first = errors[0]
    place = ".".join(str(part) for part in first["loc"] if not _is_branch(part))
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    return RequestFault(f"{_problem(kind, first, place)}{more}", param=place or None)


def _is_branch(part: Any) -> bool:
    """pydantic names the branch of a union in the path."""
    return isinstance(part, str) and (part in ("str", "bool") or "[" in part)


def _problem(kind: type[Body], error: ErrorDetails, place: str) -> str:
    if error["type"] == "missing":
        return f"{place} is missing"
    if error["type"] == "extra_forbidden":
        near = get_close_matches(place, kind.model_fields, n=1)
        hint = _INSTEAD.get(place) or (f"did you mean {near[0]!r}?" if near else "nothing here knows it")
        return f"unknown field {place!r}; {hint}"
    return f"{place}: {error['msg'][:1].lower()}{error['msg'][1:]}"


_INSTEAD = {
    "functions": "use tools",
    "function_call": "use tool_choice",
    "privacy": "the tier is the header X-Aldo-Privacy",
    "requires": "it is the header X-Aldo-Requires",
    "budget_usd": "it is the header X-Aldo-Budget-Usd",
    "audio": "answers are text",
    "web_search_options": "models here search nothing",
    "prediction": "no server here takes it",
}
