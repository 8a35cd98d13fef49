"""Names that load on first use (PEP 562), and patterns, so that a command pays only for what it touches."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any, cast


class _LazyModule:
    """A module that is imported when one of its names is first asked for."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        return getattr(import_module(self._name), attribute)


def lazy_module(name: str) -> Any:
    """A module of a library that may not be here, or that few need."""
    return _LazyModule(name)


Load = Callable[[str], Any]
"""A module's `__getattr__`."""


class _LazyPattern:
    """A regular expression that is compiled when one of its methods is first asked for."""

    def __init__(self, text: str, flags: int) -> None:
        self._text, self._flags = text, flags

    def __getattr__(self, name: str) -> Any:
        compiled = re.compile(self._text, self._flags)
        for method in ("match", "fullmatch", "search", "finditer", "findall", "split", "sub"):
            setattr(self, method, getattr(compiled, method))
        return getattr(compiled, name)


def lazy_pattern(text: str, flags: int = 0) -> re.Pattern[str]:
    """`re.compile` for what most runs do not need: compiling takes as long as importing a module."""
    return cast("re.Pattern[str]", _LazyPattern(text, flags))


def lazy_names(package: str, homes: Mapping[str, str], *, into: str = "") -> Load:
    """A module's `__getattr__`: each name of `homes` is taken from its module inside `package` when first used.

    `into` is the module whose names they become, where it is not the package.
    """

    def load(name: str) -> Any:
        home = homes.get(name)
        if home is None:
            raise AttributeError(f"module {into or package!r} has no attribute {name!r}")
        value = getattr(import_module(f"{package}.{home}"), name)
        setattr(sys.modules[into or package], name, value)
        return value

    return load
