"""Entries of this machine and of the cloud, and what is available of them, over connections or a function."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from typing import Any

import httpx

from aldo.schema import Catalog
from aldo.transport.pool import AsyncPool
from aldo.transport.probes import Availability, availability, availability_async
from tests.support.bound import entry
from tests.support.fake_server import Seen
from tests.support.fake_server import http as raw_http

PATIENT = 30.0
"""For servers that answer: a machine under load must not decide a test."""
HASTY = 0.3
"""For servers that never do."""
ELSEWHERE = "192.0.2.1"
PROVIDERS = ("ollama", "lmstudio", "vllm", "llamacpp", "mlx", "acme")
VARIABLES = {
    "ollama": "OLLAMA_BASE_URL",
    "lmstudio": "LM_STUDIO_BASE_URL",
    "vllm": "VLLM_BASE_URL",
    "llamacpp": "LLAMACPP_BASE_URL",
    "mlx": "MLX_BASE_URL",
}


def local(model: str, provider: str, url: str | None = None, wire: str | None = None, **more: Any) -> dict[str, Any]:
    """An entry of this machine; `wire` is the name its server knows it by."""
    config = {name: value for name, value in (("baseUrl", url), ("model", wire)) if value is not None}
    config |= more.pop("config", {})
    return entry("mlx" if provider == "mlx" else "openai-compat", config, id=model, provider=provider, **more)


def cloud(**config: Any) -> dict[str, Any]:
    config = {"baseUrl": "https://api.example.com/v1", **config}
    return entry(config=config, id="the-entry", locality="cloud", privacyAllowed=["public"])


def asked(
    *models: Mapping[str, Any], seconds: float = PATIENT, routing: Mapping[str, Any] | None = None, **environ: str
) -> dict[str, Availability]:
    """What is available of these entries, over real connections."""
    catalog = Catalog.model_validate({"models": list(models), "routing": dict(routing or {})})
    found = availability(catalog, environ=environ, seconds=seconds)
    assert list(found) == [model["id"] for model in models]
    return found


def one(model: Mapping[str, Any], seconds: float = PATIENT, **environ: str) -> Availability:
    return asked(model, seconds=seconds, **environ)[str(model["id"])]


def over(
    handler: Callable[[httpx.Request], httpx.Response], catalog: Catalog, environ: Mapping[str, str] | None = None
) -> dict[str, Availability]:
    """The same with a function in the network's place."""

    async def run() -> dict[str, Availability]:
        pool = AsyncPool(httpx.MockTransport(handler))
        try:
            return await availability_async(catalog, pool, environ=environ or {}, seconds=PATIENT)
        finally:
            await pool.aclose()

    return asyncio.run(run())


def vllm(*names: str, key: str | None = None) -> Callable[[Seen], bytes]:
    """A `FakeServer` script: vLLM, so far as it tells of itself. `/health` and `/version` want no key."""

    def script(seen: Seen) -> bytes:
        if seen.target == "/version":
            return raw_http(json.dumps({"version": "0.32.0"}))
        if seen.target == "/health":
            return raw_http("")
        if key is not None and seen.headers.get("authorization") != f"Bearer {key}":
            return raw_http(json.dumps({"error": "Unauthorized"}), "401 Unauthorized")
        if seen.target == "/v1/models":
            rows = [{"id": n, "object": "model", "owned_by": "vllm", "root": n, "max_model_len": 512} for n in names]
            return raw_http(json.dumps({"object": "list", "data": rows}))
        return raw_http(json.dumps({"detail": "Not Found"}), "404 Not Found")

    return script
