"""What can go wrong, in one tree, and what a defect in a file looks like.

Nothing of the other rooms may enter here: every room raises these, so they sit below all of them.
Foreign exceptions (pydantic, YAML, httpx) are mapped to this tree where they arise and never leak.
"""

from aldo.errors.finding import RULES_PAGE, Edit, Finding, Fix, Related, Severity, Span, printable
from aldo.errors.transport import (
    BadRequest,
    ConnectionFailed,
    ContextExceeded,
    EgressRefused,
    ModelNotFound,
    ProtocolError,
    RateLimited,
    SchemaMismatch,
    ServerError,
    ServerLoading,
    StreamCut,
    ToolCallUnparsable,
    TransportError,
    TransportTimeout,
    Unauthorized,
    Where,
)
from aldo.errors.tree import (
    AldoError,
    CatalogError,
    InvalidRequestError,
    NameKind,
    NoEligibleModelError,
    Refusal,
    UndecidedError,
    UnknownNameError,
    UsageError,
)

__all__ = [
    "RULES_PAGE",
    "AldoError",
    "BadRequest",
    "CatalogError",
    "ConnectionFailed",
    "ContextExceeded",
    "Edit",
    "EgressRefused",
    "Finding",
    "Fix",
    "InvalidRequestError",
    "ModelNotFound",
    "NameKind",
    "NoEligibleModelError",
    "ProtocolError",
    "RateLimited",
    "Refusal",
    "Related",
    "SchemaMismatch",
    "ServerError",
    "ServerLoading",
    "Severity",
    "Span",
    "StreamCut",
    "ToolCallUnparsable",
    "TransportError",
    "TransportTimeout",
    "Unauthorized",
    "UndecidedError",
    "UnknownNameError",
    "UsageError",
    "Where",
    "printable",
]
