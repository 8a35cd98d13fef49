"""`resolve`: from a decision to a client. Here, after routing, the provider is seen for the first time."""

from __future__ import annotations

import os
from collections.abc import Mapping

import httpx

from aldo.errors import UnknownNameError
from aldo.schema.catalog import Catalog
from aldo.schema.decision import Decision
from aldo.schema.entry import ModelEntry
from aldo.schema.vocabulary import PrivacyTier
from aldo.transport.adapter import adapter_for
from aldo.transport.baseurl import base_url
from aldo.transport.client import ModelClient, Timeouts
from aldo.transport.egress import EgressPolicy, GuardedTransport


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

    Raises `UsageError` for an entry without an address or a provider kind without a transport.
    """
    entry = catalog.by_id.get(decision.model)
    if entry is None:
        raise UnknownNameError("model", decision.model)
    timeouts = timeouts or Timeouts()
    environ = os.environ if environ is None else environ
    adapter = adapter_for(entry)
    url = base_url(entry, adapter.data, environ)
    guard = _guard(catalog, entry, decision.request.privacy)
    client = httpx.Client(
        transport=http or guard,
        trust_env=http is None and guard is None,
        follow_redirects=False,
        timeout=httpx.Timeout(min(timeouts.read, timeouts.no_content), connect=timeouts.connect),
    )
    return ModelClient(adapter, url, client, timeouts, environ)


def _guard(catalog: Catalog, entry: ModelEntry, privacy: PrivacyTier) -> GuardedTransport | None:
    """The guard of a request; None where it may cross the open network."""
    networks = catalog.routing.local_networks
    if entry.locality == "local":
        return GuardedTransport(EgressPolicy(networks))
    if privacy == "sensitive" and entry.locality == "on-prem":
        return GuardedTransport(EgressPolicy(networks, private=True))
    return None
