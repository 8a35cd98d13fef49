"""What a server does wrong, as the client is told it: one shape, our codes, a status that SDKs understand."""

from __future__ import annotations

from typing import Any

import openai
import pytest

from tests.api.running import Gateway, House, model, until
from tests.api.upstream import FAULTS, HANG, STREAM_HEAD, Upstream, answering, completion, failing, http

TOLD = {
    "500": (502, "server_error"),
    "502": (502, "server_error"),
    "503": (503, "server_loading"),
    "429": (429, "rate_limited"),
    "401": (502, "unauthorized"),
    "404": (502, "model_not_found"),
    "400": (400, "bad_request"),
    "context": (400, "context_exceeded"),
    "html": (502, "protocol"),
    "close": (502, "connection"),
    "reset": (502, "connection"),
    "cut": (502, "stream_cut"),
}
"""What the contract says of each fault."""
TYPES = {400: "invalid_request_error", 429: "rate_limit_error", 502: "server_error", 503: "server_error"}


def error_of(answer: Any) -> dict[str, Any]:
    found: dict[str, Any] = answer.json()["error"]
    assert set(answer.json()) == {"error"}
    assert set(found) >= {"message", "type", "param", "code"}
    assert found["message"]
    return found


@pytest.mark.parametrize(
    ("fault", "way"),
    [(fault, way) for fault in TOLD for way in ("whole", "stream", "embed") if fault != "cut" or way == "stream"],
)
def test_a_fault_of_a_server_has_one_status_and_one_code(
    fault: str, way: str, gateway: Gateway, server: Upstream
) -> None:
    server.script = FAULTS[fault] if fault != "cut" else answering(STREAM_HEAD, "close")
    embeds = way == "embed"
    answer = gateway.embed("hi", model="near-vec") if embeds else gateway.chat(stream=way == "stream")
    status, code = TOLD[fault]
    error = error_of(answer)
    assert (answer.status_code, error["code"]) == (status, code)
    assert error["type"] == TYPES[status]
    assert error["model"] == ("near-vec" if way == "embed" else "near")


@pytest.fixture(scope="module")
def shared_gateway(shared_house: House, shared_server: Upstream) -> Gateway:
    return shared_house.gateway(
        model("near", shared_server.url),
        model("near-vec", shared_server.url, capabilityClass="embeddings", provides=["embeddings"]),
    )


@pytest.fixture(autouse=True)
def _well_again(gateway: Gateway, server: Upstream) -> None:
    """The other model rests, too."""
    assert gateway.embed("hi", model="near-vec").status_code == 200
    server.forget()


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("way", [False, True], ids=["whole", "stream"])
def test_every_fault_is_told_in_one_shape_and_leaves_the_gateway_well(
    way: bool, fault: str, gateway: Gateway, server: Upstream
) -> None:
    server.script = FAULTS[fault]
    answer = gateway.chat(stream=way)
    assert "internal_error" not in answer.text
    assert answer.status_code >= 400 or '"error"' in answer.text
    assert "[DONE]" not in answer.text
    assert gateway.http.get("/health").json()["status"] == "ok"


def test_a_server_that_asks_for_time_is_quoted_with_it(gateway: Gateway, server: Upstream) -> None:
    server.script = failing("429 Too Many Requests", retry_after="7")
    answer = gateway.chat()
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "7")


def test_a_rate_limit_always_says_when_to_come_again(gateway: Gateway, server: Upstream) -> None:
    server.script = FAULTS["429"]
    answer = gateway.chat()
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) >= 1


def test_a_server_that_says_nothing_is_a_timeout(house: House) -> None:
    server = house.upstream(answering(HANG))
    gateway = house.gateway(model("near", server.url), timeout=0.05)
    for stream in (False, True):
        answer = gateway.chat(stream=stream)
        assert (answer.status_code, error_of(answer)["code"]) == (504, "timeout")
    until(lambda: server.closed == server.connections == 2, "the end of the connections")


def test_where_nothing_listens_it_is_a_connection_error(house: House) -> None:
    server = house.upstream()
    gateway = house.gateway(model("near", server.url))
    house.run(server.stop())
    answer = gateway.chat()
    assert (answer.status_code, error_of(answer)["code"]) == (502, "connection")


def test_what_no_trying_again_would_change_is_not_tried_again_by_the_sdk(gateway: Gateway, server: Upstream) -> None:
    with openai.OpenAI(
        base_url=f"{gateway.url}/v1", api_key="any", max_retries=2, default_headers={"X-Aldo-Privacy": "public"}
    ) as sdk:
        for fault in ("401", "404"):
            server.script = FAULTS[fault]
            server.forget()
            with pytest.raises(openai.APIStatusError) as caught:
                sdk.chat.completions.create(model="near", messages=[{"role": "user", "content": "hi"}])
            assert caught.value.status_code == 502
            assert len(server.asked) == 1


@pytest.mark.parametrize(("arguments", "code"), [('{"a": ', "tool_call_unparsable"), ("[1", "tool_call_unparsable")])
def test_a_tool_call_that_cannot_be_read_is_no_success(
    arguments: str, code: str, gateway: Gateway, server: Upstream
) -> None:
    call = {"id": "c", "type": "function", "function": {"name": "look", "arguments": arguments}}
    server.script = answering(*http(completion(None, "tool_calls", tool_calls=[call])))
    answer = gateway.chat(tools=[{"type": "function", "function": {"name": "look"}}])
    assert (answer.status_code, error_of(answer)["code"]) == (502, code)


def test_no_eligible_model_says_which_stage_and_what_would_help(gateway: Gateway, server: Upstream) -> None:
    answer = gateway.chat(headers={"x-aldo-requires": "vision"})
    error = error_of(answer)
    assert (answer.status_code, error["code"], error["type"]) == (422, "no_eligible_model", "invalid_request_error")
    assert error["stages"] == [{"capabilityClass": "fast-draft", "code": "CAPABILITY_MISSING", "entries": 1}]
    assert error["relaxations"]
    assert "retry-after" not in answer.headers
    assert server.asked == []


def test_a_path_or_a_method_that_is_not_there_is_told_in_the_same_shape(gateway: Gateway) -> None:
    for method, path, status in (
        ("GET", "/v1/nothing", 404),
        ("GET", "/", 404),
        ("POST", "/v1/completions", 404),
        ("GET", "/v1/chat/completions", 405),
        ("DELETE", "/v1/models", 405),
        ("PUT", "/v1/route", 405),
        ("POST", "/health", 405),
        ("TRACE", "/health", 405),
        ("POST", "/v1/chat/completions/", 404),
    ):
        answer = gateway.http.request(method, path)
        assert answer.status_code == status, (method, path)
        error_of(answer)
        assert ("allow" in answer.headers) == (status == 405)


def test_head_is_get_without_a_body(gateway: Gateway) -> None:
    for path in ("/health", "/v1/models", "/v1/models/near", "/metrics"):
        head, get = gateway.http.head(path), gateway.http.get(path)
        assert (head.status_code, head.content) == (200, b"")
        assert head.headers["content-type"] == get.headers["content-type"]
