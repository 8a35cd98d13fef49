"""What makes a finding the same as one of an earlier run, whatever lines were added above it."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence

from aldo.errors import Finding
from aldo.validate.reports.paths import relative


def fingerprints(findings: Sequence[Finding]) -> list[str]:
    """A hash a finding, of file, code, pointer and message; equal ones are numbered."""
    seen: Counter[str] = Counter()
    found = []
    for finding in findings:
        base = "\0".join((relative(finding.path), finding.code, finding.pointer, finding.message))
        seen[base] += 1
        found.append(hashlib.sha256(f"{base}\0{seen[base]}".encode("utf-8", "surrogatepass")).hexdigest())
    return found
