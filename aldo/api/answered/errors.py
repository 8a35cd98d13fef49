"""Errors in OpenAI's shape, with our codes: `{"error": {"message", "type", "param", "code", …}}`."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import Any

from aldo.api.faults import RequestFault
from aldo.errors import AldoError, NoEligibleModelError, TransportError, UnknownNameError
from aldo.schema.printed import dumps

_STATUS = {
    "connection": 502,
    "timeout": 504,
    "rate_limited": 429,
    "context_exceeded": 400,
    "model_not_found": 502,
    "server_loading": 503,
    "bad_request": 400,
    "unauthorized": 502,  # the gateway's key for the server, not the client's for the gateway
    "server_error": 502,
    "stream_cut": 502,
    "protocol": 502,
    "tool_call_unparsable": 502,
    "schema_mismatch": 502,
    "egress_refused": 502,
}
"""Of what a server or the network did. A client's SDK tries 408, 409, 429 and 5xx again by itself."""

_IN_VAIN = frozenset(("egress_refused", "model_not_found", "unauthorized"))
"""Failures of the setup: trying again changes nothing."""

_SOON = 1.0
"""Seconds, where a server asked for fewer requests and did not say for how long."""

_TYPES = {401: "authentication_error", 403: "permission_error", 404: "not_found_error", 429: "rate_limit_error"}


@dataclass(frozen=True, slots=True)
class Told:
    """An error as HTTP."""

    status: int
    code: str
    body: bytes
    headers: tuple[tuple[bytes, bytes], ...] = ()


def told(error: AldoError, *, recovery: float | None = None, in_body: bool = False) -> Told:
    """The answer that an error stands for. `recovery`: seconds until a model that is down is tried again. `in_body`:
    whether what a request requires stands in its body and not in a header."""
    status, param, retry_after = 400, None, None
    headers: list[tuple[bytes, bytes]] = []
    if isinstance(error, RequestFault):
        status, param, retry_after = error.status, error.param, error.retry_after
        headers += error.headers
    elif isinstance(error, UnknownNameError):
        status, param = (404, "capabilityClass" if in_body else "model")
        if error.what == "capability":
            status, param = 400, "requires" if in_body else "X-Aldo-Requires"
    elif isinstance(error, NoEligibleModelError):
        outage = any(stage.code == "DOWN" for stage in error.stages)
        status, retry_after = (503, recovery) if outage else (422, None)
    elif isinstance(error, TransportError):
        status, retry_after = _STATUS.get(error.code, 502), error.retry_after
        if retry_after is None:
            retry_after = {"server_loading": recovery, "rate_limited": _SOON}.get(error.code)
        if error.code in _IN_VAIN:
            headers.append((b"x-should-retry", b"false"))  # OpenAI's own SDKs heed it
    if retry_after is not None:
        headers.append((b"retry-after", str(max(1, ceil(retry_after))).encode("ascii")))
    return Told(status, error.code, dumps(as_object(error, status, param)).encode("utf-8", "replace"), tuple(headers))


def as_object(error: AldoError, status: int = 502, param: str | None = None) -> dict[str, Any]:
    """The JSON of an error, in an answer or in a stream. What we know beyond OpenAI's four fields comes after them."""
    kind = _TYPES.get(status, "invalid_request_error" if status < 500 else "server_error")
    shape = {"message": str(error), "type": kind, "param": param, "code": error.code}
    return {"error": {**shape, **{name: value for name, value in error.to_dict().items() if name not in shape}}}


def event_of(error: AldoError) -> bytes:
    """An error in the middle of a stream. OpenAI's SDKs raise it."""
    return f"data: {dumps(as_object(error, told(error).status))}\n\n".encode("utf-8", "replace")


def broken() -> Told:
    """A defect of ours. What it says may hold anything, so it says nothing."""
    shape = {"message": "the gateway failed; its log says where", "type": "server_error", "param": None}
    return Told(500, "internal_error", dumps({"error": {**shape, "code": "internal_error"}}).encode())
