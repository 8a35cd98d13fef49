"""The servers, each started once a worker, when the first check needs it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.transport.conformance.servers import Started


@pytest.fixture(scope="session")
def servers() -> Iterator[Started]:
    """By name."""
    with Started() as started:
        yield started
