"""The reference of the gateway, from its OpenAPI document."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from aldo.api.endpoints.openapi import document
from publish.markdown import NOTICE, table
from publish.schemas import _fields, _type

_HEAD = f"""\
{NOTICE}# The gateway's API

Made from the OpenAPI document that `aldo serve` gives at `/openapi.json`. [The gateway](../how-to/serve.md) explains it with
examples.
"""


def gateway_page() -> str:
    """The whole page as Markdown."""
    whole = document()
    parts = [_HEAD]
    for path, operations in whole["paths"].items():
        for method, operation in operations.items():
            parts += _operation(path, method, operation)
    parts.append("## Bodies\n")
    for name, schema in sorted(whole["components"]["schemas"].items()):
        if schema.get("properties"):
            parts.append(f"### {name}\n")
            if said := schema.get("description"):
                parts.append(f"{said}\n")
            parts += _fields(schema)
    return "\n".join(parts)


def _operation(path: str, method: str, operation: Mapping[str, Any]) -> Iterator[str]:
    yield f"## `{method.upper()} {path}`\n"
    said = operation.get("description") or operation.get("summary")
    if said:
        yield f"{said}\n"
    if given := operation.get("parameters"):
        rows = (
            (f"`{one['name']}`", one["in"], _type(one.get("schema", {})), one.get("description", "")) for one in given
        )
        yield table(("parameter", "in", "type", "meaning"), rows) + "\n"
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
    if body:
        yield f"The body is {_link(body)}.\n"
    rows2 = ((f"`{status}`", _answer(answer)) for status, answer in operation["responses"].items())
    yield table(("status", "answer"), rows2) + "\n"


def _answer(answer: Mapping[str, Any]) -> str:
    schema = answer.get("content", {}).get("application/json", {}).get("schema")
    return f"{answer.get('description', '')} {_link(schema) if schema else ''}".strip()


def _link(schema: Mapping[str, Any]) -> str:
    name = _type(schema)
    return f"[{name}](#{name.lower()})" if "$ref" in schema else name
