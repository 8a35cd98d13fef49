"""`lock`: fields that no later layer may widen without saying why."""

from __future__ import annotations

from difflib import get_close_matches
from functools import cache
from typing import Annotated

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

from aldo.schema.base import Text
from aldo.schema.entry import ModelEntry, ProviderConfig

ROUTING_LOCKS = ("routing.sensitiveLocalities", "routing.localNetworks")
"""The settings that say where sensitive requests may go."""


@cache
def lockable() -> tuple[str, ...]:
    """The fields of an entry but its id, those of its `providerConfig`, and where sensitive requests may go."""
    fields = [field.alias or name for name, field in ModelEntry.model_fields.items() if name != "id"]
    inner = [f"providerConfig.{field.alias or name}" for name, field in ProviderConfig.model_fields.items()]
    return (*fields, *inner, *ROUTING_LOCKS)


def _lockable(path: str) -> str:
    if path not in lockable():
        near = get_close_matches(path, lockable(), n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"it can be one of {', '.join(lockable())}"
        raise PydanticCustomError("no_lockable", "is no field that can be locked; {hint}", {"hint": hint})
    return path


Lockable = Annotated[Text, AfterValidator(_lockable)]
"""The path of a field that can be locked, such as `privacyAllowed`."""
