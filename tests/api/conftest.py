"""A house for every test, and nothing of this process's environment that could lead elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.api.running import Gateway, House, model
from tests.api.upstream import Upstream, good

VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "WS_PROXY", "WSS_PROXY")
BASE_URLS = ("MLX_BASE_URL", "OLLAMA_BASE_URL", "VLLM_BASE_URL", "LLAMACPP_BASE_URL", "LM_STUDIO_BASE_URL")


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*VARIABLES, *BASE_URLS, "ALDO_KEYS", "ALDO_USAGE_LOG", "ALDO_CATALOG", "ALDO_OVERLAYS"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with House(tmp_path) as found:
        yield found


@pytest.fixture(scope="module")
def shared_house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """One for all tests of a file."""
    with House(tmp_path_factory.mktemp("house")) as found:
        yield found


@pytest.fixture(scope="module")
def shared_server(shared_house: House) -> Upstream:
    return shared_house.upstream()


@pytest.fixture
def server(shared_server: Upstream) -> Upstream:
    """The server of a file's tests, well and without a memory."""
    shared_server.script = good
    shared_server.forget()
    return shared_server


@pytest.fixture(scope="module")
def shared_gateway(shared_house: House, shared_server: Upstream) -> Gateway:
    return shared_house.gateway(model("near", shared_server.url))


@pytest.fixture
def gateway(shared_gateway: Gateway, server: Upstream) -> Gateway:
    """The gateway of a file's tests, whose only model is up."""
    shared_gateway.rest()
    server.forget()
    return shared_gateway
