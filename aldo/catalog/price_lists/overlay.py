"""From a price list to an overlay: the prices of the entries that were asked for, with source and date."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from typing import Any, NamedTuple

from aldo._lazy import lazy_pattern
from aldo.catalog.overlay_text import Part, overlay_text, overlay_value
from aldo.catalog.price_lists.listed import Listed
from aldo.errors import UsageError
from aldo.schema.money import exact_decimal

_NO_NAME = lazy_pattern(r"[^A-Za-z0-9._:/@+-]+")


class NewEntry(NamedTuple):
    """What a price list cannot know of an entry that is added."""

    capability_class: str
    privacy: tuple[str, ...]


class Ask(NamedTuple):
    """Which models to take, and what to say of all of them."""

    pairs: tuple[tuple[str, str], ...]
    """Our id and the name in the list."""
    providers: tuple[tuple[str, str], ...]
    """Our provider and the one in the list: all of its models that the catalog has."""
    as_of: str
    source: str
    """Where the list names no page of its own."""
    new: NewEntry | None = None
    """With it, models that the catalog does not have are added."""


class Taken(NamedTuple):
    """One entry with its new prices."""

    id: str
    listed: Listed
    fields: dict[str, Any]
    is_new: bool
    notes: tuple[str, ...]


class Skipped(NamedTuple):
    """One model that was asked for and is not taken. Without an id it was asked for with all of its provider."""

    id: str
    name: str
    reason: str


class Import(NamedTuple):
    """The overlay and what it leaves out."""

    taken: tuple[Taken, ...]
    skipped: tuple[Skipped, ...]

    def value(self) -> dict[str, Any]:
        """The overlay as plain values."""
        return overlay_value(override=self._parts(new=False), add=self._parts(new=True))

    def text(self, title: str) -> str:
        """The overlay as YAML, with a comment where the list says more than a cost can."""
        return overlay_text(title, override=self._parts(new=False), add=self._parts(new=True))

    def _parts(self, *, new: bool) -> list[Part]:
        return [Part(one.id, one.fields, one.notes) for one in self.taken if one.is_new == new]


def imported(prices: Mapping[str, Listed], entries: Mapping[str, Mapping[str, Any]], ask: Ask) -> Import:
    """What a list says of the models asked for, as changes of a catalog's entries.

    Raises `UsageError` where one id is asked for twice, or a provider that the list does not have.
    """
    taken: dict[str, Taken] = {}
    skipped: list[Skipped] = []
    for model, name in ask.pairs:
        if model in taken:
            raise UsageError(f"{model!r} is mapped twice")
        _take(model, _named(prices, name), name, entries, ask, taken, skipped)
    for model, name in _of_providers(prices, entries, ask, set(taken)):
        if model:
            _take(model, prices[name], name, entries, ask, taken, skipped)
        else:
            skipped.append(Skipped("", name, prices[name].problem or "the catalog has no such model"))
    return Import(tuple(taken.values()), tuple(skipped))


def _named(prices: Mapping[str, Listed], name: str) -> Listed | str:
    if name in prices:
        return prices[name]
    near = get_close_matches(name, prices, n=2)
    return "the list has no such model" + (f"; did you mean {' or '.join(near)}?" if near else "")


def _of_providers(
    prices: Mapping[str, Listed], entries: Mapping[str, Mapping[str, Any]], ask: Ask, done: set[str]
) -> Iterator[tuple[str, str]]:
    """Our id and the name in the list, for all models of a provider; no id where the catalog has none."""
    known = {one.provider for one in prices.values()}
    for ours, theirs in ask.providers:
        if theirs not in known:
            near = get_close_matches(theirs, known, n=2)
            hint = f"; did you mean {' or '.join(near)}?" if near else ""
            raise UsageError(f"the list has no provider {theirs!r}{hint}")
        wire: dict[str, list[str]] = {}
        for model, entry in entries.items():
            if entry.get("provider") == ours:
                wire.setdefault(_wire_name(model, entry), []).append(model)
        seen: set[str] = set()
        for name, one in prices.items():
            if one.provider != theirs or one.model in seen:
                continue
            seen.add(one.model)
            found = [model for model in wire.get(one.model, ()) if model not in done]
            if not wire.get(one.model):
                fresh = _NO_NAME.sub("-", f"{ours}-{one.model}")
                found = [fresh] if ask.new is not None and fresh not in entries else [""]
            yield from ((model, name) for model in found)


def _wire_name(model: str, entry: Mapping[str, Any]) -> str:
    config = entry.get("providerConfig")
    name = config.get("model") if isinstance(config, Mapping) else None
    return name if isinstance(name, str) else model


def _take(
    model: str,
    found: Listed | str,
    name: str,
    entries: Mapping[str, Mapping[str, Any]],
    ask: Ask,
    taken: dict[str, Taken],
    skipped: list[Skipped],
) -> None:
    reason = found if isinstance(found, str) else found.problem
    if isinstance(found, str) or reason:
        skipped.append(Skipped(model, name, reason))
    elif model not in entries and ask.new is None:
        skipped.append(Skipped(model, name, "the catalog has no such entry; --class adds it"))
    elif model not in entries:
        _add(model, found, name, ask, taken, skipped)
    else:
        fields, notes = _changed(entries[model], found, ask)
        if fields:
            taken[model] = Taken(model, found, fields, False, (*found.notes, *notes))
        else:
            skipped.append(Skipped(model, name, "the catalog says so already"))


def _changed(entry: Mapping[str, Any], found: Listed, ask: Ask) -> tuple[dict[str, Any], list[str]]:
    """The fields that differ, so that the overlay says nothing for nothing."""
    cost = entry.get("cost")
    before = {name: exact_decimal(price) for name, price in cost.items()} if isinstance(cost, Mapping) else {}
    fields = {
        **({} if before == found.cost else {"cost": dict(found.cost)}),
        "source": found.source or ask.source,
        "asOf": ask.as_of,
    }
    lost = sorted(before.keys() - found.cost.keys())
    notes = [f"the list has no {name}: that of the catalog falls away" for name in lost]
    return {name: value for name, value in fields.items() if entry.get(name) != value}, notes


def _add(model: str, found: Listed, name: str, ask: Ask, taken: dict[str, Taken], skipped: list[Skipped]) -> None:
    assert ask.new is not None
    if found.context_tokens is None or not found.provides:
        what = "context" if found.context_tokens is None else "capability"
        skipped.append(Skipped(model, name, f"the list says no {what}, which an entry needs"))
        return
    fields = {
        "id": model,
        "provider": {theirs: ours for ours, theirs in ask.providers}.get(found.provider, found.provider),
        "providerKind": "openai-compat",
        "locality": "cloud",
        "capabilityClass": ask.new.capability_class,
        "provides": list(found.provides),
        "privacyAllowed": list(ask.new.privacy),
        "effectiveContextTokens": found.context_tokens,
        **({} if found.max_output_tokens is None else {"maxOutputTokens": found.max_output_tokens}),
        "cost": dict(found.cost),
        "providerConfig": {"model": found.model},
        "source": found.source or ask.source,
        "asOf": ask.as_of,
        **({"deprecation": {"date": found.deprecation_date}} if found.deprecation_date else {}),
    }
    notes = ("its server is not in the list: give it a providerConfig.baseUrl and an apiKeyEnv",)
    taken[model] = Taken(model, found, fields, True, (*found.notes, *notes))


def reasons(skipped: Iterable[Skipped]) -> dict[str, list[Skipped]]:
    """What was skipped, by the reason."""
    found: dict[str, list[Skipped]] = {}
    for one in skipped:
        found.setdefault(one.reason, []).append(one)
    return found
