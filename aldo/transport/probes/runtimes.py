"""The runtimes, one function each: is this one of yours, and what does it serve? Told by the shape of bodies.

Sources: `/api/tags`, `/api/ps` and `/api/show` of Ollama; `/api/v0/models` of LM Studio; `/v1/models` and `/version` of
vLLM; `/props` and `/v1/models` of llama.cpp; `/health` and `/v1/models` of mlx_lm.server.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import anyio

from aldo.transport.probes.ask import Ask, quietly
from aldo.transport.probes.served import ServedModel, Server
from aldo.transport.wire.read import count, text

_STRUCTURED = frozenset(("structured-output", "json-mode"))
_CALLING = frozenset(("tool-use", "function-calling"))
_THINKING = frozenset(("reasoning", "extended-thinking"))

_OLLAMA_CAPABILITIES: dict[str, frozenset[str]] = {
    "completion": frozenset(("streaming",)) | _STRUCTURED,
    "tools": _CALLING,
    "thinking": _THINKING,
    "vision": frozenset(("vision",)),
    "insert": frozenset(("code-fim",)),
    "embedding": frozenset(("embeddings",)),
}
_MOST_DETAILS = 50  # models that are asked about one by one


async def ollama(ask: Ask) -> Server | None:
    listed = (await ask.get("/api/tags")).items("models")
    if listed is None:
        return None
    names = [name for item in listed if (name := text(item.get("name")) or text(item.get("model")))]
    running = await quietly(ask.get("/api/ps"))
    contexts = {
        text(item.get("name")): count(item.get("context_length"))
        for item in (running.items("models") if running else None) or ()
    }
    details: dict[str, Mapping[str, Any]] = {}

    async def show(name: str) -> None:
        answer = await quietly(ask.post("/api/show", {"model": name}))
        if answer is not None:
            details[name] = answer.fields

    with anyio.move_on_after(ask.seconds / 2):  # the list alone is worth more than nothing
        async with anyio.create_task_group() as group:
            for name in names[:_MOST_DETAILS]:
                group.start_soon(show, name)
    return Server("ollama", tuple(_ollama_model(name, contexts, details.get(name, {})) for name in names))


def _ollama_model(name: str, contexts: Mapping[str, int | None], shown: Mapping[str, Any]) -> ServedModel:
    said = shown.get("capabilities")
    provides = None
    if isinstance(said, list):
        provides = frozenset().union(*(_OLLAMA_CAPABILITIES.get(str(one), frozenset()) for one in said))
    info = shown.get("model_info")
    info = info if isinstance(info, Mapping) else {}
    architecture = text(info.get("general.architecture"))
    embeds = None if provides is None else "embeddings" in provides
    # A chat model serves what it was loaded with; an embedding model's own length is its limit.
    own = count(info.get(f"{architecture}.context_length"))
    context = contexts.get(name) or _ollama_parameter(shown, "num_ctx") or (own if embeds else None)
    return ServedModel(
        name,
        embeds,
        context,
        provides,
        count(info.get(f"{architecture}.embedding_length")) if embeds else None,
    )


def _ollama_parameter(shown: Mapping[str, Any], name: str) -> int | None:
    """A number of the model file's parameters, which are lines such as `num_ctx  8192`."""
    for line in text(shown.get("parameters")).splitlines():
        words = line.split()
        if len(words) == 2 and words[0] == name and words[1].isdecimal() and len(words[1]) <= 12:
            return int(words[1])
    return None


async def lmstudio(ask: Ask) -> Server | None:
    listed = (await ask.get("/api/v0/models")).items("data")
    if listed is not None and all("state" in item or "type" in item for item in listed):
        # Without just-in-time loading it serves only what its other list has: the loaded ones.
        serving = await quietly(ask.get("/v1/models"))
        names = serving.items("data") if serving else None
        served = None if names is None else {text(item.get("id")) for item in names}
        found = [_lmstudio_model(item) for item in listed if text(item.get("id"))]
        return Server("lmstudio", tuple(model for model in found if served is None or model.name in served))
    # It says 200 and an error to any path that it does not know; nobody else does.
    unknown = await ask.get("/health")
    if not (
        unknown.status == 200 and isinstance(unknown.value, Mapping) and isinstance(unknown.value.get("error"), str)
    ):
        return None
    names = (await ask.get("/v1/models")).items("data")
    return None if names is None else Server("lmstudio", tuple(_named(names)))


