"""The audit of entries, one after another: a server that runs models has no second one to spare."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import anyio

from aldo.catalog.overlay_text import Part, overlay_text, overlay_value
from aldo.errors import AldoError, TransportError, Unauthorized
from aldo.schema.catalog import Catalog
from aldo.schema.entry import ModelEntry
from aldo.schema.vocabulary import PRIVACY_TIERS
from aldo.transport.audit.checks import asking, checked
from aldo.transport.audit.claims import Claim, says_nothing
from aldo.transport.audit.context import context_claims
from aldo.transport.audit.subject import Subject
from aldo.transport.binding import Binding, bound
from aldo.transport.client import ModelClient
from aldo.transport.course import Plan
from aldo.transport.embedding import EmbeddingRequest
from aldo.transport.pool import AsyncPool, Pool, Timeouts
from aldo.transport.probes.available import SECONDS, outcome_of
from aldo.transport.probes.served import ServedModel, Server
from aldo.transport.retry import Retry


@dataclass(frozen=True, slots=True)
class Checked:
    """One entry and what came of its claims. `unreachable` says why nothing could be asked."""

    entry: ModelEntry
    url: str
    claims: tuple[Claim, ...] = ()
    served_context: int | None = None
    """Tokens, where that is less than claimed."""
    unreachable: str | None = None

    @property
    def refuted(self) -> tuple[str, ...]:
        """The capability tags that are not true."""
        return tuple(c.name for c in self.claims if c.verdict == "refuted" and c.name in self.entry.provides)

    @property
    def holds(self) -> bool:
        """Whether nothing was refuted."""
        return all(claim.verdict != "refuted" for claim in self.claims)

    def to_dict(self) -> dict[str, Any]:
        return {
            "id": self.entry.id,
            "url": self.url,
            "unreachable": self.unreachable,
            "claims": [claim.to_dict() for claim in self.claims],
        }

    def correction(self) -> Part | None:
        """What an overlay would change: the tags that are not true, and the context that is served."""
        fields: dict[str, Any] = {}
        longest = self.entry.max_output_tokens
        if set(self.refuted) == set(self.entry.provides):
            fields["enabled"] = False  # an entry provides something; this one, nothing
        else:
            if self.refuted:
                fields["provides"] = {"$remove": list(self.refuted)}
            if self.served_context is not None:
                fields["servedContextTokens"] = self.served_context
            if self.served_context is not None and longest is not None and longest > self.served_context:
                fields["maxOutputTokens"] = self.served_context
        notes = tuple(f"{claim.name}: {claim.evidence}" for claim in self.claims if claim.verdict == "refuted")
        return Part(self.entry.id, fields, notes) if fields else None


@dataclass(frozen=True, slots=True)
class Audit:
    """What was audited, in the order of the catalog."""

    checked: tuple[Checked, ...]

    def _corrections(self) -> tuple[list[Part], dict[str, Any]]:
        parts = [part for one in self.checked if (part := one.correction())]
        changed = {part.id for part in parts}
        expect = {one.entry.id: _expected(one) for one in self.checked if one.entry.id in changed}
        return parts, expect

    def value(self) -> dict[str, Any]:
        """The correcting overlay as plain values."""
        parts, expect = self._corrections()
        return overlay_value(override=parts, expect=expect)

    def overlay(self) -> str:
        """The correcting overlay as YAML; it holds only while the catalog says what it said now."""
        parts, expect = self._corrections()
        return overlay_text("Corrections found by aldo models audit; review before use", override=parts, expect=expect)


def _expected(one: Checked) -> dict[str, Any]:
    """The base's values that a correction rests on."""
    fields: dict[str, Any] = {}
    if one.refuted:
        fields["provides"] = list(one.entry.provides)
    if one.served_context is not None:
        fields["effectiveContextTokens"] = one.entry.effective_context_tokens
        rest = {"servedContextTokens": one.entry.served_context_tokens, "maxOutputTokens": one.entry.max_output_tokens}
        fields |= {name: value for name, value in rest.items() if value is not None}
    return fields


