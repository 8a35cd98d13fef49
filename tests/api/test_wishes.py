"""What a request may say, in its body and in its headers, and what it comes to for routing."""

from __future__ import annotations

import http.client
import json
from typing import Any

import pytest

from tests.api.running import Gateway, House, model
from tests.api.upstream import FAULTS, Upstream

TIERS = ["public", "internal", "sensitive"]
IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
SOUND = {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}}
TOOL = {"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}


@pytest.fixture(scope="module")
def gateway(shared_house: House, shared_server: Upstream) -> Gateway:
    return shared_house.gateway(model("near", shared_server.url, provides=["streaming"]))


@pytest.fixture(scope="module")
def lenient(shared_house: House, shared_server: Upstream) -> Gateway:
    """Its operator has set a tier for those who say none."""
    return shared_house.gateway(model("near", shared_server.url), privacy="public")


def error_of(response: Any, status: int, code: str) -> dict[str, Any]:
    assert response.status_code == status, response.text
    found: dict[str, Any] = response.json()["error"]
    assert found["code"] == code
    assert set(found) >= {"message", "type", "param", "code"}
    return found


def test_a_request_without_a_tier_is_refused(gateway: Gateway, server: Upstream) -> None:
    error = error_of(gateway.chat(privacy=None), 400, "privacy_missing")
    assert error["param"] == "X-Aldo-Privacy"
    error_of(gateway.embed("x", privacy=None), 400, "privacy_missing")
    assert server.asked == []


@pytest.mark.parametrize("tier", TIERS)
def test_the_operators_default_is_the_tier_of_a_request_that_says_none(tier: str, house: House) -> None:
    server = house.upstream()
    gateway = house.gateway(model("near", server.url, privacyAllowed=[tier]), privacy=tier)
    assert gateway.chat(privacy=None).status_code == 200
    others = [one for one in TIERS if one != tier]
    assert [gateway.chat(privacy=one).status_code for one in others] == [422, 422]
    assert len(server.asked) == 1


@pytest.mark.parametrize("said", ["", "Sensitive", "SENSITIVE", "sensitiv", "public,internal", "public;q=1", "secret"])
def test_a_tier_that_nobody_knows_never_falls_to_the_default(said: str, lenient: Gateway, server: Upstream) -> None:
    error = error_of(lenient.chat(privacy=said), 400, "invalid_request")
    assert error["param"] == "X-Aldo-Privacy"
    assert server.asked == []


@pytest.mark.parametrize(
    "header",
    [
        "X-Aldo-Privcy",
        "X-Aldo-Tier",
        "x-aldo-privacy-",
        "X-Aldo-Requires-",
        "X-Aldo-Require",
        "X-ALDO-BUDGET",
        "X-Aldo-",
    ],
)
@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/embeddings", "/v1/route"])
def test_an_unknown_header_of_ours_is_refused_wherever_it_stands(
    path: str, header: str, lenient: Gateway, server: Upstream
) -> None:
    bodies: dict[str, Any] = {
        "/v1/chat/completions": {"model": "near", "messages": [{"role": "user", "content": "hi"}]},
        "/v1/embeddings": {"model": "near", "input": "hi"},
        "/v1/route": {"capabilityClass": "fast-draft"},
    }
    error_of(lenient.http.post(path, json=bodies[path], headers={header: "sensitive"}), 400, "invalid_request")
    assert server.asked == []


def test_a_misspelt_header_is_answered_with_the_one_that_was_meant(gateway: Gateway) -> None:
    error = error_of(gateway.chat(headers={"X-Aldo-Privcy": "sensitive"}), 400, "invalid_request")
    assert "X-Aldo-Privacy" in error["message"]


@pytest.mark.parametrize("name", ["privacy", "requires", "budget-usd", "fallback"])
@pytest.mark.parametrize("values", [("public", "public"), ("sensitive", "public"), ("public", "sensitive")])
def test_a_header_that_stands_twice_is_refused_whatever_it_says(
    name: str, values: tuple[str, str], gateway: Gateway, server: Upstream
) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", gateway.port)
    body = json.dumps({"model": "near", "messages": [{"role": "user", "content": "hi"}]})
    connection.putrequest("POST", "/v1/chat/completions")
    connection.putheader("content-type", "application/json")
    connection.putheader("content-length", str(len(body)))
    if name != "privacy":
        connection.putheader("x-aldo-privacy", "public")
    for title, value in zip((f"X-Aldo-{name}", f"x-aldo-{name.upper()}"), values, strict=True):
        connection.putheader(title, value)
    connection.endheaders(body.encode())
    answer = connection.getresponse()
    assert (answer.status, json.loads(answer.read())["error"]["code"]) == (400, "invalid_request")
    connection.close()
    assert server.asked == []


def test_an_id_pins_and_every_other_rule_still_holds(house: House) -> None:
    server = house.upstream()
    gateway = house.gateway(
        model("first", server.url),
        model("second", server.url, privacyAllowed=["public"]),
        model("off", server.url, enabled=False),
        model("cloud", server.url, locality="cloud"),
        model("small", server.url, effectiveContextTokens=100),
    )
    assert gateway.chat("second").headers["x-aldo-model"] == "second"
    error_of(gateway.chat("second", "sensitive"), 422, "no_eligible_model")
    error_of(gateway.chat("off"), 422, "no_eligible_model")
    error_of(gateway.chat("cloud", "sensitive"), 422, "no_eligible_model")
    error_of(gateway.chat("small", max_tokens=101), 422, "no_eligible_model")
    error_of(gateway.chat("second", headers={"x-aldo-requires": "vision"}), 422, "no_eligible_model")
    assert len(server.asked) == 1


def test_a_pinned_model_is_the_only_one_that_is_asked(house: House) -> None:
    broken, other = house.upstream(FAULTS["close"]), house.upstream()
    gateway = house.gateway(model("broken", broken.url), model("other", other.url))
    error_of(gateway.chat("broken", headers={"x-aldo-fallback": "fast-draft"}), 502, "connection")
    assert other.asked == []


def test_an_id_comes_before_a_class_of_the_same_name(house: House) -> None:
    one, other = house.upstream(), house.upstream()
    gateway = house.gateway(
        model("aaa", one.url),
        model("fast-draft", other.url, capabilityClass="reasoning-small"),
    )
    answer = gateway.chat("fast-draft")
    assert (answer.headers["x-aldo-model"], answer.headers["x-aldo-class"]) == ("fast-draft", "reasoning-small")
    assert one.asked == []


def test_a_class_routes_by_the_rules_of_the_router(house: House) -> None:
    server = house.upstream()
    gateway = house.gateway(model("b", server.url), model("a", server.url), model("c", server.url, locality="cloud"))
    answer = gateway.chat("fast-draft")
    assert answer.headers["x-aldo-model"] == answer.json()["model"] == "a"
    digest = gateway.http.get("/health").json()["routingDigest"]
    assert answer.headers["x-aldo-routing-digest"] == digest
    assert "x-aldo-down" not in answer.headers


def test_a_model_that_is_neither_is_not_found_and_what_is_near_is_told(gateway: Gateway) -> None:
    error = error_of(gateway.chat("fast-drft"), 404, "unknown_class")
    assert "fast-draft" in error["suggestions"]
    assert error["param"] == "model"


def test_the_fallback_header_names_classes_to_try_in_order(house: House) -> None:
    server = house.upstream()
    gateway = house.gateway(
        model("a", server.url, privacyAllowed=["public"]),
        model("b", server.url, capabilityClass="reasoning-small"),
        model("c", server.url, capabilityClass="reasoning-large"),
    )
    wishes = {"x-aldo-fallback": "reasoning-large , reasoning-small"}
    answer = gateway.chat("fast-draft", "sensitive", headers=wishes)
    assert (answer.headers["x-aldo-model"], answer.headers["x-aldo-class"]) == ("c", "reasoning-large")


@pytest.mark.parametrize("name", ["requires", "fallback"])
@pytest.mark.parametrize("value", ["", ",", "a,,b", "tool-use,"])
def test_a_list_with_an_empty_name_is_refused(name: str, value: str, gateway: Gateway) -> None:
    error_of(gateway.chat(headers={f"x-aldo-{name}": value}), 400, "invalid_request")


def test_an_unknown_capability_or_fallback_class_is_told_as_such(gateway: Gateway) -> None:
    error = error_of(gateway.chat(headers={"x-aldo-requires": "visoin"}), 400, "unknown_capability")
    assert "vision" in error["suggestions"]
    error_of(gateway.chat(headers={"x-aldo-fallback": "fast-drfat"}), 404, "unknown_class")


@pytest.mark.parametrize("value", ["", "cheap", "-1", "NaN", "Infinity", "1e400", "0x10", "1 USD", "1,5"])
def test_a_budget_that_is_no_amount_is_refused(value: str, gateway: Gateway, server: Upstream) -> None:
    error = error_of(gateway.chat(headers={"x-aldo-budget-usd": value}), 400, "invalid_request")
    assert error["param"] == "X-Aldo-Budget-Usd"
    assert server.asked == []


def test_a_budget_is_exact_to_the_last_digit(house: House) -> None:
    server = house.upstream()
    priced = model("priced", server.url, cost={"usdPerMtokIn": 0, "usdPerMtokOut": 0.000001})
    gateway = house.gateway(priced)
    asked = {"max_tokens": 1}
    assert gateway.chat(headers={"x-aldo-budget-usd": "0.000000000001"}, **asked).status_code == 200
    error_of(gateway.chat(headers={"x-aldo-budget-usd": "0"}, **asked), 422, "no_eligible_model")


@pytest.mark.parametrize(
    ("body", "tag"),
    [
        ({"tools": [TOOL]}, "tool-use"),
        ({"messages": [{"role": "user", "content": [IMAGE]}]}, "vision"),
        ({"messages": [{"role": "user", "content": [SOUND]}]}, "audio-in"),
        ({"messages": [{"role": "user", "content": "a"}, {"role": "user", "content": [IMAGE]}]}, "vision"),
    ],
)
def test_what_a_body_holds_is_required_of_the_model(body: Any, tag: str, house: House) -> None:
    plain, able = house.upstream(), house.upstream()
    gateway = house.gateway(
        model("a-plain", plain.url, provides=["streaming"]),
        model("b-able", able.url, provides=["streaming", tag]),
    )
    assert gateway.chat().headers["x-aldo-model"] == "a-plain"
    assert gateway.chat(**body).headers["x-aldo-model"] == "b-able"
    error_of(gateway.chat("a-plain", **body), 422, "no_eligible_model")
    both = gateway.chat(headers={"x-aldo-requires": "code-fim"}, **body)
    error_of(both, 422, "no_eligible_model")


UNKNOWN = {"max_token": "max_tokens", "temprature": "temperature", "messagess": "messages", "tool": "tools"}


@pytest.mark.parametrize("name", UNKNOWN)
def test_an_unknown_field_is_refused_and_the_one_that_was_meant_is_named(
    name: str, gateway: Gateway, server: Upstream
) -> None:
    error = error_of(gateway.chat(**{name: 5}), 400, "invalid_request")
    assert error["param"] == name
    assert UNKNOWN[name] in error["message"]
    assert server.asked == []


@pytest.mark.parametrize("name", ["functions", "requires", "audio", "x"])
def test_an_unknown_field_is_refused_also_where_it_is_null(name: str, gateway: Gateway) -> None:
    error_of(gateway.chat(**{name: None}), 400, "invalid_request")


OPTIONAL = [
    "max_tokens",
    "max_completion_tokens",
    "stream",
    "stream_options",
    "temperature",
    "top_p",
    "seed",
    "stop",
    "tools",
    "tool_choice",
    "parallel_tool_calls",
    "response_format",
    "logprobs",
    "top_logprobs",
    "n",
    "frequency_penalty",
    "presence_penalty",
    "logit_bias",
    "reasoning_effort",
    "user",
    "metadata",
    "store",
    "service_tier",
]


def test_a_null_is_as_good_as_nothing(gateway: Gateway, server: Upstream) -> None:
    assert gateway.chat().status_code == 200
    assert gateway.chat(**dict.fromkeys(OPTIONAL)).status_code == 200
    plain, nulls = (asked.json for asked in server.asked)
    assert plain == nulls


WRONG: dict[str, Any] = {
    "model": [None, 5, "", ["fast-draft"]],
    "messages": [None, [], "hi", [{}], [{"role": "robot", "content": "x"}], [["x"]], [{"role": "user", "content": 5}]],
    "max_tokens": [0, -1, "many", 1.5],
    "temperature": [-0.1, "hot", [1]],
    "n": [2, 0],
    "stream": ["maybe", 7],
    "tools": [[{"type": "function"}], [{"type": "search"}], "look", [{"type": "function", "function": {"name": ""}}]],
    "stop": [5, [5]],
    "response_format": [{"type": "xml"}, {"type": "json_schema"}, "json", {"type": "json_schema", "json_schema": {}}],
    "stream_options": [{"include_usages": True}, True],
}


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in WRONG.items() for value in values])
def test_a_field_that_makes_no_sense_is_refused_before_any_server_is_asked(
    name: str, value: Any, gateway: Gateway, server: Upstream
) -> None:
    said = {"model": "near", "messages": [{"role": "user", "content": "hi"}], name: value}
    answer = gateway.http.post("/v1/chat/completions", json=said, headers={"x-aldo-privacy": "public"})
    assert answer.status_code == 400, answer.text
    assert answer.json()["error"]["type"] == "invalid_request_error"
    assert server.asked == []


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b"null", b'"text"', b"\xff\xfe", b'{"model": NaN}', b"{}{}"])
@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/embeddings", "/v1/route"])
def test_a_body_that_is_no_json_object_is_refused(path: str, raw: bytes, gateway: Gateway) -> None:
    headers = {"content-type": "application/json", "x-aldo-privacy": "public"}
    error_of(gateway.http.post(path, content=raw, headers=headers), 400, "invalid_request")


