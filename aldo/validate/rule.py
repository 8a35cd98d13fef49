"""What a rule is: a code, a severity, its documentation, and a good and a bad example that are its tests."""

from __future__ import annotations

from dataclasses import dataclass

from aldo.errors import Severity


@dataclass(frozen=True, slots=True)
class Rule:
    """One kind of defect. The examples are whole files; `bad` must yield exactly this code, `good` nothing."""

    code: str
    name: str
    severity: Severity
    summary: str
    """One sentence: what is wrong."""
    explanation: str
    """Why it matters and what to do."""
    bad: str
    good: str