def audit(
    catalog: Catalog,
    entries: Iterable[ModelEntry],
    *,
    deep: bool = False,
    timeouts: Timeouts | None = None,
    environ: Mapping[str, str] | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> Audit:
    """Asks the server of each entry about each of its claims, by small real requests that hold nothing of yours.

    `deep` also fills the context where a server does not say how much it serves. `progress` is told what is asked.
    A server that cannot be reached is told in the result; nothing is raised for what servers do.
    """
    environ = os.environ if environ is None else environ
    timeouts = timeouts or Timeouts(read=120.0, no_content=120.0)
    pool = Pool()
    try:
        auditor = _Auditor(catalog, pool, timeouts, environ, deep, progress)
        return Audit(tuple(auditor.checked(entry) for entry in entries))
    finally:
        pool.close()


@dataclass(frozen=True)
class _Auditor:
    """How servers are asked: what is the same for every entry."""

    catalog: Catalog
    pool: Pool
    timeouts: Timeouts
    environ: Mapping[str, str]
    deep: bool
    progress: Callable[[str], None]

    def checked(self, entry: ModelEntry) -> Checked:
        """Everything about one entry."""
        # What is asked is ours and public; an entry that takes only other tiers is asked as one of those.
        tier = next(tier for tier in PRIVACY_TIERS if tier in entry.privacy_allowed)
        try:
            binding = bound(self.catalog, entry, tier, self.environ)
        except AldoError as error:
            return Checked(entry, "", unreachable=str(error))
        client = ModelClient(Plan((binding,), self.timeouts, Retry(times=1)), self.pool, owns_pool=False)
        self.progress(f"{entry.id}: is it there?")
        missing = self._missing(binding, client)
        if missing is not None:
            return Checked(entry, binding.url, unreachable=missing)
        return self._claims(Subject(binding, self.timeouts, client, _served(binding)))

    def _missing(self, binding: Binding, client: ModelClient) -> str | None:
        """Why nothing can be asked of the entry."""
        if binding.entry.locality != "cloud":
            outcome = anyio.run(_probed, binding)
            if isinstance(outcome, str):
                return outcome
        try:  # a first request loads the model, and only then do some servers say what they serve
            _warm_up(client, binding.entry)
        except TransportError as error:  # one that is refused is another thing: the claims will say what it is about
            if says_nothing(error):
                sent = error.status is not None or not isinstance(error, Unauthorized)
                return f"its first request failed: {error}" if sent else str(error)
        return None

    def _claims(self, subject: Subject) -> Checked:
        entry = subject.binding.entry
        self.progress(f"{entry.id}: context")
        contexts, served = context_claims(subject, deep=self.deep)
        found = {claim.name: claim for claim in contexts}
        for tag in entry.provides:
            self.progress(f"{entry.id}: {tag}")
            if tag not in found:
                found[tag] = checked(subject, tag, found)
        claims = tuple(found[name] for name in ("context", *entry.provides))
        return Checked(entry, subject.binding.url, claims, served)


def _served(binding: Binding) -> ServedModel | None:
    """What the server says of the model, where it says anything."""
    server = anyio.run(_probed, binding) if binding.entry.locality != "cloud" else ""
    if not isinstance(server, Server):
        return None
    only = server.models[0] if not server.names_matter and len(server.models) == 1 else None
    return server.model(binding.adapter.wire_model) or only


def _warm_up(client: ModelClient, entry: ModelEntry) -> None:
    if entry.capability_class == "embeddings":
        client.embed(EmbeddingRequest(("Hello.",)))
    else:
        client.chat(asking("Hello.", max_tokens=1))


async def _probed(binding: Binding) -> Server | str:
    pool = AsyncPool()
    try:
        headers = binding.headers()
        return await outcome_of(pool, binding.entry.provider, binding.url, binding.reach, headers, SECONDS)
    except AldoError as error:
        return str(error)
    finally:
        await pool.aclose()
