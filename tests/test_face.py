"""What is promised to users of the library: names and signatures, as they stand in `tests/cases/face.txt`.

`python -m tests.test_face` writes the list anew. A change of it belongs into the changelog.
"""

from __future__ import annotations

import enum
import inspect
import re
from collections.abc import Iterator
from importlib import import_module
from typing import Any

from pydantic import BaseModel

from publish.library import MODULES
from tests.support.cases import ROOT

PLACE = ROOT / "tests" / "cases" / "face.txt"


def face() -> Iterator[str]:
    """A line for each promised name, and for each public method and field of its class."""
    told: dict[int, str] = {}
    for module in MODULES:
        loaded = import_module(module)
        for name in sorted(loaded.__all__):
            value, place = getattr(loaded, name), f"{module}.{name}"
            first = told.setdefault(id(value), place)
            yield from _lines(place, value) if first == place else [f"{place} = {first}"]


def _lines(place: str, value: Any) -> Iterator[str]:
    if not inspect.isclass(value):
        yield f"{place}{_signature(value)}"
        return
    if issubclass(value, BaseModel):
        # Their types are promised by the published schemas.
        fields = (
            name if field.is_required() else f"{name} = {field.get_default(call_default_factory=True)!r}"
            for name, field in value.model_fields.items()
        )
        yield f"{place}({', '.join(fields)})"
    else:
        yield f"{place}{'' if issubclass(value, (BaseException, enum.Enum)) else _signature(value)}"
    for name, member in sorted(vars(value).items()):
        if name.startswith(("_", "model_")):
            continue
        plain = member.__func__ if isinstance(member, (classmethod, staticmethod)) else member
        if inspect.isfunction(plain):
            yield f"{place}.{name}{_signature(plain)}"
        elif isinstance(member, property):
            yield f"{place}.{name} (property)"


def _signature(value: Any) -> str:
    try:
        return str(inspect.signature(value))
    except (TypeError, ValueError):
        return ""


def test_the_promised_names_and_signatures_are_those_of_the_list() -> None:
    assert "\n".join(face()) + "\n" == PLACE.read_text("utf-8"), "run: python -m tests.test_face"


def test_the_documents_promise_the_modules_of_the_list() -> None:
    said = (ROOT / "docs" / "reference" / "library.md").read_text("utf-8")
    promised = said.partition("## What may change")[2].partition("with their signatures")[0]
    assert re.findall(r"`(aldo[.a-z]*)`", promised) == list(MODULES)


if __name__ == "__main__":
    PLACE.write_text("\n".join(face()) + "\n", "utf-8")
