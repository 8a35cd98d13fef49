"""Where the question goes: keys of the cloud, redirects, variables, names; nothing beyond the guard."""

from __future__ import annotations

import json

import httpx
import pytest

from aldo.schema import Catalog
from tests.support.fake_server import FakeServer
from tests.support.fake_server import http as raw_http
from tests.transport.availability.asking import ELSEWHERE, HASTY, PROVIDERS, VARIABLES, asked, cloud, local, one, over
from tests.transport.conftest import Connections, Names


@pytest.mark.parametrize(
    ("environ", "available"),
    [({}, False), ({"K": ""}, False), ({"K": " \t\n"}, False), ({"K": "s3cret"}, True), ({"OTHER": "x"}, False)],
)
def test_a_cloud_entry_is_available_when_its_key_is_set(
    environ: dict[str, str], available: bool, connections: Connections
) -> None:
    found = one(cloud(apiKeyEnv="K"), **environ)
    assert (found.available, found.live, found.url) == (available, None, None)
    assert "K" in found.detail
    assert "s3cret" not in json.dumps(found.to_dict())
    assert connections.addresses == []


def test_a_cloud_entry_without_a_key_variable_needs_none(connections: Connections) -> None:
    assert one(cloud()).available
    assert connections.addresses == []


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "307 Temporary Redirect", "308 Permanent Redirect"])
@pytest.mark.parametrize("locality", ["local", "on-prem"])
def test_a_redirect_leads_nowhere(status: str, locality: str, connections: Connections) -> None:
    with FakeServer([raw_http("", status, location=f"http://{ELSEWHERE}/v1/models")]) as server:
        models = [local(provider, provider, server.url, locality=locality) for provider in PROVIDERS]
        found = asked(*models)
    assert not any(value.available for value in found.values())
    assert connections.foreign == []
    assert connections.addresses


@pytest.mark.parametrize(
    "location", ["http://[", "http://a:b:c/", "//", "http://\x7f/", "mailto:x", "/api/tags", "\xff"]
)
def test_an_odd_redirect_is_told(location: str) -> None:
    raw = raw_http("", "302 Found").replace(b"connection:", f"location: {location}\r\nconnection:".encode("latin-1"))
    with FakeServer([raw]) as server:
        assert one(local("x", "ollama", server.url)).live is False


def test_the_environment_moves_a_server_but_not_past_the_guard(connections: Connections) -> None:
    found = one(local("x", "mlx", "http://127.0.0.1:1"), MLX_BASE_URL=f"http://{ELSEWHERE}:8081")
    assert found.live is False
    assert found.available, "the variable is set, and that is the rule"
    assert ELSEWHERE in found.detail
    assert "MLX_BASE_URL" in found.detail
    assert connections.addresses == []


@pytest.mark.parametrize("answers", [[[ELSEWHERE]], [["127.0.0.1", ELSEWHERE]]])
def test_a_name_that_leads_elsewhere_is_refused(
    answers: list[list[str]], names: Names, connections: Connections
) -> None:
    names.say("models.example", *answers)
    found = one(local("x", "ollama", "http://models.example:1"), OLLAMA_BASE_URL="")
    assert found.live is False
    assert connections.foreign == []


def test_an_entry_for_sensitive_requests_alone_is_asked_as_one(connections: Connections) -> None:
    """A chat with it would be refused by the guard, so it is not available; and its key is not for everybody."""
    config = {"apiKeyEnv": "K"}
    found = asked(
        local("x", "vllm", f"http://{ELSEWHERE}:8000", locality="on-prem", privacyAllowed=["sensitive"], config=config),
        routing={"sensitiveLocalities": ["local", "on-prem"]},
        seconds=HASTY,
        K="s3cret",
    )
    assert not found["x"].available
    assert connections.foreign == []


@pytest.mark.parametrize("provider", VARIABLES)
def test_a_variable_moves_its_runtime_and_an_empty_one_does_not(provider: str) -> None:
    places: list[str] = []

    def seen(request: httpx.Request) -> httpx.Response:
        places.append(f"{request.url.host}:{request.url.port}")
        return httpx.Response(404)

    catalog = Catalog.model_validate({"models": [local("x", provider)]})
    for value in ("", "http://localhost:4711", "http://localhost:4711/v1/"):
        places.clear()
        found = over(seen, catalog, {VARIABLES[provider]: value})["x"]
        assert found.available is bool(value), "set is enough"
        assert found.live is False
        assert VARIABLES[provider] in found.detail or not value
        defaults = {"ollama": 11434, "lmstudio": 1234, "vllm": 8000, "llamacpp": 8080, "mlx": 8081}
        assert set(places) == {f"localhost:{4711 if value else defaults[provider]}"}


@pytest.mark.parametrize("value", ["not a url", "ftp://localhost", "http://", "http://localhost:99999", "http://[::1"])
def test_a_variable_that_is_no_url_is_told(value: str) -> None:
    found = one(local("x", "mlx"), MLX_BASE_URL=value)
    assert found.live is False
    assert "MLX_BASE_URL" in found.detail
