"""By which names a gateway without keys may be called.

A page in a browser on this machine can send requests to this machine, under a name of its own that resolves to
127.0.0.1. So where no key protects the gateway, the name by which it is called must be one of this machine.
"""

from __future__ import annotations

from collections.abc import Iterable

from aldo.schema.places import canonical_host

_HERE = ("localhost", "127.0.0.1", "::1")


class Hosts:
    """The names that are let in; all of them where `keys` protect."""

    def __init__(self, further: Iterable[str], *, keys: bool) -> None:
        self._any = keys
        self._names = frozenset(map(canonical_host, (*_HERE, *further)))

    def admit(self, header: bytes) -> bool:
        """Whether a header `Host` holds one of them, with whatever port."""
        if self._any:
            return True
        host = header.decode("latin-1").strip()
        name = host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]
        return canonical_host(name) in self._names
