"""What the requests of one process share: the catalog in use, connections, the usage log, counters, the crowd."""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress

from aldo.api.call import Call
from aldo.api.door.hosts import Hosts
from aldo.api.door.keys import Keys, read_keys
from aldo.api.faults import RequestFault
from aldo.api.health.conditions import Conditions, Turn
from aldo.api.health.probing import Pace, probe
from aldo.api.metrics import Metrics
from aldo.api.reload import Stamp, stamps_of
from aldo.api.serving import Serving, alike, is_alike
from aldo.api.settings import Settings
from aldo.api.tracing import Tracing
from aldo.catalog.revision import load_catalog_at
from aldo.schema.catalog import Catalog
from aldo.schema.usage import UsageRow
from aldo.transport.asyncio_pool import AsyncioPool
from aldo.transport.pool import AsyncPool, Connections, Timeouts
from aldo.transport.resolver import Resolver
from aldo.transport.retry import Retry
from aldo.transport.usage_log import UsageLog

log: logging.Logger = logging.getLogger("aldo.serve")

_LONGEST_WAIT = 2.0
"""Seconds that a server may ask for before it is asked again. For longer another model takes over, or the client is
told to come again."""
_NO_PROBES = 10.0
"""Seconds until a model that failed is tried again, where nothing is probed."""


class Gateway:
    """Made before the server starts; `open` and `close` run in its event loop."""

    def __init__(
        self,
        settings: Settings,
        *,
        environ: Mapping[str, str] | None = None,
        pool: Connections | None = None,
        tracing: Tracing | None = None,
    ) -> None:
        """Raises `CatalogError` and `UsageError` for files that cannot be used. `pool` takes the place of the network
        in tests."""
        self.settings = settings
        self.metrics: Metrics = Metrics()
        self.clock: Callable[[], float] = time.monotonic
        self.calls: set[Call] = set()
        """Chats and embeddings that are under way."""
        self.failing: str | None = None
        """Why the file of the catalog is not the one in use, where it is not."""
        self.loaded: float = time.time()
        """When the catalog in use was read."""
        self._environ = os.environ if environ is None else environ
        self.settled: Callable[[], None] = lambda: None
        """Called when a catalog has come into use, by who wants to tidy up then."""
        self._pool = pool or AsyncioPool()
        self.tracing = tracing
        self._probes: AsyncPool | None = None
        self._usage = UsageLog(settings.usage) if settings.usage else None
        self._tasks: list[asyncio.Task[None]] = []
        self._pace: Pace | None = None
        self.stamps: tuple[Stamp, Stamp] = stamps_of(settings)
        """Of the files, before they were read: what changes after that is noticed."""
        self.serving: Serving = self._serve(load_catalog_at(settings.catalog, settings.overlays))
        self.keys: Keys | None = None
        self.read_keys()

    @property
    def recovery(self) -> float:
        """Seconds after which a model that is down is tried again, at the latest."""
        return self.settings.probe_every or _NO_PROBES

    def now(self) -> float:
        """Seconds since the epoch."""
        return time.time()

    def read_keys(self) -> None:
        """Read the keys anew. Raises `UsageError`, and then the old ones hold."""
        if self.settings.keys is not None:
            self.keys = read_keys(self.settings.keys)
        self.hosts: Hosts = Hosts(self.settings.hosts, keys=self.keys is not None)

    async def open(self) -> None:
        """Probe the servers once, and from then on in the background."""
        self.settled()
        loop = asyncio.get_running_loop()
        if self.settings.probe_every is not None:
            self._probes = AsyncPool()
            self._pace = Pace(self.settings.probe_every)
            await self._probe(self.serving)
            self._tasks.append(loop.create_task(self._keep_probing(self._pace)))

    async def close(self) -> None:
        """Stop what runs in the background, and close connections and log."""
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with suppress(asyncio.CancelledError):
                await task
        self._tasks.clear()
        await self._pool.aclose()
        if self._probes is not None:
            await self._probes.aclose()
        if self._usage is not None:
            self._usage.close()
        if self.tracing is not None:
            await asyncio.to_thread(self.tracing.close)

    @contextmanager
    def admitted(self, call: Call) -> Iterator[None]:
        """One of the crowd. Raises `RequestFault` where it is large enough."""
        if len(self.calls) >= self.settings.most_requests:
            raise RequestFault(
                f"{self.settings.most_requests} requests are under way already; come again",
                status=429,
                code="too_many_requests",
                retry_after=1,
            )
        self.calls.add(call)
        try:
            yield
        finally:
            self.calls.discard(call)

    def attempted(self, row: UsageRow, operation: str, asked: Serving) -> None:
        """What came of a request to a server: a row in the usage log, a count, and news of the server's health.

        `asked` is the catalog that the request began with: of a server that has moved since it tells nothing.
        """
        if self._usage is not None:
            self._usage.write(row)
        self.metrics.attempted(row)
        if self.tracing is not None:
            self.tracing.attempted(row, operation)
        if asked is self.serving or is_alike(asked.catalog, self.serving.catalog, row.model):
            self._tell(self.serving.conditions.attempted(row, self.now()))
        if row.outcome == "connection" and self._pace is not None:
            self._pace.hurry()

    async def replace(self, catalog: Catalog) -> None:
        """Serve another catalog from now on. What is under way ends with the one it began with."""
        fresh = self._serve(catalog)
        old = self.serving
        found = await probe(catalog, self._probes, self._environ) if self._probes is not None else {}
        fresh.conditions.adopt(old.conditions, alike(old.catalog, catalog))  # after the wait: there may be news
        self.serving = fresh
        self._probed(fresh, found)
        for model in old.catalog.by_id.keys() - catalog.by_id.keys():
            self.metrics.forget(model)
        self.settled()
        self.loaded = time.time()

    def _serve(self, catalog: Catalog) -> Serving:
        _ = catalog.digest
        settings = self.settings
        timeouts = Timeouts(read=settings.timeout, no_content=settings.timeout)
        resolver = Resolver(
            catalog,
            self._pool,
            failover=settings.failover,
            retry=Retry(times=settings.retries, longest_asked=_LONGEST_WAIT),
            timeouts=timeouts,
            environ=self._environ,
        )
        return Serving(catalog, Conditions(catalog, self.recovery, self.now()), resolver)

    async def _keep_probing(self, pace: Pace) -> None:
        while True:
            await pace.wait()
            try:
                await self._probe(self.serving)
            except Exception as error:  # a probe that fails in a new way must not be the last one
                log.error("probing failed: %s", type(error).__name__)

    async def _probe(self, serving: Serving) -> None:
        assert self._probes is not None
        found = await probe(serving.catalog, self._probes, self._environ)
        if serving is self.serving:
            self._probed(serving, found)

    def _probed(self, serving: Serving, found: Mapping[str, tuple[bool, str]]) -> None:
        self._tell(serving.conditions.probed(found, self.now()))
        for model, (_, reason) in found.items():
            self.metrics.probed(model, up=not reason)

    def _tell(self, turns: list[Turn]) -> None:
        for turn in turns:
            log.info("%s is %s%s", turn.model, turn.state, f": {turn.reason}" if turn.reason else "")
