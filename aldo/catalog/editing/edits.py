"""What `aldo catalog set`, `unset`, `add` and `remove` do to a file, be it a catalog or an overlay.

In a catalog an entry itself is edited. In an overlay the edit is what makes the merged entry so: a value under
`override`, an item under `$unset`, an id under `remove`; and what the overlay said before is taken back first.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any, Literal, NamedTuple

from aldo.catalog.document import Document
from aldo.catalog.editing.text import Text
from aldo.catalog.kinds import is_overlay
from aldo.catalog.layers.overlay import ADD, REMOVE, UNSET
from aldo.catalog.layers.steps import ABSENT, Path, same, value_at
from aldo.errors import UnknownNameError, UsageError

Assignment = tuple[Path, Literal["=", "+=", "-="], Any]


class Below(NamedTuple):
    """What the layers below the edited file say; of a catalog: nothing."""

    entries: Mapping[str, Any]

    def value(self, model: str, path: Path) -> Any:
        return value_at(self.entries.get(model, ABSENT), path)


def set_values(document: Document, below: Below, model: str, assignments: list[Assignment]) -> tuple[Text, list[str]]:
    """The text with values set, and what is to be told of it beyond the obvious.

    Raises `UnknownNameError` for an id that neither the file nor the layers below have, `UsageError` for what cannot
    be edited.
    """
    file = _File(document, below, model)
    for path, operator, value in assignments:
        if operator == "=":
            file.set(path, value)
        else:
            file.edit_list(path, operator, value if isinstance(value, list) else [value])
    return file.text, file.notes


def unset_values(document: Document, below: Below, model: str, paths: list[Path]) -> tuple[Text, list[str]]:
    """The text with values taken back: what the file says of them; else what the layers below say is unset."""
    file = _File(document, below, model)
    for path in paths:
        file.unset(path)
    return file.text, file.notes


def add_entry(document: Document, below: Below, entry: dict[str, Any]) -> tuple[Text, list[str]]:
    """The text with a whole entry more."""
    text, model = Text(document), entry.get("id")
    section: Path = ("add",) if is_overlay(document) else _models(document)
    if isinstance(model, str):
        if model in below.entries or _position(document, section, model) is not None:
            raise UsageError(f"{model!r} is there already; change it with `aldo catalog set`")
        removed = value_at(document.value, ("remove",))
        if is_overlay(document) and isinstance(removed, list) and model in removed:
            raise UsageError(f"{document.path} removes {model!r}; override it, or add it in a later layer")
    return text.append(section, entry), []


def remove_entry(document: Document, below: Below, model: str) -> tuple[Text, list[str]]:
    """The text without an entry; in an overlay also without what it says of that entry."""
    text, notes = Text(document), []
    overlay = is_overlay(document)
    section: Path = ("add",) if overlay else _models(document)
    position = _position(document, section, model)
    for part in ("override", "expect", "acknowledge"):
        if overlay and value_at(text.value, (part, model)) is not ABSENT:
            text = text.delete((part, model))
            notes.append(f"what it said under {part} went, too")
    if position is not None:
        return text.delete((*section, position)), [*notes, "the entry that it added is gone"] if overlay else notes
    if not overlay or model not in below.entries:
        known = [*below.entries, *_ids(document, section)]
        raise UnknownNameError("model", model, tuple(get_close_matches(model, known, n=3)))
    if model in value_at_list(text.value, ("remove",)):
        raise UsageError(f"{document.path} removes {model!r} already")
    return text.append(("remove",), model), notes


class _File:
    """One file under edit, and the place in it that speaks of one entry."""

    def __init__(self, document: Document, below: Below, model: str) -> None:
        self.text = Text(document)
        self.notes: list[str] = []
        self._model = model
        self._below = below
        overlay = is_overlay(document)
        section: Path = ("add",) if overlay else _models(document)
        position = _position(document, section, model)
        self._layered = overlay and position is None
        """Whether it is said under `override`; else the entry itself stands here."""
        self._root: Path = ("override", model) if self._layered or position is None else (*section, position)
        if position is None and (not overlay or model not in below.entries):
            known = [*below.entries, *_ids(document, section)]
            raise UnknownNameError("model", model, tuple(get_close_matches(model, known, n=3)))
        if overlay and model in value_at_list(document.value, ("remove",)):
            raise UsageError(f"{document.path} removes {model!r}: take that back before you change it")

    def set(self, path: Path, value: Any) -> None:
        if path == ("id",):
            raise UsageError("an id cannot change: remove the entry and add another")
        if value == {}:
            name = ".".join(map(str, path))
            raise UsageError(f"{name}={{}} changes nothing, because maps merge; `aldo catalog unset` takes {name} away")
        if path[0] != "cost" and isinstance(value, dict):
            for key, inner in value.items():  # maps merge, here as in a layer
                self.set((*path, key), inner)
            return
        if self._layered and path[0] == "cost" and len(path) > 1:
            self._set_price(path[1:], value)
        else:
            self.text = self.text.set((*self._root, *path), value)
        if self._layered:
            self._take_back_unset(path)

    def edit_list(self, path: Path, operator: str, items: list[Any]) -> None:
        """Items more, or items less: in the list itself where it stands here, else as `$add` or `$remove`."""
        here = value_at(self.text.value, (*self._root, *path))
        if not self._layered or isinstance(here, list):
            self._edit_here(path, operator, items, [] if here is ABSENT else here)
            return
        wanted, other = (ADD, REMOVE) if operator == "+=" else (REMOVE, ADD)
        below = self._below.value(self._model, path)
        for item in items:
            removed = value_at_list(self.text.value, (*self._root, *path, REMOVE))
            if operator == "+=" and isinstance(below, list) and item in below and item not in removed:
                self.notes.append(f"{item} is there already")
                continue
            undone = value_at(self.text.value, (*self._root, *path, other))
            if isinstance(undone, list) and item in undone:
                self.text = self.text.delete((*self._root, *path, other, undone.index(item)))
                continue
            done = value_at(self.text.value, (*self._root, *path, wanted))
            if not isinstance(done, list) or item not in done:
                self.text = self.text.append((*self._root, *path, wanted), item)

    def unset(self, path: Path) -> None:
        here = value_at(self.text.value, (*self._root, *path))
        name = ".".join(map(str, path))
        if not self._layered:
            if here is ABSENT:
                raise UsageError(f"{self._model} has no {name!r} here{_near(name, self._here())}")
            self.text = self.text.delete((*self._root, *path))
        elif here is not ABSENT:
            self._take_back(path)
        elif self._below.value(self._model, path) is ABSENT:
            known = [*self._here(), *(".".join(map(str, one)) for one in _paths(self._below.value(self._model, ())))]
            raise UsageError(f"no layer sets {name!r} of {self._model}{_near(name, known)}")
        elif name in value_at_list(self.text.value, (*self._root, UNSET)):
            raise UsageError(f"{self.text.document.path} unsets {name!r} of {self._model} already")
        else:
            self.text = self.text.append((*self._root, UNSET), name)
            self.notes.append(f"{name} of the layers below is unset; this file itself said nothing of it")

    def _take_back(self, path: Path) -> None:
        name = ".".join(map(str, path))
        if path[0] == "cost" and len(path) > 1:
            self._take_back_price(path)
        else:
            self.text = self.text.delete((*self._root, *path))
        below = self._below.value(self._model, path)
        holds = "it is not set now" if below is ABSENT else "what the layers below say holds again"
        self.notes.append(f"{name} is taken back: {holds}")

    def _take_back_unset(self, path: Path) -> None:
        """A field that this file unsets must not be set in it, too."""
        name = ".".join(map(str, path))
        for position, text in reversed(list(enumerate(value_at_list(self.text.value, (*self._root, UNSET))))):
            if text == name:
                self.text = self.text.delete((*self._root, UNSET, position))
                self.notes.append(f"{name} is no longer unset")

    def _set_price(self, path: Path, value: Any) -> None:
        """An overlay says a cost whole or not at all: the other prices are those of the layers below."""
        cost = value_at(self.text.value, (*self._root, "cost"))
        if cost is not ABSENT:
            self.text = self.text.set((*self._root, "cost", *path), value)
            return
        below = self._below.value(self._model, ("cost",))
        others = {key: price for key, price in below.items() if (key,) != path}
        whole = {key: value if (key,) == path else price for key, price in below.items()}
        self.text = self.text.set((*self._root, "cost"), {**whole, path[0]: value})
        if others:
            self.notes.append("an overlay says a cost whole: the other prices are those of the layers below")

    def _take_back_price(self, path: Path) -> None:
        below = self._below.value(self._model, ("cost",))
        before = value_at(below, path[1:])
        cost = dict(value_at(self.text.value, (*self._root, "cost")))
        cost.pop(path[1])
        if before is not ABSENT:
            cost[path[1]] = before
        if same(cost, below):
            self.text = self.text.delete((*self._root, "cost"))
        elif before is ABSENT:
            self.text = self.text.delete((*self._root, *path))
        else:
            self.text = self.text.set((*self._root, *path), before)

    def _edit_here(self, path: Path, operator: str, items: list[Any], here: Any) -> None:
        if not isinstance(here, list):
            raise UsageError(f"{'.'.join(map(str, path))} of {self._model} is no list")
        missing = [item for item in items if item not in here]
        if operator == "-=" and missing:
            raise UsageError(f"{'.'.join(map(str, path))} of {self._model} does not hold {missing[0]!r}")
        new = [*here, *missing] if operator == "+=" else [item for item in here if item not in items]
        self.text = self.text.set((*self._root, *path), new)

    def _here(self) -> list[str]:
        return [".".join(map(str, path)) for path in _paths(value_at(self.text.value, self._root))]


def _paths(value: Any, path: Path = ()) -> Iterator[Path]:
    for key, inner in value.items() if isinstance(value, dict) else ():
        yield (*path, key)
        yield from _paths(inner, (*path, key))


def value_at_list(value: Any, path: Path) -> list[Any]:
    """A list at a path; an empty one where there is none."""
    found = value_at(value, path)
    return found if isinstance(found, list) else []


def _near(name: str, known: list[str]) -> str:
    near = get_close_matches(name, known, n=1)
    return f"; did you mean {near[0]!r}?" if near else ""


def _models(document: Document) -> Path:
    return () if isinstance(document.value, list) else ("models",)


def _ids(document: Document, section: Path) -> list[str]:
    entries = value_at_list(document.value, section)
    return [entry["id"] for entry in entries if isinstance(entry, dict) and isinstance(entry.get("id"), str)]


def _position(document: Document, section: Path, model: str) -> int | None:
    for position, entry in enumerate(value_at_list(document.value, section)):
        if isinstance(entry, dict) and entry.get("id") == model:
            return position
    return None
