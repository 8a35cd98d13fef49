"""A claim and what came of it."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

from aldo.errors import (
    ConnectionFailed,
    EgressRefused,
    ModelNotFound,
    RateLimited,
    ServerError,
    ServerLoading,
    StreamCut,
    TransportError,
    TransportTimeout,
    Unauthorized,
)

_NOTHING = (
    ConnectionFailed,
    EgressRefused,
    ModelNotFound,
    RateLimited,
    ServerLoading,
    StreamCut,
    TransportTimeout,
    Unauthorized,
)
_BUSY = (502, 503, 504, 529)


def says_nothing(error: TransportError) -> bool:
    """Whether a failure says nothing about what the model can do."""
    return isinstance(error, _NOTHING) or (isinstance(error, ServerError) and error.status in _BUSY)


Verdict = Literal["confirmed", "refuted", "unclear"]


class Claim(NamedTuple):
    """One claim of an entry: a capability tag, or `context`.

    `unclear`: no request can tell, or the one that could failed for another reason.
    """

    name: str
    verdict: Verdict
    evidence: str

    def to_dict(self) -> dict[str, Any]:
        return {"claim": self.name, "verdict": self.verdict, "evidence": self.evidence}


def confirmed(name: str, evidence: str) -> Claim:
    return Claim(name, "confirmed", evidence)


def refuted(name: str, evidence: str) -> Claim:
    return Claim(name, "refuted", evidence)


def unclear(name: str, evidence: str) -> Claim:
    return Claim(name, "unclear", evidence)
