"""Two catalogs field by field: which entries came and went, and which values differ, with both places."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal, NamedTuple

from aldo.catalog.layers.layered import Layered
from aldo.catalog.layers.render import Origin, merged_value
from aldo.catalog.layers.steps import ABSENT, Path, leaves, unchanged, value_at


class FieldChange(NamedTuple):
    """One value that differs. Of an entry that came or went the path is () and the value the whole entry."""

    kind: Literal["added", "removed", "changed"]
    subject: str
    """The id of an entry; `routing`, `vocabulary` or `lock`."""
    path: Path
    base: Any
    """Plain values, `ABSENT` where there is none."""
    head: Any
    base_origin: Origin | None
    head_origin: Origin | None


def field_changes(base: Layered, head: Layered) -> list[FieldChange]:
    """What differs between two catalogs, in the order of the base; entries that came stand at the end."""
    return list(_changes(_Side(base), _Side(head)))


class _Side:
    """One catalog with its entries by id."""

    def __init__(self, layers: Layered) -> None:
        self._layers = layers
        value = merged_value(layers)
        self.roots: dict[str, Path] = {entry["id"]: ("models", n) for n, entry in enumerate(value["models"])}
        self.entries: dict[str, Any] = {entry["id"]: entry for entry in value["models"]}
        self.sections = {name: value[name] for name in ("routing", "vocabulary", "lock") if name in value}
        self._numbers = {id(document): number for number, document in enumerate(layers.documents)}

    def origin(self, root: Path, path: Path) -> Origin:
        document, at = self._layers.merged.origin((*root, *path))
        return Origin(self._numbers[id(document)], document.path, document.locate(at))


def _changes(base: _Side, head: _Side) -> Iterator[FieldChange]:
    for name in dict.fromkeys((*base.sections, *head.sections)):
        one, other = base.sections.get(name, ABSENT), head.sections.get(name, ABSENT)
        yield from _within(name, (name,), (name,), one, other, base, head)
    for model, entry in base.entries.items():
        root = base.roots[model]
        if model not in head.entries:
            yield FieldChange("removed", model, (), entry, ABSENT, base.origin(root, ()), None)
        else:
            yield from _within(model, root, head.roots[model], entry, head.entries[model], base, head)
    for model, entry in head.entries.items():
        if model not in base.entries:
            yield FieldChange("added", model, (), ABSENT, entry, None, head.origin(head.roots[model], ()))


def _within(
    name: str, base_root: Path, head_root: Path, one: Any, other: Any, base: _Side, head: _Side
) -> Iterator[FieldChange]:
    for path in dict.fromkeys((*(path for path, _ in leaves(one)), *(path for path, _ in leaves(other)))):
        old, new = value_at(one, path), value_at(other, path)
        if (
            unchanged(path, old, new) or isinstance(old, dict) or isinstance(new, dict)
        ):  # a map is told by what is in it
            continue
        kind: Literal["added", "removed", "changed"] = (
            "added" if old is ABSENT else "removed" if new is ABSENT else "changed"
        )
        yield FieldChange(
            kind,
            name,
            path,
            old,
            new,
            None if old is ABSENT else base.origin(base_root, path),
            None if new is ABSENT else head.origin(head_root, path),
        )
