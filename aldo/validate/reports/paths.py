"""Paths as reports want them: from the directory of the run, with slashes."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import quote


def relative(path: str) -> str:
    """The path from the working directory, one for every way to write it."""
    if path == "<stdin>":
        return "stdin"
    return Path(os.path.relpath(path)).as_posix()


def uri(path: str) -> str:
    """The same as a URI reference (RFC 3986); what lies elsewhere with its whole path."""
    name = relative(path)
    if name.startswith("../"):
        return "file://" + quote(os.path.realpath(path), safe="/~", errors="surrogateescape")
    return quote(name, safe="/~", errors="surrogateescape")
