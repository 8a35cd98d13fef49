"""Whatever a client sends: an answer in one shape, never a defect of ours, and never a word where it does not belong."""

from __future__ import annotations

import copy
import json
import logging
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.api.running import CHAT, Gateway, House, model, posting, read_answer
from tests.api.upstream import Upstream

TIER = {"content-type": "application/json", "x-aldo-privacy": "public"}
EMBEDS = ["streaming", "tool-use", "vision", "audio-in", "embeddings"]


@pytest.fixture(scope="module")
def shared_gateway(shared_house: House, shared_server: Upstream) -> Gateway:
    return shared_house.gateway(model("near", shared_server.url, provides=EMBEDS))


@pytest.fixture(scope="module")
def lenient(shared_house: House, shared_server: Upstream) -> Gateway:
    """Its operator has set a tier for those who say none."""
    return shared_house.gateway(model("near", shared_server.url), privacy="public")


BODIES: dict[str, list[dict[str, Any]]] = {
    "/v1/chat/completions": [
        {
            "model": "near",
            "messages": [
                {"role": "system", "content": "be brief"},
                {
                    "role": "user",
                    "content": [{"type": "text", "text": "hi"}, {"type": "image_url", "image_url": {"url": "data:x"}}],
                },
                {
                    "role": "assistant",
                    "content": None,
                    "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
                },
                {"role": "tool", "tool_call_id": "c", "content": "done"},
            ],
            "tools": [
                {"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}
            ],
            "tool_choice": {"type": "function", "function": {"name": "f"}},
            "logit_bias": {"5": 1.5},
            "temperature": 0.5,
            "stop": ["a"],
            "seed": 1,
            "max_tokens": 5,
            "metadata": {"a": "b"},
            "chat_template_kwargs": {"a": [1]},
        },
        {
            "model": "fast-draft",
            "stream": True,
            "stream_options": {"include_usage": True},
            "messages": [{"role": "user", "content": "hi", "name": "me"}],
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "x", "schema": {"type": "object", "maxProperties": 5}},
            },
        },
    ],
    "/v1/embeddings": [
        {"model": "near", "input": ["a", "b"], "encoding_format": "float", "dimensions": 2, "user": "me"}
    ],
    "/v1/route": [
        {
            "capabilityClass": "fast-draft",
            "privacy": "public",
            "requires": ["vision"],
            "tokensIn": 5,
            "budgetUsd": "0.5",
            "down": ["x"],
        }
    ],
}
ODD = st.sampled_from(
    [
        None,
        True,
        False,
        0,
        -1,
        1.5,
        10**18,
        10**400,
        "",
        "x",
        "near",
        "\x00",
        "\ud83d",
        "крокодил",
        "a" * 3000,
        [],
        [None],
        {},
        {"": {}},
    ]
) | st.recursive(
    st.none() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Where something could be put in the place of something."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(found for key, one in inner for found in places(one, (*path, key)))]


def put(value: Any, path: tuple[Any, ...], odd: Any) -> Any:
    if not path:
        return odd
    changed = copy.deepcopy(value)
    at = changed
    for step in path[:-1]:
        at = at[step]
    at[path[-1]] = odd
    return changed


@given(odd=ODD, seed=st.integers(0, 10_000), path=st.sampled_from(list(BODIES)))
@settings(max_examples=400)
def test_no_value_in_any_place_is_a_defect_of_ours(
    odd: Any, seed: int, path: str, shared_gateway: Gateway, shared_server: Upstream
) -> None:
    shared_gateway.clock.shift += 1000.0
    shared_server.forget()
    choose = random.Random(seed)
    body = choose.choice(BODIES[path])
    changed = put(body, choose.choice(places(body)), odd)
    answer = shared_gateway.http.post(path, content=json.dumps(changed).encode(), headers=TIER)
    assert answer.status_code != 500, changed
    if answer.status_code >= 400:
        error = answer.json()["error"]
        assert set(error) >= {"message", "type", "param", "code"}
        assert error["code"] != "internal_error"
    if answer.status_code in (400, 404, 422):
        assert shared_server.asked == [], changed


SENT_ON = (
    '"logit_bias": {"5": 1e999}',
    '"chat_template_kwargs": {"x": 1e999}',
    '"tool_choice": {"x": -1e999}',
    '"tools": [{"type": "function", "function": {"name": "f", "parameters": {"maximum": 1e999}}}]',
    '"messages": [{"role": "user", "content": "hi", "x": 1e999}]',
)
CHECKED = (
    '"response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": {"maximum": 1e999}}}',
    '"temperature": 1e999',
)


@pytest.mark.parametrize("more", [*SENT_ON, *CHECKED])
@pytest.mark.parametrize("stream", ["true", "false"])
def test_a_number_that_nothing_can_hold_is_refused_before_any_server_is_asked(
    stream: str, more: str, gateway: Gateway, server: Upstream
) -> None:
    said = "" if "messages" in more else '"messages": [{"role": "user", "content": "hi"}], '
    raw = f'{{"model": "near", "stream": {stream}, {said}{more}}}'
    answer = gateway.http.post("/v1/chat/completions", content=raw.encode(), headers=TIER)
    assert answer.status_code == 400, answer.text
    assert server.asked == []


@given(
    name=st.sampled_from(["privacy", "requires", "budget-usd", "fallback"]),
    value=st.text(st.characters(min_codepoint=33, max_codepoint=255, exclude_characters="\x7f"), max_size=12)
    | st.sampled_from(["public", "tool-use,vision", "1e5", "0.000001", "9" * 400, "1e-400", "fast-draft", "public,"]),
)
@settings(max_examples=200)
def test_no_value_of_a_header_is_a_defect_of_ours(
    name: str, value: str, shared_gateway: Gateway, shared_server: Upstream
) -> None:
    shared_server.forget()
    raw = posting("/v1/chat/completions", CHAT, f"x-aldo-{name}: @").replace(b"@", value.encode("latin-1"))
    if name == "privacy":
        raw = raw.replace(b"x-aldo-privacy: public\r\n", b"", 1)
    with shared_gateway.connect() as connection:
        connection.sendall(raw)
        status, _, body = read_answer(connection)
    assert status in (200, 400, 404, 422), (name, value)
    assert status == 200 or set(json.loads(body)["error"]) >= {"message", "type", "param", "code"}
    assert (status == 200) == bool(shared_server.asked)


@pytest.mark.parametrize(
    "name", ["X_Aldo_Privacy", "X-Aldo_Privacy", "X-AldoPrivacy", "XAldo-Privacy", "X-Aldo.Privacy", "Aldo-Privacy"]
)
def test_a_tier_in_a_header_that_is_nearly_ours_never_falls_to_the_default(
    name: str, lenient: Gateway, server: Upstream
) -> None:
    answer = lenient.chat(privacy=None, headers={name: "sensitive"})
    assert (answer.status_code, server.asked) == (400, [])


@pytest.mark.parametrize("path", ["/x%0AINFO%20forged", "/v1/models/x%0D%0Aforged", "/x%1B%5B31mred", "/x%E2%80%A8y"])
def test_no_path_can_forge_a_line_of_the_log_or_steer_a_terminal(
    path: str, house: House, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("aldo", "aldo.serve", "aldo.serve.access"):
        monkeypatch.setattr(logging.getLogger(name), "propagate", True)
    gateway = house.gateway(model("near"), access_log=True)
    with caplog.at_level(logging.INFO, logger="aldo.serve.access"):
        assert gateway.http.get(path).status_code == 404
        gateway.http.get("/health")
    lines = [record.getMessage() for record in caplog.records if record.name == "aldo.serve.access"]
    assert any("404" in line for line in lines)
    assert all(line.isprintable() for line in lines), lines


@pytest.mark.parametrize(
    ("raw", "statuses"),
    [
        (posting("/v1/chat/completions", CHAT, "transfer-encoding: chunked"), {400}),
        (posting("/v1/chat/completions", CHAT, "content-length: 5"), {400}),
        (posting("/v1/chat/completions", CHAT, length=-1), {400}),
        (posting("/v1/chat/completions", CHAT).replace(b"content-length", b"content-length "), {400}),
        (posting("/v1/chat/completions", CHAT).replace(b"HTTP/1.1\r\n", b"HTTP/1.1\r\n x: y\r\n"), {400}),
        (posting("/v1/chat/completions", CHAT, "x-aldo-privacy : sensitive"), {400}),
    ],
)
def test_a_request_that_two_readers_could_read_differently_is_refused(
    raw: bytes, statuses: set[int], gateway: Gateway, server: Upstream
) -> None:
    with gateway.connect() as connection:
        connection.sendall(raw)
        assert read_answer(connection)[0] in statuses
    assert server.asked == []


def test_a_body_in_chunks_is_as_good_as_one_of_a_known_length(gateway: Gateway, server: Upstream) -> None:
    chunks = b"".join(b"1\r\n%c\r\n" % one for one in CHAT) + b"0\r\n\r\n"
    with gateway.connect() as connection:
        connection.sendall(
            posting("/v1/chat/completions", b"").replace(b"content-length: 0", b"transfer-encoding: chunked") + chunks
        )
        assert read_answer(connection)[0] == 200
    assert server.asked[0].json["messages"] == json.loads(CHAT)["messages"]


def test_a_client_that_waits_to_be_asked_for_its_body_is_asked(gateway: Gateway, server: Upstream) -> None:
    with gateway.connect() as connection:
        raw = posting("/v1/chat/completions", CHAT, "expect: 100-continue")
        connection.sendall(raw[: -len(CHAT)])
        assert read_answer(connection)[0] == 100
        connection.sendall(CHAT)
        assert read_answer(connection)[0] == 200


def test_a_trailer_is_no_header(gateway: Gateway, server: Upstream) -> None:
    """What is said after the body was not there when the tier was read."""
    head = posting("/v1/chat/completions", b"").replace(b"x-aldo-privacy: public\r\n", b"")
    raw = head.replace(b"content-length: 0", b"transfer-encoding: chunked\r\ntrailer: x-aldo-privacy")
    with gateway.connect() as connection:
        connection.sendall(raw + b"%x\r\n%s\r\n0\r\nx-aldo-privacy: public\r\n\r\n" % (len(CHAT), CHAT))
        assert read_answer(connection)[0] == 400
    assert server.asked == []
