"""A base and overlays with marks, and what is found in them.

In the texts `‹` stands before the place of the finding and `«` before the related place; neither is written.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from aldo import CatalogError, load_catalog
from aldo.catalog.layers import read_layers
from aldo.errors import Finding

HEAD = "apiVersion: aldo/models.v1\nkind: ModelCatalogOverlay\n"
BASE = """\
apiVersion: aldo/models.v1
kind: ModelCatalog
models:
  - id: one
    provider: p
    providerKind: openai-compat
    locality: local
    capabilityClass: fast-draft
    provides: [streaming, vision]
    privacyAllowed: [public, internal]
    effectiveContextTokens: 100
    cost: { usdPerMtokIn: 1, usdPerMtokOut: 2 }
    providerConfig:
      baseUrl: http://localhost:1
      headers: { X.y: z }
      extra: { num: 1, text: t, flag: true, items: [1], deep: { a: 1, b.c: 2 }, none: null }
    description: first
    latencyP95Ms: 10
  - id: two
    provider: p
    providerKind: openai-compat
    locality: on-prem
    capabilityClass: fast-draft
    provides: [streaming]
    privacyAllowed: [public]
    effectiveContextTokens: 100
    cost: { usdPerMtokIn: 1, usdPerMtokOut: 2 }
"""
LOCKED = BASE.replace("models:", "lock: [privacyAllowed, locality]\nmodels:")
ADDED = """\
add:
  - id: {id}
    provider: p
    providerKind: openai-compat
    locality: {locality}
    capabilityClass: fast-draft
    provides: [streaming]
    privacyAllowed: [{tiers}]
    effectiveContextTokens: 100
    cost: {{ usdPerMtokIn: 1, usdPerMtokOut: 2 }}
"""
Place = tuple[str, int, int]
"""File name, line, column."""


def added(name: str, *, locality: str = "on-prem", tiers: str = "public") -> str:
    return ADDED.format(id=name, locality=locality, tiers=tiers)


def without_marks(text: str) -> str:
    return text.replace("‹", "").replace("«", "")


def marked(files: dict[str, str], mark: str) -> list[Place]:
    """Where a mark stands, in order."""
    other = "‹«".replace(mark, "")
    found = []
    for name, text in files.items():
        for number, line in enumerate(text.splitlines(), start=1):
            parts = line.replace(other, "").replace("\ufffd", "").split(mark)
            found += [(name, number, sum(map(len, parts[:size])) + 1) for size in range(1, len(parts))]
    return found


def write(folder: Path, base: str, overlays: tuple[str, ...]) -> dict[str, str]:
    """The files with their marks, written without."""
    files = {"base.yaml": base}
    for number, text in enumerate(overlays, start=1):
        files[f"{number}.yaml"] = text if "apiVersion" in text or "\ufffd" in text else HEAD + text
    for name, text in files.items():
        (folder / name).write_text(without_marks(text).replace("\ufffd", ""), encoding="utf-8")
    return files


def findings_of(folder: Path, base: str, *overlays: str) -> list[Finding]:
    """All findings but that numbers or words are ambiguous and that a list is bare."""
    files = write(folder, base, overlays)
    paths = [str(folder / name) for name in files]
    found = read_layers(paths[0], paths[1:]).findings
    errors = [finding for finding in found if finding.severity == "error"]
    if errors:
        with pytest.raises(CatalogError) as raised:
            load_catalog(paths[0], overlays=paths[1:])
        assert list(raised.value.findings) == errors
    else:
        load_catalog(paths[0], overlays=paths[1:])
    return [finding for finding in found if finding.code not in ("AL113", "AL114")]


def place_of(path: str, span: Any) -> Place | None:
    return span and (Path(path).name, span.line, span.column)


def seen(findings: list[Finding]) -> list[tuple[str, Place | None]]:
    return [(finding.code, place_of(finding.path, finding.span)) for finding in findings]


def codes(findings: list[Finding]) -> list[str]:
    return [finding.code for finding in findings]
