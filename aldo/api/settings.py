"""What the operator of a gateway may set."""

from __future__ import annotations

from dataclasses import dataclass

from aldo.errors import UsageError
from aldo.schema.vocabulary import PrivacyTier

LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True, slots=True)
class Settings:
    """Times are seconds, sizes bytes."""

    catalog: str
    """The file of the catalog."""
    overlays: tuple[str, ...] = ()
    """Files laid over it, in order."""
    privacy: PrivacyTier | None = None
    """The tier of requests that say none. Without it they are refused."""
    max_tokens_out: int = 1024
    """The longest answer, in tokens, of requests that do not say."""
    keys: str | None = None
    """A file of hashed keys. Without it everybody who reaches the gateway may use it."""
    hosts: tuple[str, ...] = ()
    """Names by which clients may call the gateway, beside those of this machine. With keys, any name will do."""
    usage: str | None = None
    """A file to which a row is added for every request that is sent to a server."""
    failover: bool = True
    """Whether an alternate is asked when a model fails."""
    retries: int = 1
    """How often the same server is asked again, before the first byte of an answer."""
    timeout: float = 300.0
    """How long a server may send nothing."""
    probe_every: float | None = 10.0
    """How often servers are probed, and the longest that one which recovered is left out. None: never probed."""
    most_requests: int = 256
    """Chats and embeddings at the same time. What is more is told to come again."""
    most_body: int = 32 * 2**20
    """The largest body of a request."""
    most_head: int = 32 * 2**10
    """The largest request line with headers."""
    head_seconds: float = 10.0
    """How long a client may take to send request line and headers."""
    body_seconds: float = 60.0
    """How long it may take to send the body."""
    write_seconds: float = 60.0
    """How long it may take to read a piece of the answer."""
    watch_every: float | None = 1.0
    """How often catalog, overlays and keys are looked at for changes. None: only on SIGHUP."""
    traces: bool = False
    """Whether spans go to an OpenTelemetry collector. Needs the extra `otel`."""
    access_log: bool = False
    """Whether every request is told in the log."""

    def check_reach(self, host: str) -> None:
        """Raises `UsageError` for a gateway that others could reach and everybody could use."""
        if self.keys is None and host not in LOOPBACK:
            raise UsageError(
                f"--host {host} lets other machines in, and there are no keys: give --keys FILE "
                f"(make one with: aldo keys new NAME --file FILE), or stay on 127.0.0.1"
            )
