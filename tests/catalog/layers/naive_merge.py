"""The naive merge: SPEC 6 on plain values, slow and obvious; and layers drawn against its result.

Nothing of `aldo` may be imported here. A drawn overlay is valid over what the layers before it come to, so whatever
the layers of a `Stack` are told of, it is never an error.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

Plain = dict[str, Any]
Pick = Callable[[Sequence[Any]], Any]

DEFAULTS = {"sensitiveLocalities": ["local"]}
"""Lists that are not empty where a catalog does not say them."""


def merged(base: Any, overlays: Sequence[Plain]) -> Plain:
    """The catalog that a base and its overlays come to. Nothing given is changed."""
    catalog: Plain = {"models": deepcopy(base)} if isinstance(base, list) else deepcopy(base)
    for overlay in overlays:
        _lay(catalog, deepcopy(overlay))
    return catalog


def _lay(catalog: Plain, overlay: Plain) -> None:
    removed = overlay.get("remove", [])
    catalog["models"] = [entry for entry in catalog["models"] if entry["id"] not in removed] + overlay.get("add", [])
    for entry in catalog["models"]:
        _override(entry, overlay.get("override", {}).get(entry["id"], {}))
    for section in ("routing", "vocabulary"):
        for name, change in overlay.get(section, {}).items():
            settings = catalog.setdefault(section, {})
            settings[name] = _changed(settings.get(name, DEFAULTS.get(name, [])), change)
        if section in overlay:
            catalog.setdefault(section, {})
    if overlay.get("lock"):
        held = catalog.get("lock", [])
        catalog["lock"] = held + [path for path in overlay["lock"] if path not in held]


def _override(entry: Plain, change: Plain) -> None:
    for path in change.pop("$unset", []):
        _unset(entry, path)
    _put(entry, change)


def _put(below: Plain, change: Plain) -> None:
    for key, value in change.items():
        if key in ("provides", "privacyAllowed") and isinstance(value, dict):
            below[key] = _changed(below[key], value)
        elif key != "cost" and isinstance(value, dict) and isinstance(below.get(key), dict):
            _put(below[key], value)
        else:
            below[key] = value


def _changed(items: list[Any], change: Any) -> list[Any]:
    """A list as it becomes by a plain list, or by `$add` and `$remove`."""
    if isinstance(change, list):
        return change
    kept = [item for item in items if item not in change.get("$remove", [])]
    return kept + [item for item in change.get("$add", []) if item not in kept]


def _unset(inside: Plain, dotted: str) -> None:
    ((parent, key),) = [(parent, key) for text, parent, key in dotted_paths(inside) if text == dotted]
    del parent[key]


def dotted_paths(inside: Plain, before: str = "") -> list[tuple[str, Plain, str]]:
    """Every path into maps as `$unset` writes it, with the map that holds its last key."""
    found = []
    for key, value in inside.items():
        found.append((before + key, inside, key))
        if isinstance(value, dict):
            found += dotted_paths(value, f"{before}{key}.")
    return found


def leaves(value: Any, path: tuple[str, ...] = ()) -> dict[tuple[str, ...], Any]:
    """What stands at the end of maps: scalars, lists, and maps with nothing in them."""
    if not isinstance(value, dict) or not value:
        return {path: value}
    return {found: leaf for key, below in value.items() for found, leaf in leaves(below, (*path, key)).items()}


def same(one: Any, other: Any) -> bool:
    """Equal as YAML means it: true is not 1, but 1 and 1.00 are one number; the order of keys is nothing."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(value, other[key]) for key, value in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)


# Layers as YAML. A number that is no int is drawn as it will be written.


class Written(str):
    """A number by its text."""

    __slots__ = ()


@dataclass(frozen=True)
class Stack:
    """A base and its overlays as values and, in a style drawn with them, as text."""

    base: Any
    overlays: tuple[Plain, ...]
    style: int

    def write(self, folder: Path, *, shuffle: random.Random | None = None) -> tuple[str, list[str]]:
        """The files' paths. Shuffled: every order that has no meaning is another one."""
        layers = [self.base, *self.overlays]
        rng = random.Random(self.style)
        paths = []
        for number, layer in enumerate(layers):
            path = folder / f"{number}.yaml"
            text = yaml_text(shuffled(layer, shuffle) if shuffle else layer, rng)
            path.write_text(text, encoding="utf-8", newline="")
            paths.append(str(path))
        return paths[0], paths[1:]


