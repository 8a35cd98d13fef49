"""Discovery: which model servers run on this machine, as an overlay to review. Never raises for what a server does."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import chain, count
from typing import Any

import anyio

from aldo.catalog.overlay_text import Part, overlay_text, overlay_value
from aldo.errors import UsageError
from aldo.schema.catalog import Catalog
from aldo.schema.kinds import KindData, kind_data, shipped_kinds
from aldo.schema.vocabulary import CAPABILITIES
from aldo.transport.baseurl import versioned, without_user
from aldo.transport.pool import AsyncPool, Reach
from aldo.transport.probes.available import SECONDS, Outcome, outcome_of
from aldo.transport.probes.projection import UNKNOWN_CONTEXT, context_tags, embeds, normalised, projected
from aldo.transport.probes.runtimes import RUNTIMES
from aldo.transport.probes.served import ServedModel, Server

VARIABLE = "ALDO_LOCAL_DISCOVERY"
_LONGEST_NAME = 10_000  # characters: what a catalog takes for a text
_LARGEST_CONTEXT = 10**12


@dataclass(frozen=True, slots=True)
class Found:
    """What stands at one runtime's address."""

    runtime: str
    url: str
    state: str
    """`up`, `loading`, `locked` or `down`."""
    detail: str
    models: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        return {
            "runtime": self.runtime,
            "url": self.url,
            "state": self.state,
            "detail": self.detail,
            "models": list(self.models),
        }


@dataclass(frozen=True, slots=True)
class Discovery:
    """The runtimes that were asked, the entries that came of it, and those that the catalog has already."""

    found: tuple[Found, ...]
    parts: tuple[Part, ...]
    known: tuple[str, ...]

    @property
    def entries(self) -> tuple[Mapping[str, Any], ...]:
        """The new entries, as plain values."""
        return tuple(part.fields for part in self.parts)

    def value(self) -> dict[str, Any]:
        """The overlay as plain values."""
        return overlay_value(add=self.parts)

    def overlay(self) -> str:
        """The overlay as YAML."""
        return overlay_text("Models found on this machine by aldo models discover; review before use", add=self.parts)


def discover(
    catalog: Catalog | None = None, *, environ: Mapping[str, str] | None = None, seconds: float = SECONDS
) -> Discovery:
    """Asks the runtimes that `ALDO_LOCAL_DISCOVERY` names (unset: all; `none`: none), side by side, at their usual
    ports or where a variable such as `OLLAMA_BASE_URL` says. Only this machine is asked: the egress guard holds.

    Raises `UsageError` for a runtime that nobody knows, and a variable that is no URL.
    """
    return anyio.run(_with_own_pool, catalog, os.environ if environ is None else environ, seconds)


async def discover_async(
    catalog: Catalog | None, pool: AsyncPool, *, environ: Mapping[str, str] | None = None, seconds: float = SECONDS
) -> Discovery:
    """The same for asyncio and trio."""
    environ = os.environ if environ is None else environ
    runtimes = chosen_runtimes(environ.get(VARIABLE))
    reach = Reach(guarded=True, networks=tuple(catalog.routing.local_networks) if catalog else ())
    urls = {name: _url(name, environ) for name in runtimes}
    outcomes: dict[str, Outcome] = {}

    async def ask(name: str) -> None:
        outcomes[name] = await outcome_of(pool, name, urls[name], reach, {}, seconds)

    async with anyio.create_task_group() as group:
        for name in runtimes:
            group.start_soon(ask, name)
    return _discovery(runtimes, urls, outcomes, catalog)


def chosen_runtimes(value: str | None) -> tuple[str, ...]:
    """The runtimes of the variable's value. Raises `UsageError` for a name that is none of them."""
    if value is None or not value.strip():
        return tuple(RUNTIMES)
    names = list(dict.fromkeys(name.strip().lower() for name in value.split(",") if name.strip()))
    if names == ["none"]:
        return ()
    for name in names:
        if name not in RUNTIMES:
            near = get_close_matches(name, RUNTIMES, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(RUNTIMES)}, and none"
            raise UsageError(f"{VARIABLE}: no runtime is called {name!r}; {hint}")
    return tuple(name for name in RUNTIMES if name in names)


async def _with_own_pool(catalog: Catalog | None, environ: Mapping[str, str], seconds: float) -> Discovery:
    pool = AsyncPool()
    try:
        return await discover_async(catalog, pool, environ=environ, seconds=seconds)
    finally:
        await pool.aclose()


def _kind_of(runtime: str) -> KindData:
    return next(kind for name in sorted(shipped_kinds()) if (kind := kind_data(name)).default_base_url(runtime))


