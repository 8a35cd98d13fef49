"""A server that has begun to answer, for every test that leaves it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.transport.connections.watched_server import Server


@pytest.fixture
def begun() -> Iterator[Server]:
    """A server that says one word and then nothing."""
    with Server("begun") as server:
        yield server
