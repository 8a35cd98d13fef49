"""The JSON Schemas (2020-12) of our files and messages, generated from the types.

`aldo schema NAME` prints one; the files beside this module are what it printed when it was last
released, and a test holds the two equal.
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from aldo.schema.agent import Agent
from aldo.schema.catalog import Catalog
from aldo.schema.decision import DecisionRecord
from aldo.schema.overlay import CatalogOverlay
from aldo.schema.policy import RoutingPolicy
from aldo.schema.published.describe import describe
from aldo.schema.request import RouteRequest
from aldo.schema.route_tests import RouteTests
from aldo.schema.suite import Suite
from aldo.schema.usage import UsageRow

DIALECT = "https://json-schema.org/draft/2020-12/schema"

TYPES: dict[str, type[BaseModel]] = {
    "catalog": Catalog,
    "request": RouteRequest,
    "decision": DecisionRecord,
    "agent": Agent,
    "suite": Suite,
    "overlay": CatalogOverlay,
    "policy": RoutingPolicy,
    "routes": RouteTests,
    "usage": UsageRow,
}


def json_schema(name: str) -> dict[str, Any]:
    """The schema called `name`, one of `TYPES`."""
    mode: Any = "serialization" if name == "decision" else "validation"
    schema = TYPES[name].model_json_schema(by_alias=True, mode=mode)
    describe(schema, TYPES[name])
    _drop_titles(schema)
    if name == "catalog":
        schema = _catalog_file(schema)
    elif name in ("overlay", "policy", "routes"):
        schema["required"] = ["apiVersion", "kind", *schema.get("required", ())]
        if name == "overlay":
            _drop_null_defaults(schema)
    return {"$schema": DIALECT, "$id": f"urn:aldo:schema:{name}:v1", **schema}


def _drop_titles(schema: Any) -> None:
    """pydantic makes a title of every field's name; editors show the name already."""
    for definition in (schema, *schema.get("$defs", {}).values()):
        for field in definition.get("properties", {}).values():
            field.pop("title", None)


def _drop_null_defaults(schema: dict[str, Any]) -> None:
    """A field that is left out has no value; null is none that a file may give it."""
    for definition in (schema, *schema.get("$defs", {}).values()):
        for field in definition.get("properties", {}).values():
            if field.get("default", ...) is None:
                del field["default"]


def _catalog_file(schema: dict[str, Any]) -> dict[str, Any]:
    """A file names its version and kind, or is a bare list of entries; a value in Python need not."""
    definitions = schema.pop("$defs")
    catalog = {**schema, "required": ["apiVersion", "kind", "models"]}
    entries = {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/ModelEntry"}, "title": "Bare list of entries"}
    return {"title": "aldo model catalog", "anyOf": [catalog, entries], "$defs": definitions}
