"""Which files a run looks at: as they are named, with patterns expanded."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path


def expanded(paths: Iterable[str | os.PathLike[str]]) -> list[str]:
    """Each file once, however often it is named, in the order given.

    A pattern that matches nothing stays, and is told to be no file.
    """
    found: dict[str, str] = {}
    for path in (os.fspath(path) for path in paths):
        for name in sorted(_matching(path)) or [path]:
            found.setdefault(name if name == "-" or "\0" in name else os.path.realpath(name), name)
    return list(found.values())


def _matching(path: str) -> list[str]:
    if not any(letter in path for letter in "*?[") or "\0" in path:
        return []
    import glob

    with suppress(OSError):  # too long for a name, say
        if Path(path).exists():
            return []
    matches = glob.iglob(path, recursive=True)  # noqa: PTH207 - Path.glob takes no absolute patterns
    return [match for match in matches if Path(match).is_file()]