def _lmstudio_model(item: Mapping[str, Any]) -> ServedModel:
    embeds = text(item.get("type")) == "embeddings"
    said = item.get("capabilities")
    provides: frozenset[str] | None = None
    if embeds:
        provides = frozenset(("embeddings",))
    elif isinstance(said, list):
        provides = frozenset(("streaming", "structured-output"))
        provides |= _CALLING if "tool_use" in said else frozenset()
        provides |= frozenset(("vision",)) if text(item.get("type")) == "vlm" else frozenset()
    longest = count(item.get("max_context_length")) if embeds else None
    return ServedModel(text(item["id"]), embeds, count(item.get("loaded_context_length")) or longest, provides)


async def vllm(ask: Ask) -> Server | None:
    models = await ask.get("/v1/models")
    listed = models.items("data")
    if listed is None:
        locked = models.status == 401 and (await ask.get("/version")).fields.keys() == {"version"}
        return Server("vllm", state="locked") if locked else None
    if not any(text(item.get("owned_by")) == "vllm" or "max_model_len" in item for item in listed):
        return None
    return Server("vllm", tuple(_named(listed, "max_model_len")))


async def llamacpp(ask: Ask) -> Server | None:
    props = await ask.get("/props")
    if props.status == 503:
        return Server("llamacpp", state="loading") if "loading" in str(props.value).lower() else None
    settings = props.fields.get("default_generation_settings")
    models = await ask.get("/v1/models")
    listed = models.items("data") or []
    if not isinstance(settings, Mapping):
        if props.status == models.status == 401 and _is_llamacpps(models.value):
            return Server("llamacpp", state="locked")
        if not any(text(item.get("owned_by")) == "llamacpp" for item in listed):
            return None
        settings = {}
    served = count(settings.get("n_ctx"))
    provides = _llamacpp_provides(props.fields)
    found = [
        ServedModel(name, None, served or _meta(item, "n_ctx"), provides, _meta(item, "n_embd"))
        for item in listed
        if (name := text(item.get("id")))
    ]
    return Server("llamacpp", tuple(found), names_matter=False)


def _is_llamacpps(refusal: Any) -> bool:
    """Whether a 401 is in llama.cpp's words: an object with code and type."""
    error = refusal.get("error") if isinstance(refusal, Mapping) else None
    return isinstance(error, Mapping) and error.get("code") == 401 and "type" in error


def _llamacpp_provides(props: Mapping[str, Any]) -> frozenset[str] | None:
    """What its chat template and its projector can; the grammars are the server's own."""
    able = props.get("chat_template_caps")
    if not isinstance(able, Mapping):
        return None
    seeing = props.get("modalities")
    provides = frozenset(("streaming", "constrained-decoding")) | _STRUCTURED
    provides |= _CALLING if able.get("supports_tools") is True else frozenset()
    if isinstance(seeing, Mapping):
        provides |= frozenset(
            tag for name, tag in (("vision", "vision"), ("audio", "audio-in")) if seeing.get(name) is True
        )
    return provides


def _meta(item: Mapping[str, Any], name: str) -> int | None:
    meta = item.get("meta")
    return count(meta.get(name)) if isinstance(meta, Mapping) else None


async def mlx(ask: Ask) -> Server | None:
    if (await ask.get("/health")).value != {"status": "ok"}:
        return None
    models = await ask.get("/v1/models")
    if models.empty and models.status == 200:  # so it says that its hub cache does not exist
        return Server("mlx", names_matter=False)
    listed = models.items("data")
    # llama.cpp says the same of its health, but not of its models.
    if listed is None or models.fields.get("object") != "list" or any("owned_by" in item for item in listed):
        return None
    return Server("mlx", tuple(_named(listed)), names_matter=False)


async def anything(ask: Ask) -> Server | None:
    """A server of no runtime that we know, by the protocol's own list."""
    models = await ask.get("/v1/models")
    listed = models.items("data")
    if listed is None:
        return Server("", state="locked") if models.status in (401, 403) else None
    return Server("", tuple(_named(listed)))


def _named(listed: list[Mapping[str, Any]], context: str = "") -> list[ServedModel]:
    return [ServedModel(name, context=count(item.get(context))) for item in listed if (name := text(item.get("id")))]


Look = Callable[[Ask], Awaitable[Server | None]]

RUNTIMES: dict[str, Look] = {"ollama": ollama, "lmstudio": lmstudio, "vllm": vllm, "llamacpp": llamacpp, "mlx": mlx}
"""By the name in `ALDO_LOCAL_DISCOVERY`, which is the provider's."""


def look_of(provider: str) -> Look:
    """How to recognise the server of a provider."""
    return RUNTIMES.get(provider, anything)


async def looked(ask: Ask, look: Look, seconds: float) -> Server | None:
    """What is there. Raises `TimeoutError` where it takes longer than so many seconds in all."""
    with anyio.fail_after(seconds):
        return await look(ask)