def test_a_deep_body_is_refused_and_the_gateway_lives(gateway: Gateway) -> None:
    headers = {"content-type": "application/json", "x-aldo-privacy": "public"}
    for path in ("/v1/chat/completions", "/v1/route", "/v1/embeddings"):
        raw = b'{"model":"near","messages":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
        assert gateway.http.post(path, content=raw, headers=headers).status_code == 400
    assert gateway.chat().status_code == 200


def test_max_completion_tokens_counts_for_routing_and_on_the_wire(house: House) -> None:
    server = house.upstream()
    gateway = house.gateway(model("near", server.url, maxOutputTokens=50), max_tokens_out=40)
    assert gateway.chat().status_code == 200
    assert gateway.chat(max_completion_tokens=50).status_code == 200
    error_of(gateway.chat(max_completion_tokens=51), 422, "no_eligible_model")
    error_of(gateway.chat(max_tokens=51), 422, "no_eligible_model")
    assert [asked.json["max_tokens"] for asked in server.asked] == [40, 50]


def test_what_tells_who_asks_is_sent_to_no_server(gateway: Gateway, server: Upstream) -> None:
    said = {"user": "zebra-7", "metadata": {"team": "zebra-7"}, "safety_identifier": "zebra-7"}
    headers = {
        "authorization": "Bearer zebra-7",
        "cookie": "zebra-7=1",
        "x-request-id": "zebra-7",
        "user-agent": "zebra-7",
    }
    assert gateway.chat(headers=headers, **said).status_code == 200
    assert b"zebra-7" not in server.raw
    assert b"x-aldo" not in bytes(server.raw).lower()