def shuffled(value: Any, rng: random.Random, inside: str = "") -> Any:
    """Keys in another order, and the items of lists that are sets of entries, ids, tags, tiers or paths."""
    if isinstance(value, dict):
        keys = rng.sample(list(value), len(value))
        return {key: value[key] if key == "extra" else shuffled(value[key], rng, key) for key in keys}
    if isinstance(value, list):
        return [shuffled(item, rng) for item in rng.sample(value, len(value))]
    return value


def yaml_text(value: Any, rng: random.Random) -> str:
    """One document, in block and flow style, with every style of scalars."""
    head = rng.choice(("", "", "# a comment: {\n", "---\n", "\n\n"))
    return head + _behind(value, 0, rng, block=True).removeprefix("\n")


def _behind(value: Any, indent: int, rng: random.Random, *, block: bool = False) -> str:
    """What stands behind a colon or a dash, its line break included."""
    lead, inner = " " * indent, indent + rng.choice((2, 2, 4))
    block = block or rng.random() < 0.6
    remark = rng.choice(("", "", "", " # {: "))
    if isinstance(value, dict) and value and block:
        pairs = [f"{lead}{_key(key, rng)}:{_behind(item, inner, rng)}" for key, item in value.items()]
        return f"{remark}\n" + "".join(pairs)
    if isinstance(value, list) and value and block:
        return f"{remark}\n" + "".join(f"{lead}-{_behind(item, inner, rng)}" for item in value)
    if (
        type(value) is str
        and block
        and re.fullmatch(r"\S[^\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff]*\S\n?", value)
    ):
        lines = "".join(f"{lead}  {line}\n" if line else "\n" for line in value.removesuffix("\n").split("\n"))
        return f" |{'' if value.endswith(chr(10)) else '-'}\n{lines}"
    return f" {_flow(value, rng)}{remark}\n"


def _flow(value: Any, rng: random.Random) -> str:
    gap = rng.choice(("", " "))
    if isinstance(value, dict):
        return "{" + gap + ", ".join(f"{_key(key, rng)}: {_flow(item, rng)}" for key, item in value.items()) + gap + "}"
    if isinstance(value, list):
        return "[" + gap + f",{gap}".join(_flow(item, rng) for item in value) + gap + "]"
    if type(value) is str:
        return _quoted(value, rng)
    return getattr(value, "text", None) or (str(value) if isinstance(value, Written) else json.dumps(value))


def _key(key: str, rng: random.Random) -> str:
    return _quoted(key, rng)


def _quoted(text: str, rng: random.Random) -> str:
    plain = re.fullmatch(r"[A-Za-z$][A-Za-z0-9$_./-]*", text) and text not in ("null", "true", "1.0", "no", "y")
    if plain and rng.random() < 0.7:
        return text
    if text.isprintable() and rng.random() < 0.5:
        return "'" + text.replace("'", "''") + "'"
    return json.dumps(text, ensure_ascii=rng.random() < 0.5 and text.isascii())


IDS = ("a", "a.b", "a.b.c", "b", "llama3.1:8b", "cost", "null", "1.0", "org/model", "A")
TAGS = ("streaming", "tool-use", "vision", "json-mode", "house-tag")
TIERS = ("public", "internal", "sensitive")
PLACES = ("local", "on-prem", "cloud")
PRICES = (0, 1, 3, 999_999_999, *map(Written, ("0.000001", "1.0", "0.5", "0.50", "15.000003", "99999.999999", "1e3")))
TEXTS = ("x", "1", "true", "null", "é – 😀", "two\nlines\n", "no end\nof line", "# no: comment", "it's", 'say "x"', "~")
NAMES = ("X.y", "x-a", "X.y.z", "a", "null")
KNOBS = ("a", "b", "a.b", "c", "1", "é", "true")
SCALARS: tuple[Any, ...] = (0, 1, True, False, *map(Written, ("2.0", "2.00", "-0.5", "1e9")), *TEXTS, "", 10**11)
"""No int beside a float that equals it: whether one may stand for the other has a test of its own."""
LOCKS = ("privacyAllowed", "locality", "cost", "providerConfig.baseUrl", "description")

