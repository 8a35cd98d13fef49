"""The catalog: its entries, its routing settings and the words it adds."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from aldo.schema.base import Frozen, Name, Text
from aldo.schema.canonical import digest
from aldo.schema.entry import ModelEntry
from aldo.schema.frozen import FrozenMap
from aldo.schema.lock import Lockable
from aldo.schema.vocabulary import API_VERSION, CATALOG_KIND, Locality


def _host_or_range(text: str) -> str:
    """An address, a private CIDR range or a host name. A range that is none must not pass for a host name."""
    import ipaddress  # few catalogs name a network

    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        network = None
        if not re.fullmatch(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*\.?", text) or text.replace(".", "").isdigit():
            raise PydanticCustomError("host_or_range", "must be a host name, an address or a CIDR range") from None
    if network is not None and network.num_addresses > 1 and not network.is_private:
        raise PydanticCustomError("public_range", "must not be a range of public addresses; name single ones")
    return text


class Routing(Frozen):
    """What the operator says about places."""

    sensitive_localities: Annotated[tuple[Locality, ...], Field(min_length=1)] = ("local",)
    """Where a `sensitive` request may go. Widening it is an explicit act."""
    local_networks: tuple[Annotated[Text, AfterValidator(_host_or_range)], ...] = ()
    """Hosts or CIDR ranges beyond loopback that count as this machine."""


class Vocabulary(Frozen):
    """Classes and capability tags beyond the built-in ones."""

    capability_classes: tuple[Name, ...] = ()
    capabilities: tuple[Name, ...] = ()


def _distinct_ids(entries: tuple[ModelEntry, ...]) -> tuple[ModelEntry, ...]:
    seen: set[str] = set()
    for entry in entries:
        if entry.id in seen:
            raise PydanticCustomError("duplicate_id", "the id {id} stands twice", {"id": entry.id})
        seen.add(entry.id)
    return entries


class Catalog(Frozen):
    """A catalog value. Two catalogs with the same entries in another order have the same digest.

    `Catalog.model_validate(…)` takes the camelCase form of `models.yaml`; files are read by
    `aldo.load_catalog`, which reports every defect with its place.
    """

    api_version: Literal["aldo/models.v1"] = API_VERSION
    kind: Literal["ModelCatalog"] = CATALOG_KIND
    models: Annotated[tuple[ModelEntry, ...], Field(min_length=1), AfterValidator(_distinct_ids)]
    routing: Routing = Field(default_factory=Routing.model_construct)
    vocabulary: Vocabulary = Field(default_factory=Vocabulary.model_construct)
    lock: tuple[Lockable, ...] = ()
    """Fields that overlays must not widen without acknowledging it, such as privacyAllowed."""

    @cached_property
    def by_id(self) -> Mapping[str, ModelEntry]:
        return FrozenMap({entry.id: entry for entry in self.models})

    @cached_property
    def digest(self) -> str:
        """`sha256:` of the canonical JSON of the catalog: entries by id, sets sorted, prices exact."""
        return digest(self.canonical())

    # What is computed from a value is kept in its dictionary and must not travel to a copy, which may
    # differ from it: a copy with other `routing` would go on routing by the old one.
    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Catalog:
        return self._declared_only(super().model_copy(update=update, deep=deep))

    def __copy__(self) -> Catalog:
        return self._declared_only(super().__copy__())

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Catalog:
        # Copied shallowly first: what is computed from a value would be copied deeply only to be dropped.
        return super(Catalog, self.__copy__()).__deepcopy__(memo)

    def __getstate__(self) -> dict[Any, Any]:
        state = super().__getstate__()
        return {**state, "__dict__": {name: state["__dict__"][name] for name in type(self).model_fields}}

    @staticmethod
    def _declared_only(copied: Catalog) -> Catalog:
        for name in set(copied.__dict__) - set(Catalog.model_fields):
            del copied.__dict__[name]
        return copied

    def canonical(self) -> dict[str, Any]:
        """The catalog as plain values whose order and spelling no longer matter."""
        lock = {"lock": _as_set(self.lock)} if self.lock else {}  # a catalog without locks keeps its old digest
        return {
            "apiVersion": self.api_version,
            "kind": self.kind,
            "models": [_canonical_entry(self.by_id[model_id]) for model_id in sorted(self.by_id)],
            "routing": {
                "sensitiveLocalities": _as_set(self.routing.sensitive_localities),
                "localNetworks": _as_set(self.routing.local_networks),
            },
            "vocabulary": {
                "capabilityClasses": _as_set(self.vocabulary.capability_classes),
                "capabilities": _as_set(self.vocabulary.capabilities),
            },
            **lock,
        }


def _as_set(names: Iterable[str]) -> list[str]:
    return sorted(set(names))


def _canonical_entry(entry: ModelEntry) -> dict[str, Any]:
    fields = entry.model_dump(exclude_none=True)
    fields["provides"] = _as_set(entry.provides)
    fields["privacyAllowed"] = _as_set(entry.privacy_allowed)
    fields["providerConfig"]["extra"] = dict(entry.provider_config.extra)  # a null in here is a value
    return fields
