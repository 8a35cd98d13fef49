"""The egress guard: which addresses a request's bytes may reach, decided when connecting, after DNS.

A guarded connection takes no proxy from the environment and follows no redirect. The name is resolved
once, here; only addresses that pass are connected to, as addresses, so that a name that resolves
differently the second time changes nothing; and the peer of the socket is checked once more.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable, Iterator
from typing import Any

import httpcore
import httpx

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

    def addresses(self, host: str, port: int) -> list[str]:
        """The addresses of a host that may be connected to, in the resolver's order.

        Raises `EgressRefused` where it has addresses but none may, `ConnectionFailed` where it has none.
        """
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is no host name"
            raise ConnectionFailed(f"the name {host!r} does not resolve: {reason}") from None
        resolved = list(dict.fromkeys(str(info[4][0]) for info in found))
        admitted = [address for address in resolved if self.admits(host, address)]
        if not admitted:
            is_address = resolved == [host]
            place = (
                f"{host} is not this machine" if is_address else f"{host} is {', '.join(resolved)}: not this machine"
            )
            raise EgressRefused(f"{place}; such requests go to loopback or to routing.localNetworks only")
        return admitted


def _within(address: Address, networks: Iterable[Network]) -> bool:
    return any(address in network for network in networks if network.version == address.version)


def _parse(address: str) -> Address | None:
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return None
    mapped = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
    return mapped or parsed


class _GuardedBackend(httpcore.NetworkBackend):
    """httpcore's network, with the policy between name and socket."""

    def __init__(self, policy: EgressPolicy) -> None:
        self._policy = policy
        self._network = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        addresses = self._policy.addresses(host, port)
        for number, address in enumerate(addresses, start=1):
            try:
                stream = self._network.connect_tcp(address, port, timeout, local_address, socket_options)
            except httpcore.ConnectError:
                if number == len(addresses):
                    raise
                continue
            self._check_peer(host, stream)
            return stream
        raise AssertionError("addresses() never gives an empty list")

    def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Iterable[Any] | None = None
    ) -> httpcore.NetworkStream:
        raise EgressRefused("a Unix socket is not an address that the guard knows")

    def sleep(self, seconds: float) -> None:
        self._network.sleep(seconds)

    def _check_peer(self, host: str, stream: httpcore.NetworkStream) -> None:
        peer = stream.get_extra_info("server_addr")
        if peer is None or not self._policy.admits(host, str(peer[0])):
            stream.close()
            raise EgressRefused(f"the connection to {host} reached another address than it should")


class _ResponseStream(httpx.SyncByteStream):
    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def __iter__(self) -> Iterator[bytes]:
        yield from self._stream

    def close(self) -> None:
        self._stream.close()


class GuardedTransport(httpx.BaseTransport):
    """An httpx transport whose every connection passes the policy. It knows no proxies."""

    def __init__(self, policy: EgressPolicy) -> None:
        # httpcore makes its TLS context when the first https connection needs it: reading the
        # certificates takes longer than a local server's answer.
        self._pool = httpcore.ConnectionPool(network_backend=_GuardedBackend(policy))

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        url = request.url
        answer = self._pool.handle_request(
            httpcore.Request(
                request.method,
                httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
                headers=request.headers.raw,
                content=request.stream,
                extensions=request.extensions,
            )
        )
        return httpx.Response(
            answer.status,
            headers=answer.headers,
            stream=_ResponseStream(answer.stream),
            extensions=answer.extensions,
        )

    def close(self) -> None:
        self._pool.close()
