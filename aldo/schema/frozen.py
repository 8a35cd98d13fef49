"""Mappings and lists that cannot change, for the parts of a value whose shape is free."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import isfinite
from typing import Any, NoReturn, TypeVar

from pydantic_core import PydanticCustomError

Key = TypeVar("Key")
Value = TypeVar("Value")


class FrozenMap(dict[Key, Value]):
    """A dictionary that refuses every change. Equal to a plain one, hashable where its values are."""

    def _refuse(self, *_: Any, **__: Any) -> NoReturn:
        raise TypeError("this mapping is part of a frozen value and cannot change")

    __setitem__: Callable[..., NoReturn] = _refuse
    __delitem__: Callable[..., NoReturn] = _refuse
    __ior__: Callable[..., NoReturn] = _refuse
    clear: Callable[..., NoReturn] = _refuse
    pop: Callable[..., NoReturn] = _refuse
    popitem: Callable[..., NoReturn] = _refuse
    setdefault: Callable[..., NoReturn] = _refuse
    update: Callable[..., NoReturn] = _refuse

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(frozenset(self.items()))

    def __reduce__(self) -> tuple[type[FrozenMap[Any, Any]], tuple[dict[Key, Value]]]:
        return FrozenMap, (dict(self),)


def frozen(value: Any) -> Any:
    """The value with every mapping frozen and every list a tuple. NaN and infinity are pydantic errors."""
    if isinstance(value, Mapping):
        return FrozenMap({key: frozen(item) for key, item in value.items()})
    if isinstance(value, (list, tuple)):
        return tuple(frozen(item) for item in value)
    if isinstance(value, float) and not isfinite(value):
        raise PydanticCustomError("finite_number", "must be a finite number")
    return value


def thawed(value: Any) -> Any:
    """The value made of plain dictionaries and lists, as JSON has them."""
    if isinstance(value, Mapping):
        return {key: thawed(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [thawed(item) for item in value]
    return value
