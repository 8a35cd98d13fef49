"""Which entries could be used right now: a key for the cloud ones, a live server for the others."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import anyio

from aldo.errors import AldoError, ConnectionFailed, TransportTimeout
from aldo.schema.catalog import Catalog
from aldo.schema.entry import ModelEntry
from aldo.schema.vocabulary import PRIVACY_TIERS
from aldo.transport.adapter import Adapter, adapter_for
from aldo.transport.binding import bound
from aldo.transport.pool import AsyncPool, Reach
from aldo.transport.probes.ask import Ask
from aldo.transport.probes.runtimes import look_of, looked
from aldo.transport.probes.served import Server

SECONDS = 1.0
"""How long one server may take to say what it is."""


@dataclass(frozen=True, slots=True)
class Availability:
    """Whether an entry can be used. `available` is what the environment and the servers say together; `live`
    is what the entry's server said, None where none was asked."""

    available: bool
    detail: str
    """Why, in a few words."""
    live: bool | None = None
    url: str | None = None
    """Where its server is, without a password."""

    def to_dict(self) -> dict[str, Any]:
        return {"available": self.available, "live": self.live, "url": self.url, "detail": self.detail}


@dataclass(frozen=True, slots=True)
class _Door:
    """One server as one set of headers sees it."""

    provider: str
    url: str
    reach: Reach
    headers: tuple[tuple[str, str], ...]


NOTHING_LISTENS = "nothing listens there"

NOT_RECOGNISED = "what answers there is not"

Outcome = Server | str
"""A server that was recognised, or why there is none."""


def availability(
    catalog: Catalog, *, environ: Mapping[str, str] | None = None, seconds: float = SECONDS
) -> dict[str, Availability]:
    """By id, for every entry of the catalog. Every server is asked once, all side by side. Never raises for what
    a server does."""
    return anyio.run(_with_own_pool, catalog, os.environ if environ is None else environ, seconds)


async def availability_async(
    catalog: Catalog, pool: AsyncPool, *, environ: Mapping[str, str] | None = None, seconds: float = SECONDS
) -> dict[str, Availability]:
    """The same for asyncio and trio, over connections that others share."""
    environ = os.environ if environ is None else environ
    doors: dict[str, _Door | str] = {}
    for entry in catalog.models:
        if entry.locality != "cloud":
            doors[entry.id] = _door(catalog, entry, environ)
    wanted = {door for door in doors.values() if isinstance(door, _Door)}
    outcomes: dict[_Door, Outcome] = {}

    async def ask(door: _Door) -> None:
        outcomes[door] = await outcome_of(pool, door.provider, door.url, door.reach, dict(door.headers), seconds)

    async with anyio.create_task_group() as group:
        for door in wanted:
            group.start_soon(ask, door)
    return {entry.id: _judged(entry, doors.get(entry.id), outcomes, environ) for entry in catalog.models}


async def outcome_of(
    pool: AsyncPool, provider: str, url: str, reach: Reach, headers: Mapping[str, str], seconds: float
) -> Outcome:
    """What one server says of itself, or why nothing can be said."""
    try:
        found = await looked(Ask(pool.client(reach), url, headers, seconds), look_of(provider), seconds)
    except (TimeoutError, TransportTimeout):
        return f"no answer within {seconds:g} s"
    except ConnectionFailed as error:
        return NOTHING_LISTENS if error.refused else str(error.args[0])
    except AldoError as error:
        return str(error.args[0])
    return found or f"{NOT_RECOGNISED} {provider}"


async def _with_own_pool(catalog: Catalog, environ: Mapping[str, str], seconds: float) -> dict[str, Availability]:
    pool = AsyncPool()
    try:
        return await availability_async(catalog, pool, environ=environ, seconds=seconds)
    finally:
        await pool.aclose()


def _door(catalog: Catalog, entry: ModelEntry, environ: Mapping[str, str]) -> _Door | str:
    """Where to ask about an entry, or why that cannot be."""
    try:
        # Nothing of a prompt is sent. An entry that sees other tiers alone is asked as one of those: as a chat would.
        tier = next(tier for tier in PRIVACY_TIERS if tier in entry.privacy_allowed)
        binding = bound(catalog, entry, tier, environ)
        headers = binding.headers()
    except AldoError as error:
        return str(error.args[0])
    return _Door(entry.provider, binding.url, binding.reach, tuple(sorted(headers.items())))


def _judged(
    entry: ModelEntry, door: _Door | str | None, outcomes: Mapping[_Door, Outcome], environ: Mapping[str, str]
) -> Availability:
    if door is None:
        return _in_the_cloud(entry, environ)
    if isinstance(door, str):
        return Availability(False, door, False)
    adapter = adapter_for(entry)
    live, detail = _served(adapter, outcomes[door])
    variable = adapter.data.base_url_env(entry.provider)
    is_set = bool(variable and environ.get(variable))
    if is_set and not live:
        detail = f"{detail}, though {variable} is set"
    return Availability(live or is_set, detail, live, door.url)


def _in_the_cloud(entry: ModelEntry, environ: Mapping[str, str]) -> Availability:
    variable = entry.provider_config.api_key_env
    if variable is None:
        return Availability(True, "needs no key")
    is_set = bool(environ.get(variable, "").strip())
    return Availability(is_set, f"{variable} is set" if is_set else f"{variable} is not set")


def _served(adapter: Adapter, outcome: Outcome) -> tuple[bool, str]:
    """Whether the server serves this entry's model."""
    if isinstance(outcome, str):
        return False, outcome
    if outcome.state != "up":
        return False, "its model is still loading" if outcome.state == "loading" else "it wants a key"
    name = adapter.wire_model
    if outcome.names_matter and outcome.model(name) is None:
        return False, f"it does not have {name}"
    return True, "up"
