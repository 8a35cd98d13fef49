"""The published JSON Schemas: as generated, and in agreement with the types."""

from __future__ import annotations

import json
from importlib import resources
from typing import Any

import jsonschema
import pytest
import yaml
from jsonschema.validators import validator_for
from pydantic import ValidationError

from aldo.schema import Catalog
from aldo.schema.published import TYPES, json_schema
from tests.schema.test_types import ENTRY
from tests.support.cases import MODELS, ROOT
from tests.support.cli import aldo


@pytest.mark.parametrize("name", TYPES)
def test_the_published_file_is_what_the_types_say(name: str) -> None:
    published = resources.files("aldo.schema.published") / f"{name}.schema.json"
    assert json.loads(published.read_text("utf-8")) == json_schema(name), "run: make schemas"
    assert published.read_text("utf-8") == aldo("schema", name).stdout


@pytest.mark.parametrize("name", TYPES)
def test_the_schema_is_valid_draft_2020_12(name: str) -> None:
    schema = json_schema(name)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    validator_for(schema).check_schema(schema)


def test_models_yaml_names_its_schema_in_a_modeline_and_satisfies_it() -> None:
    text = MODELS.read_text("utf-8")
    first = text.splitlines()[0]
    assert first.startswith("# yaml-language-server: $schema=")
    schema = json.loads((ROOT / first.partition("=")[2].strip()).read_text("utf-8"))
    jsonschema.validate(json.loads(json.dumps(yaml.safe_load(text), default=str)), schema)


_CHANGES: list[dict[str, Any]] = [
    {}, {"id": "a b"}, {"provides": []}, {"locality": "moon"}, {"effectiveContextTokens": 0}, {"unknown": 1},
    {"cost": {"usdPerMtokIn": 0}}, {"cost": {"usdPerMtokIn": -1, "usdPerMtokOut": 0}}, {"enabled": "yes"},
    {"capabilityClass": "my-own"}, {"capabilityClass": "bad one"}, {"asOf": "2026-11-22"}, {"source": "x"},
    {"providerConfig": {"extra": {"anything": [1, None]}}}, {"providerConfig": {"url": "x"}},
]  # fmt: skip


@pytest.mark.parametrize("change", _CHANGES, ids=str)
def test_schema_and_types_agree_on_what_an_entry_is(change: dict[str, Any]) -> None:
    models = [ENTRY | change]
    try:
        Catalog.model_validate({"models": models}, by_name=False)
        accepted = True
    except ValidationError:
        accepted = False
    validator = validator_for(json_schema("catalog"))(json_schema("catalog"))
    whole = {"apiVersion": "aldo/models.v1", "kind": "ModelCatalog", "models": models}
    assert validator.is_valid(whole) == validator.is_valid(models) == accepted


@pytest.mark.parametrize("fallback", ["coding-frontier", ["coding-frontier"], [], None, [1]])
def test_schema_and_types_agree_on_what_the_fallback_of_an_agent_is(fallback: Any) -> None:
    agent = {
        "schema": "aldo-ai/agent.v1",
        "identity": {"name": "a"},
        "privacy_tier": "public",
        "model_policy": {"capability_class": "fast-draft", "fallback": fallback},
    }
    try:
        TYPES["agent"].model_validate(agent, by_name=False)
        accepted = True
    except ValidationError:
        accepted = False
    assert validator_for(json_schema("agent"))(json_schema("agent")).is_valid(agent) is accepted
