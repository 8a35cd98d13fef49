"""Where a value comes from: every layer that said something of it, what it was before and after."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Any, NamedTuple

from aldo.catalog.layers.layered import Layered
from aldo.catalog.layers.merge import Merge
from aldo.catalog.layers.steps import ABSENT, Operation, Path, Step, Subject, leaves, unchanged, value_at
from aldo.errors import Span, UnknownNameError, UsageError


class Link(NamedTuple):
    """What one layer says of one value."""

    layer: int
    file: str
    span: Span | None
    operation: Operation
    old: Any
    """Plain values, `ABSENT` where there is none."""
    new: Any
    idle: bool = False
    """Whether it says what was so already."""


class Trace(NamedTuple):
    """One value and its chain, from the layer that began it to the last that spoke of it."""

    path: Path
    value: Any
    """`ABSENT` where it is no longer there."""
    chain: tuple[Link, ...]


def trace(layers: Layered, model: str, path: str = "") -> tuple[Trace, ...]:
    """The chain of each value of an entry, or of those at and below a dotted path.

    Raises `UnknownNameError` for an id that no layer has, `UsageError` for a path that no layer sets, and
    `CatalogError` where a layer cannot be used.
    """
    layers.catalog()  # raises where a layer cannot be used
    merge = layers.merge
    assert merge is not None
    subject: Subject = ("models", model)
    if model not in merge.base_index and model not in merge.births:
        near = get_close_matches(model, [*merge.base_index, *merge.births], n=3)
        raise UnknownNameError("model", model, tuple(near))
    found = tuple(_traces(merge, subject))
    wanted = tuple(one for one in found if _at_or_below(one.path, path))
    if path and not wanted:
        raise UsageError(f"{model} has no {path!r} in any layer{_near(path, found)}")
    return wanted


def _traces(merge: Merge, subject: Subject) -> list[Trace]:
    steps = merge.steps.get(subject, [])
    born = None if subject[1] not in merge.base_index else _base_value(merge, subject[1])
    now = merge.entries.get(subject[1], ABSENT)
    values = [born if born is not None else ABSENT, now]
    values += [with_path for step in steps for with_path in (_rooted(step, step.old), _rooted(step, step.new))]
    paths: dict[Path, None] = {}
    for value in values:
        paths.update(dict.fromkeys(path for path, _ in leaves(value)))
    inner = [path for path in paths if not any(other != path and other[: len(path)] == path for other in paths)]
    return [Trace(path, value_at(now, path), tuple(_chain(merge, subject, path, born, steps))) for path in inner]


def _rooted(step: Step, value: Any) -> Any:
    """A value of a step as part of its subject, so that its leaves have their whole paths."""
    if value is ABSENT:
        return ABSENT
    for part in reversed(step.path):
        value = {part: value}
    return value


def _base_value(merge: Merge, model: str) -> Any:
    base = merge.documents[0].value
    models = base if isinstance(base, list) else base["models"]
    return models[merge.base_index[model]]


def _chain(merge: Merge, subject: Subject, path: Path, born: Any, steps: list[Step]) -> list[Link]:
    links = []
    if born is not None:
        value = value_at(born, path)
        if value is not ABSENT:
            at = (*merge.base_prefix, merge.base_index[subject[1]], *path)
            links.append(_link(merge, 0, at, "base", ABSENT, value))
    for step in steps:
        if path[: len(step.path)] != step.path:
            continue
        rest = path[len(step.path) :]
        old, new = value_at(step.old, rest), value_at(step.new, rest)
        if old is not ABSENT or new is not ABSENT:
            link = _link(merge, step.layer, (*step.at, *rest), step.operation, old, new)
            links.append(link._replace(idle=unchanged(path, old, new)))
    return links


def _link(merge: Merge, layer: int, at: Path, operation: Operation, old: Any, new: Any) -> Link:
    document = merge.documents[layer]
    return Link(layer, document.path, document.locate(at), operation, old, new)


def _at_or_below(path: Path, wanted: str) -> bool:
    """A key may hold dots, so paths are compared as they are written."""
    written = ".".join(map(str, path))
    return not wanted or written == wanted or written.startswith(f"{wanted}.")


def _near(path: str, traces: tuple[Trace, ...]) -> str:
    known = [".".join(map(str, one.path)) for one in traces]
    near = get_close_matches(path, known, n=1)
    return f"; did you mean {near[0]!r}?" if near else ""
