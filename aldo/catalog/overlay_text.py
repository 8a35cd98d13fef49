"""An overlay that was made, not edited, as YAML text for somebody to review."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from aldo.catalog.written import block, key, listed
from aldo.errors import printable
from aldo.schema.vocabulary import API_VERSION, OVERLAY_KIND


class Part(NamedTuple):
    """One entry: a whole one to add, or the fields to override; with comments to stand above it."""

    id: str
    fields: Mapping[str, Any]
    notes: tuple[str, ...] = ()


def overlay_text(
    title: str, *, override: Sequence[Part] = (), add: Sequence[Part] = (), expect: Mapping[str, Any] | None = None
) -> str:
    """The text. `expect` has the base's values when this was made, by entry."""
    return "\n".join(_lines(title, override, add, expect or {})) + "\n"


def overlay_value(
    *, override: Sequence[Part] = (), add: Sequence[Part] = (), expect: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """The same as plain values."""
    sections = {
        "override": {one.id: one.fields for one in override},
        "add": [one.fields for one in add],
        "expect": dict(expect or {}),
    }
    return {"apiVersion": API_VERSION, "kind": OVERLAY_KIND, **{name: part for name, part in sections.items() if part}}


def _lines(title: str, override: Sequence[Part], add: Sequence[Part], expect: Mapping[str, Any]) -> Iterator[str]:
    yield "# yaml-language-server: $schema=overlay.schema.json"
    yield f"# {printable(title)}"
    yield from block({"apiVersion": API_VERSION, "kind": OVERLAY_KIND})
    if override:
        yield "override:"
    for one in override:
        yield from (f"  # {printable(note)}" for note in one.notes)
        yield f"  {key(one.id)}:"
        yield from block(one.fields, "    ")
    if add:
        yield "add:"
    for one in add:
        yield from (f"  # {printable(note)}" for note in one.notes)
        yield from listed(one.fields, "  ")
    if expect:
        yield "expect:"
        yield from block(expect, "  ")
