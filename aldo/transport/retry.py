"""When the same server is asked again, and when the next one."""

from __future__ import annotations

import random
from dataclasses import dataclass

from aldo.errors import (
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

_PASSING_STATUSES = (500, 502, 503, 504, 529)

_ANOTHER_MAY_HELP = (
    ConnectionFailed,
    ContextExceeded,
    ModelNotFound,
    ProtocolError,
    RateLimited,
    ServerError,
    ServerLoading,
    StreamCut,
    TransportTimeout,
    Unauthorized,
)
"""Not: a request that is malformed, an answer that does not fit, and an address that the guard refused. The
first two would come again; the last is a fault of the setup that nobody should miss."""


@dataclass(frozen=True, slots=True)
class Retry:
    """How often and how patiently one server is asked again. Only before the first byte of an answer."""

    times: int = 2
    first_pause: float = 0.5
    """Seconds before the first repetition; each further one waits twice as long, less a random part."""
    longest_pause: float = 8.0
    longest_asked: float = 60.0
    """The longest Retry-After that is waited for, in seconds. A server that asks for more is given up."""

    def pause(self, error: TransportError, tries: int) -> float | None:
        """Seconds to wait before the same server is asked once more, after `tries` requests; None for not at all."""
        if tries > self.times or not _passing(error):
            return None
        if error.retry_after is not None:
            return error.retry_after if error.retry_after <= self.longest_asked else None
        if tries == 1 and isinstance(error, ConnectionFailed) and error.broke:
            return 0.0  # servers close kept connections without a word; a fresh one is all it takes
        # Not all clients that a server turned away at once come back at once.
        longest = min(self.first_pause * 2.0 ** (tries - 1), self.longest_pause)
        return longest * random.uniform(0.5, 1.0)


def _passing(error: TransportError) -> bool:
    """Whether the failure is of the kind that passes by itself."""
    if isinstance(error, ConnectionFailed):
        return not error.refused  # where nothing listens, nothing will listen in a second
    if isinstance(error, TransportTimeout):
        return error.status is not None  # a gateway gave up; our own patience was long enough
    if isinstance(error, (RateLimited, ServerLoading, StreamCut)):
        return True
    return isinstance(error, ServerError) and error.status in _PASSING_STATUSES


def another_may_help(error: TransportError) -> bool:
    """Whether the next entry of the failover chain is worth asking."""
    return isinstance(error, _ANOTHER_MAY_HELP)
