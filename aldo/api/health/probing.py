"""Asks the servers of the catalog in use, every so often and right after a connection failed."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from aldo.schema.catalog import Catalog
from aldo.transport.pool import AsyncPool
from aldo.transport.probes import Availability, availability_async
from aldo.transport.probes.available import NOT_RECOGNISED
from aldo.transport.probes.runtimes import RUNTIMES

PATIENCE = 5.0
"""Seconds that a server may take: one that computes on this machine's only cores is slow to say so."""
_SOONEST = 1.0
"""Seconds between two rounds, however many connections fail."""


async def probe(catalog: Catalog, pool: AsyncPool, environ: Mapping[str, str]) -> dict[str, tuple[bool, str]]:
    """By model whether it is available, and why it is down; empty where it is not."""
    found = await availability_async(catalog, pool, environ=environ, seconds=PATIENCE)
    return {model: (one.available, _why_down(catalog.by_id[model].provider, one)) for model, one in found.items()}


def _why_down(provider: str, found: Availability) -> str:
    """A server of a kind that we do not know may serve well and still not say what it is: its requests will tell."""
    live = found.available if found.live is None else found.live
    is_stranger = provider not in RUNTIMES and found.detail.startswith(NOT_RECOGNISED)
    return "" if live or is_stranger else found.detail


class Pace:
    """When the next round is due."""

    def __init__(self, interval: float) -> None:
        self._interval = interval
        self._hurry = asyncio.Event()

    def hurry(self) -> None:
        """A connection failed: look again soon."""
        self._hurry.set()

    async def wait(self) -> None:
        """Until the next round."""
        await asyncio.sleep(min(_SOONEST, self._interval))
        try:
            async with asyncio.timeout(max(0.0, self._interval - _SOONEST)):
                await self._hurry.wait()
        except TimeoutError:
            pass
        self._hurry.clear()
