"""`expect`: what an overlay takes for granted of the layers below."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from aldo.catalog.layers.steps import ABSENT, Path, same

_SETS = frozenset(("privacyAllowed", "provides"))
_DEFAULTS: dict[str, Any] = {"enabled": True}


def unmet(expected: dict[str, Any], entry: dict[str, Any]) -> Iterator[tuple[Path, Any, Any]]:
    """What is not as expected: the path, the value expected and the value found (`ABSENT`: there is none)."""
    for key, wanted in expected.items():
        found = entry.get(key, _DEFAULTS.get(key, ABSENT))
        if isinstance(wanted, dict) and (isinstance(found, dict) or found is ABSENT):
            for path, inner_wanted, inner in unmet(wanted, {} if found is ABSENT else found):
                yield (key, *path), inner_wanted, inner
        elif not _as_expected(key, wanted, found):
            yield (key,), ABSENT if wanted is None else wanted, found


def _as_expected(key: str, wanted: Any, found: Any) -> bool:
    if wanted is None:
        return found is ABSENT or found is None
    if key in _SETS and isinstance(wanted, list) and isinstance(found, list):
        return set(map(str, wanted)) == set(map(str, found))  # all are texts, but where a defect has been told
    return same(wanted, found)
