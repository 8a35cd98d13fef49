"""What a run of lint comes to: by file, and altogether."""

from __future__ import annotations

from collections import Counter
from typing import Any, NamedTuple

from aldo.catalog.document import Document
from aldo.errors import Finding

JSON_VERSION = 1


class FileReport(NamedTuple):
    """What was found in one file."""

    path: str
    findings: tuple[Finding, ...]
    ignored: tuple[Finding, ...]
    """What a comment in the file says to ignore."""
    entries: int
    document: Document
    unchecked: tuple[str, ...] = ()
    """Rules that could not be applied, because something they need could not be read."""


class LintReport(NamedTuple):
    """The findings of one run, and how much it looked at."""

    files: tuple[FileReport, ...]
    rules: int
    strict: bool = False
    """Whether warnings fail the run too."""

    @property
    def findings(self) -> tuple[Finding, ...]:
        return tuple(finding for file in self.files for finding in file.findings)

    @property
    def ignored(self) -> tuple[Finding, ...]:
        return tuple(finding for file in self.files for finding in file.ignored)

    @property
    def entries(self) -> int:
        return sum(file.entries for file in self.files)

    @property
    def counts(self) -> Counter[str]:
        """How many findings of each severity."""
        return Counter(finding.severity for finding in self.findings)

    def fails(self, finding: Finding) -> bool:
        """Whether this finding alone would fail the run."""
        return finding.severity == "error" or (self.strict and finding.severity == "warning")

    @property
    def exit_code(self) -> int:
        """0 without errors, 1 with errors, 2 where a file could not be read as one document."""
        if any(finding.unreadable for finding in self.findings):
            return 2
        return 1 if any(self.fails(finding) for finding in self.findings) else 0

    def to_dict(self) -> dict[str, Any]:
        return {
            "version": JSON_VERSION,
            "findings": [finding.to_dict() for finding in self.findings],
            "checked": {"files": len(self.files), "entries": self.entries, "rules": self.rules},
        }
