"""Paths as reports want them: from the directory of the run, with slashes."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote


def relative(path: str) -> str:
    """The path from the working directory where it lies below it; never with `./` in front."""
    if path == "<stdin>":
        return "stdin"
    given = Path(path)
    here = Path.cwd()
    if given.is_absolute() and given.is_relative_to(here):
        given = given.relative_to(here)
    return given.as_posix()


def uri(path: str) -> str:
    """The same as a URI reference (RFC 3986)."""
    quoted = quote(relative(path), safe="/~", errors="surrogateescape")
    return f"file://{quoted}" if quoted.startswith("/") else quoted
