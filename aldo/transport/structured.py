"""Structured output: the answer is checked on our side with jsonschema, whatever the server claims.

What goes wrong is told by place and keyword only: an error holds nothing of the answer, and nothing of the prompt.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from math import isfinite
from typing import Any

from aldo.errors import SchemaMismatch, UsageError
from aldo.schema.frozen import thawed
from aldo.transport.chat import ChatRequest, ChatResult

_MOST_PROBLEMS = 5


class Wanted:
    """What a `response_format` asks for."""

    def __init__(self, schema: Any) -> None:
        """Raises `UsageError` for a schema that is none."""
        from jsonschema.exceptions import SchemaError
        from jsonschema.validators import Draft202012Validator, validator_for
        from referencing import Registry

        self.schema = schema
        self._names = frozenset(_names(schema))
        if isinstance(schema, Mapping) and not isinstance(schema.get("$schema", ""), str):
            raise UsageError("the schema is no JSON Schema: its $schema is no text")
        # With a default, a dialect that nobody knows is taken for it; without, for one that warns.
        kind = validator_for(schema, default=Draft202012Validator)
        try:
            json.dumps(schema, allow_nan=False)
            kind.check_schema(schema)
        except (ValueError, TypeError, RecursionError):
            raise UsageError("the schema is no JSON Schema: it holds what JSON does not") from None
        except SchemaError as error:
            place = "/".join(map(str, error.absolute_path))
            raise UsageError(f"the schema is no JSON Schema: at /{place}: {error.message}") from None
        # A registry of its own: the default one would fetch a $ref that is a URL.
        self._validator = kind(schema, registry=Registry())

    def read(self, result: ChatResult) -> Any:
        """The value of an answer. Raises `SchemaMismatch`, which holds the answer."""
        if result.refusal:
            raise SchemaMismatch("the model refused to answer", result=result)
        try:
            value = json.loads(bare(result.text), parse_constant=_refuse, parse_float=_finite)
            if result.finish_reason == "length" and type(value) in (int, float):
                raise ValueError("more digits may have been to come")
        except (ValueError, RecursionError):
            cut = ", because it was cut at max_tokens" if result.finish_reason == "length" else ""
            raise SchemaMismatch(f"the answer is no JSON{cut}", result=result) from None
        try:
            problems = self._problems(value)
        except (RecursionError, ArithmeticError):
            raise SchemaMismatch(
                "the answer is too deep or too large to be held against the schema", result=result
            ) from None
        if problems:
            raise SchemaMismatch("the answer does not fit the schema", problems=problems, result=result)
        return value

    def _problems(self, value: Any) -> tuple[str, ...]:
        from referencing.exceptions import Unresolvable

        try:
            found = sorted(self._validator.iter_errors(value), key=lambda error: [str(part) for part in error.path])
        except Unresolvable as error:
            raise UsageError(f"the schema refers to {error.ref!r}, which is not in it; nothing is fetched") from None
        told = dict.fromkeys(self._problem(error) for error in found)
        return tuple(told)[:_MOST_PROBLEMS]

    def _problem(self, error: Any) -> str:
        """Where and what, in words of the schema: a name that only the answer has is a part of the answer."""
        known = (str(part) if isinstance(part, int) or part in self._names else "…" for part in error.absolute_path)
        limit = json.dumps(error.validator_value, default=str)
        return f"at /{'/'.join(known)}: {error.validator} {limit if len(limit) <= 80 else ''}".rstrip()


def wanted(response_format: Mapping[str, Any] | None) -> Wanted | None:
    """What is asked for; None for plain text. Raises `UsageError` for a format that nobody knows."""
    kind = (response_format or {}).get("type", "text")
    if response_format is None or kind == "text":
        return None
    if kind == "json_object":
        return Wanted({"type": "object"})
    described = response_format.get("json_schema")
    schema = described.get("schema") if isinstance(described, Mapping) else None
    if kind == "json_schema" and isinstance(described, Mapping) and not isinstance(schema, (Mapping, bool)):
        raise UsageError("a JSON Schema is an object, true or false")
    if kind != "json_schema" or not isinstance(schema, (Mapping, bool)):
        raise UsageError('response_format is {"type": "json_object"} or {"type": "json_schema", "json_schema": {…}}')
    return Wanted(thawed(schema))


def instruction(response_format: Mapping[str, Any] | None) -> str | None:
    """The same in words, for servers that take no notice of the field."""
    asked = wanted(response_format)
    if asked is None:
        return None
    return f"Answer with nothing but JSON that fits this JSON Schema: {json.dumps(asked.schema)}"


def repaired(request: ChatRequest, mismatch: SchemaMismatch) -> ChatRequest:
    """The same chat, with the answer that did not fit and what is wrong with it."""
    problem = "; ".join(mismatch.problems) or str(mismatch.args[0])
    again = (
        {"role": "assistant", "content": mismatch.result.text},
        {"role": "user", "content": f"That is not right: {problem}. Answer again, with nothing but the JSON."},
    )
    return replace(request, messages=(*request.messages, *again), repairs=request.repairs - 1)


def bare(text: str) -> str:
    """JSON without the fence that models like to put around it."""
    text = text.strip()
    first, _, rest = text.partition("\n")
    if first.rstrip().lower() in ("```", "```json") and rest.rstrip().endswith("```"):
        return rest.rstrip()[:-3]
    return text


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is no JSON")


def _finite(number: str) -> float:
    """Raises `ValueError` for a number that no float holds: nobody could write it down again."""
    value = float(number)
    if not isfinite(value):
        raise ValueError(f"{number[:20]} is too large")
    return value


def _names(schema: Any) -> Iterator[str]:
    """All keys anywhere in it."""
    if isinstance(schema, Mapping):
        for name, inner in schema.items():
            yield str(name)
            yield from _names(inner)
    elif isinstance(schema, (list, tuple)):
        for inner in schema:
            yield from _names(inner)
