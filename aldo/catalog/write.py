"""Writing a file that was read: whole or not at all, with the mode it had, and never over what others wrote."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from pathlib import Path

from aldo.catalog.document import Document
from aldo.errors import UsageError


def encoded(document: Document, text: str) -> bytes:
    """A text as the bytes of the document's file, with the byte order mark that it had."""
    return (("\ufeff" if document.byte_order_mark else "") + text).encode("utf-8", "surrogatepass")


def replace_text(document: Document, text: str) -> None:
    """Write another text in place of the document's, by way of a file beside it.

    A link stays a link: what it leads to is replaced. Raises `UsageError` where the file is no longer what
    was read, or cannot be written; it is then as it was.
    """
    path = Path(os.path.realpath(document.path))
    try:
        if not path.stat().st_mode & 0o222:
            raise UsageError(f"{document.path} is read-only; nothing was written to it")
        if path.read_bytes() != encoded(document, document.text):
            raise UsageError(f"{document.path} changed while it was checked; nothing was written to it; run again")
        _replace(path, encoded(document, text))
    except OSError as error:
        raise UsageError(f"{document.path} cannot be written: {error.strerror or error}; it is as it was") from None


def _replace(path: Path, data: bytes) -> None:
    before = path.stat()
    handle, name = tempfile.mkstemp(prefix=".aldo-", dir=path.parent)
    beside = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        with suppress(OSError):  # only root may give a file away
            os.chown(beside, before.st_uid, before.st_gid)
        beside.chmod(before.st_mode & 0o7777)
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
