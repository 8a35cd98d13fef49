"""Which runtimes are asked, and where; nothing beyond this machine, and nobody for ever."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import pytest

from aldo.errors import UsageError
from aldo.transport.probes import discover
from aldo.transport.probes.discovery import chosen_runtimes
from tests.support.fake_runtimes import FakeOllama, OllamaModel
from tests.support.fake_server import FakeServer, Reply
from tests.support.fake_server import http as raw_http
from tests.transport.conftest import Connections
from tests.transport.discovery.discovering import (
    ALL,
    ELSEWHERE,
    HASTY,
    PATIENT,
    PORTS,
    VARIABLES,
    only,
    over,
    states,
    table,
)

CHOSEN = [
    (None, ALL),
    ("", ALL),
    ("  ", ALL),
    ("ollama", ("ollama",)),
    ("OLLAMA", ("ollama",)),
    (" vllm , Mlx ", ("vllm", "mlx")),
    ("mlx,mlx,mlx", ("mlx",)),
    ("mlx,,ollama,", ("ollama", "mlx")),
    ("ollama,lmstudio,vllm,llamacpp,mlx", ALL),
    ("none", ()),
    (" NONE ", ()),
]


@pytest.mark.parametrize(("value", "runtimes"), CHOSEN)
def test_the_variable_names_the_runtimes(value: str | None, runtimes: tuple[str, ...]) -> None:
    asked: set[int | None] = set()

    def seen(request: httpx.Request) -> httpx.Response:
        assert request.url.host == "localhost"
        asked.add(request.url.port)
        return httpx.Response(404)

    found = over(seen, None, value)
    assert tuple(one.runtime for one in found.found) == runtimes == chosen_runtimes(value)
    assert asked == {PORTS[name] for name in runtimes}


@pytest.mark.parametrize(
    ("value", "meant"),
    [
        ("olama", "ollama"),
        ("lm-studio", "lmstudio"),
        ("mlx,vlm", "vllm"),
        ("llama.cpp", "llamacpp"),
        ("ollama mlx", ""),
    ],
)
def test_a_typo_is_told_with_what_was_meant(value: str, meant: str) -> None:
    with pytest.raises(UsageError) as caught:
        discover(None, environ={"ALDO_LOCAL_DISCOVERY": value})
    assert "ALDO_LOCAL_DISCOVERY" in str(caught.value)
    assert meant in str(caught.value)


@pytest.mark.parametrize("value", ["xyzzy", "none,ollama", "\u0130"])
def test_what_is_near_nothing_is_told_with_what_there_is(value: str) -> None:
    with pytest.raises(UsageError) as caught:
        chosen_runtimes(value)
    assert all(name in str(caught.value) for name in ALL)


def test_a_variable_that_is_no_url_is_bad_usage() -> None:
    with pytest.raises(UsageError, match="MLX_BASE_URL"):
        discover(None, environ={"ALDO_LOCAL_DISCOVERY": "mlx", "MLX_BASE_URL": "localhost:8081"})
    # The variable of a runtime that is not asked is nobody's business.
    assert over(table({}), None, "vllm", MLX_BASE_URL="localhost:8081").found[0].runtime == "vllm"


def test_another_machine_is_not_asked(connections: Connections) -> None:
    environ = dict.fromkeys(VARIABLES.values(), f"http://{ELSEWHERE}:1")
    found = discover(None, environ=environ, seconds=HASTY)
    assert states(found) == dict.fromkeys(ALL, "down")
    assert all(ELSEWHERE in one.detail or ELSEWHERE in one.url for one in found.found)
    assert connections.addresses == []


def test_a_redirect_leads_nowhere(connections: Connections) -> None:
    with FakeServer([raw_http("", "302 Found", location=f"http://{ELSEWHERE}/")]) as server:
        found = discover(None, environ=dict.fromkeys(VARIABLES.values(), server.url), seconds=PATIENT)
    assert states(found) == dict.fromkeys(ALL, "down")
    assert connections.foreign == []


@pytest.mark.parametrize(
    "reply",
    [Reply(b"", after="hang"), Reply(b"HTTP/1.1 200 OK\r\n\r\n[", after="drip", drip=b" ")],
    ids=["silent", "endless"],
)
def test_a_server_that_never_ends_is_given_up(reply: Reply) -> None:
    with FakeServer([reply]) as server:
        found = discover(None, environ=dict.fromkeys(VARIABLES.values(), server.url), seconds=HASTY)
    assert states(found) == dict.fromkeys(ALL, "down")
    assert not server.ran_dry


def test_a_password_in_a_variable_reaches_its_server_and_no_overlay() -> None:
    with FakeOllama([OllamaModel("m")]) as ollama:
        url = ollama.base_url.replace("//", "//me:hunter2@")
        found = discover(None, environ={"OLLAMA_BASE_URL": url, "ALDO_LOCAL_DISCOVERY": "ollama"}, seconds=PATIENT)
        assert all("authorization" in asked.headers for asked in ollama.seen)
    assert only(found)["providerConfig"]["baseUrl"] == ollama.base_url
    assert "hunter2" not in found.overlay() + json.dumps([one.to_dict() for one in found.found])


def test_a_server_that_loads_or_wants_a_key_is_told(tmp_path: Path) -> None:
    loading = table({"/props": httpx.Response(503, json={"error": {"code": 503, "message": "Loading model"}})})
    assert states(over(loading, None, "llamacpp")) == {"llamacpp": "loading"}
    key = httpx.Response(401, json={"error": "Unauthorized"})
    locked = over(table({"/v1/models": key, "/version": {"version": "0.32.0"}}), None, "vllm")
    assert states(locked) == {"vllm": "locked"}
    assert locked.found[0].detail == "it wants a key"
    assert locked.entries == ()


@pytest.mark.parametrize("body", [b"<html>Please log in</html>", b"", b"{}", b'{"error": "login"}'])
def test_what_wants_a_login_is_not_yet_a_model_server(body: bytes) -> None:
    found = over(lambda _: httpx.Response(401, content=body), None)
    assert states(found) == dict.fromkeys(ALL, "down")


@pytest.mark.parametrize("body", [b"{}", b"[]", b"<html>", b"null", b"", b'{"status":"ok"}', b'[{"id":"x"}]'])
@pytest.mark.parametrize("status", [200, 404, 500])
def test_what_answers_the_same_to_everything_is_nobody(status: int, body: bytes) -> None:
    assert states(over(lambda _: httpx.Response(status, content=body))) == dict.fromkeys(ALL, "down")


@pytest.mark.parametrize("body", [b'{"data": [1, null, "x"]}', b'{"models": [1, "x"]}'])
def test_a_list_of_junk_is_nobodys(body: bytes) -> None:
    assert states(over(lambda _: httpx.Response(200, content=body))) == dict.fromkeys(ALL, "down")
