"""Addresses as they are written: base URLs, and which hosts count as this machine before any name is resolved.

The egress guard of `transport` decides again when it connects, by the address that a name resolves to.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlsplit

if TYPE_CHECKING:
    import ipaddress

    Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def split_base_url(url: str) -> SplitResult | None:
    """The parts of a base URL, or None where it is no http or https URL with a host, without query and fragment."""
    url = url.strip(" ")
    if any(
        letter <= " " or letter == "\x7f" or letter.isspace() for letter in url
    ):  # urlsplit drops some of them without a word
        return None
    try:
        parts = urlsplit(url)
        valid = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return None
    behind_bracket = parts.netloc.rpartition("]")[2] if "]" in parts.netloc else ""
    if not valid or parts.query or parts.fragment or (behind_bracket and not behind_bracket.startswith(":")):
        return None
    return parts


class LocalNetworks:
    """What `routing.localNetworks` names beyond loopback: CIDR ranges and host names."""

    def __init__(self, names: Iterable[str] = ()) -> None:
        self.hosts: set[str] = set()
        self.networks: list[Network] = []
        for name in names:
            import ipaddress

            try:
                self.networks.append(ipaddress.ip_network(name, strict=False))
            except ValueError:
                self.hosts.add(canonical_host(name))

    def hold(self, host: str) -> bool:
        """Whether a host, as written in a URL, is this machine: `localhost`, a loopback address, or named here."""
        host = canonical_host(host)
        if host == "localhost" or host.endswith(".localhost") or host in self.hosts:
            return True
        import ipaddress  # most hosts are names

        try:
            address = ipaddress.ip_address(host.partition("%")[0])
        except ValueError:
            return False
        mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
        address = mapped or address
        return address.is_loopback or any(
            address in network for network in self.networks if network.version == address.version
        )


def canonical_host(name: str) -> str:
    return name.lower().rstrip(".")
