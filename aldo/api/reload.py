"""Reads the files of the gateway anew when they change or on SIGHUP. A broken file never takes a good one's place."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from aldo.catalog.revision import load_catalog_at
from aldo.errors import AldoError, CatalogError, printable
from aldo.router import compile_catalog, diff
from aldo.schema.catalog import Catalog
from aldo.schema.difference import RoutingChange
from aldo.schema.printed import dumps

if TYPE_CHECKING:
    from aldo.api.gateway import Gateway
    from aldo.api.settings import Settings

log: logging.Logger = logging.getLogger("aldo.serve")

_MOST_COMPARED = 2_000
"""Entries of a catalog beyond which routes are not compared: it would take as long as many answers."""
_MOST_TOLD = 20

Stamp = tuple[tuple[int, int, int] | None, ...]


class Reloading:
    """Watches for the length of a `with` block."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        settings = gateway.settings
        self._catalog = (settings.catalog, *settings.overlays)
        self._asked = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Reloading:
        loop = asyncio.get_running_loop()
        with suppress(NotImplementedError, ValueError, RuntimeError, AttributeError):  # not here, or not in this thread
            loop.add_signal_handler(signal.SIGHUP, self._asked.set)
        self._task = loop.create_task(self._watch())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._task is not None
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task

    async def _watch(self) -> None:
        seen = settled = self._gateway.stamps
        while True:
            asked = await self._wait()
            now = await asyncio.to_thread(stamps_of, self._gateway.settings)
            if not asked and (now == seen or now != settled):
                settled = now  # who writes several files is not done yet
                continue
            changed, seen, settled = now[0] != seen[0], now, now
            try:
                if asked or changed:
                    await self._reload_catalog()
                self._reload_keys()
            except Exception as error:  # a failure of a new kind must not end the watch
                log.error("reloading failed: %s", type(error).__name__)

    async def _wait(self) -> bool:
        """Whether somebody asked, rather than that it is time to look."""
        try:
            async with asyncio.timeout(self._gateway.settings.watch_every):
                await self._asked.wait()
        except TimeoutError:
            return False
        self._asked.clear()
        return True

    async def _reload_catalog(self) -> None:
        gateway = self._gateway
        path, *overlays = self._catalog
        try:
            catalog = await asyncio.to_thread(load_catalog_at, path, overlays)
        except AldoError as error:
            gateway.failing = str(error)
            gateway.metrics.reloaded("failed")
            log.error("the catalog was not replaced: %s", printable(str(error)))
            for finding in error.findings if isinstance(error, CatalogError) else ():
                log.error("  %s", printable(str(finding)))
            return
        old = gateway.serving.catalog
        gateway.failing = None
        if catalog.digest == old.digest:
            gateway.metrics.reloaded("same")
            log.info("the catalog was read again; nothing in it has changed")
            return
        await gateway.replace(catalog)
        gateway.metrics.reloaded("changed")
        log.info("the catalog was replaced: %s entries, %s", len(catalog.models), gateway.serving.routing_digest)
        await self._tell_changes(old, catalog)

    async def _tell_changes(self, old: Catalog, new: Catalog) -> None:
        if compile_catalog(old).routing_digest == compile_catalog(new).routing_digest:
            log.info("every request is routed as before")
            return
        if max(len(old.models), len(new.models)) > _MOST_COMPARED:
            log.info("the catalogs are too large to compare their routes here; see aldo diff")
            return
        changes = (await asyncio.to_thread(diff, old, new)).changes
        for change in changes[:_MOST_TOLD]:
            log.info("  %s", _line(change))
        if len(changes) > _MOST_TOLD:
            log.info("  and %s more; see aldo diff", len(changes) - _MOST_TOLD)
        if not changes:
            log.info("every request is routed as before")

    def _reload_keys(self) -> None:
        gateway = self._gateway
        if gateway.keys is None:
            return
        try:
            gateway.read_keys()
        except AldoError as error:
            gateway.metrics.reloaded("failed")
            log.error("the keys were not replaced: %s", printable(str(error)))


def _line(change: RoutingChange) -> str:
    """One change on a line, with a request that shows it."""
    base, head = (outcome.model if outcome else "none" for outcome in (change.base, change.head))
    where = f"{change.region.capability_class or 'all classes'}, {' '.join(change.region.privacy)}"
    models = base if base == head else f"{base} -> {head}"
    witness = dumps(change.witness.model_dump(mode="json", exclude_defaults=True))
    detail = f"; {change.detail}" if change.detail else ""
    return printable(f"{change.kind}: {where}: {models}{detail}; for {witness}")


def stamps_of(settings: Settings) -> tuple[Stamp, Stamp]:
    """Of the catalog with its overlays, and of the keys."""
    return _stamp((settings.catalog, *settings.overlays)), _stamp((settings.keys,) if settings.keys else ())


def _stamp(paths: Iterable[str]) -> Stamp:
    """What changes when a file is written or replaced."""
    found: list[tuple[int, int, int] | None] = []
    for path in paths:
        try:
            status = Path(path).stat()
        except (OSError, ValueError):
            found.append(None)
        else:
            found.append((status.st_mtime_ns, status.st_size, status.st_ino))
    return tuple(found)
