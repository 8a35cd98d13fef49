"""`load_catalog`: from a path to a catalog value, or to one error that carries every structural finding."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from aldo.catalog import codes
from aldo.catalog.document import Document
from aldo.catalog.header import HEADER, is_a_ruin, is_catalog
from aldo.catalog.plain import is_plainly_valid
from aldo.catalog.reader import read_document
from aldo.catalog.spans import PathPart
from aldo.errors import CatalogError, Finding, Related

if TYPE_CHECKING:
    from pydantic import BaseModel

    from aldo.schema.catalog import Catalog
    from aldo.schema.entry import ModelEntry


Loaded = TypeVar("Loaded", bound="BaseModel")

MOST_ENTRIES = 100_000
"""More are refused, so that a file full of defects does not fill the memory with findings."""


class CatalogFile:
    """A catalog file as read: its value where it has one, and all that is wrong with its structure."""

    def __init__(
        self,
        document: Document,
        entries: int = 0,
        value: dict[str, Any] | None = None,
        changed: list[Any] | None = None,
    ) -> None:
        """`changed`: the entries that are not known to be plainly valid; None for all of them."""
        self.document = document
        self.entries = entries
        self.is_plain: bool = False
        """Whether a glance told that the structure is valid. The value is then made when it is asked for."""
        self._value = value
        if value is not None:
            unspoilt = not document.odd_keys and not any(finding.severity == "error" for finding in document.findings)
            self.is_plain = unspoilt and is_plainly_valid(value, changed)
            if not self.is_plain:
                _ = self.salvaged

    @cached_property
    def salvaged(self) -> Catalog | None:
        """The value also where something is wrong that reading can pass over: a missing header, a key given twice."""
        if self._value is None:
            return None
        from aldo.catalog.structure import check  # loads pydantic
        from aldo.schema.catalog import Catalog

        return check(self.document, Catalog, self._value, () if self.prefix else ("models",))

    @property
    def catalog(self) -> Catalog | None:
        """The value, where nothing is wrong that would stop a load."""
        salvaged = self.salvaged
        stopped = any(finding.severity == "error" for finding in self.document.findings)
        return None if stopped else salvaged

    @property
    def findings(self) -> tuple[Finding, ...]:
        return self.document.sorted_findings()

    @property
    def models(self) -> list[Any]:
        """The entries as plain values, valid or not."""
        value = self.document.value
        models = value.get("models") if isinstance(value, dict) else value
        return models if isinstance(models, list) and self.entries else []

    @property
    def prefix(self) -> tuple[PathPart, ...]:
        """The path of the list of entries: a bare list has none."""
        return ("models",) if isinstance(self.document.value, dict) else ()

    @cached_property
    def readable_entries(self) -> dict[int, ModelEntry]:
        """The entries that are valid by themselves, by their place in the list."""
        from pydantic import ValidationError

        from aldo.schema.entry import ModelEntry

        if self.salvaged is not None:
            return dict(enumerate(self.salvaged.models))
        found = {}
        for index, value in enumerate(self.models):
            with suppress(ValidationError):
                found[index] = ModelEntry.model_validate(value, by_alias=True, by_name=False, context={"file": True})
        return found


def load_catalog(
    path: str | os.PathLike[str] | None = None, overlays: Iterable[str | os.PathLike[str]] = ()
) -> Catalog:
    """The catalog in a file, with overlays laid over it in the order given.

    Without a path it is the catalog that every command takes: `$ALDO_CATALOG`, else `./models.yaml`, else the one that
    ships with aldo; and without overlays those of `$ALDO_OVERLAYS`.

    Raises `CatalogError`, which carries every structural finding of the files with file, line and column, when
    one of them cannot be read, has a defect or does not fit the layers below. Performs no network access.
    """
    if path is None:
        from aldo.catalog.chosen import chosen_catalog

        return chosen_catalog(None, tuple(os.fspath(overlay) for overlay in overlays))
    if overlays == ():
        return value_or_error(read_catalog(os.fspath(path)))
    from aldo.catalog.layers.layered import read_layers  # most catalogs have one layer

    return read_layers(os.fspath(path), overlays).catalog()


def value_or_error(file: CatalogFile) -> Catalog:
    """The value of a file that was read; raises `CatalogError` where it has none."""
    if file.catalog is None:
        raise CatalogError(errors_of(file.findings))
    return file.catalog


def errors_of(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """What stops a load; the rest is for `lint` to tell."""
    return tuple(finding for finding in findings if finding.severity == "error")


def read_catalog(path: str) -> CatalogFile:
    """A catalog file with its findings; never raises for what is in it. `-` is standard input."""
    return catalog_of(read_document(path))


def catalog_of(document: Document) -> CatalogFile:
    """The same for a document that was read."""
    if not document.readable or is_a_ruin(document) or not is_catalog(document):
        return CatalogFile(document)
    bare = isinstance(document.value, list)
    value: dict[str, Any] | None = {"models": document.value} if bare else {**document.value, **HEADER}
    models = document.value if bare else document.value.get("models")
    entries = len(models) if isinstance(models, list) else 0
    if entries > MOST_ENTRIES:
        document.report_at(codes.WRONG_VALUE, f"more than {MOST_ENTRIES} entries", () if bare else ("models",))
        value = None
    file = CatalogFile(document, entries, value)
    if isinstance(models, list) and not file.is_plain:
        _report_duplicate_ids(document, models, () if bare else ("models",))
    return file


def _report_duplicate_ids(document: Document, models: list[Any], prefix: tuple[PathPart, ...]) -> None:
    first: dict[str, int] = {}
    for index, entry in enumerate(models):
        model = entry.get("id") if isinstance(entry, dict) else None
        if not isinstance(model, str) or not model:
            continue
        if model not in first:
            first[model] = index
            continue
        there = document.locate((*prefix, first[model], "id"))
        document.report_at(
            codes.DUPLICATE_ID,
            f"the id {model!r} stands twice",
            (*prefix, index, "id"),
            hint="rename one of the two",
            related=(Related(document.path, there, "first given here"),),
        )
