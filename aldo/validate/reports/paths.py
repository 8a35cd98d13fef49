"""Paths as reports want them: from the directory of the run, with slashes."""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path
from urllib.parse import quote


def relative(path: str) -> str:
    """The path from the working directory, one for every way to write it."""
    if path == "<stdin>":
        return "stdin"
    return _relative(path, Path.cwd())


@lru_cache(maxsize=1000)
def _relative(path: str, here: Path) -> str:
    return Path(os.path.relpath(path, here)).as_posix()


def uri(path: str) -> str:
    """The same as a URI reference (RFC 3986); what lies elsewhere with its whole path."""
    return _uri(path, Path.cwd())


@lru_cache(maxsize=1000)
def _uri(path: str, here: Path) -> str:
    name = relative(path)
    if name.startswith("../"):
        return "file://" + quote(os.path.realpath(path), safe="/~", errors="surrogateescape")
    return quote(name, safe="/~", errors="surrogateescape")
