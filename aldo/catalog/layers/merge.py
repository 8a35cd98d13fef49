"""The merge: one layer after the other, each operation recorded as it is made.

Maps merge by key; scalars and lists replace; `cost` is taken whole. An operation that cannot be made is
reported, with both places, and left out; the others are made all the same.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from aldo.catalog import codes
from aldo.catalog.layers.expectations import unmet
from aldo.catalog.layers.near import nearest
from aldo.catalog.layers.operations import Operations, shown
from aldo.catalog.layers.overlay import UNSET, OverlayFile
from aldo.catalog.layers.steps import ABSENT, Birth, Path, Subject
from aldo.catalog.load import CatalogFile
from aldo.errors import Related


class Merge(Operations):
    """The catalog so far, to which layers are added one by one."""

    def __init__(self, base: CatalogFile) -> None:
        super().__init__(base)
        locks = self.sections.get("lock")
        self._lock(locks if isinstance(locks, list) else (), 0)

    # What a layer does.

    def lay(self, overlay: OverlayFile) -> None:
        """Lay one more overlay over the catalog so far."""
        assert overlay.value is not None
        self.documents.append(overlay.document)
        self._overlay = overlay.value
        self._undecided = overlay.undecided
        self._widened = set()
        self._expect()
        for number, model in enumerate(self._listed("remove")):
            if isinstance(model, str) and not self._skips(("remove", number)):
                self._remove(model, ("remove", number))
        for model, part in self._mapped("override").items():
            if isinstance(part, dict) and not self._skips(("override", model)):
                self._override(model, part)
        for number, entry in enumerate(self._listed("add")):
            has_id = isinstance(entry, dict) and isinstance(entry.get("id"), str)
            if has_id and not self._skips(("add", number, "id")):
                self._add(entry, ("add", number))
        for section in ("routing", "vocabulary"):
            if self._mapped(section):
                self._section(section, self._overlay[section])
        self._acknowledgements()
        if self._listed("lock"):
            self._lock(self._listed("lock"), len(self.documents) - 1)
            together = list(self.locks)
            self._record(("lock",), (), "override", self.sections.get("lock", ABSENT), together, ("lock",))
            self.sections["lock"] = together

    # What is malformed has been told; it is left out, so that the rest is checked all the same.

    def _mapped(self, section: str) -> dict[str, Any]:
        value = self._overlay.get(section)
        return value if isinstance(value, dict) else {}

    def _listed(self, section: str) -> list[Any]:
        value = self._overlay.get(section)
        return value if isinstance(value, list) else []

    def _expect(self) -> None:
        for model, expected in self._mapped("expect").items():
            at: Path = ("expect", model)
            if not isinstance(expected, dict):
                continue
            if model not in self.entries:
                self._absent_id(model, at)
                continue
            for path, wanted, found in unmet(expected, self.entries[model]):
                told = f"{'.'.join(map(str, path))} of {model!r} is {shown(found)}, not {shown(wanted)} as expected"
                hint = "see whether the overlay is still right, then correct what it expects"
                self._report(codes.STALE_EXPECT, told, (*at, *path), hint, self._written(("models", model), path))

    def _remove(self, model: str, at: Path) -> None:
        if model not in self.entries:
            self._absent_id(model, at)
            return
        self._record(("models", model), (), "remove", self.entries[model], ABSENT, at)
        self.gone[model] = self.entries.pop(model)
        self.touched.add(model)

    def _add(self, entry: dict[str, Any], at: Path) -> None:
        model = entry["id"]
        subject: Subject = ("models", model)
        if model in self.entries:
            hint = "change it under override, or choose another id"
            self._report(codes.EXISTING_ID, f"{model!r} is there already", (*at, "id"), hint, self._born(model))
            return
        if model in self.gone and not self._unlocked(subject, (), self.gone[model], entry, at):
            return
        self._record(subject, (), "add", ABSENT, entry, at)
        self.births[model] = Birth(len(self.documents) - 1, at)
        self.entries[model] = entry
        self.touched.add(model)

    def _override(self, model: str, part: dict[str, Any]) -> None:
        at: Path = ("override", model)
        if model not in self.entries:
            self._absent_id(model, at)
            return
        subject: Subject = ("models", model)
        if not part:
            self._report(codes.NO_OP, f"says nothing of {model!r}", at, "say what changes, or take it out", key=True)
        unset = part.get(UNSET)
        for number, text in enumerate(unset if isinstance(unset, list) else ()):
            if not isinstance(text, str) or self._skips((*at, UNSET, number)):
                continue
            self._unset(subject, text, (*at, UNSET, number))
        for key, value in part.items():
            if key != UNSET:
                self._merge(subject, (key,), value, (*at, key))

    def _section(self, section: str, part: dict[str, Any]) -> None:
        self.sections.setdefault(section, {})
        for key, value in part.items():
            self._merge((section,), (key,), value, (section, key))

    def _lock(self, locks: Iterable[Any], layer: int) -> None:
        document = self.documents[layer]
        for number, lock in enumerate(locks):
            if not isinstance(lock, str):
                continue
            at: Path = ("lock", number)
            self.locks.setdefault(lock, Related(document.path, document.locate(at), "locked here"))

    def _acknowledgements(self) -> None:
        for name in self._mapped("acknowledge"):
            at: Path = ("acknowledge", name)
            if not isinstance(name, str):
                continue
            if name != "routing" and name not in self.entries and name not in self.gone:
                self._absent_id(name, at)
            elif name not in self._widened:
                told = f"acknowledges a change of {name!r} that no lock forbids"
                self._report(codes.NO_OP, told, at, "take it out", key=True)

    # What is told.

    def _absent_id(self, model: str, at: Path) -> None:
        key = at[0] != "remove"
        if model in self.gone:
            step = self.steps[("models", model)][-1]
            document = self.documents[step.layer]
            there = Related(document.path, document.locate(step.at), "removed here")
            hint = "take it out" if at[0] in ("expect", "acknowledge") else "take one of the two away"
            self._report(codes.ABSENT_ID, f"no entry {model!r} is left", at, hint, there, key=key)
            return
        near = nearest(model, self.entries)
        hint = f"did you mean {near!r}?" if near else "the layers below have no such entry"
        related = self._born(near) if near else None
        self._report(codes.ABSENT_ID, f"no entry {model!r}", at, hint, related, key=key)
