"""What can go wrong, in one tree, and what a defect in a file looks like.

Nothing of the other rooms may enter here: every room raises these, so they sit below all of them.
Foreign exceptions (pydantic, YAML, httpx) are mapped to this tree where they arise and never leak.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, ClassVar, Literal, NamedTuple, Protocol

Severity = Literal["error", "warning", "info"]


class Span(NamedTuple):
    """A stretch of text. Lines and columns count from 1, in characters; the end is exclusive."""

    line: int
    column: int
    end_line: int
    end_column: int


class Related(NamedTuple):
    """A second place that a finding speaks of, say the first of two equal ids."""

    path: str
    span: Span | None
    message: str

    def to_dict(self) -> dict[str, Any]:
        span = self.span
        place = {"path": self.path, "line": span and span.line, "column": span and span.column}
        return {**place, "message": self.message}


class Edit(NamedTuple):
    """Characters `start` to `end` of a file's text (a byte order mark not counted) give way to `text`."""

    start: int
    end: int
    text: str


class Fix(NamedTuple):
    """How to mend a defect by editing the text. A safe one leaves every routing decision as it is."""

    title: str
    edits: tuple[Edit, ...]
    safe: bool = False


RULES_PAGE = "https://docs.aldo.example/reference/rules/"
"""Where `docs/reference/rules.md` is published; a finding links to its rule's section there."""


class Finding(NamedTuple):
    """One defect of one file: what, where, why, and what to do about it.

    `pointer` is the JSON pointer (RFC 6901) of the value, "" for the whole document.
    `unreadable` marks a defect that keeps the file from being read as one document at all: the
    command line then ends with 2 (unreadable input) instead of 1 (findings).
    """

    code: str
    severity: Severity
    path: str
    span: Span | None
    pointer: str
    message: str
    hint: str = ""
    related: tuple[Related, ...] = ()
    unreadable: bool = False
    fix: Fix | None = None

    @property
    def url(self) -> str:
        """The section of the rule's documentation."""
        return f"{RULES_PAGE}#{self.code.lower()}"

    @property
    def fix_kind(self) -> Literal["safe", "unsafe", "none"]:
        return "none" if self.fix is None else "safe" if self.fix.safe else "unsafe"

    @property
    def place(self) -> str:
        """`file:line:column`, or the file alone where no position exists."""
        return f"{self.path}:{self.span.line}:{self.span.column}" if self.span else self.path

    def __str__(self) -> str:
        hint = f" ({self.hint})" if self.hint else ""
        return f"{self.place}: {self.severity}[{self.code}] {self.message}{hint}"

    def to_dict(self) -> dict[str, Any]:
        """The finding as in `aldo lint --format json`."""
        span = self.span
        return {
            "code": self.code,
            "severity": self.severity,
            "path": self.path,
            "line": span and span.line,
            "column": span and span.column,
            "endLine": span and span.end_line,
            "endColumn": span and span.end_column,
            "pointer": self.pointer,
            "message": self.message,
            "hint": self.hint,
            "url": self.url,
            "fix": self.fix_kind,
            "related": [other.to_dict() for other in self.related],
        }


def printable(text: str) -> str:
    """The text without control characters, so that what others wrote cannot steer the terminal."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" if ord(c) < 256 else f"\\u{ord(c):04x}" for c in text)


class AldoError(Exception):
    """The root. `code` is stable and machine-readable; `exit_code` is the command line's."""

    code: str = "error"
    exit_code: ClassVar[int] = 2

    def to_dict(self) -> dict[str, Any]:
        """The value of `error` in every JSON output."""
        return {"code": self.code, "message": str(self)}


class UsageError(AldoError):
    """The caller asked for something that makes no sense: an option, a request field, a file kind."""

    code: str = "usage"


class CatalogError(AldoError):
    """A file cannot be used. Carries every structural finding of it, not only the first."""

    code: str = "invalid_catalog"

    def __init__(self, findings: tuple[Finding, ...]) -> None:
        self.findings = findings
        first = findings[0]
        more = f" (and {len(findings) - 1} more)" if len(findings) > 1 else ""
        super().__init__(f"{first.place}: {first.code} {first.message}{more}")

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.findings,)

    def to_dict(self) -> dict[str, Any]:
        return {**super().to_dict(), "findings": [finding.to_dict() for finding in self.findings]}


class InvalidRequestError(AldoError):
    """A request that cannot be read: an unknown field, a missing tier, a negative token count."""

    code: str = "invalid_request"


NameKind = Literal["class", "capability", "model"]
_FEW_NAMES = 12


class UnknownNameError(AldoError):
    """A class, a capability tag or a model id that the catalog and the vocabulary do not know."""

    def __init__(
        self,
        what: NameKind,
        name: str,
        suggestions: tuple[str, ...] = (),
        *,
        where: str = "",
        known: tuple[str, ...] = (),
    ) -> None:
        """`known`: all there are, which is told where none of them is near and they are few."""
        self.what = what
        self.code = f"unknown_{what}"
        self.name = name
        self.suggestions = suggestions
        near = f"; did you mean {' or '.join(repr(s) for s in suggestions)}?" if suggestions else ""
        if known and not suggestions and len(known) <= _FEW_NAMES:
            near = f"; there are {', '.join(known)}"
        self.known = known
        self.where = where
        super().__init__(f"{where and where + ': '}unknown {what} {name!r}{near}")

    def __reduce__(self) -> tuple[Any, ...]:
        return partial(type(self), where=self.where, known=self.known), (self.what, self.name, self.suggestions)

    def to_dict(self) -> dict[str, Any]:
        return {**super().to_dict(), "suggestions": list(self.suggestions)}


class UndecidedError(AldoError):
    """A statement that took too many steps to decide. It is neither proven nor refuted."""

    code: str = "undecided"

    def __init__(self, statement: str) -> None:
        self.statement = statement
        super().__init__(
            f"the statement {statement!r} takes too many steps to decide: say sizes instead of ranges, or survives less"
        )

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.statement,)


class Refusal(Protocol):
    """What the router can tell of a request that no entry survived. Computed when asked."""

    @property
    def stages(self) -> tuple[Any, ...]: ...
    @property
    def relaxations(self) -> tuple[Any, ...]: ...
    def explain(self) -> Any: ...
    def to_dict(self) -> dict[str, Any]: ...


class NoEligibleModelError(AldoError):
    """No entry survives. A refusal costs no more than a route: what it tells is computed when asked."""

    code: str = "no_eligible_model"
    exit_code = 1

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal)
        self._refusal = refusal

    @property
    def stages(self) -> tuple[Any, ...]:
        """Per requested class (`schema.EmptiedClass`): the stage that dropped the last of its entries."""
        return self._refusal.stages

    @property
    def relaxations(self) -> tuple[Any, ...]:
        """The smallest changes (`schema.Relaxation`) that would make the request routable, fewest first."""
        return self._refusal.relaxations

    def explain(self) -> Any:
        """Every stage's counts and every entry's reason code, per class (`schema.Trace`)."""
        return self._refusal.explain()

    def to_dict(self) -> dict[str, Any]:
        return {**super().to_dict(), **self._refusal.to_dict()}

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self)!r})"


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
