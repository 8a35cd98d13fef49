"""The audit: each claim of an entry against its live server, by a small real request, and a correcting overlay."""

from aldo._lazy import Load, lazy_names

__all__ = ["Audit", "Checked", "Claim", "audit"]

__getattr__: Load = lazy_names(
    "aldo.transport.audit", {"Audit": "auditor", "Checked": "auditor", "Claim": "claims", "audit": "auditor"}
)
