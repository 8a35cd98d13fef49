"""Catalogs that a glance tells to be valid, so that checking a sound file needs not load the types of `schema`.

A glance takes plain ways of writing only, and what it takes those types take too: a property test holds
it. Whatever is unusual, right or wrong, is left to them.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping
from math import isfinite
from typing import Any

from aldo.schema.decimals import LARGEST, WrittenFloat
from aldo.schema.vocabulary import API_VERSION, CATALOG_KIND, LOCALITIES, PRIVACY_TIERS

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@+-]{0,199}")
_PRICE = re.compile(r"[0-9]{1,9}\.[0-9]{1,6}")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_URL = re.compile(r"https?://\S{1,9000}")
_LONGEST_TEXT = 10_000
_MOST_TOKENS = 10**12
_HIGHEST_LATENCY = 1e9

_NAMES = ("id", "provider", "providerKind", "capabilityClass")
_REQUIRED = frozenset((*_NAMES, "locality", "provides", "privacyAllowed", "effectiveContextTokens", "cost"))
_PRICES = frozenset(("usdPerMtokIn", "usdPerMtokOut", "usdPerMtokCacheRead", "usdPerMtokCacheWrite"))
_NEEDED_PRICES = frozenset(("usdPerMtokIn", "usdPerMtokOut"))


def is_plainly_valid(value: Any, changed: list[Any] | None = None) -> bool:
    """Whether the value of a catalog file (with its header) is certainly one that `Catalog` takes.

    `changed` are the entries to look at, where the others and the ids are known to be fine.
    """
    if type(value) is not dict or not value.keys() <= {"apiVersion", "kind", "models", "routing", "vocabulary", "lock"}:
        return False
    if value.get("apiVersion", API_VERSION) != API_VERSION or value.get("kind", CATALOG_KIND) != CATALOG_KIND:
        return False
    models = value.get("models")
    if type(models) is not list or not models:
        return False
    glance = _Glance()
    if not all(map(glance.takes, models if changed is None else changed)):
        return False
    if changed is None and len({entry["id"] for entry in models}) < len(models):
        return False
    sections = _routing(value.get("routing", {})) and _vocabulary(value.get("vocabulary", {}), glance)
    return sections and _lock(value.get("lock", []))


class _Glance:
    """Looks at entries, and remembers the names and prices it has seen: a catalog repeats them."""

    def __init__(self) -> None:
        self._names: set[str] = set()
        self._prices: set[str] = set()

    def takes(self, entry: Any) -> bool:
        if type(entry) is not dict or not entry.keys() >= _REQUIRED:
            return False
        if entry["locality"] not in LOCALITIES if type(entry["locality"]) is str else True:
            return False
        if not all(self.name(entry[field]) for field in _NAMES):
            return False
        provides, tiers = entry["provides"], entry["privacyAllowed"]
        if type(provides) is not list or not provides or not all(map(self.name, provides)):
            return False
        if type(tiers) is not list or not tiers or not all(type(t) is str and t in PRIVACY_TIERS for t in tiers):
            return False
        if not _tokens(entry["effectiveContextTokens"]) or not self._cost(entry["cost"]):
            return False
        others = entry.keys() - _REQUIRED
        return all(name in _OPTIONAL and _OPTIONAL[name](entry[name]) for name in others)

    def name(self, value: Any) -> bool:
        if type(value) is not str:
            return False
        if value in self._names:
            return True
        if _NAME.fullmatch(value) is None:
            return False
        self._names.add(value)
        return True

    def _cost(self, cost: Any) -> bool:
        if type(cost) is not dict or not _NEEDED_PRICES <= cost.keys() <= _PRICES:
            return False
        return all(map(self._price, cost.values()))

    def _price(self, value: Any) -> bool:
        if type(value) is int:
            return 0 <= value <= LARGEST
        if type(value) is not WrittenFloat:
            return False
        if value.text not in self._prices:
            if _PRICE.fullmatch(value.text) is None:
                return False
            self._prices.add(value.text)
        return True


def _tokens(value: Any) -> bool:
    return type(value) is int and 1 <= value <= _MOST_TOKENS


def _text(value: Any) -> bool:
    return type(value) is str and 0 < len(value) <= _LONGEST_TEXT


def _day(value: Any) -> bool:
    if type(value) is not str or _DAY.fullmatch(value) is None:
        return False
    try:
        datetime.date.fromisoformat(value)
    except ValueError:
        return False
    return True


def _deprecation(value: Any) -> bool:
    if type(value) is not dict or "date" not in value or not value.keys() <= {"date", "replacement"}:
        return False
    replacement = value.get("replacement", "x")
    return _day(value["date"]) and type(replacement) is str and _NAME.fullmatch(replacement) is not None


def _latency(value: Any) -> bool:
    return type(value) in (int, WrittenFloat) and 0 <= value <= _HIGHEST_LATENCY


def _config(value: Any) -> bool:
    if type(value) is not dict:
        return False
    for name, inner in value.items():
        if name in ("baseUrl", "model", "apiKeyEnv"):
            if not _text(inner):
                return False
        elif name == "headers":
            if type(inner) is not dict or not all(_text(k) and _text(v) for k, v in inner.items()):
                return False
        elif name != "extra" or type(inner) is not dict or not _json(inner):
            return False
    return True


def _json(value: Any) -> bool:
    kind = type(value)
    if kind in (str, bool, int) or value is None:
        return kind is not int or abs(value) < 2**63
    if kind in (float, WrittenFloat):
        return isfinite(value)
    if kind is list:
        return all(map(_json, value))
    return kind is dict and all(type(key) is str for key in value) and all(map(_json, value.values()))


_OPTIONAL: Mapping[str, Any] = {
    "asOf": _day,
    "deprecation": _deprecation,
    "description": _text,
    "enabled": lambda value: type(value) is bool,
    "latencyP95Ms": _latency,
    "maxOutputTokens": _tokens,
    "providerConfig": _config,
    "servedContextTokens": _tokens,
    "source": lambda value: type(value) is str and _URL.fullmatch(value) is not None,
}


def _routing(value: Any) -> bool:
    if type(value) is not dict or not value.keys() <= {"sensitiveLocalities", "localNetworks"}:
        return False
    localities = value.get("sensitiveLocalities", ["local"])
    if type(localities) is not list or not localities or value.get("localNetworks", []) != []:
        return False  # networks are rare, and there are many ways to write one
    return all(type(one) is str and one in LOCALITIES for one in localities)


def _vocabulary(value: Any, glance: _Glance) -> bool:
    if type(value) is not dict or not value.keys() <= {"capabilityClasses", "capabilities"}:
        return False
    return all(type(names) is list and all(map(glance.name, names)) for names in value.values())


def _lock(value: Any) -> bool:
    return type(value) is list and all(type(path) is str and path in _LOCKS for path in value)


_LOCKS = frozenset((*_REQUIRED, *_OPTIONAL)) - {"id"}  # paths inside of them are rare
