"""A catalog and its layers as one value, which knows where each part of it stands."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from aldo.catalog.document import Document
from aldo.catalog.events import without_garbage_collector
from aldo.catalog.layers.merge import Merge
from aldo.catalog.layers.overlay import OverlayFile, overlay_of
from aldo.catalog.layers.shadowed import report_shadowed
from aldo.catalog.layers.steps import Path
from aldo.catalog.load import CatalogFile, catalog_of, errors_of
from aldo.catalog.revision import read_document_at
from aldo.catalog.spans import PathPart
from aldo.errors import CatalogError, Finding, Fix, Related, Severity, Span, UsageError

if TYPE_CHECKING:
    from aldo.schema.catalog import Catalog


class MergedDocument(Document):
    """The merged value as a document: what is told of a place in it is told of the layer that set it."""

    def __init__(self, merge: Merge, value: dict[str, Any]) -> None:
        base = merge.documents[0]
        super().__init__(path=base.path, value=value)
        self._merge = merge
        self._ids = list(merge.entries)

    def origin(self, path: Sequence[PathPart]) -> tuple[Document, Path]:
        """The document that set what stands at a path of the merged value, and the path there."""
        merge = self._merge
        base, prefix = merge.documents[0], merge.base_prefix
        if len(path) >= 2 and path[0] == "models" and isinstance(path[1], int) and path[1] < len(self._ids):
            model = self._ids[path[1]]
            if model not in merge.touched:  # as in the base
                return base, (*prefix, merge.base_index[model], *path[2:])
            return self._in_layer(("models", model), tuple(path[2:]))
        if path == ("models",) and not self._ids and (removal := merge.last_removal()) is not None:
            return merge.documents[removal.layer], removal.at
        if path and path[0] in ("routing", "vocabulary", "lock"):
            return self._in_layer((str(path[0]),), tuple(path[1:]))
        return base, (*prefix,) if path else ()

    def _in_layer(self, subject: tuple[str, ...], path: Path) -> tuple[Document, Path]:
        place = self._merge.origin(subject, path)
        if place is None:
            return self._merge.documents[0], ()
        layer, at = place
        return self._merge.documents[layer], at

    def locate(self, path: Sequence[PathPart], *, key: bool = False) -> Span | None:
        document, at = self.origin(path)
        return document.locate(at, key=key)

    def offsets(self, path: Sequence[PathPart], *, key: bool = False) -> tuple[int, int]:
        return 0, 0  # there is no text to edit: fixes are for the files themselves

    def report_at(
        self,
        code: str,
        message: str,
        path: Sequence[PathPart],
        *,
        key: bool = False,
        hint: str = "",
        related: tuple[Related, ...] = (),
        severity: Severity = "error",
        fix: Fix | None = None,
    ) -> None:
        document, at = self.origin(path)
        document.report_at(code, message, at, key=key, hint=hint, related=related, severity=severity)

    def masked(self, text: str) -> str:
        for document in self._merge.documents:
            text = document.masked(text)
        return text


class Layered:
    """A base and overlays over it. `file` is the result, as the file of a catalog would be that says the same."""

    def __init__(self, base: CatalogFile, overlays: tuple[OverlayFile, ...]) -> None:
        self.base = base
        self.overlays = overlays
        self.merge: Merge | None = None
        self.file: CatalogFile | None = None
        """None where a layer cannot be used at all."""
        if _has_ids(base) and all(overlay.value is not None for overlay in overlays):
            self._lay()

    @property
    def merged(self) -> MergedDocument:
        """The document of `file`, which knows the layer of every value."""
        assert self.file is not None
        assert isinstance(self.file.document, MergedDocument)
        return self.file.document

    def _lay(self) -> None:
        merge = Merge(self.base)
        for overlay in self.overlays:
            merge.lay(overlay)
        self.merge = merge
        if errors_of(self.base.findings) or not all(overlay.well_formed for overlay in self.overlays):
            return  # what each layer does to the others is told; the result would repeat their defects
        value = {**merge.sections, "models": list(merge.entries.values())}
        document = MergedDocument(merge, value)
        changed = [merge.entries[model] for model in merge.touched if model in merge.entries]
        self.file = CatalogFile(document, len(merge.entries), value, changed if self.base.is_plain else None)

    @property
    def documents(self) -> tuple[Document, ...]:
        """Of the base and of each overlay, in order."""
        return (self.base.document, *(overlay.document for overlay in self.overlays))

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        """What is wrong with the structure of the layers, with the merge and with its result, layer by layer."""
        if self.merge is not None and len(self.overlays) > 1:
            report_shadowed(self.merge)  # may be as many as there are values, and stops no load
        return self._found()

    def _found(self) -> tuple[Finding, ...]:
        if self.file is not None and not self.file.is_plain:
            _ = self.file.salvaged  # tells what is wrong with the result
        return tuple(finding for document in self.documents for finding in document.sorted_findings())

    def catalog(self) -> Catalog:
        """The merged catalog. Raises `CatalogError` with every error of every layer."""
        errors = errors_of(self._found())
        if errors or self.file is None or self.file.salvaged is None:
            raise CatalogError(errors)
        return self.file.salvaged


def _has_ids(base: CatalogFile) -> bool:
    """Whether every entry can be spoken of, whatever else is wrong with it."""
    ids = [entry.get("id") if isinstance(entry, dict) else None for entry in base.models]
    unreadable = any(finding.unreadable for finding in base.findings)
    return bool(ids) and not unreadable and all(isinstance(one, str) for one in ids) and len(set(ids)) == len(ids)


def layered(base: Document, overlays: Iterable[Document]) -> Layered:
    """The layers of documents that were read."""
    return Layered(catalog_of(base), tuple(overlay_of(document) for document in overlays))


def read_layers(place: str, overlays: Iterable[str | os.PathLike[str]] = ()) -> Layered:
    """The layers in files, or in revisions of them (`main:models.yaml`). Never raises for what is in them."""
    if isinstance(overlays, (str, os.PathLike)):
        raise UsageError(f"overlays is a list of files: write [{os.fspath(overlays)!r}]")
    with without_garbage_collector():
        documents = [read_document_at(os.fspath(overlay)) for overlay in overlays]
        return layered(read_document_at(place), documents)
