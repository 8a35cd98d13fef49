"""What servers and the network can do wrong."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from aldo.errors.tree import AldoError


class Where(NamedTuple):
    """Where a transport failed: the entry, its provider, and the name that was sent on the wire."""

    model: str = ""
    provider: str = ""
    upstream_model: str = ""


class TransportError(AldoError):
    """A server or the network failed. `status` is the HTTP status where there was one.

    `said` is what the other side said; before it is told, what was sent to it is taken out of it. So
    no error carries a prompt, a key or a header value.
    """

    code: str = "server_error"
    exit_code = 3

    def __init__(
        self,
        message: str,
        *,
        said: str = "",
        status: int | None = None,
        retry_after: float | None = None,
        where: Where | None = None,
    ) -> None:
        super().__init__(message)
        self.said = said
        self.status = status
        self.retry_after = retry_after
        self.where: Where = where or Where()
        self.attempts: tuple[tuple[str, str], ...] = ()
        """Where more than one request was sent: the entry that each went to, and what came of it."""

    def __str__(self) -> str:
        return f"{self.args[0]}: {self.said}" if self.said else str(self.args[0])

    def to_dict(self) -> dict[str, Any]:
        extra: Mapping[str, Any] = {
            "status": self.status,
            "retryAfter": self.retry_after,
            "model": self.where.model or None,
            "provider": self.where.provider or None,
            "upstreamModel": self.where.upstream_model or None,
            "attempts": [{"model": model, "outcome": code} for model, code in self.attempts] or None,
        }
        return {**super().to_dict(), **{key: value for key, value in extra.items() if value is not None}}


class ConnectionFailed(TransportError):
    """No connection could be made: nothing listens, the name does not resolve, TLS failed.

    `refused`: a machine answered that nothing listens there. `broke`: there was a connection, perhaps an old one
    that the server had closed, and it ended before a byte of the answer.
    """

    code: str = "connection"
    refused = False
    broke = False


class TransportTimeout(TransportError):
    """Connecting, reading, or waiting for content took longer than allowed."""

    code: str = "timeout"


class RateLimited(TransportError):
    """The server asked for fewer requests. `retry_after` is in seconds where the server said."""

    code: str = "rate_limited"


class ContextExceeded(TransportError):
    """The prompt and the answer do not fit into the context that the server really serves."""

    code: str = "context_exceeded"


class ModelNotFound(TransportError):
    """The server does not know the name that was sent."""

    code: str = "model_not_found"


class ServerLoading(TransportError):
    """The server is up but its model is not."""

    code: str = "server_loading"


class BadRequest(TransportError):
    """The server refused the request as malformed."""

    code: str = "bad_request"


class Unauthorized(TransportError):
    """The key is missing or refused."""

    code: str = "unauthorized"


class ServerError(TransportError):
    """The server failed on its side."""

    code: str = "server_error"


class StreamCut(TransportError):
    """The stream ended without a finish reason, so the answer is not whole."""

    code: str = "stream_cut"


class ProtocolError(TransportError):
    """The answer is not the protocol: HTML from a proxy, broken JSON, no choices."""

    code: str = "protocol"


class ToolCallUnparsable(TransportError):
    """The model ended with tool calls, but none of them could be read."""

    code: str = "tool_call_unparsable"


class SchemaMismatch(TransportError):
    """The answer is whole, but not the JSON that was asked for. `result` is the answer (a `ChatResult`).

    `problems` say where and why, without a word of the answer itself.
    """

    code: str = "schema_mismatch"
    exit_code = 1

    def __init__(self, message: str, *, problems: tuple[str, ...] = (), result: Any = None, **more: Any) -> None:
        super().__init__(message, **more)
        self.problems = problems
        self.result = result

    def __str__(self) -> str:
        return ": ".join((str(self.args[0]), *(("; ".join(self.problems),) if self.problems else ())))

    def to_dict(self) -> dict[str, Any]:
        return {**super().to_dict(), "problems": list(self.problems)}


class EgressRefused(TransportError):
    """The address that would have been connected to is not one this request may reach."""

    code: str = "egress_refused"
