"""What a merge records: one step for each operation of a layer, in the order in which they were made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal, NamedTuple

from aldo.catalog.spans import PathPart

Path = tuple[PathPart, ...]
Operation = Literal["base", "add", "override", "$add", "$remove", "$unset", "remove"]


class _Absent:
    """Stands for a value that is not there; null is one that is."""

    def __repr__(self) -> str:
        return "ABSENT"

    def __reduce__(self) -> str:
        return "ABSENT"


ABSENT: Any = _Absent()

Subject = tuple[str, ...]
"""What a step speaks of: `("models", ID)`, `("routing",)`, `("vocabulary",)` or `("lock",)`."""


class Step(NamedTuple):
    """One operation of one layer on one value."""

    layer: int
    """The number of the layer; 0 is the base."""
    subject: Subject
    path: Path
    """From the subject to the value; of a whole entry ()."""
    operation: Operation
    old: Any
    new: Any
    """Before and after, as plain values; `ABSENT` where there is none."""
    at: Path
    """Where the layer's document says so."""

    @property
    def idle(self) -> bool:
        """Whether it changed nothing."""
        return unchanged(self.path, self.old, self.new)


class Birth(NamedTuple):
    """Where an entry came from as a whole."""

    layer: int
    at: Path


def unchanged(path: Path, old: Any, new: Any) -> bool:
    """Whether a value stays what it is. To a knob of a server 1 and 1.0 are two; to a price they are one."""
    return same(old, new, as_written=path[:1] == ("providerConfig",))


def same(one: Any, other: Any, *, as_written: bool = False) -> bool:
    """Whether two plain values are equal, true not being 1; with `as_written` nor 1 being 1.0."""
    if one is other:
        return True
    kind, other_kind = type(one), type(other)
    if kind is dict:
        if other_kind is not dict or one.keys() != other.keys():
            return False
        for key, inner in one.items():  # noqa: SIM110 - a generator takes twice as long
            if not same(inner, other[key], as_written=as_written):
                return False
        return True
    if kind is list:
        if other_kind is not list or len(one) != len(other):
            return False
        return all(same(inner, theirs, as_written=as_written) for inner, theirs in zip(one, other, strict=True))
    if kind is bool or other_kind is bool or (as_written and (kind is int) != (other_kind is int)):
        return False
    return bool(one == other)


def place_of(item: Any, items: list[Any]) -> int | None:
    """Where a value stands in a list; to a list 1, 1.0 and true are three."""
    return next((place for place, other in enumerate(items) if same(item, other, as_written=True)), None)


def value_at(value: Any, path: Path) -> Any:
    """What stands at a path of plain values, or `ABSENT`."""
    for part in path:
        is_key = isinstance(value, dict) and part in value
        is_index = isinstance(value, list) and isinstance(part, int) and part < len(value)
        if not is_key and not is_index:
            return ABSENT
        value = value[part]
    return value


def with_value(value: Any, path: Path, new: Any) -> Any:
    """The value with another at a path, or without it; what is around it is copied, never changed."""
    if not path:
        return new
    copied = dict(value) if isinstance(value, dict) else {}
    key = path[0]
    if len(path) > 1:
        copied[key] = with_value(copied.get(key), path[1:], new)
    elif new is ABSENT:
        copied.pop(key, None)
    else:
        copied[key] = new
    return copied


def leaves(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """The paths of all values that are no maps, and of empty maps."""
    if isinstance(value, Mapping) and value:
        for key, inner in value.items():
            yield from leaves(inner, (*path, key))
    elif value is not ABSENT:
        yield path, value
