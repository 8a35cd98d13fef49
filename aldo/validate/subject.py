"""What a check looks at: one file as far as it could be read, and the day it is looked at."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import Any
from urllib.parse import SplitResult

from aldo.catalog import CatalogFile
from aldo.catalog.document import Document
from aldo.catalog.spans import pointer
from aldo.errors import Fix
from aldo.router.cells import cells
from aldo.router.facts import Facts, project, project_value
from aldo.schema.places import LocalNetworks, split_base_url
from aldo.schema.vocabulary import CAPABILITIES, CAPABILITY_CLASSES
from aldo.validate.entry import Entry
from aldo.validate.near import Suspicion, suspects
from aldo.validate.rule import Need, Path
from aldo.validate.secrets import Secret, secrets_in


class Subject:
    """One catalog file. Whatever part of it is malformed is left out; reading has told of it."""

    def __init__(
        self,
        file: CatalogFile,
        today: datetime.date,
        max_age_days: int,
        parts: Iterable[tuple[Path, Any]] | None = None,
    ) -> None:
        """`parts`: what an overlay says of entries, each with its path, in place of the entries of a catalog."""
        self.file = file
        self.document: Document = file.document
        self.today = today
        self.max_age_days = max_age_days
        self._base_urls: dict[str, SplitResult | None] = {}
        if parts is None:
            parts = (((*file.prefix, index), value) for index, value in enumerate(file.models))
        self.entries: list[Entry] = [
            Entry(value, path, index) for index, (path, value) in enumerate(parts) if isinstance(value, dict)
        ]

    @property
    def text(self) -> str:
        return self.document.text

    @cached_property
    def readable(self) -> set[Need]:
        """What of the file could be read as a whole."""
        if self.file.is_plain:
            return {"entries", "routing", "vocabulary"}
        found: set[Need] = set(_SECTIONS) - self._malformed
        every = len(self.file.readable_entries) == len(self.file.models) == len(self.facts)  # ids may stand twice
        if every and not any(finding.unreadable for finding in self.file.findings):
            found.add("entries")
        return found

    def is_told(self, path: Path) -> bool:
        """Whether reading has told of the value at a path, or of what is around or inside it."""
        at = pointer(path)
        if not at:
            return False
        return any(at == told or at.startswith(f"{told}/") or told.startswith(f"{at}/") for told in self._told)

    def names(self, section: Need, key: str) -> tuple[str, ...]:
        """A list of `routing` or `vocabulary`; what it is by default where it is absent or malformed."""
        raw = self._raw(section)
        given = raw.get(key) if isinstance(raw, dict) and section not in self._malformed else None
        return tuple(given) if isinstance(given, list) else _DEFAULTS.get(key, ())

    @cached_property
    def sensitive_localities(self) -> frozenset[str]:
        return frozenset(self.names("routing", "sensitiveLocalities"))

    @cached_property
    def local_networks(self) -> LocalNetworks:
        return LocalNetworks(self.names("routing", "localNetworks"))

    @cached_property
    def classes(self) -> frozenset[str]:
        """The built-in capability classes and those that the catalog declares."""
        return frozenset(CAPABILITY_CLASSES).union(self.names("vocabulary", "capabilityClasses"))

    @cached_property
    def capabilities(self) -> frozenset[str]:
        """The built-in capability tags and those that the catalog declares."""
        return frozenset(CAPABILITIES).union(self.names("vocabulary", "capabilities"))

    @cached_property
    def by_id(self) -> dict[str, Entry]:
        """The entries by id, the first of each."""
        found: dict[str, Entry] = {}
        for entry in self.entries:
            if entry.id is not None:
                found.setdefault(entry.id, entry)
        return found

    @cached_property
    def entry_lines(self) -> dict[int, int]:
        """The line on which each entry begins, and its last one."""
        spans = self.document.spans
        found = {}
        for entry in self.entries:
            node = spans.node(self.document.value, entry.path)
            if node is not None:
                last = node + spans.sizes[node] - 1
                first_line, _ = spans.line_column(spans.starts[node])
                last_line, _ = spans.line_column(max(spans.starts[last], spans.ends[last] - 1))
                found[first_line] = last_line
                dash = self.text.rfind("-", 0, spans.starts[node])  # which may stand on a line of its own
                if dash >= 0 and self.document.spans.line_column(dash)[0] < first_line:
                    found[spans.line_column(dash)[0]] = last_line
        return found

    @cached_property
    def line_of_models(self) -> int:
        """The line of the key `models`; 0 where there is none."""
        span = self.document.locate(self.file.prefix, key=True) if self.file.prefix else None
        return span.line if span else 0

    @cached_property
    def secrets(self) -> list[Secret]:
        """The keys that stand in the file."""
        return secrets_in(self.document, self.entries)

    @cached_property
    def facts(self) -> dict[str, Facts]:
        """The routing facts of the entries that are valid by themselves, in the order of the file."""
        if self.file.is_plain:
            return {value["id"]: project_value(value) for value in self.file.models}
        found: dict[str, Facts] = {}
        for entry in self.file.readable_entries.values():
            found.setdefault(entry.id, project(entry))
        return found

    @cached_property
    def cells(self) -> dict[tuple[str, str], tuple[Facts, ...]]:
        """Who may serve which class and tier."""
        return cells(self.facts.values(), self.sensitive_localities)

    def base_url(self, url: str) -> SplitResult | None:
        """The parts of a base URL; None where it is none. Each is taken apart once."""
        if url not in self._base_urls:
            self._base_urls[url] = split_base_url(url)
        return self._base_urls[url]

    def replaced(self, path: Path, text: str, title: str) -> Fix:
        """An unsafe fix that writes another text for a scalar."""
        from aldo.catalog.edit import scalar

        return Fix(title, (scalar(self.text, *self.document.offsets(path), text),))

    def without_item(self, path: Path, title: str) -> Fix | None:
        """An unsafe fix that takes an item out of a list, where that is possible on its line."""
        from aldo.catalog.edit import removed_item

        edit = removed_item(self.text, *self.document.offsets(path))
        return Fix(title, (edit,)) if edit is not None else None

    def suspicious_names(self) -> Iterator[tuple[Path, str, Suspicion, str]]:
        """Where a tag or a class was probably meant for another, and under which key of `vocabulary` it would stand."""
        tags = suspects([tag for _, _, tag in self.tags()], self.capabilities)
        for entry, number, tag in self.tags():
            if tag in tags:
                yield entry.at("provides", number), tag, tags[tag], "capabilities"
        for entry in self.entries:
            name = entry.capability_class
            if name in self.suspect_classes:
                yield entry.at("capabilityClass"), name, self.suspect_classes[name], "capabilityClasses"

    @cached_property
    def suspect_classes(self) -> dict[str, Suspicion]:
        """The classes that were probably meant for others."""
        return suspects([entry.capability_class for entry in self.entries if entry.capability_class], self.classes)

    def tags(self) -> Iterator[tuple[Entry, int, str]]:
        """Every capability tag of every entry, with its number."""
        for entry in self.entries:
            for number, tag in enumerate(entry.provides):
                if tag:
                    yield entry, number, tag

    @cached_property
    def _told(self) -> set[str]:
        """The pointers of the errors that reading found, but for those of a whole entry: a field is missing there."""
        entries = {pointer(entry.path) for entry in self.entries}
        errors = (finding.pointer for finding in self.file.findings if finding.severity == "error")
        return {at for at in errors if at} - entries

    @cached_property
    def _malformed(self) -> set[Need]:
        if self.file.is_plain or self.file.salvaged is not None:
            return set()
        from pydantic import ValidationError

        from aldo.schema.catalog import Routing, Vocabulary

        value = self.document.value
        if isinstance(value, dict) and value.keys() - {"apiVersion", "kind", "models", "lock", *_SECTIONS}:
            return set(_SECTIONS)  # a key that is none may be a misspelt section
        wrong: set[Need] = set()
        sections: dict[Need, type[Routing | Vocabulary]] = {"routing": Routing, "vocabulary": Vocabulary}
        for name, model in sections.items():
            try:
                model.model_validate(self._raw(name), by_alias=True, by_name=False, context={"file": True})
            except ValidationError:
                wrong.add(name)
        return wrong

    def _raw(self, name: str) -> Any:
        value = self.document.value
        return value.get(name, {}) if isinstance(value, Mapping) else {}


_SECTIONS: tuple[Need, ...] = ("routing", "vocabulary")
_DEFAULTS = {"sensitiveLocalities": ("local",)}
