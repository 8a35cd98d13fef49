"""What a real server does is what the table says of it."""

from __future__ import annotations

from tests.transport.conformance.clients import Client, Way
from tests.transport.conformance.servers import Started
from tests.transport.conformance.suite import cases, conforms


@cases("llamacpp")
def test_conforms(servers: Started, server: str, name: str, client: Client, way: Way) -> None:
    conforms(servers, server, name, client, way)
