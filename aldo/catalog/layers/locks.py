"""Locked fields: what widens one, and whether the layer that does it says why."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from aldo.catalog.layers.steps import Path, Subject, same, value_at

_SETS = frozenset(("privacyAllowed", "provides", "sensitiveLocalities", "localNetworks"))
"""Lists that stand for sets: what takes something out of them is no widening."""


DEFAULTS: dict[str, list[Any]] = {"sensitiveLocalities": ["local"]}
"""What a setting is where no layer says anything of it."""


def lock_path(lock: str) -> tuple[str, Path]:
    """The section that a lock speaks of, `models` or `routing`, and the path inside its subject."""
    first, *rest = lock.split(".")
    return ("routing", tuple(rest)) if first == "routing" else ("models", (first, *rest))


def widened(locks: Iterable[str], subject: Subject, old: Any, new: Any) -> list[str]:
    """The locks that a change of an entry, or of the settings of places, would break."""
    found = []
    for lock in locks:
        section, path = lock_path(lock)
        if section == subject[0] and _widens(path, value_at(old, path), value_at(new, path)):
            found.append(lock)
    return found


def _widens(path: Path, old: Any, new: Any) -> bool:
    if same(old, new):
        return False
    name = path[-1]
    if name in _SETS:
        before = old if isinstance(old, list) else DEFAULTS.get(str(name), [])
        return not isinstance(new, list) or any(item not in before for item in new)
    if name == "enabled":
        return new is not False  # to switch an entry off opens nothing
    # Any other place is one that was not looked at, and a cloud entry that is called local would get sensitive
    # requests: for all else that is locked, another value is a wider one.
    return True


def acknowledged(overlay: dict[str, Any], subject: Subject) -> bool:
    """Whether an overlay says why it widens a locked field of that subject."""
    said = overlay.get("acknowledge")
    return isinstance(said, dict) and subject[-1] in said
