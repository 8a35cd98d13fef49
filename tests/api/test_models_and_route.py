"""What the gateway tells of its catalog, and what it would decide."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import openai
import pytest

from aldo.catalog import load_catalog
from aldo.router import route
from aldo.schema import RouteRequest
from tests.api.running import Gateway, House, model
from tests.api.upstream import Upstream

SECRET = {"apiKeyEnv": "ACME_KEY", "headers": {"X-Tenant": "tenant-7"}, "model": "acme/big-1", "extra": {"seed": 4242}}


@pytest.fixture(scope="module")
def rich(shared_house: House, shared_server: Upstream) -> Gateway:
    return shared_house.gateway(
        model("near", shared_server.url, description="the one here", asOf="2026-01-02", latencyP95Ms=12),
        model("sky/big:1@x", shared_server.url, locality="cloud", config=SECRET, privacyAllowed=["public"]),
        model("off", shared_server.url, enabled=False),
        model(
            "lean",
            shared_server.url,
            effectiveContextTokens=5000,
            servedContextTokens=2000,
            capabilityClass="reasoning-small",
        ),
    )


def test_the_list_has_every_entry_in_openais_shape(rich: Gateway) -> None:
    found = rich.http.get("/v1/models").json()
    assert found["object"] == "list"
    assert {one["id"] for one in found["data"]} == {"near", "sky/big:1@x", "off", "lean"}
    for one in found["data"]:
        assert one["object"] == "model"
        assert isinstance(one["created"], int)
        assert one["owned_by"] == "acme"
        assert isinstance(one["available"], bool)
        assert set(one["health"]) >= {"state", "reason", "since"}


def test_the_openai_sdk_lists_and_retrieves_them(rich: Gateway) -> None:
    with openai.OpenAI(base_url=f"{rich.url}/v1", api_key="any", max_retries=0) as sdk:
        assert {one.id for one in sdk.models.list()} == {"near", "sky/big:1@x", "off", "lean"}
        assert sdk.models.retrieve("sky/big:1@x").id == "sky/big:1@x"
        with pytest.raises(openai.NotFoundError) as caught:
            sdk.models.retrieve("nobody")
        assert caught.value.code == "unknown_model"


def test_an_entry_alone_is_what_the_list_says_of_it(rich: Gateway) -> None:
    for one in rich.http.get("/v1/models").json()["data"]:
        assert rich.http.get(f"/v1/models/{one['id']}").json() == one


def test_the_routing_facts_are_told(rich: Gateway) -> None:
    near = rich.http.get("/v1/models/near").json()
    assert near["capabilityClass"] == "fast-draft"
    assert near["locality"] == "local"
    assert near["provides"] == ["streaming", "tool-use"]
    assert near["privacyAllowed"] == ["public", "internal", "sensitive"]
    assert near["cost"]["usdPerMtokIn"] in (0, "0")
    assert near["contextTokens"] == near["effectiveContextTokens"] == 32768
    assert near["latencyP95Ms"] == 12
    assert rich.http.get("/v1/models/lean").json()["contextTokens"] == 2000
    assert rich.http.get("/v1/models/off").json()["available"] is False


def test_where_servers_are_and_by_which_key_is_not_told(rich: Gateway, server: Upstream) -> None:
    told = rich.http.get("/v1/models").text + rich.http.get("/v1/models/sky/big:1@x").text
    for secret in (
        "127.0.0.1",
        str(server.port),
        "ACME_KEY",
        "tenant-7",
        "X-Tenant",
        "acme/big-1",
        "4242",
        "providerConfig",
    ):
        assert secret not in told


@pytest.mark.parametrize("name", ["nobody", "near/", "NEAR", "%6eear%00", "..%2f..", "", "крокодил"])
def test_an_entry_that_is_not_there_is_not_found(name: str, rich: Gateway) -> None:
    answer = rich.http.get(f"/v1/models/{name}")
    assert answer.status_code == 404
    assert answer.json()["error"]["code"] in ("unknown_model", "not_found")


# Dry runs -------------------------------------------------------------------------------------------------------


def test_a_dry_run_is_the_librarys_decision_and_asks_no_server(rich: Gateway, server: Upstream) -> None:
    fields = {
        "capabilityClass": "fast-draft",
        "privacy": "public",
        "tokensIn": 10,
        "fallbackClasses": ["reasoning-small"],
    }
    catalog = load_catalog(rich.inner.settings.catalog)
    expected = json.loads(json.dumps(route(catalog, RouteRequest.model_validate(fields)).to_dict()))
    answer = rich.route(**fields)
    found = answer.json()
    assert {name: found[name] for name in expected} == expected
    assert answer.headers["x-aldo-model"] == expected["model"]
    assert answer.headers["x-aldo-class"] == expected["classUsed"]
    assert answer.headers["x-aldo-routing-digest"] == expected["routingDigest"]
    assert "trace" not in found
    assert server.asked == []


def test_a_trace_is_told_when_it_is_asked_for(rich: Gateway) -> None:
    fields = {"capabilityClass": "fast-draft", "privacy": "sensitive"}
    catalog = load_catalog(rich.inner.settings.catalog)
    expected = route(catalog, RouteRequest.model_validate(fields)).explain().to_dict()
    assert rich.route("?explain=true", **fields).json()["trace"] == json.loads(json.dumps(expected))
    for query in ("", "?explain=false", "?x=1"):
        assert "trace" not in rich.route(query, **fields).json()


def test_headers_say_what_the_body_leaves_out(rich: Gateway) -> None:
    headers = {
        "x-aldo-privacy": "public",
        "x-aldo-fallback": "reasoning-small",
        "x-aldo-requires": "tool-use",
        "x-aldo-budget-usd": "1",
    }
    request = rich.route(headers=headers, capabilityClass="fast-draft").json()["request"]
    assert request["privacy"] == "public"
    assert (request["fallbackClasses"], request["requires"]) == (["reasoning-small"], ["tool-use"])
    assert float(request["budgetUsd"]) == 1
    assert rich.route(capabilityClass="fast-draft").json()["error"]["code"] == "privacy_missing"


def test_a_body_and_a_header_that_name_two_tiers_are_refused(rich: Gateway) -> None:
    for said, header in (("public", "sensitive"), ("sensitive", "public")):
        answer = rich.route(headers={"x-aldo-privacy": header}, capabilityClass="fast-draft", privacy=said)
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid_request")
    same = rich.route(headers={"x-aldo-privacy": "public"}, capabilityClass="fast-draft", privacy="public")
    assert same.status_code == 200


WRONG: list[dict[str, Any]] = [
    {},
    {"capabilityClass": 5},
    {"capabilityClass": ""},
    {"capabilityClass": "fast-draft", "tokensIn": -1},
    {"capabilityClass": "fast-draft", "tokensIn": 1.5},
    {"capabilityClass": "fast-draft", "tokenIn": 1},
    {"capabilityClass": "fast-draft", "localities": []},
    {"capabilityClass": "fast-draft", "localities": ["moon"]},
    {"capabilityClass": "fast-draft", "budgetUsd": "cheap"},
    {"capabilityClass": "fast-draft", "privacy": "secret"},
    {"capabilityClass": "fast-draft", "privacy": "Public"},
    {"capability_class": "fast-draft"},
]


@pytest.mark.parametrize("fields", WRONG)
def test_a_request_that_makes_no_sense_is_refused(fields: dict[str, Any], rich: Gateway) -> None:
    answer = rich.route(**{"privacy": "public"} | fields)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid_request")


@pytest.mark.parametrize("tier", [5, True, [], ["public"], {}, {"public": 1}, 1.5])
def test_a_tier_that_is_no_text_is_refused(tier: Any, rich: Gateway) -> None:
    answer = rich.route(capabilityClass="fast-draft", privacy=tier)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid_request")


@pytest.mark.parametrize("tier", [None, ""])
def test_an_empty_tier_never_falls_to_the_default(tier: Any, shared_house: House, server: Upstream) -> None:
    lenient = shared_house.gateway(model("near", server.url), privacy="public")
    assert lenient.route(capabilityClass="fast-draft").json()["request"]["privacy"] == "public"
    assert lenient.route(capabilityClass="fast-draft", privacy="").status_code == 400
    null = lenient.route(capabilityClass="fast-draft", privacy=None)
    assert null.status_code == 400 or null.json()["request"]["privacy"] == "public"


@pytest.mark.parametrize("path", ["/v1/route", "/v1/chat/completions"])
def test_a_field_that_stands_twice_is_refused(path: str, rich: Gateway, server: Upstream) -> None:
    """As the library refuses it: of two tiers, or two models, nobody knows which one was meant."""
    raw = {
        "/v1/route": '{"capabilityClass": "fast-draft", "privacy": "sensitive", "privacy": "public"}',
        "/v1/chat/completions": '{"model": "near", "model": "sky/big:1@x", "messages": [{"role": "user", "content": "hi"}]}',
    }[path]
    headers = {"content-type": "application/json"} | ({"x-aldo-privacy": "public"} if "chat" in path else {})
    answer = rich.http.post(path, content=raw.encode(), headers=headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid_request")
    assert server.asked == []


def test_a_client_may_say_itself_who_is_down(rich: Gateway) -> None:
    answer = rich.route(capabilityClass="fast-draft", privacy="public", down=["near"])
    assert answer.json()["model"] == "sky/big:1@x"
    assert answer.headers["x-aldo-down"] == "near"


def test_a_refusal_is_told_as_the_library_tells_it(rich: Gateway) -> None:
    answer = rich.route(capabilityClass="fast-draft", privacy="sensitive", requires=["vision"])
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (422, "no_eligible_model")
    assert error["stages"][0]["code"] == "CAPABILITY_MISSING"
    assert error["relaxations"]


# The document ---------------------------------------------------------------------------------------------------


def test_every_answer_is_what_the_document_says(rich: Gateway, server: Upstream) -> None:
    document = rich.http.get("/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    asked = {"model": "near", "messages": [{"role": "user", "content": "hi"}]}
    tier = {"x-aldo-privacy": "public"}
    answers = {
        ("/v1/models", "get"): rich.http.get("/v1/models"),
        ("/v1/models/{model}", "get"): rich.http.get("/v1/models/near"),
        ("/v1/route", "post"): rich.route("?explain=true", capabilityClass="fast-draft", privacy="public"),
        ("/v1/chat/completions", "post"): rich.http.post("/v1/chat/completions", json=asked, headers=tier),
        ("/health", "get"): rich.http.get("/health"),
    }
    for (path, method), answer in answers.items():
        check(document, path, method, answer)
    refused = {
        ("/v1/models/{model}", "get"): rich.http.get("/v1/models/nobody"),
        ("/v1/route", "post"): rich.route(capabilityClass="nothing", privacy="public"),
        ("/v1/chat/completions", "post"): rich.chat(n=2),
    }
    for (path, method), answer in refused.items():
        check(document, path, method, answer)


def check(document: Any, path: str, method: str, answer: Any) -> None:
    said = document["paths"][path][method]["responses"][str(answer.status_code)]
    schema = said["content"]["application/json"]["schema"]
    whole = {**schema, "components": document["components"]}
    jsonschema.Draft202012Validator(whole).validate(answer.json())


def test_the_document_has_every_path_and_the_wishes(rich: Gateway) -> None:
    document = rich.http.get("/openapi.json").json()
    assert set(document["paths"]) >= {
        "/v1/chat/completions",
        "/v1/embeddings",
        "/v1/route",
        "/v1/models",
        "/v1/models/{model}",
        "/health",
        "/metrics",
    }
    named = {one["name"].lower() for one in document["paths"]["/v1/chat/completions"]["post"]["parameters"]}
    assert named == {"x-aldo-privacy", "x-aldo-requires", "x-aldo-budget-usd", "x-aldo-fallback"}


def test_health_tells_of_the_process_and_names_no_model(rich: Gateway) -> None:
    answer = rich.http.get("/health")
    found = answer.json()
    assert (found["status"], found["models"], found["up"], found["catalogFile"]) == ("ok", 3, 3, "ok")
    assert not any(name in answer.text for name in ("near", "sky", "lean"))
