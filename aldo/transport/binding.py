"""An entry bound to its server: what is sent, where to, and how far it may reach. No connection yet."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass

from aldo.errors import EgressRefused
from aldo.schema.catalog import Catalog
from aldo.schema.entry import ModelEntry
from aldo.schema.vocabulary import PrivacyTier
from aldo.transport.adapter import Adapter, adapter_for
from aldo.transport.baseurl import base_url, basic_authorization, without_user
from aldo.transport.knobs import check_knobs
from aldo.transport.pool import Reach


@dataclass(frozen=True, slots=True)
class Binding:
    """What one entry needs to be asked something of one privacy tier."""

    adapter: Adapter
    url: str
    """The root of the API, ending in its version."""
    reach: Reach
    environ: Mapping[str, str]
    privacy: PrivacyTier
    routing_digest: str
    authorization: str | None = None
    """The user and password of the base URL, as a header: a URL stands in logs, a header does not."""

    @property
    def passwords(self) -> tuple[str, ...]:
        """User and password as they are, to be kept out of errors."""
        if self.authorization is None:
            return ()
        return tuple(base64.b64decode(self.authorization.partition(" ")[2]).decode("utf-8").split(":", 1))

    def headers(self) -> dict[str, str]:
        """The headers of every request. Raises `Unauthorized` where a key is needed and missing."""
        headers = self.adapter.headers(self.environ)
        if self.authorization is not None:
            headers.setdefault("authorization", self.authorization)
        return headers

    @property
    def entry(self) -> ModelEntry:
        return self.adapter.entry


def bound(
    catalog: Catalog, entry: ModelEntry, privacy: PrivacyTier, environ: Mapping[str, str], routing_digest: str = ""
) -> Binding:
    """The entry, bound. The environment may move its server, but not past the egress guard.

    `routing_digest` is the decision's, for usage rows; what no decision asks for has none.

    Raises `UsageError` for an entry without an address, a provider kind without a transport and a knob that its
    kind does not take, `EgressRefused` for an entry that may not see this tier.
    """
    adapter = adapter_for(entry)
    check_knobs(entry, adapter.data)
    reach = reach_of(catalog, entry, privacy)
    # A sensitive request may cross the open network where the operator said so in the catalog. Then
    # the catalog alone says where it goes: neither a variable nor a proxy of the environment does.
    crosses = privacy == "sensitive" and not reach.guarded
    url = base_url(entry, adapter.data, {} if crosses else environ)
    return Binding(adapter, without_user(url), reach, environ, privacy, routing_digest, basic_authorization(url))


def reach_of(catalog: Catalog, entry: ModelEntry, privacy: PrivacyTier) -> Reach:
    """How far a request of this tier may reach.

    The router has made sure of tier and locality; for a sensitive request both are looked at once more.
    """
    if privacy == "sensitive" and (
        privacy not in entry.privacy_allowed or entry.locality not in catalog.routing.sensitive_localities
    ):
        raise EgressRefused(f"{entry.id} may not see sensitive requests")
    networks = tuple(catalog.routing.local_networks)
    if entry.locality == "local":
        return Reach(guarded=True, networks=networks)
    if privacy == "sensitive" and entry.locality == "on-prem":
        return Reach(guarded=True, networks=networks, private=True)
    return Reach(guarded=False, proxies=privacy != "sensitive")
