"""`resolve`: from a decision to a client. Here, after routing, the provider is seen for the first time."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping

import httpx

from aldo.errors import UsageError
from aldo.schema.catalog import Catalog
from aldo.schema.decision import Decision
from aldo.schema.usage import UsageRow
from aldo.transport.binding import bound
from aldo.transport.client import AsyncModelClient, ModelClient
from aldo.transport.course import Plan
from aldo.transport.pool import AsyncPool, Pool, Timeouts
from aldo.transport.retry import Retry

OnUsage = Callable[[UsageRow], None]


def resolve(
    catalog: Catalog,
    decision: Decision,
    *,
    failover: bool = False,
    retry: Retry | None = None,
    timeouts: Timeouts | None = None,
    on_usage: OnUsage | None = None,
    environ: Mapping[str, str] | None = None,
    pool: Pool | None = None,
    http: httpx.BaseTransport | None = None,
) -> ModelClient:
    """A client for the model of a decision; with `failover`, for its alternates too, in their order.

    The environment may move a base URL (`MLX_BASE_URL`, `OLLAMA_BASE_URL`, …) but not past the egress
    guard: requests to `local` entries, and sensitive ones to any, reach only what the guard admits.
    `on_usage` is called with a row for every request that was sent, failed ones too; `UsageLog.write` is one.
    `pool` shares connections with other clients. `http` takes the place of the network in tests.

    Raises `UsageError` for an entry without an address, a provider kind without a transport, a knob that
    its kind does not take, and a decision from another catalog.
    """
    plan = _plan(catalog, decision, failover, retry, timeouts, on_usage, environ)
    return ModelClient(plan, pool or Pool(http), owns_pool=pool is None)


def resolve_async(
    catalog: Catalog,
    decision: Decision,
    *,
    failover: bool = False,
    retry: Retry | None = None,
    timeouts: Timeouts | None = None,
    on_usage: OnUsage | None = None,
    environ: Mapping[str, str] | None = None,
    pool: AsyncPool | None = None,
    http: httpx.AsyncBaseTransport | None = None,
) -> AsyncModelClient:
    """The same for asyncio and trio."""
    plan = _plan(catalog, decision, failover, retry, timeouts, on_usage, environ)
    return AsyncModelClient(plan, pool or AsyncPool(http), owns_pool=pool is None)


def _plan(
    catalog: Catalog,
    decision: Decision,
    failover: bool,
    retry: Retry | None,
    timeouts: Timeouts | None,
    on_usage: OnUsage | None,
    environ: Mapping[str, str] | None,
) -> Plan:
    if decision.catalog_digest != catalog.digest:
        raise UsageError("the decision was made from another catalog; resolve it with that one")
    environ = os.environ if environ is None else environ
    chain = (decision.model, *(decision.alternates if failover else ()))
    bindings = tuple(
        bound(catalog, catalog.by_id[model], decision.request.privacy, environ, decision.routing_digest)
        for model in chain
    )
    return Plan(bindings, timeouts or Timeouts(), retry or Retry(), on_usage)
