"""Names that were probably meant for another: a letter too many, another case, an underscore for a hyphen."""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import SequenceMatcher

_ALIKE = 0.85
_SHORTEST = 4
_DIGITS = re.compile(r"\d+")


def meant_by(name: str, known: Iterable[str]) -> str | None:
    """The known name that this one is nearest to, if it is near at all.

    Names that differ in their numbers are different names: 64k-context is no misspelt 32k-context.
    """
    plain = _plain(name)
    near = [other for other in known if is_near(plain, _plain(other))]
    return max(near, key=lambda other: (_likeness(plain, _plain(other)), other), default=None)


def is_near(name: str, other: str) -> bool:
    if _DIGITS.findall(name) != _DIGITS.findall(other) or abs(len(name) - len(other)) > 4:
        return False
    return name == other or one_edit_apart(name, other) or _likeness(name, other) >= _ALIKE


def is_one_letter_off(name: str, other: str) -> bool:
    """The same for two names that nobody declared: only one letter tells them apart, and no digit."""
    return _DIGITS.findall(name) == _DIGITS.findall(other) and one_edit_apart(_plain(name), _plain(other))


def one_edit_apart(name: str, other: str) -> bool:
    """Whether one letter was added, left out, changed, or swapped with its neighbour. Short names are never near."""
    if min(len(name), len(other)) < _SHORTEST or name == other or abs(len(name) - len(other)) > 1:
        return False
    start = next((i for i, (a, b) in enumerate(zip(name, other, strict=False)) if a != b), min(len(name), len(other)))
    rest, others = name[start:], other[start:]
    swapped = rest[:2] == others[:2][::-1] and rest[2:] == others[2:] and len(rest) >= 2
    return swapped or rest[1:] == others[1:] or rest[1:] == others or rest == others[1:]


def _plain(name: str) -> str:
    return name.replace("_", "-").replace(" ", "-").lower()


def _likeness(name: str, other: str) -> float:
    return SequenceMatcher(None, name, other, autojunk=False).ratio()