OPTIONAL: dict[str, tuple[Any, ...]] = {
    "description": TEXTS,
    "maxOutputTokens": (1, 10**12),
    "latencyP95Ms": (0, 1, Written("1.0"), Written("0.25"), 10**9),
    "enabled": (True, False),
    "servedContextTokens": (1, 32768),
    "asOf": ("2026-11-22", "2024-02-29"),
    "source": ("https://example.com/a.b#c", "http://x"),
}
REQUIRED: dict[str, tuple[Any, ...]] = {
    "provider": ("p", "q.r"),
    "providerKind": ("mlx", "openai-compat"),
    "locality": PLACES,
    "capabilityClass": ("fast-draft", "embeddings"),
    "effectiveContextTokens": (1, 32768, 10**12),
}


def _some(pick: Pick, pool: Sequence[Any], *, least: int = 0) -> list[Any]:
    """Distinct items of a pool, in an order of their own."""
    first = pick(range(len(pool)))
    turned = [*pool[first:], *pool[:first]]
    return turned[: pick(range(least, len(pool) + 1))]


def _cost(pick: Pick) -> Plain:
    more = {key: pick(PRICES) for key in _some(pick, ("usdPerMtokCacheRead", "usdPerMtokCacheWrite"))}
    return {"usdPerMtokIn": pick(PRICES), "usdPerMtokOut": pick(PRICES)} | more


def _knob(pick: Pick, depth: int = 0) -> Any:
    """Any value that `extra` may hold, null and empty maps included."""
    match pick(("scalar", "scalar", "scalar", "list", "map", "null")):
        case "list":
            return [_knob(pick, depth + 1) for _ in range(pick((0, 1, 2)))] if depth < 2 else []
        case "map":
            return {key: _knob(pick, depth + 1) for key in _some(pick, KNOBS)[:2]} if depth < 2 else {}
        case "null":
            return None
        case _:
            return pick(SCALARS)


def _without_null(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_null(item) for key, item in value.items() if item is not None}
    return [_without_null(item) for item in value if item is not None] if isinstance(value, list) else value


def _config(pick: Pick) -> Plain:
    config: Plain = {}
    for key in _some(pick, ("baseUrl", "model", "apiKeyEnv", "headers", "extra")):
        if key == "headers":
            config[key] = {name: pick(TEXTS) for name in _some(pick, NAMES)[:2]}
        elif key == "extra":
            config[key] = {name: _knob(pick) for name in _some(pick, KNOBS)[:3]}
        else:
            config[key] = pick(TEXTS)
    return config


def _entry(pick: Pick, name: str) -> Plain:
    entry = {"id": name} | {key: pick(pool) for key, pool in REQUIRED.items()}
    entry |= {"provides": _some(pick, TAGS, least=1), "privacyAllowed": _some(pick, TIERS, least=1)}
    entry["cost"] = _cost(pick)
    entry |= {key: pick(OPTIONAL[key]) for key in _some(pick, tuple(OPTIONAL))[:3]}
    if pick((True, True, False)):
        entry["providerConfig"] = _config(pick)
    if pick((True, False, False)):
        entry["deprecation"] = {"date": "2027-01-01"} | pick(({}, {"replacement": "b"}))
    return entry


def _of_kind(value: Any) -> str:
    if isinstance(value, Written) or type(value) is int:
        return "number"
    return type(value).__name__


def _partial(pick: Pick, state: Plain) -> Plain:
    """Changes of a free-form map: values of the type that is there, or keys that are new. Never a null."""
    change: Plain = {}
    for key in _some(pick, KNOBS)[:3]:
        if isinstance(state.get(key), dict):
            change[key] = _partial(pick, state[key])
        else:
            value = _without_null(_knob(pick))
            if value is not None and (state.get(key) is None or _of_kind(value) == _of_kind(state[key])):
                change[key] = value
    return change


def _change(pick: Pick, items: list[Any], pool: Sequence[Any], *, least: int = 1) -> Any:
    """A plain list, or items to add and to remove that leave `least`."""
    if pick((True, False)):
        return _some(pick, pool, least=least)
    removed = [item for item in items if pick((True, False, False))][: max(0, len(items) - least)]
    added = [item for item in pool if item not in items and pick((True, False))]
    change = {"$add": added} if added else {}
    return (change | {"$remove": removed} if removed else change) or _some(pick, pool, least=least)


def _config_change(pick: Pick, state: Plain) -> Plain:
    change = _without_null(_config(pick))
    if "extra" in change:
        change["extra"] = _partial(pick, state.get("extra", {}))
    return change


