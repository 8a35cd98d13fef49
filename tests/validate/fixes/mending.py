"""Files that are mended: what was written, what is still found, and catalogs spoilt in ways that a safe fix mends."""

from __future__ import annotations

import datetime
import random
from pathlib import Path

from aldo.catalog import parse_text, read_catalog
from aldo.router import compile_catalog
from aldo.validate import LintReport
from aldo.validate.example import WITH_CLOUD
from aldo.validate.fix import FixedFile, fix_document, fix_files
from aldo.validate.lint import Checks
from aldo.validate.outcome import FileReport
from tests.support.mutations import SHIPPED, shipped

TODAY = datetime.date(2026, 11, 22)
CHECKS = Checks.of(today=TODAY)
DAY = "2026-11-22"


def fixed(text: str, *, unsafe: bool = False) -> FixedFile:
    return fix_document(parse_text("models.yaml", text), CHECKS, unsafe=unsafe)


def codes(report: LintReport | FileReport) -> list[str]:
    return [finding.code for finding in report.findings]


def routing_digest(path: Path) -> str | None:
    """What the catalog in the file routes by; where only its header is missing or a key doubled, what it would."""
    salvaged = read_catalog(str(path)).salvaged
    return None if salvaged is None else compile_catalog(salvaged).routing_digest


def mended(file: Path) -> FixedFile:
    """The file after the safe fixes, written."""
    done = fix_files([file], today=TODAY).files[0]
    done.write()
    return done


def spoilt(rng: random.Random) -> str:
    """The shipped catalog with several defects that have safe fixes, and comments everywhere."""
    lines = [
        f"{line}   # {rng.randrange(10**6)}"
        if rng.random() < 0.2 and line.rstrip()[-1:] not in (">", "|", "")
        else line
        for line in SHIPPED.split("\n")
    ]
    source = shipped()
    for entry in rng.sample(source.entries, 6):
        for name, values in SAFE_DEFECTS.items():
            if name in entry.lines and rng.random() < 0.5:
                at = entry.lines[name] - 1
                lines[at] = rng.choice(values)(lines[at], entry.value[name])
    header = rng.choice(("", "apiVersion: aldo/models.v1", "kind: ModelCatalog"))
    return "\n".join(line for line in lines if not (header and line.startswith(header)))


SAFE_DEFECTS = {
    "provider": (
        lambda line, value: line.replace(f": {value}", f": {'NO'}"),
        lambda line, value: f"{line}\n    provider: {value}",
        lambda line, value: line.replace(": ", ": &p 22:30 #", 1),
    ),
    "effectiveContextTokens": (
        lambda line, value: line.replace(f"{value}", f"0{value}"),
        lambda line, value: line.replace(f": {value}", f": !!int 00{value}"),
        lambda line, value: f"{line}   # aldo: ignore[AL405] no longer",
    ),
    "cost": (
        lambda line, value: line.replace("usdPerMtokOut:", "usdPerMtokOut: &out", 1).replace("&out 0", "&out 00"),
    ),
    "privacyAllowed": (lambda line, value: f"    # aldo: ignore[AL301,AL305] gone\n{line}",),
}

BARE = WITH_CLOUD.partition("models:\n")[2].replace("\n  ", "\n")[2:]

COMMENTS = (
    ("  - id: qwen   # aldo: ignore[AL301] gone\n", "  - id: qwen\n"),
    ("  # aldo: ignore[AL301] gone\n  - id: qwen\n", "  - id: qwen\n"),
    ("  # aldo: ignore[AL301, AL504]\n  - id: qwen\n", "  - id: qwen\n"),
    ("  # aldo: ignore[AL504]\n  # why this one\n  - id: qwen\n", "  # why this one\n  - id: qwen\n"),
)


def odd(text: str, *, line_end: str, mark: bool, last: bool) -> bytes:
    text = text if last else text.rstrip("\n")
    return (b"\xef\xbb\xbf" if mark else b"") + text.replace("\n", line_end).encode()


AMBIGUOUS = WITH_CLOUD.replace("provider: mlx", "provider: NO")
MENDED = WITH_CLOUD.replace("provider: mlx", 'provider: "NO"')
