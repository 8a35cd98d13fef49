"""Keys of clients: kept as hashes, compared in constant time.

A file of keys has a line for each: a name and the SHA-256 of the key. A key is 32 random bytes, so that a plain hash
of it says nothing about it; a password would need a slow one.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
from collections.abc import Mapping
from pathlib import Path

from aldo.errors import UsageError

_LINE = re.compile(r"([A-Za-z0-9][A-Za-z0-9._@-]{0,63})[ \t]+sha256:([0-9a-f]{64})")
_MOST_BYTES = 4_000_000


class Keys:
    """The hashes by name."""

    def __init__(self, hashes: Mapping[str, bytes]) -> None:
        self._hashes = tuple(hashes.items())

    def __len__(self) -> int:
        return len(self._hashes)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(name for name, _ in self._hashes)

    def owner(self, authorization: bytes) -> str | None:
        """Whose key a header `Authorization: Bearer …` holds; None for nobody's. Every key is compared, to its end."""
        scheme, _, key = authorization.partition(b" ")
        given = hashlib.sha256(key.strip()).digest()
        found = None
        for name, known in self._hashes:
            if hmac.compare_digest(given, known):
                found = name
        return found if scheme.lower() == b"bearer" else None


def new_key() -> str:
    """A key to hand out: 256 random bits."""
    return f"aldo-{secrets.token_urlsafe(32)}"


def line_of(name: str, key: str) -> str:
    """The line of a key for the file. Raises `UsageError` for a name that could not be read back."""
    line = f"{name} sha256:{hashlib.sha256(key.encode('ascii')).hexdigest()}"
    if not _LINE.fullmatch(line):
        raise UsageError(f"{name!r} is no name for a key: letters, digits and . _ @ -, at most 64")
    return line


def add_key(path: str, name: str) -> str:
    """Make a key, and add its hash to a file, which is made where it is missing. Returns the key.

    Raises `UsageError` for a name that the file has already, and for a file that is no file of keys.
    """
    key = new_key()
    line = line_of(name, key)
    try:
        with os.fdopen(os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600), "r+b") as file:
            text = file.read(_MOST_BYTES)
            if name in _hashes(text, path):
                raise UsageError(f"{path} has a key called {name!r} already; nothing was written")
            end = b"" if not text or text.endswith(b"\n") else b"\n"
            file.write(end + line.encode("ascii") + b"\n")
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}") from None
    return key


def read_keys(path: str | os.PathLike[str]) -> Keys:
    """The keys of a file. Raises `UsageError` with the line where it makes no sense, and for a file without any."""
    shown = os.fspath(path)
    try:
        with Path(path).open("rb") as file:
            data = file.read(_MOST_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no path"
        raise UsageError(f"the keys in {shown} cannot be read: {reason}") from None
    if len(data) > _MOST_BYTES:
        raise UsageError(f"{shown} is larger than {_MOST_BYTES} bytes: is it a file of keys?")
    hashes = _hashes(data, shown)
    if not hashes:
        raise UsageError(f"{shown} holds no key; make one with: aldo keys new NAME --file {shown}")
    return Keys(hashes)


def _hashes(data: bytes, shown: str) -> dict[str, bytes]:
    try:
        text = data.decode("utf-8")
    except ValueError:
        raise UsageError(f"the keys in {shown} cannot be read: it is no UTF-8") from None
    hashes: dict[str, bytes] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        stripped = line.partition("#")[0].strip()
        if not stripped:
            continue
        match = _LINE.fullmatch(stripped)
        if match is None:  # what stands there may be a key
            raise UsageError(f"{shown}:{number}: a line is a name and sha256:…, as `aldo keys new` writes it")
        if match[1] in hashes:
            raise UsageError(f"{shown}:{number}: the name {match[1]!r} stands twice")
        hashes[match[1]] = bytes.fromhex(match[2])
    return hashes
