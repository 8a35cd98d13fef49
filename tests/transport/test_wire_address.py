"""Where a chat goes, and under which headers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx
import pytest

from aldo.errors import AldoError, UsageError
from tests.support.bound import ASK, Wire, bind, entry


def asked(model: Mapping[str, Any], **options: Any) -> httpx.Request:
    wire = Wire()
    with bind(model, http=wire, **options) as client:
        client.chat(ASK)
    (request,) = wire.requests
    return request


URLS = {
    "http://h:1": "http://h:1/v1/chat/completions",
    "http://h:1/": "http://h:1/v1/chat/completions",
    "http://h:1/v1": "http://h:1/v1/chat/completions",
    "http://h:1/v1/": "http://h:1/v1/chat/completions",
    "http://h:1/v1//": "http://h:1/v1/chat/completions",
    "http://h/api": "http://h/api/v1/chat/completions",
    "http://h/api/v1": "http://h/api/v1/chat/completions",
    "http://h/v2": "http://h/v2/chat/completions",
    "http://h/v1beta/openai": "http://h/v1beta/openai/chat/completions",
    "http://h/vision": "http://h/vision/v1/chat/completions",
    "http://v1:8000": "http://v1:8000/v1/chat/completions",
    "https://h": "https://h/v1/chat/completions",
    "http://[::1]:8081": "http://[::1]:8081/v1/chat/completions",
}


@pytest.mark.parametrize("kind", ["mlx", "openai-compat"])
@pytest.mark.parametrize(("base", "url"), URLS.items())
def test_a_base_url_may_end_in_its_version_or_not(kind: str, base: str, url: str) -> None:
    request = asked(entry(kind, {"baseUrl": base}))
    assert (request.method, str(request.url)) == ("POST", url)


@pytest.mark.parametrize(
    "base", ["localhost:8081", "ftp://h", "h", "http://", "http:///v1", "//h", "file:///etc/passwd"]
)
def test_what_is_no_base_url_is_a_usage_error(base: str) -> None:
    with pytest.raises(UsageError):
        asked(entry("mlx", {"baseUrl": base}))
    with pytest.raises(UsageError):
        asked(entry("mlx"), environ={"MLX_BASE_URL": base})


PLACES = [
    ("mlx", "mlx", "MLX_BASE_URL", 8081),
    ("ollama", "openai-compat", "OLLAMA_BASE_URL", 11434),
    ("vllm", "openai-compat", "VLLM_BASE_URL", 8000),
    ("llamacpp", "openai-compat", "LLAMACPP_BASE_URL", 8080),
    ("lmstudio", "openai-compat", "LM_STUDIO_BASE_URL", 1234),
]
ALL = {variable: f"http://{variable.lower().replace('_', '-')}" for _, _, variable, _ in PLACES}


@pytest.mark.parametrize(("provider", "kind", "variable", "port"), PLACES)
def test_the_environment_moves_a_provider_and_no_other(provider: str, kind: str, variable: str, port: int) -> None:
    model = entry(kind, {"baseUrl": "http://catalog:1/v1"}, provider=provider)
    assert asked(model).url.host == "catalog"
    assert str(asked(model, environ=ALL).url) == f"{ALL[variable]}/v1/chat/completions"
    others = {name: url for name, url in ALL.items() if name != variable}
    assert asked(model, environ=others).url.host == "catalog"
    assert asked(model, environ={variable: ""}).url.host == "catalog"
    unset = entry(kind, provider=provider)
    assert str(asked(unset).url) == f"http://localhost:{port}/v1/chat/completions"
    assert str(asked(unset, environ={variable: "http://h:2/v1/"}).url) == "http://h:2/v1/chat/completions"


def test_an_unknown_provider_without_an_address_is_a_usage_error() -> None:
    with pytest.raises(UsageError):
        asked(entry(provider="acme"), environ=ALL)


def test_the_key_comes_only_from_the_named_variable() -> None:
    environ = {"ACME_KEY": "sk-right", "OPENAI_API_KEY": "sk-wrong", "MLX_API_KEY": "sk-wrong"}
    named = asked(entry(config={"baseUrl": "http://x", "apiKeyEnv": "ACME_KEY"}), environ=environ)
    assert named.headers["authorization"] == "Bearer sk-right"
    unnamed = asked(entry(config={"baseUrl": "http://x"}), environ=environ)
    assert "authorization" not in unnamed.headers
    for request in (named, unnamed):
        assert "sk-wrong" not in str(dict(request.headers)) + request.content.decode() + str(request.url)


@pytest.mark.parametrize("environ", [{}, {"ACME_KEY": ""}], ids=["unset", "empty"])
def test_a_missing_key_never_becomes_a_header(environ: dict[str, str]) -> None:
    try:
        request = asked(entry(config={"baseUrl": "http://x", "apiKeyEnv": "ACME_KEY"}), environ=environ)
    except AldoError as error:
        assert error.code in ("usage", "unauthorized")
    else:
        assert "authorization" not in request.headers


def test_the_configs_headers_are_sent_and_the_content_is_json() -> None:
    headers = {"X-Team": "red", "User-Agent": "ours"}
    request = asked(entry("mlx", {"baseUrl": "http://x", "headers": headers}))
    assert (request.headers["x-team"], request.headers["user-agent"]) == ("red", "ours")
    assert request.headers["content-type"].startswith("application/json")