def _url(runtime: str, environ: Mapping[str, str]) -> str:
    kind = _kind_of(runtime)
    variable = kind.base_url_env(runtime) or ""
    if environ.get(variable):
        return versioned(environ[variable], variable)
    return versioned(kind.default_base_url(runtime) or "", runtime)


def _discovery(
    runtimes: Sequence[str], urls: Mapping[str, str], outcomes: Mapping[str, Outcome], catalog: Catalog | None
) -> Discovery:
    found: list[Found] = []
    parts: list[Part] = []
    known: list[str] = []
    taken = set(catalog.by_id) if catalog else set()
    for runtime in runtimes:
        outcome, shown = outcomes[runtime], without_user(urls[runtime]).removesuffix("/v1")
        if isinstance(outcome, str):
            found.append(Found(runtime, shown, "down", outcome))
            continue
        models = _models(outcome, _kind_of(runtime))
        detail = {"loading": "its model is still loading", "locked": "it wants a key"}.get(outcome.state, "up")
        found.append(Found(runtime, shown, outcome.state, detail, tuple(model.name for model in models)))
        for model in models:
            name = normalised(model.name)
            same = _already(catalog, runtime, model.name)
            if catalog and (same or name in catalog.by_id):
                known.append(same or name)
                continue
            by_name = outcome.names_matter or len(models) > 1
            part = _entry(_unique(name, runtime, taken), runtime, shown, model, by_name=by_name)
            taken.add(part.id)
            parts.append(part)
    return Discovery(tuple(found), tuple(parts), tuple(known))


def _already(catalog: Catalog | None, runtime: str, model: str) -> str | None:
    """The entry of the catalog that sends this runtime this name."""
    for entry in catalog.models if catalog else ():
        if entry.provider == runtime and entry.provider_config.model in (model, model.removesuffix(":latest")):
            return entry.id
    return None


def _unique(name: str, runtime: str, taken: set[str]) -> str:
    """The name itself, with the runtime's before it where it is taken, or with a number behind."""
    candidates = chain((name, f"{runtime}-{name}"), (f"{runtime}-{name}-{number}" for number in count(2)))
    return next(candidate for candidate in candidates if candidate not in taken)


def _models(server: Server, kind: KindData) -> tuple[ServedModel, ...]:
    """What the server serves, each model once, without what a catalog cannot name or its kind cannot serve.

    mlx_lm.server does not say what it has loaded; asked for no name, it answers all the same.
    """
    if server.runtime == "mlx" and not server.models and server.state == "up":
        return (ServedModel("mlx-default-model"),)
    named = {model.name: model for model in server.models if _can_be_named(model.name)}
    return tuple(m for m in named.values() if "embeddings" not in kind.cannot_serve or not _is_for_embeddings(m))


def _can_be_named(name: str) -> bool:
    """Whether a catalog can hold it as the name on the wire."""
    try:
        return 0 < len(name) <= _LONGEST_NAME and bool(name.encode("utf-8"))
    except UnicodeEncodeError:
        return False


def _is_for_embeddings(model: ServedModel) -> bool:
    return embeds(model.name) if model.embeds is None else model.embeds


def _entry(name: str, runtime: str, url: str, model: ServedModel, *, by_name: bool) -> Part:
    kind = _kind_of(runtime)
    is_embedding = _is_for_embeddings(model)
    context = min(model.context or UNKNOWN_CONTEXT, _LARGEST_CONTEXT)
    said = model.provides if model.provides is not None else frozenset(projected(model.name))
    tags = (said - set(kind.cannot_serve)) | set(context_tags(context) if not is_embedding else ())
    tags -= {tag for tag in tags if tag.endswith("-context") and tag not in context_tags(context)}
    if is_embedding:
        tags = frozenset(("embeddings",))
    provides = [tag for tag in CAPABILITIES if tag in tags] or ["embeddings" if is_embedding else "streaming"]
    notes = []
    if model.provides is None and not is_embedding:
        notes.append("provides: from the name; aldo models audit asks the model")
    if not model.context:
        notes.append(f"effectiveContextTokens: the server does not say; {UNKNOWN_CONTEXT} is a guess")
    config: dict[str, Any] = {"baseUrl": url}
    if by_name:
        config["model"] = model.name
    if by_name and kind.wire_model is not None:
        notes.append("its server lists what it could load: asked for another model, it unloads the one it has")
    fields: dict[str, Any] = {
        "id": name,
        "provider": runtime,
        "providerKind": kind.kind,
        "locality": "local",
        "capabilityClass": "embeddings" if is_embedding else "local-reasoning",
        "provides": provides,
        "privacyAllowed": ["public", "internal", "sensitive"],
        "effectiveContextTokens": context,
        "cost": {"usdPerMtokIn": 0, "usdPerMtokOut": 0},
        "providerConfig": config,
    }
    return Part(name, fields, tuple(notes))
