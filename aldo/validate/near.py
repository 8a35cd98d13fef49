"""Names that were probably meant for another: a letter too many, another case, an underscore for a hyphen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from difflib import SequenceMatcher
from typing import NamedTuple

from aldo._lazy import lazy_pattern

_ALIKE = 0.85
_SHORTEST = 4
_COMMON = 2
_DIGITS = lazy_pattern(r"\d+")


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


class Suspicion(NamedTuple):
    """What a name was probably meant for."""

    meant: str
    times: int
    """How often that one is used, or 0 where it is a known name."""


def suspects(used: Iterable[str], known: frozenset[str]) -> dict[str, Suspicion]:
    """The names among those used that are nearly known ones, or used once and nearly one that is common."""
    own = Counter(name for name in used if name not in known)
    common = [name for name, count in own.items() if count >= _COMMON]
    found = {}
    for name, count in own.items():
        meant = meant_by(name, known)
        if meant is not None:
            found[name] = Suspicion(meant, 0)
        elif count == 1:
            near = next((other for other in common if is_one_letter_off(name, other)), None)
            if near is not None:
                found[name] = Suspicion(near, own[near])
    return found


def is_one_letter_off(name: str, other: str) -> bool:
    """The same for two names that nobody declared: one letter, its case or a hyphen tells them apart, and no digit."""
    plain, others = _plain(name), _plain(other)
    return _DIGITS.findall(name) == _DIGITS.findall(other) and (plain == others or one_edit_apart(plain, others))


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
