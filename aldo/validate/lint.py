"""`lint`: every defect of every file, in the order of file and place, and what was checked."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from aldo.catalog import read_catalog
from aldo.errors import Finding
from aldo.validate.registry import all_rules

JSON_VERSION = 1


@dataclass(frozen=True, slots=True)
class LintReport:
    """The findings of one run, and how much it looked at."""

    findings: tuple[Finding, ...]
    files: int
    entries: int
    rules: int
    texts: dict[str, str] = field(repr=False)
    """The text of each file as it was read, for the code frames."""

    @property
    def exit_code(self) -> int:
        """0 without errors, 1 with errors, 2 where a file could not be read as one document."""
        if any(finding.unreadable for finding in self.findings):
            return 2
        return 1 if any(finding.severity == "error" for finding in self.findings) else 0

    def to_dict(self) -> dict[str, Any]:
        return {
            "version": JSON_VERSION,
            "findings": [finding.to_dict() for finding in self.findings],
            "checked": {"files": self.files, "entries": self.entries, "rules": self.rules},
        }


def lint(paths: str | os.PathLike[str] | Iterable[str | os.PathLike[str]]) -> LintReport:
    """Check one catalog file or several. Never raises for what is in them; `-` is standard input."""
    listed = [paths] if isinstance(paths, (str, os.PathLike)) else paths
    files = [read_catalog(path) for path in dict.fromkeys(os.fspath(path) for path in listed)]
    return LintReport(
        findings=tuple(finding for file in files for finding in file.findings),
        files=len(files),
        entries=sum(file.entries for file in files),
        rules=len(all_rules()),
        texts={file.document.path: file.document.text for file in files},
    )
