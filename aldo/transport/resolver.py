"""`resolve`: from a decision to a client. Here, after routing, the provider is seen for the first time."""

from __future__ import annotations

import os
from collections.abc import Mapping

import httpx

from aldo.errors import EgressRefused, UsageError
from aldo.schema.catalog import Catalog
from aldo.schema.decision import Decision
from aldo.schema.entry import ModelEntry
from aldo.schema.vocabulary import PrivacyTier
from aldo.transport.adapter import adapter_for
from aldo.transport.baseurl import base_url
from aldo.transport.client import ModelClient, Timeouts
from aldo.transport.egress import EgressPolicy, GuardedTransport
from aldo.transport.knobs import check_knobs


def resolve(
    catalog: Catalog,
    decision: Decision,
    *,
    timeouts: Timeouts | None = None,
    environ: Mapping[str, str] | None = None,
    http: httpx.BaseTransport | None = None,
) -> ModelClient:
    """A client for the model of a decision.

    The environment may move a base URL (`MLX_BASE_URL`, `OLLAMA_BASE_URL`, …) but not past the egress
    guard: requests to `local` entries, and sensitive ones to any, reach only what the guard admits.
    `http` takes the place of the network in tests.

    Raises `UsageError` for an entry without an address, a provider kind without a transport, a knob that
    its kind does not take, and a decision from another catalog.
    """
    if decision.catalog_digest != catalog.digest:
        raise UsageError("the decision was made from another catalog; resolve it with that one")
    entry = catalog.by_id[decision.model]
    privacy = decision.request.privacy
    timeouts = timeouts or Timeouts()
    environ = os.environ if environ is None else environ
    adapter = adapter_for(entry)
    check_knobs(entry, adapter.data)
    # A sensitive request may cross the open network where the operator said so in the catalog. Then
    # the catalog alone says where it goes: neither a variable nor a proxy of the environment does.
    crosses = privacy == "sensitive" and entry.locality == "cloud"
    url = base_url(entry, adapter.data, {} if crosses else environ)
    guard = _guard(catalog, entry, privacy)
    client = httpx.Client(
        transport=http or guard,
        trust_env=http is None and guard is None and not crosses,
        follow_redirects=False,
        timeout=httpx.Timeout(min(timeouts.read, timeouts.no_content), connect=timeouts.connect),
    )
    return ModelClient(adapter, url, client, timeouts, environ)


def _guard(catalog: Catalog, entry: ModelEntry, privacy: PrivacyTier) -> GuardedTransport | None:
    """The guard of a request; None where it may cross the open network.

    The router has made sure of tier and locality; for a sensitive request both are looked at once more.
    """
    if privacy == "sensitive" and (
        privacy not in entry.privacy_allowed or entry.locality not in catalog.routing.sensitive_localities
    ):
        raise EgressRefused(f"{entry.id} may not see sensitive requests")
    networks = catalog.routing.local_networks
    if entry.locality == "local":
        return GuardedTransport(EgressPolicy(networks))
    if privacy == "sensitive" and entry.locality == "on-prem":
        return GuardedTransport(EgressPolicy(networks, private=True))
    return None
