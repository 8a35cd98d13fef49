"""Servers to discover on this machine, and the laws that an overlay of discovery must keep."""

from __future__ import annotations

import asyncio
import datetime
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import httpx
import yaml

from aldo.catalog import load_catalog
from aldo.router import route
from aldo.schema import Catalog, RouteRequest
from aldo.schema.kinds import kind_data
from aldo.schema.vocabulary import CAPABILITIES
from aldo.transport.pool import AsyncPool
from aldo.transport.probes import Discovery, discover_async
from aldo.transport.probes.projection import context_tags
from aldo.validate.lint import lint
from tests.support.cases import MODELS

PATIENT = 30.0
HASTY = 0.3
TODAY = datetime.date(2026, 11, 22)
ELSEWHERE = "192.0.2.1"
VARIABLES = {
    "ollama": "OLLAMA_BASE_URL",
    "lmstudio": "LM_STUDIO_BASE_URL",
    "vllm": "VLLM_BASE_URL",
    "llamacpp": "LLAMACPP_BASE_URL",
    "mlx": "MLX_BASE_URL",
}
ALL = tuple(VARIABLES)
PORTS = {"ollama": 11434, "lmstudio": 1234, "vllm": 8000, "llamacpp": 8080, "mlx": 8081}
TOOLS = ("tool-use", "function-calling")
THINKS = ("reasoning", "extended-thinking")

Handler = Callable[[httpx.Request], httpx.Response]


def over(handler: Handler, catalog: Catalog | None = None, runtimes: str | None = None, **environ: str) -> Discovery:
    """What is discovered with a function in the network's place."""
    environ |= {} if runtimes is None else {"ALDO_LOCAL_DISCOVERY": runtimes}

    async def run() -> Discovery:
        pool = AsyncPool(httpx.MockTransport(handler))
        try:
            return await discover_async(catalog, pool, environ=environ, seconds=PATIENT)
        finally:
            await pool.aclose()

    return asyncio.run(run())


def table(answers: Mapping[str, Any]) -> Handler:
    """By path: the JSON of a 200, a whole response, or 404 for what is not there."""

    def handler(request: httpx.Request) -> httpx.Response:
        found = answers.get(request.url.path)
        if isinstance(found, httpx.Response):
            return httpx.Response(found.status_code, content=found.content)
        if found is None:
            return httpx.Response(404, content=b"Not Found")
        return httpx.Response(200, content=json.dumps(found).encode())

    return handler


def vllm_of(*names: str, context: Any = 4096) -> Handler:
    rows = [{"id": name, "object": "model", "owned_by": "vllm", "max_model_len": context} for name in names]
    return table({"/v1/models": {"object": "list", "data": rows}})


def mlx_of(*names: str) -> Handler:
    rows = [{"id": name, "object": "model", "created": 1} for name in names]
    return table({"/health": {"status": "ok"}, "/v1/models": {"object": "list", "data": rows}})


def only(found: Discovery) -> Mapping[str, Any]:
    (entry_found,) = found.entries
    return entry_found


def states(found: Discovery) -> dict[str, str]:
    return {one.runtime: one.state for one in found.found}


def written(found: Discovery, directory: Path) -> Path:
    path = directory / "found.yaml"
    path.write_text(found.overlay(), encoding="utf-8")
    return path


def problems(found: Discovery, directory: Path) -> list[str]:
    """What lint has against the overlay, laid over the shipped catalog."""
    report = lint(MODELS, overlays=[written(found, directory)], today=TODAY)
    return [str(finding)[:300] for finding in report.findings if finding.severity in ("error", "warning")]


class _WithoutDates(yaml.SafeLoader):
    """Any other program's YAML reader, but for the dates that are in a test of their own."""


_WithoutDates.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in found if not tag.endswith("timestamp")]
    for first, found in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def check_overlay(found: Discovery, directory: Path) -> None:
    """The overlay holds what `entries` says, loads without a word of blame, and a request reaches all of it."""
    ids = [one["id"] for one in found.entries]
    assert len(ids) == len(set(ids))
    assert found.value().get("add", []) == list(found.entries)
    if not ids:
        return
    assert problems(found, directory) == []
    path = written(found, directory)
    assert yaml.load(path.read_text(encoding="utf-8"), _WithoutDates) == found.value()
    catalog = load_catalog(MODELS, overlays=[path])
    for one in found.entries:
        assert catalog.by_id[one["id"]].provider_config.base_url == one["providerConfig"]["baseUrl"]
        half = one["effectiveContextTokens"] // 2
        request = {
            "capabilityClass": one["capabilityClass"],
            "privacy": "sensitive",
            "requires": one["provides"],
            "pin": one["id"],
            "tokensIn": half,
            "maxTokensOut": one["effectiveContextTokens"] - half,
        }
        assert route(catalog, RouteRequest.model_validate(request)).model == one["id"]


def check_tags(found: Discovery) -> None:
    """Context tags say what the context says, and no kind claims what it cannot serve."""
    for one in found.entries:
        tags, context = set(one["provides"]), one["effectiveContextTokens"]
        said = {tag for tag in tags if tag.endswith("-context")}
        if one["capabilityClass"] == "embeddings":
            assert tags == {"embeddings"}
        else:
            assert said == set(context_tags(context))
        assert not tags & set(kind_data(one["providerKind"]).cannot_serve)
        assert one["capabilityClass"] not in kind_data(one["providerKind"]).cannot_serve
        assert list(one["provides"]) == [tag for tag in CAPABILITIES if tag in tags], "the vocabulary's order"
