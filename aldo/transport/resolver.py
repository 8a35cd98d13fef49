"""`resolve`: from a decision to a client. Here, after routing, the provider is seen for the first time."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from typing import overload

import httpx

from aldo.errors import EgressRefused, UsageError
from aldo.schema.catalog import Catalog
from aldo.schema.decision import Decision
from aldo.schema.usage import UsageRow
from aldo.schema.vocabulary import PrivacyTier
from aldo.transport.binding import Binding, bound
from aldo.transport.client import AsyncModelClient, ModelClient
from aldo.transport.course import Plan
from aldo.transport.pool import AsyncPool, Connections, Pool, Timeouts
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
    pool: Connections | None = None,
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


class Resolver:
    """`resolve_async` for who has many decisions of one catalog to resolve: each entry is bound once and kept.

    An alternate is bound when those before it have failed. One that cannot be bound is passed over then: that it has
    no address is no reason to give up a request that others may answer.
    """

    def __init__(
        self,
        catalog: Catalog,
        pool: Connections,
        *,
        failover: bool = True,
        retry: Retry | None = None,
        timeouts: Timeouts | None = None,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self.catalog = catalog
        self._pool = pool
        self._failover = failover
        self._retry = retry or Retry()
        self._timeouts = timeouts or Timeouts()
        self._environ = os.environ if environ is None else environ
        self._bindings: dict[tuple[str, PrivacyTier], Binding] = {}

    def client(self, decision: Decision, *, on_usage: OnUsage | None = None) -> AsyncModelClient:
        """A client for a decision made from the catalog. Raises as `resolve` does, for the first entry."""
        chain = _Chain(self, decision, failover=self._failover)
        return AsyncModelClient(Plan(chain, self._timeouts, self._retry, on_usage), self._pool, owns_pool=False)

    def binding(self, model: str, decision: Decision) -> Binding:
        """An entry, bound for the tier of a decision."""
        key = model, decision.request.privacy
        found = self._bindings.get(key)
        if found is None:
            entry = self.catalog.by_id[model]
            found = bound(self.catalog, entry, key[1], self._environ, decision.routing_digest)
            self._bindings[key] = found
        return found


class _Chain(Sequence[Binding]):
    """The failover chain of a decision. The alternates are looked up when somebody asks for them."""

    def __init__(self, resolver: Resolver, decision: Decision, *, failover: bool) -> None:
        self._resolver, self._decision, self._failover = resolver, decision, failover
        self._first = resolver.binding(decision.model, decision)

    @cached_property
    def _all(self) -> tuple[Binding, ...]:
        found = [self._first]
        for model in self._decision.alternates if self._failover else ():
            with suppress(UsageError, EgressRefused):
                found.append(self._resolver.binding(model, self._decision))
        return tuple(found)

    def __len__(self) -> int:
        return len(self._all)

    @overload
    def __getitem__(self, place: int) -> Binding: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Binding]: ...
    def __getitem__(self, place: int | slice) -> Binding | Sequence[Binding]:
        return self._first if place == 0 else self._all[place]
