"""Which addresses a request's bytes may reach. Decided by the address, after DNS, never by the name alone."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable
from typing import Any

from aldo.errors import ConnectionFailed, EgressRefused
from aldo.schema.places import LocalNetworks, canonical_host

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
# RFC 1918 and RFC 4193. Not `is_private`, which counts link-local (cloud metadata) and test ranges too.
_PRIVATE: tuple[Network, ...] = tuple(
    ipaddress.ip_network(text) for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")
)


class EgressPolicy:
    """Loopback always counts as this machine; `local_networks` adds CIDR ranges and host names.

    A host name that is listed counts only while it resolves to loopback or a private range (RFC 1918,
    RFC 4193), because its resolution is not ours. With `private` those ranges pass for every name: for
    `on-prem` entries that the operator allowed to see sensitive requests.
    """

    def __init__(self, local_networks: Iterable[str] = (), *, private: bool = False) -> None:
        self._private = private
        self._local = LocalNetworks(local_networks)

    def admits(self, host: str, address: str) -> bool:
        """Whether a connection to `address`, which `host` resolved to, stays where it may go."""
        parsed = _parse(address)
        if parsed is None:
            return False
        if parsed.is_loopback or _within(parsed, self._local.networks):
            return True
        return (self._private or canonical_host(host) in self._local.hosts) and _within(parsed, _PRIVATE)

    def admitted(self, host: str, found: Iterable[tuple[Any, ...]]) -> list[str]:
        """Of what `getaddrinfo` found for a host, the addresses that may be connected to, in its order.

        Raises `EgressRefused` where none may.
        """
        resolved = list(dict.fromkeys(str(info[4][0]) for info in found))
        admitted = [address for address in resolved if self.admits(host, address)]
        if not admitted:
            is_address = resolved == [host]
            place = (
                f"{host} is not this machine" if is_address else f"{host} is {', '.join(resolved)}: not this machine"
            )
            raise EgressRefused(f"{place}; such requests go to loopback or to routing.localNetworks only")
        return admitted

    def addresses(self, host: str, port: int) -> list[str]:
        """The addresses of a host that may be connected to, in the resolver's order.

        Raises `EgressRefused` where it has addresses but none may, `ConnectionFailed` where it has none.
        """
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise unresolved(host, error) from None
        return self.admitted(host, found)


def unresolved(host: str, error: Exception) -> ConnectionFailed:
    """The error of a name that has no address."""
    reason = error.strerror if isinstance(error, OSError) else "it is no host name"
    return ConnectionFailed(f"the name {host!r} does not resolve: {reason}")


def _within(address: Address, networks: Iterable[Network]) -> bool:
    return any(address in network for network in networks if network.version == address.version)


def _parse(address: str) -> Address | None:
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return None
    mapped = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
    return mapped or parsed
