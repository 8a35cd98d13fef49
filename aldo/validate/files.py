"""Which files a run looks at: as they are named, with patterns expanded."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path


def expanded(paths: Iterable[str | os.PathLike[str]]) -> list[str]:
    """Each path once, in the order given. A pattern that matches nothing stays, and is told to be no file."""
    found: dict[str, None] = {}
    for path in (os.fspath(path) for path in paths):
        matching = sorted(_matching(path))
        found |= dict.fromkeys(matching or [path])
    return list(found)


def _matching(path: str) -> list[str]:
    if not any(letter in path for letter in "*?[") or "\0" in path:
        return []
    import glob

    with suppress(OSError):  # too long for a name, say
        if Path(path).exists():
            return []
    matches = glob.iglob(path, recursive=True)  # noqa: PTH207 - Path.glob takes no absolute patterns
    return [match for match in matches if Path(match).is_file()]
