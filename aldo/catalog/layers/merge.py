"""The merge: one layer after the other, each operation recorded as it is made.

Maps merge by key; scalars and lists replace; `cost` is taken whole. An operation that cannot be made is
reported, with both places, and left out; the others are made all the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from aldo.catalog import codes
from aldo.catalog.layers.expectations import unmet
from aldo.catalog.layers.locks import acknowledged, widened
from aldo.catalog.layers.overlay import ADD, REMOVE, UNSET, OverlayFile
from aldo.catalog.layers.steps import ABSENT, Birth, Operation, Path, Step, Subject, leaves, value_at, with_value
from aldo.catalog.load import CatalogFile
from aldo.errors import Related

_ATOMIC = frozenset(("cost",))
_DEFAULTS: Mapping[Path, list[Any]] = {("sensitiveLocalities",): ["local"]}


class Merge:
    """The catalog so far, and how it came to be. Values of the layers are shared, never changed."""

    def __init__(self, base: CatalogFile) -> None:
        self.documents = [base.document]
        value = base.document.value
        self.entries: dict[str, Any] = {entry["id"]: entry for entry in base.models}
        self.sections: dict[str, Any] = {} if isinstance(value, list) else {**value}
        self.sections.pop("models", None)
        self.births: dict[str, Birth] = {}
        """Of entries that layers added; the others came from the base."""
        self.base_index = {model: index for index, model in enumerate(self.entries)}
        self.base_prefix = base.prefix
        self.steps: dict[Subject, list[Step]] = {}
        self.locks: tuple[str, ...] = tuple(self.sections.get("lock", ()))
        self.gone: dict[str, Any] = {}
        """Entries that a layer removed, as they were."""
        self.touched: set[str] = set()
        """Ids whose entries differ from those of the base."""

    # What a layer does.

    def lay(self, overlay: OverlayFile) -> None:
        """Lay one more overlay over the catalog so far."""
        assert overlay.value is not None
        self.documents.append(overlay.document)
        self._overlay = overlay.value
        self._widened: set[str] = set()
        self._expect()
        for number, model in enumerate(self._overlay.get("remove", ())):
            self._remove(model, ("remove", number))
        for model, part in self._overlay.get("override", {}).items():
            self._override(model, part)
        for number, entry in enumerate(self._overlay.get("add", ())):
            self._add(entry, ("add", number))
        for section in ("routing", "vocabulary"):
            if section in self._overlay:
                self._section(section, self._overlay[section])
        self._acknowledgements()
        self._lock()

    def _expect(self) -> None:
        for model, expected in self._overlay.get("expect", {}).items():
            at: Path = ("expect", model)
            if model not in self.entries:
                self._absent_id(model, at)
                continue
            for path, wanted, found in unmet(expected, self.entries[model]):
                told = f"{'.'.join(map(str, path))} of {model!r} is {_shown(found)}, not {_shown(wanted)} as expected"
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
        if model in self.gone and not self._unlocked(subject, self.gone[model], entry, (*at, "id")):
            return
        self.steps.setdefault(subject, []).append(Step(len(self.documents) - 1, subject, (), "add", ABSENT, entry, at))
        self.births[model] = Birth(len(self.documents) - 1, at, entry)
        self.entries[model] = entry
        self.touched.add(model)

    def _override(self, model: str, part: dict[str, Any]) -> None:
        at: Path = ("override", model)
        if model not in self.entries:
            self._absent_id(model, at, key=True)
            return
        subject: Subject = ("models", model)
        if not part:
            self._report(codes.NO_OP, f"says nothing of {model!r}", at, "say what changes, or take it out", key=True)
        for number, text in enumerate(part.get(UNSET, ())):
            self._unset(subject, text, (*at, UNSET, number))
        for key, value in part.items():
            if key != UNSET:
                self._merge(subject, (key,), value, (*at, key))

    def _section(self, section: str, part: dict[str, Any]) -> None:
        self.sections.setdefault(section, {})
        for key, value in part.items():
            self._merge((section,), (key,), value, (section, key))

    def _lock(self) -> None:
        locks = self._overlay.get("lock", [])
        if locks:
            together = list(dict.fromkeys([*self.locks, *locks]))
            self._record(("lock",), (), "override", self.sections.get("lock", ABSENT), together, ("lock",))
            self.locks, self.sections["lock"] = tuple(together), together

    def _acknowledgements(self) -> None:
        for name in self._overlay.get("acknowledge", {}):
            at: Path = ("acknowledge", name)
            if name != "routing" and name not in self.entries and name not in self.gone:
                self._absent_id(name, at)
            elif name not in self._widened:
                told = f"acknowledges a change of {name!r} that no lock forbids"
                self._report(codes.NO_OP, told, at, "take it out", key=True)

    # One operation.

    def _merge(self, subject: Subject, path: Path, value: Any, at: Path) -> None:
        """A value over what is there: maps by key, everything else in its place."""
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
        if isinstance(value, dict) and not value and old is ABSENT:
            value_now: Any = {}
        else:
            value_now = old if isinstance(value, dict) and not value else value  # an empty map adds no key
        if self._permitted(subject, path, value_now, at):
            self._set(subject, path, "override", old, value_now, at)

    def _edit_list(self, subject: Subject, path: Path, value: dict[str, Any], at: Path, old: Any) -> None:
        if old is ABSENT and subject[0] != "models":
            old = _DEFAULTS.get(path, [])
        if not isinstance(old, list):
            code = codes.ABSENT_PATH if old is ABSENT else codes.TYPE_CHANGE
            told = f"there is no list {'.'.join(map(str, path))} to change" if old is ABSENT else "is no list to change"
            self._report(code, told, at, "write a plain list", self._written(subject, path))
            return
        new = list(old)
        edits: list[tuple[Operation, list[Any]]] = []
        given = value_at(self._current(subject), path)
        for number, item in enumerate(value.get(REMOVE, ())):
            if item in new:
                new.remove(item)
                continue
            near = get_close_matches(str(item), map(str, old), n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"it holds {_shown(old)}"
            told = f"{_shown(item)} is not there to be removed"
            self._report(codes.ABSENT_PATH, told, (*at, REMOVE, number), hint, self._written(subject, path))
        if REMOVE in value:
            edits.append(("$remove", list(new)))
        for number, item in enumerate(value.get(ADD, ())):
            if item in new:
                told = f"{_shown(item)} is there already"
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
            near = get_close_matches(text, there, n=1)
            hint = f"did you mean {near[0]!r}?" if near else "take it out"
            self._report(codes.ABSENT_PATH, f"{text!r} is not set", at, hint, self._written(subject, ()))
        elif self._permitted(subject, path, ABSENT, at):
            self._set(subject, path, "$unset", value_at(entry, path), ABSENT, at)

    def _set(
        self, subject: Subject, path: Path, operation: Operation, old: Any, new: Any, at: Path, *, told: bool = False
    ) -> None:
        step = self._record(subject, path, operation, old, new, at)
        if step.idle:
            if not told:
                message = f"{'.'.join(map(str, path))} of {subject[-1]!r} is {_shown(new)} already"
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
        if old is ABSENT or old is None or new is None or type(old) is type(new) or _kind(old) == _kind(new):
            return True
        told = f"{'.'.join(map(str, path))} of {subject[-1]!r} is {_kind(old)}, not {_kind(new)}"
        hint = "write a value of the same type"
        self._report(codes.TYPE_CHANGE, told, at, hint, self._written(subject, path))
        return False

    def _permitted(self, subject: Subject, path: Path, new: Any, at: Path) -> bool:
        """Whether no lock forbids a value at a path."""
        if not self.locks:
            return True
        current = self._current(subject)
        return self._unlocked(subject, current, with_value(current, path, new), at)

    def _unlocked(self, subject: Subject, old: Any, new: Any, at: Path) -> bool:
        """Whether no lock forbids the change of a subject, or this layer says why it is done all the same."""
        broken = widened(self.locks, subject, old, new)
        if not broken:
            return True
        self._widened.add(subject[-1])
        if acknowledged(self._overlay, subject):
            return True
        names = " and ".join(broken)
        hint = f'if it is meant, say why: `acknowledge: {{ {subject[-1]}: "…" }}`'
        there = Related(self.documents[0].path, self.documents[0].locate(("lock",)), "locked here")
        self._report(codes.LOCKED_FIELD, f"widens {names} of {subject[-1]!r}, which is locked", at, hint, there)
        return False

    def _current(self, subject: Subject) -> Any:
        if subject[0] == "models":
            return self.entries[subject[1]]
        return self.sections.get(subject[0], ABSENT)

    # What is told.

    def _absent_id(self, model: str, at: Path, *, key: bool = False) -> None:
        near = get_close_matches(model, self.entries, n=1, cutoff=0.7)
        if model in self.gone:
            step = self.steps[("models", model)][-1]
            document = self.documents[step.layer]
            there = Related(document.path, document.locate(step.at), "removed here")
            self._report(codes.ABSENT_ID, f"no entry {model!r} is left", at, "take one of the two away", there, key=key)
            return
        hint = f"did you mean {near[0]!r}?" if near else "the layers below have no such entry"
        related = self._born(near[0]) if near else None
        self._report(codes.ABSENT_ID, f"no entry {model!r}", at, hint, related, key=key or at[0] != "remove")

    def _born(self, model: str) -> Related:
        birth = self.birth(model)
        document = self.documents[birth.layer]
        return Related(document.path, document.locate((*birth.at, "id")), f"{model!r} stands here")

    def _written(self, subject: Subject, path: Path, before: Step | None = None) -> Related | None:
        """Where the value that a step meets was set."""
        steps = [one for one in self.steps.get(subject, ()) if one is not before]
        place = origin_of(self, subject, path, steps)
        if place is None:
            return None
        layer, at = place
        document = self.documents[layer]
        return Related(document.path, document.locate(at), "the layers below say so here")

    def birth(self, model: str) -> Birth:
        """Where an entry came from as a whole."""
        if model in self.births:
            return self.births[model]
        index = self.base_index[model]
        return Birth(0, (*self.base_prefix, index), None)

    def _report(
        self, code: str, message: str, at: Path, hint: str, there: Related | None = None, *, key: bool = False
    ) -> None:
        severity: Any = {codes.NO_OP: "warning", codes.SHADOWED: "info"}.get(code, "error")
        related = () if there is None else (there,)
        self.documents[-1].report_at(code, message, at, hint=hint, related=related, severity=severity, key=key)


def origin_of(merge: Merge, subject: Subject, path: Path, steps: list[Step] | None = None) -> tuple[int, Path] | None:
    """The layer that set a value last, and where; None where no layer says anything of it."""
    steps = merge.steps.get(subject, []) if steps is None else steps
    for step in reversed(steps):
        if step.idle or step.path != path[: len(step.path)] or step.operation in ("add", "remove"):
            continue
        rest = path[len(step.path) :]
        if step.operation in (ADD, REMOVE) and rest:  # an item: only the operation that added it has set it
            item = step.new[rest[0]]
            if item in step.old:
                path = (*step.path, step.old.index(item))
                continue
            rest = (value_at(merge.documents[step.layer].value, step.at).index(item),)
        return step.layer, (*step.at, *rest)
    if subject[0] == "models":
        birth = merge.birth(subject[1])
        return birth.layer, (*birth.at, *path)
    return (0, (*subject, *path)) if merge.base_prefix else None


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


def _shown(value: Any) -> str:
    if value is ABSENT:
        return "not set"
    if isinstance(value, list):
        return "[" + ", ".join(map(str, value)) + "]"
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key}: {_shown(inner)}" for key, inner in value.items()) + " }"
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    text = getattr(value, "text", None) or str(value)
    return repr(text) if isinstance(value, str) else text
