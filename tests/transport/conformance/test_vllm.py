"""What vLLM does is what the table says of it."""

from __future__ import annotations

import pytest

from tests.support.vllm_server import vllm_installed
from tests.transport.conformance.clients import Client, Way
from tests.transport.conformance.servers import Started
from tests.transport.conformance.suite import cases, conforms


@pytest.mark.heavy
@pytest.mark.skipif(not vllm_installed(), reason="vLLM is not installed; make test-all sets it up")
@cases("vllm")
def test_conforms(servers: Started, server: str, name: str, client: Client, way: Way) -> None:
    conforms(servers, server, name, client, way)
