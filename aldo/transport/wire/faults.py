"""Foreign failures to our error tree: HTTP statuses and bodies, and the exceptions of httpx and httpcore.

The one place where both are named. Nothing of them leaves this room.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from math import isfinite
from typing import Any

import httpcore
import httpx

from aldo.errors import (
    BadRequest,
    ConnectionFailed,
    ContextExceeded,
    ModelNotFound,
    ProtocolError,
    RateLimited,
    ServerError,
    ServerLoading,
    StreamCut,
    TransportError,
    TransportTimeout,
    Unauthorized,
)

_CONTEXT_WORDS = (
    "context length",
    "context_length",
    "context size",
    "context window",
    "exceed_context",
    "maximum context",
    "prompt is too long",
    "input is too long",
    "too many tokens",
    "too large to process",
)
_LONGEST = 300
_STATUS_WORDS = (("rate_limit", 429), ("invalid_api_key", 401), ("authentication_error", 401), ("overloaded", 503))
"""What an error that names no status says of it."""
_LONGEST_WAIT = 31_536_000.0  # a year: what is longer is no time to wait, and perhaps a part of a prompt
_NO_SUCH_PATH = ("not found", "file not found", "404 page not found", "unexpected endpoint")
"""What servers say of a path that they do not have: mlx and vLLM, llama.cpp, Ollama, LM Studio."""

_CONNECT_TIMEOUTS = (httpx.ConnectTimeout, httpx.PoolTimeout, httpcore.ConnectTimeout, httpcore.PoolTimeout)
_TIMEOUTS = (httpx.TimeoutException, httpcore.TimeoutException)
_NO_CONNECTION = (
    httpx.ConnectError,
    httpx.InvalidURL,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
    httpcore.ConnectError,
    httpcore.ConnectionNotAvailable,
    httpcore.ProxyError,
    httpcore.UnsupportedProtocol,
)
_QUOTING = (httpx.RemoteProtocolError, httpcore.RemoteProtocolError, httpx.CookieConflict)
_QUOTES_NOTHING = ("Server disconnected", "peer closed connection", "peer unexpectedly closed")
_UNDECODABLE = (httpx.DecodingError, httpx.CookieConflict)
_BROKEN = (httpx.HTTPError, httpx.StreamError, httpcore.NetworkError, httpcore.ProtocolError)


@contextmanager
def foreign_errors_mapped(url: str, *, begun: Callable[[], bool] = lambda: False) -> Iterator[None]:
    """Runs HTTP and raises our errors. `begun`: whether the answer has begun, so that a break is a cut stream."""
    try:
        yield
    except _CONNECT_TIMEOUTS:
        raise TransportTimeout(f"connecting to {url} took too long") from None
    except _TIMEOUTS:
        raise TransportTimeout(f"{url} sent nothing for too long") from None
    except _NO_CONNECTION as error:
        failed = ConnectionFailed(f"no connection to {url}", said=_reason(error))
        failed.refused = _refused(error)
        raise failed from None
    except _UNDECODABLE as error:
        raise ProtocolError(f"the answer of {url} cannot be decoded", said=_reason(error)) from None
    except _BROKEN as error:
        if begun():
            raise StreamCut(f"the connection to {url} broke", said=_reason(error)) from None
        failed = ConnectionFailed(f"the connection to {url} broke", said=_reason(error))
        failed.broke = True
        raise failed from None


def _refused(error: BaseException | None) -> bool:
    """Whether it goes back to a refusal of the operating system."""
    while error is not None:
        if isinstance(error, ConnectionRefusedError):
            return True
        error = error.__cause__ or error.__context__
    return False


def _reason(error: Exception) -> str:
    """What the library says of it, unless that quotes what a server sent."""
    said = str(error)
    if isinstance(error, _QUOTING) and not said.startswith(_QUOTES_NOTHING):
        return "it does not keep to HTTP"
    return said or type(error).__name__


def error_from_response(status: int, headers: Mapping[str, str], body: bytes, url: str) -> TransportError:
    """The error of an answer whose status is not 200."""
    message, is_json = _message(body)
    kind = _kind(status, _words(body, message), is_json, message)
    lost = "; there is no such API at this address, check baseUrl" if kind is ProtocolError else ""
    text = f"{url} answered {status}{lost}"
    return kind(text, said=message, status=status, retry_after=_retry_after(headers))


def error_in_body(body: Mapping[str, Any]) -> TransportError:
    """The error of an error object inside a 200."""
    error = body["error"]
    message = _error_text(error)
    status = error.get("code") if isinstance(error, Mapping) else None
    words = f"{message} {json.dumps(error)}".lower()
    if not isinstance(status, int) or not 400 <= status < 600:
        status = next(
            (code for word, code in _STATUS_WORDS if word in words), 400 if _speaks_of_context(words) else 500
        )
    kind = _kind(status, words, True, message)
    return kind("the server reported an error", said=message, status=status)


def _kind(status: int, words: str, is_json: bool, message: str) -> type[TransportError]:
    """The error of a status and the words that came with it: `words` has the error's code and type as well."""
    if message.lower().startswith(_NO_SUCH_PATH):
        return ProtocolError
    if status in (401, 402, 403):  # no key, no credit, not for this key
        return Unauthorized
    if status == 404:
        return ModelNotFound if is_json else ProtocolError
    if status == 429:
        return RateLimited
    if status in (408, 504):
        return TransportTimeout
    if status == 503 and "loading" in words:
        return ServerLoading
    if status >= 400 and "model_not_found" in words:
        return ModelNotFound
    if status >= 500:  # llama.cpp has a 500 for a text that it cannot embed whole
        return ContextExceeded if _speaks_of_context(words) else ServerError
    if status >= 400:
        return ContextExceeded if _speaks_of_context(words) else BadRequest
    return ProtocolError


def _speaks_of_context(message: str) -> bool:
    return any(words in message for words in _CONTEXT_WORDS)


def _message(body: bytes) -> tuple[str, bool]:
    text = body.decode("utf-8", "replace").strip()
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        return ("an HTML page" if text[:1] == "<" else text[:_LONGEST]), False
    if isinstance(data, Mapping):
        return _error_text(data.get("error") or data.get("message") or data.get("detail") or data), True
    return text[:_LONGEST], False


def _error_text(error: Any) -> str:
    if isinstance(error, Mapping):
        error = error.get("message") or json.dumps(error)
    return " ".join(str(error).split())[:_LONGEST]


def _words(body: bytes, message: str) -> str:
    """What an error is classified by: its message and, of a JSON body, its code and type as well."""
    text = message.lower()
    try:
        error = json.loads(body)["error"]
        return f"{text} {error.get('code', '')} {error.get('type', '')}".lower() if isinstance(error, Mapping) else text
    except (ValueError, TypeError, KeyError, RecursionError):
        return text


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait, from a number or a date (RFC 9110, 10.2.3). None where the server makes no sense."""
    value = headers.get("retry-after")
    if not value:
        return None
    try:
        seconds = float(value)
    except ValueError:
        return _seconds_until(value, headers.get("date"))
    return min(seconds, _LONGEST_WAIT) if isfinite(seconds) and seconds >= 0 else None


def _seconds_until(then: str, now: str | None) -> float | None:
    """The server's own clock counts where it told the time."""
    try:
        start = parsedate_to_datetime(now) if now else datetime.now(UTC)
        return min(max(0.0, (parsedate_to_datetime(then) - start).total_seconds()), _LONGEST_WAIT)
    except (TypeError, ValueError, OverflowError):
        return None
