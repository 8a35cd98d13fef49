"""What the played servers do, in several versions and moods, is what the table says of them."""

from __future__ import annotations

from tests.transport.conformance.clients import Client, Way
from tests.transport.conformance.servers import Started
from tests.transport.conformance.suite import cases, conforms


@cases("ollama", "ollama-old", "ollama-older", "lmstudio", "lmstudio-old", "lmstudio-odd")
def test_conforms(servers: Started, server: str, name: str, client: Client, way: Way) -> None:
    conforms(servers, server, name, client, way)
