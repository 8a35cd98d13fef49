"""Before anything is asked: is each model another one, and is there somebody to ask?"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from aldo.errors import (
    ConnectionFailed,
    EgressRefused,
    ModelNotFound,
    TransportError,
    TransportTimeout,
    Unauthorized,
    UsageError,
    Where,
)
from aldo.eval.run.arms import BoundArm, Prepared, judge_is_an_arm, same_model, server_of
from aldo.transport import AsyncModelClient, AsyncPool
from aldo.transport.binding import Binding
from aldo.transport.probes.available import NOTHING_LISTENS, outcome_of
from aldo.transport.probes.served import Server

_SECONDS = 2.0
_HOPELESS = (ConnectionFailed, EgressRefused, ModelNotFound, TransportTimeout, Unauthorized)
GONE = frozenset(kind.code for kind in _HOPELESS)
"""The errors of which many in a row say that there is no use in asking on."""


async def check_servers(prepared: Prepared, pool: AsyncPool) -> None:
    """A server that has one model answers to any name: two ids at its address would be that one model.

    Raises `UsageError` for two arms, and for an arm and a judge, of which that is true.
    """
    first: dict[str, BoundArm] = {}
    for arm in prepared.arms:
        other = first.setdefault(arm.server, arm)
        if other is not arm and await _has_one_model(arm.binding, pool):
            why = f"the server at {arm.arm.base_url} has one model, whatever name it is asked for"
            raise UsageError(same_model(other, arm, why))
    for name, judge in prepared.judge_bindings.items():
        beside = first.get(server_of(judge.url))
        if beside is not None and await _has_one_model(judge, pool):
            why = f"the server at {judge.url} has one model, whatever name it is asked for"
            raise UsageError(judge_is_an_arm(name, judge, beside, why))


async def _has_one_model(binding: Binding, pool: AsyncPool) -> bool:
    provider, headers = binding.entry.provider, binding.headers()
    server = await outcome_of(pool, provider, binding.url, binding.reach, headers, _SECONDS)
    return isinstance(server, Server) and not server.names_matter


async def check_there(binding: Binding, pool: AsyncPool) -> None:
    """Raises `ConnectionFailed` where nothing listens at the address of a server that is near. Nothing is generated."""
    if not binding.reach.guarded:
        return
    provider, headers = binding.entry.provider, binding.headers()
    outcome = await outcome_of(pool, provider, binding.url, binding.reach, headers, _SECONDS)
    if outcome == NOTHING_LISTENS:
        where = Where(binding.entry.id, provider, binding.adapter.wire_model)
        raise ConnectionFailed(f"no connection to {binding.url}: {outcome}", where=where)


async def warm_up(client: AsyncModelClient, prepared: Prepared) -> None:
    """A request whose answer does not count. Raises `TransportError` where nothing would answer the others either."""
    request = replace(prepared.request(prepared.suite.cases[0], 0), max_tokens=1)
    try:
        await client.chat(request)
    except _HOPELESS:
        raise
    except TransportError:  # of this case, perhaps: the cases will tell
        return


def first_of_each_server(arms: Iterable[BoundArm]) -> list[BoundArm]:
    seen: dict[str, BoundArm] = {}
    for arm in arms:
        seen.setdefault(arm.server, arm)
    return list(seen.values())
