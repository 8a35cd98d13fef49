"""Single operations on single values: a value set, a list edited, a field unset; and what forbids one.

What an operation meets is told with both places: where the layer says so, and where the layers below do.
"""

from __future__ import annotations

from typing import Any

from aldo.catalog import codes
from aldo.catalog.layers.locks import DEFAULTS, acknowledged, lock_path, widened
from aldo.catalog.layers.merged import Merged
from aldo.catalog.layers.near import nearest
from aldo.catalog.layers.overlay import ADD, REMOVE
from aldo.catalog.layers.steps import (
    ABSENT,
    Operation,
    Path,
    Step,
    Subject,
    leaves,
    place_of,
    value_at,
    with_value,
)
from aldo.catalog.load import CatalogFile
from aldo.catalog.spans import pointer
from aldo.catalog.written import flow
from aldo.errors import Related, Severity

_ATOMIC = frozenset(("cost",))


class Operations(Merged):
    """The catalog so far, with what a layer may do to one value of it."""

    def __init__(self, base: CatalogFile) -> None:
        super().__init__(base)
        self.locks: dict[str, Related] = {}
        """The locked fields, each with the place that locks it."""
        self._overlay: dict[str, Any] = {}
        """The layer that is laid now."""
        self._undecided: frozenset[str] = frozenset()
        """Pointers of what is malformed in it, or contradicts itself."""
        self._widened: set[str] = set()
        """Subjects of which it has widened a locked field."""

    def _skips(self, at: Path) -> bool:
        return bool(self._undecided) and pointer(at) in self._undecided

    # One operation.

    def _merge(self, subject: Subject, path: Path, value: Any, at: Path) -> None:
        """A value over what is there: maps by key, everything else in its place."""
        if self._skips(at):
            return
        old = value_at(self._current(subject), path)
        if isinstance(value, dict) and path[0] not in _ATOMIC:
            if ADD in value or REMOVE in value:
                self._edit_list(subject, path, value, at, old)
                return
            if value and (isinstance(old, dict) or (old is ABSENT and _edits(value))):
                for key, inner in value.items():
                    self._merge(subject, (*path, key), inner, (*at, key))
                return
        if not self._same_kind(path, old, value, at, subject):
            return
        new = old if value == {} and isinstance(old, dict) else value  # an empty map adds no key
        if self._permitted(subject, path, new, at):
            self._set(subject, path, "override", old, new, at)

    def _edit_list(self, subject: Subject, path: Path, value: dict[str, Any], at: Path, old: Any) -> None:
        if old is ABSENT and subject[0] != "models":
            old = DEFAULTS.get(str(path[-1]), [])
        if not isinstance(old, list):
            code = codes.ABSENT_PATH if old is ABSENT else codes.TYPE_CHANGE
            name = ".".join(map(str, path))
            told = f"there is no list {name} to change" if old is ABSENT else f"{name} is no list"
            self._report(code, told, at, "write a plain list", self._written(subject, path))
            return
        new = list(old)
        edits: list[tuple[Operation, list[Any]]] = []
        given = value_at(self._current(subject), path)
        for number, item in enumerate(items_of(value, REMOVE)):
            if self._skips((*at, REMOVE, number)):
                continue
            place = place_of(item, new)
            if place is not None:
                del new[place]
                continue
            near = nearest(str(item), map(str, old))
            hint = f"did you mean {near!r}?" if near else f"it holds {shown(old)}"
            told = f"{shown(item)} is not there to be removed"
            self._report(codes.ABSENT_PATH, told, (*at, REMOVE, number), hint, self._written(subject, path))
        if REMOVE in value:
            edits.append(("$remove", list(new)))
        for number, item in enumerate(items_of(value, ADD)):
            if self._skips((*at, ADD, number)):
                continue
            if place_of(item, new) is not None:
                told = f"{shown(item)} is there already"
                there = self._written(subject, path)
                self._report(codes.NO_OP, told, (*at, ADD, number), "take it out", there)
            else:
                new.append(item)
        if ADD in value:
            edits.append(("$add", list(new)))
        if self._permitted(subject, path, new, at):
            for operation, items in edits:
                self._set(subject, path, operation, given, items, (*at, operation), told=True)
                given = items

    def _unset(self, subject: Subject, text: str, at: Path) -> None:
        entry = self._current(subject)
        path = _resolved(entry, text)
        if path is None:
            there = [".".join(map(str, one)) for one, _ in leaves(entry)]
            near = nearest(text, there)
            hint = f"did you mean {near!r}?" if near else "take it out"
            written = self._written(subject, tuple(text.split(".")))
            self._report(codes.ABSENT_PATH, f"{text!r} is not set", at, hint, written)
        elif self._permitted(subject, path, ABSENT, at):
            self._set(subject, path, "$unset", value_at(entry, path), ABSENT, at)

    def _set(
        self, subject: Subject, path: Path, operation: Operation, old: Any, new: Any, at: Path, *, told: bool = False
    ) -> None:
        step = self._record(subject, path, operation, old, new, at)
        if step.idle:
            if not told:
                message = f"{'.'.join(map(str, path))} of {subject[-1]!r} is {shown(new)} already"
                self._report(codes.NO_OP, message, at, "take it out", self._written(subject, path, before=step))
            return
        if subject[0] == "models":
            self.entries[subject[1]] = with_value(self.entries[subject[1]], path, new)
            self.touched.add(subject[1])
        else:
            self.sections[subject[0]] = with_value(self.sections[subject[0]], path, new)

    def _record(self, subject: Subject, path: Path, operation: Operation, old: Any, new: Any, at: Path) -> Step:
        step = Step(len(self.documents) - 1, subject, path, operation, old, new, at)
        self.steps.setdefault(subject, []).append(step)
        return step

    # What an operation must not do.

    def _same_kind(self, path: Path, old: Any, new: Any, at: Path, subject: Subject) -> bool:
        if old is ABSENT or old is None or type(old) is type(new) or _kind(old) == _kind(new):
            return True
        told = f"{'.'.join(map(str, path))} of {subject[-1]!r} is {_kind(old)}, not {_kind(new)}"
        hint = f"`$unset: [{'.'.join(map(str, path))}]` takes it away" if new is None else "write a value of its type"
        self._report(codes.TYPE_CHANGE, told, at, hint, self._written(subject, path))
        return False

    def _permitted(self, subject: Subject, path: Path, new: Any, at: Path) -> bool:
        """Whether no lock forbids a value at a path."""
        if not self.locks:
            return True
        current = self._current(subject)
        return self._unlocked(subject, path, current, with_value(current, path, new), at)

    def _unlocked(self, subject: Subject, path: Path, old: Any, new: Any, at: Path) -> bool:
        """Whether no lock forbids the change of a subject, or this layer says why it is done all the same."""
        broken = widened(self.locks, subject, old, new)
        if not broken:
            return True
        self._widened.add(subject[-1])
        if acknowledged(self._overlay, subject):
            return True
        of = f" of {subject[1]!r}" if subject[0] == "models" else ""
        hint = f'if it is meant, say why: `acknowledge: {{ {subject[-1]}: "…" }}`'
        _, locked = lock_path(broken[0])
        inside = locked[len(path) :] if locked[: len(path)] == path else ()
        are = "are" if len(broken) > 1 else "is"
        told = f"widens {' and '.join(broken)}{of}, which {are} locked"
        self._report(codes.LOCKED_FIELD, told, (*at, *inside), hint, self.locks[broken[0]])
        return False

    def _current(self, subject: Subject) -> Any:
        if subject[0] == "models":
            return self.entries[subject[1]]
        return self.sections.get(subject[0], ABSENT)

    # What is told.

    def _born(self, model: str) -> Related:
        birth = self.birth(model)
        document = self.documents[birth.layer]
        return Related(document.path, document.locate((*birth.at, "id")), f"{model!r} stands here")

    def _written(self, subject: Subject, path: Path, before: Step | None = None) -> Related | None:
        """Where the value that a step meets was set."""
        steps = [one for one in self.steps.get(subject, ()) if one is not before]
        place = self.origin(subject, path, steps)
        if place is None:
            return None
        layer, at = place
        document = self.documents[layer]
        return Related(document.path, document.locate(at), "the layers below say so here")

    def _is_told(self, at: str) -> bool:
        """Whether something malformed is this value, around it or inside it: one defect, one finding."""
        told = (one for one in self._undecided if one)
        return any(one == at or one.startswith(f"{at}/") or at.startswith(f"{one}/") for one in told)

    def _report(
        self, code: str, message: str, at: Path, hint: str, there: Related | None = None, *, key: bool = False
    ) -> None:
        if self._undecided and code != codes.ABSENT_ID and self._is_told(pointer(at)):
            return
        severity: Severity = "warning" if code == codes.NO_OP else "error"
        related = () if there is None else (there,)
        self.documents[-1].report_at(code, message, at, hint=hint, related=related, severity=severity, key=key)


def _resolved(value: Any, text: str) -> Path | None:
    """The path that a dotted text names; a key may hold dots itself, and the longest that is there is meant."""
    if not isinstance(value, dict):
        return None
    for key in sorted((key for key in value if text == key or text.startswith(f"{key}.")), key=len, reverse=True):
        if text == key:
            return (key,)
        inner = _resolved(value[key], text[len(key) + 1 :])
        if inner is not None:
            return (key, *inner)
    return None


def items_of(value: dict[str, Any], operation: str) -> list[Any]:
    """What an operation on a list names."""
    items = value.get(operation)
    return items if isinstance(items, list) else []


def _edits(value: Any) -> bool:
    """Whether a map has an operation on a list somewhere inside it."""
    if not isinstance(value, dict):
        return False
    return ADD in value or REMOVE in value or any(map(_edits, value.values()))


def _kind(value: Any) -> str:
    match value:
        case bool():
            return "true or false"
        case int() | float():
            return "a number"
        case str():
            return "a text"
        case dict():
            return "a map"
        case _:
            return "a list"


def shown(value: Any) -> str:
    """A value in one line of a message."""
    if value is ABSENT:
        return "not set"
    text = flow(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
