"""The merged catalog as a file of its own, and where each of its values came from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from aldo.catalog.layers.layered import Layered
from aldo.catalog.layers.steps import Path, leaves
from aldo.catalog.written import block, flow, key, listed
from aldo.errors import Span, printable
from aldo.schema.vocabulary import API_VERSION, CATALOG_KIND


class Origin(NamedTuple):
    """The layer that set a value, and where in its file."""

    layer: int
    file: str
    span: Span | None


def merged_value(layers: Layered) -> dict[str, Any]:
    """The merged catalog as plain values, beginning with its header. Raises `CatalogError` as `Layered.catalog`."""
    layers.catalog()
    assert layers.file is not None
    value = layers.file.document.value
    rest = {name: inner for name, inner in value.items() if name not in ("apiVersion", "kind", "models")}
    return {"apiVersion": API_VERSION, "kind": CATALOG_KIND, **rest, "models": value["models"]}


def origins(layers: Layered) -> dict[Path, Origin]:
    """For each leaf of the merged value the place that set it."""
    return {path: _origin(layers, path) for path, _ in leaves_of(merged_value(layers)) if path[0] in _SECTIONS}


_SECTIONS = ("models", "routing", "vocabulary", "lock")


def leaves_of(value: dict[str, Any]) -> Iterator[tuple[Path, Any]]:
    """The leaves of a catalog: entries by their number."""
    for name, inner in value.items():
        if name == "models":
            for index, entry in enumerate(inner):
                yield from leaves(entry, (name, index))
        else:
            yield from leaves(inner, (name,))


def _origin(layers: Layered, path: Path) -> Origin:
    document, at = layers.merged.origin(path)
    numbers = {id(one): number for number, one in enumerate(layers.documents)}
    return Origin(numbers[id(document)], document.path, document.locate(at))


def rendered(layers: Layered, *, show_origin: bool = False) -> str:
    """The merged catalog as YAML; with `show_origin` the place of each value behind it."""
    value = merged_value(layers)
    lines = list(_with_origins(layers, value)) if show_origin else list(_plain(value))
    return "\n".join(lines) + "\n"


def _plain(value: dict[str, Any]) -> Iterator[str]:
    yield from block({name: inner for name, inner in value.items() if name != "models"})
    yield "models:"
    for entry in value["models"]:
        yield from listed(entry, "  ")


def _with_origins(layers: Layered, value: dict[str, Any]) -> Iterator[str]:
    """One line a leaf, so that each has its comment."""
    for number, document in enumerate(layers.documents):
        yield f"# {number}: {printable(document.path)}"
    for name, inner in value.items():
        if name in _SECTIONS and name != "models":
            yield from _leaf_lines(layers, {name: inner}, (), "")
        elif name != "models":
            yield f"{key(name)}: {flow(inner)}"
    yield "models:"
    for index, entry in enumerate(value["models"]):
        lines = _leaf_lines(layers, entry, ("models", index), "    ")
        yield f"  - {next(lines).lstrip()}"
        yield from lines


def _leaf_lines(layers: Layered, value: Mapping[str, Any], path: Path, indent: str) -> Iterator[str]:
    for name, inner in value.items():
        here = (*path, name)
        if isinstance(inner, Mapping) and inner:
            yield f"{indent}{key(name)}:"
            yield from _leaf_lines(layers, inner, here, indent + "  ")
            continue
        origin = _origin(layers, here)
        place = f"{origin.span.line}:{origin.span.column}" if origin.span else "?"
        yield f"{indent}{key(name)}: {flow(inner)}  # {origin.layer}:{place}"