def _entry_change(pick: Pick, entry: Plain) -> Plain:
    pools = REQUIRED | OPTIONAL
    change = {key: pick(pools[key]) for key in _some(pick, tuple(pools))[: pick((0, 1, 2, 4))]}
    for key, pool in (("provides", TAGS), ("privacyAllowed", TIERS)):
        if pick((True, False, False)):
            change[key] = _change(pick, entry[key], pool)
    if pick((True, False, False)):
        change["cost"] = _cost(pick)
    if pick((True, False)):
        change["providerConfig"] = _config_change(pick, entry.get("providerConfig", {}))
    if pick((True, False, False, False)):
        change["deprecation"] = {"replacement": "c"} if "deprecation" in entry else {"date": "2027-02-02"}
    unset = [path for path in _unsettable(entry, change) if pick((True, False, False))]
    unset = [path for path in unset if not any(path.startswith(f"{other}.") for other in unset)]
    return change | ({"$unset": unset} if unset else {})


def _unsettable(entry: Plain, change: Plain) -> list[str]:
    """Paths that may go: optional, said in one way only, and apart from everything that is set."""
    texts = [text for text, _, _ in dotted_paths(entry)]
    kept = (*REQUIRED, "id", "provides", "privacyAllowed", "cost", "deprecation.date")
    told = [".".join(path) for path in leaves(change)]

    def apart(text: str, other: str) -> bool:
        return not f"{text}.".startswith(f"{other}.") and not f"{other}.".startswith(f"{text}.")

    return [
        text
        for text in texts
        if texts.count(text) == 1
        and text not in kept
        and not text.startswith("cost.")
        and all(apart(text, other) for other in told)
    ]


def _overlay(pick: Pick, state: Plain, *, locked: bool) -> Plain:
    held = {entry["id"]: entry for entry in state["models"]}
    overlay: Plain = {"apiVersion": "aldo/models.v1", "kind": "ModelCatalogOverlay"}
    removed = [name for name in held if pick((True, False, False, False))]
    added = [name for name in IDS if name not in held and pick((True, False, False, False, False))]
    removed = removed if added or len(removed) < len(held) else []
    overridden = {name: _entry_change(pick, held[name]) for name in held if name not in removed and pick((True, False))}
    overlay |= {"remove": removed} if removed else {}
    overlay |= {"add": [_entry(pick, name) for name in added]} if added else {}
    overlay |= {"override": overridden} if overridden else {}
    if pick((True, False, False)):
        networks = {"localNetworks": _some(pick, ("10.0.0.0/8", "host.lan"))}
        now = state.get("routing", {}).get("sensitiveLocalities", ["local"])
        overlay["routing"] = pick((networks, {"sensitiveLocalities": _change(pick, now, PLACES)}))
    if pick((True, False, False)):
        now = state.get("vocabulary", {}).get("capabilities", [])
        overlay["vocabulary"] = {"capabilities": _change(pick, now, ("house-tag", "x.y", "z"), least=0)}
    if pick((True, False, False)) and locked:
        overlay["lock"] = _some(pick, LOCKS, least=1)
    if locked and (overridden or added):
        overlay["acknowledge"] = dict.fromkeys((*overridden, *added), "the tests say so")
    return overlay


@st.composite
def stacks(draw: st.DrawFn, *, min_overlays: int = 0, max_overlays: int = 4, locks: bool = True) -> Stack:
    """A base of one to five entries, and overlays each of which is valid over what the ones before it come to."""

    def pick(pool: Sequence[Any]) -> Any:
        return draw(st.sampled_from(pool))

    names = _some(pick, IDS, least=1)[:5]
    base: Any = [_entry(pick, name) for name in names]
    locked = locks and pick((True, False, False))
    if locked or pick((True, True, False)):
        base = {"apiVersion": "aldo/models.v1", "kind": "ModelCatalog", "models": base}
        base |= {"routing": {"sensitiveLocalities": ["local"]}} if pick((True, False)) else {}
        base |= {"vocabulary": {"capabilities": ["house-tag"]}} if pick((True, False)) else {}
        base |= {"lock": _some(pick, LOCKS, least=1)} if locked else {}
    overlays: list[Plain] = []
    for _ in range(pick(range(min_overlays, max_overlays + 1))):
        overlays.append(_overlay(pick, merged(base, overlays), locked=locked))
    return Stack(base, tuple(overlays), draw(st.integers(0, 2**32)))
