"""The reference of the library, from signatures and docstrings of all that is promised."""

from __future__ import annotations

import enum
import inspect
import re
from collections.abc import Iterator
from importlib import import_module
from types import UnionType
from typing import Any, get_args, get_origin

from pydantic import BaseModel

from aldo.schema.published.describe import documented
from publish.markdown import NOTICE, fenced, table

_HEAD = f"""\
{NOTICE}# The library, name by name

All names that are [promised](library.md#what-may-change), module by module, from their signatures and docstrings. [The library](library.md) shows how they
go together.
"""
MODULES = (
    "aldo", "aldo.errors", "aldo.router", "aldo.schema", "aldo.catalog", "aldo.validate", "aldo.transport", "aldo.testing", "aldo.replay",
    "aldo.api",
)  # fmt: skip


def library_page() -> str:
    """The whole page as Markdown."""
    told: dict[int, str] = {}
    parts = [_HEAD]
    for module in MODULES:
        loaded = import_module(module)
        parts.append(f"## {module}\n\n{_first_paragraph(inspect.getdoc(loaded) or '')}\n")
        again = []
        for name in sorted(loaded.__all__, key=str.lower):
            value = getattr(loaded, name)
            if id(value) in told and not isinstance(value, (str, tuple)):
                again.append(f"[`{name}`](#{_anchor(told[id(value)])})")
            else:
                told[id(value)] = f"{module}.{name}"
                parts += _name(f"{module}.{name}", value)
        if again:
            parts.append(f"Also here: {', '.join(again)}.\n")
    return "\n".join(parts)


def _name(place: str, value: Any) -> Iterator[str]:
    yield f'<a id="{_anchor(place)}"></a>\n\n### `{place}`\n'
    if get_origin(value) is not None or isinstance(value, UnionType):
        yield f"One of these: {', '.join(f'`{_plain(one)}`' for one in get_args(value))}.\n"
        return
    if not inspect.isclass(value) and not callable(value):
        yield f"A constant of type `{type(value).__name__}`.\n"
        return
    name = place.rpartition(".")[2]
    if not (inspect.isclass(value) and issubclass(value, (BaseModel, BaseException, enum.Enum))):
        yield fenced(_signature(name, value)) + "\n"
    yield f"{_prose(inspect.getdoc(value) or '')}\n"
    if inspect.isclass(value):
        yield from _members(value)


def _plain(one: Any) -> str:
    return one.__name__ if inspect.isclass(one) else str(one).replace("typing.", "").replace("collections.abc.", "")


def _members(value: type) -> Iterator[str]:
    if issubclass(value, BaseModel):
        meanings = documented(value)
        rows = [
            (
                f"`{name}`",
                "required" if field.is_required() else f"`{field.get_default(call_default_factory=True)!r}`",
                meanings.get(name, ""),
            )
            for name, field in value.model_fields.items()
        ]
        if rows:
            yield table(("field", "default", "meaning"), rows) + "\n"
    methods = []
    for name, member in vars(value).items():
        plain = member.__func__ if isinstance(member, (classmethod, staticmethod)) else member
        target = plain.fget if isinstance(plain, property) else plain
        if name.startswith(("_", "model_")) or not inspect.isfunction(target):
            continue
        said = _first_paragraph(inspect.getdoc(target) or "")
        methods.append((f"`{name}`" if isinstance(plain, property) else f"`{_short(name, target)}`", said))
    if methods:
        yield table(("member", "meaning"), methods) + "\n"


def _signature(name: str, value: Any) -> str:
    try:
        shown = inspect.signature(value)
    except (TypeError, ValueError):
        return name
    one = f"{name}{_unquoted(str(shown))}"
    if len(one) <= 100:
        return one
    parts = [_unquoted(str(param)) for param in shown.parameters.values()]
    kinds = [param.kind for param in shown.parameters.values()]
    if inspect.Parameter.KEYWORD_ONLY in kinds and inspect.Parameter.VAR_POSITIONAL not in kinds:
        parts.insert(kinds.index(inspect.Parameter.KEYWORD_ONLY), "*")
    end = "" if shown.return_annotation is inspect.Signature.empty else f" -> {_unquoted(str(shown.return_annotation))}"
    return f"{name}(\n" + "".join(f"    {part},\n" for part in parts) + f"){end}"


def _short(name: str, value: Any) -> str:
    names = [param for param in inspect.signature(value).parameters if param != "self"]
    return f"{name}({', '.join(names)})"


def _unquoted(text: str) -> str:
    """Annotations as they are written, without the quotation marks of postponed ones."""
    text = re.sub(r"ForwardRef\(['\"](.*?)['\"]\)", r"\1", text.replace("<factory>", "..."))
    text = re.sub(r': "([^"]*)"', r": \1", text)
    return re.sub(r": '([^']*)'", r": \1", re.sub(r"-> '([^']*)'", r"-> \1", text))


def _prose(said: str) -> str:
    return "" if said.startswith(("Usage docs:", "!!! abstract")) else said


def _first_paragraph(said: str) -> str:
    return " ".join(_prose(said).partition("\n\n")[0].split())


def _anchor(place: str) -> str:
    return place.replace(".", "-")
