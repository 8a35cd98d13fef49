"""The checks as tests: one for each server, check, client and way."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.transport.conformance.checks import CHECKS, WORKS
from tests.transport.conformance.clients import CLIENTS, Client, Way
from tests.transport.conformance.expectations import expected, known
from tests.transport.conformance.servers import Started


def _cases(*servers: str) -> Iterator[Any]:
    for server in servers:
        for name, check in CHECKS.items():
            for way in check.ways:
                found = known(server, name)
                ours = found is not None and found.ours and expected(server, name, way) != WORKS
                marks = [pytest.mark.xfail(strict=True, reason=found.why)] if ours and found else []
                for client in CLIENTS:
                    label = f"{server}-{name}-{way}-{client}"
                    yield pytest.param(server, name, client, way, id=label, marks=marks)


def cases(*servers: str) -> pytest.MarkDecorator:
    """Every check of some servers."""
    return pytest.mark.parametrize(("server", "name", "client", "way"), list(_cases(*servers)))


def conforms(servers: Started, server: str, name: str, client: Client, way: Way) -> None:
    """A server does what the table says. What is a defect of ours has to be mended, whatever the table says."""
    seen = CHECKS[name].observe(servers[server], client, way)
    found = known(server, name)
    wanted = WORKS if found is not None and found.ours else expected(server, name, way)
    if seen.outcome != wanted:
        told = f" ({seen.detail})" if seen.detail else ""
        pytest.fail(f"{server} now does {seen.outcome}: update the table, which says {wanted} for {name}{told}")
