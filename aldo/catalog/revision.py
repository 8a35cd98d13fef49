"""A catalog as it was: `REV:path`, read from git."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from aldo.catalog.codes import UNREADABLE_FILE
from aldo.catalog.document import Document
from aldo.catalog.load import catalog_of, value_or_error
from aldo.catalog.reader import parse, read_document
from aldo.catalog.source import MOST_BYTES, decode

if TYPE_CHECKING:
    from aldo.schema.catalog import Catalog


def load_catalog_at(place: str, overlays: Iterable[str | os.PathLike[str]] = ()) -> Catalog:
    """The catalog in a file, or in a revision of one: `main:models.yaml`, `HEAD~1:./models.yaml`; with its overlays.

    A file with that very name comes first. As git reads it, the path counts from the top of the repository unless it
    begins with `./`. Raises `CatalogError` as `load_catalog` does.
    """
    overlays = tuple(overlays)
    if overlays:
        from aldo.catalog.layers.layered import read_layers

        return read_layers(place, overlays).catalog()
    return value_or_error(catalog_of(read_document_at(place)))


def read_document_at(place: str) -> Document:
    """The document in a file, or in a revision of one. Never raises for what is in it."""
    if not is_revision(place):
        return read_document(place)
    document = Document(path=place)
    data = _blob(place, document)
    if data is not None:
        decode(data, document)
        if not document.findings:
            parse(document)
    return document


def is_revision(place: str) -> bool:
    """Whether it names a revision and no file: a colon, and nothing of that name."""
    revision, colon, path = place.partition(":")
    is_drive = len(revision) == 1 and revision.isalpha() and (os.name == "nt" or path.startswith(("\\", "/")))
    return bool(colon and path) and not is_drive and not revision.startswith("-") and not _exists(place)


def _exists(place: str) -> bool:
    try:
        return Path(place).exists()
    except (OSError, ValueError):  # longer than a name may be, or with a NUL in it
        return False


def _blob(place: str, document: Document) -> bytes | None:
    """What git holds under that name; else a finding says why not."""
    import subprocess  # most catalogs are files

    environment = {**os.environ, "LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0"}
    try:
        done = subprocess.run(["git", "cat-file", "blob", place], capture_output=True, check=False, env=environment)
    except OSError:
        document.report(UNREADABLE_FILE, "no such file, and no git to look for a revision", hint="check the path")
        return None
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().removeprefix("fatal: ")
        hint = "REV:path counts from the top of the repository, REV:./path from here"
        document.report(UNREADABLE_FILE, f"no such file, and git says: {said or 'no such revision'}", hint=hint)
        return None
    if len(done.stdout) > MOST_BYTES:
        document.report(UNREADABLE_FILE, f"is larger than {MOST_BYTES // 2**20} MiB")
        return None
    return done.stdout
