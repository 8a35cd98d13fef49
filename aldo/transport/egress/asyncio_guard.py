"""The guard for aiohttp, which the gateway asks through: the policy stands where sockets are made.

aiohttp makes every socket of a connector by its `socket_factory`, which is told the address that will be connected
to. A connector here is for one host, so host and address are both known at that moment: whatever DNS said, and
however often it was asked, no socket is made for an address that the policy does not admit.
"""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from aldo.errors import EgressRefused
from aldo.transport.egress.guard import CONNECTIONS, KEPT_SECONDS
from aldo.transport.egress.policy import EgressPolicy, unresolved


class _AdmittedAddresses(AbstractResolver):
    """Of what a name resolves to, the addresses that the policy admits. Names alone come here, not addresses."""

    def __init__(self, policy: EgressPolicy) -> None:
        self._policy = policy

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        try:
            found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM, family=family)
        except (OSError, UnicodeError) as error:
            raise unresolved(host, error) from None
        admitted = set(self._policy.admitted(host, found))
        return [
            ResolveResult(hostname=host, host=str(at[0]), port=port, family=kind, proto=proto, flags=0)
            for kind, _, proto, _, at in found
            if str(at[0]) in admitted
        ]

    async def close(self) -> None:
        pass


def guarded_connector(policy: EgressPolicy, host: str) -> aiohttp.TCPConnector:
    """Connections to one host, each of which passes the policy."""

    def checked_socket(address: tuple[Any, ...]) -> socket.socket:
        family, kind, protocol, _, (at, *_) = address
        if not policy.admits(host, str(at)):
            raise EgressRefused(
                f"{host} is {at}: not this machine; such requests go to loopback or to routing.localNetworks only"
            )
        made = socket.socket(family=family, type=kind, proto=protocol)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return made

    return aiohttp.TCPConnector(
        resolver=_AdmittedAddresses(policy),
        socket_factory=checked_socket,
        use_dns_cache=False,
        limit=CONNECTIONS,
        keepalive_timeout=KEPT_SECONDS,
    )
