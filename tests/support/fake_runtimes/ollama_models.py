"""The models of an Ollama server, and what some versions do and others do not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class OllamaModel:
    """One model of an Ollama server. `context` is what it was trained for, `served` what it is loaded with."""

    name: str
    family: str = "qwen3"
    parameter_size: str = "4.0B"
    quantization: str = "Q4_K_M"
    context: int = 40960
    served: int = 4096
    embedding: int = 2560
    capabilities: tuple[str, ...] = ("completion", "tools")
    size: int = 2_497_293_931
    loaded: bool = False

    @property
    def tagged(self) -> str:
        return with_tag(self.name)

    @property
    def namespace(self) -> str:
        return self._full[-2]

    @property
    def full_name(self) -> str:
        return "/".join(self._full)

    @property
    def _full(self) -> list[str]:
        parts = self.tagged.split("/")
        return [*["registry.ollama.ai", "library"][: max(0, 3 - len(parts))], *parts]


OLLAMA_MODELS = (
    OllamaModel("qwen3:4b", capabilities=("completion", "tools", "thinking")),
    OllamaModel("llama3.2", "llama", "3.2B", context=131072, embedding=3072),
    OllamaModel("gemma3:4b", "gemma3", "4.3B", context=131072, capabilities=("completion", "vision")),
    OllamaModel("nomic-embed-text", "nomic-bert", "137M", "F16", 2048, 2048, 768, ("embedding",), 274_302_450),
)


@dataclass(frozen=True)
class OllamaQuirks:
    """What some versions of Ollama do and others do not. The defaults are a current version."""

    usage_on_every_chunk: bool = False
    """Row `stream`, "usage may sit on every chunk" [S]: zeros, until the chunk with the real one."""
    role_in_every_chunk: bool = False
    """Row `stream` has the role in the first chunk; the source of many versions writes it into every one [S]."""
    tool_index: Literal["running", "missing", "zero"] = "running"
    """Row `tool calls`, "old versions: index missing or always 0" [S]."""
    finish: Literal["", "load"] | None = None
    """Row `finish`, "old: empty; native `load`" [S]: this stands where the reason would."""
    parallel_calls_always: bool = False
    """No row: the endpoint has no field `parallel_tool_calls` [S], so a model may call twice all the same."""
    no_embeddings_status: int = 500
    """Row `embeddings`: a chat model "does not support embeddings", with 500 in 0.12.3 [I], 501 by later source [S]."""
    no_context_in_ps: bool = False
    """Row `context it serves`: old versions have no `context_length` in /api/ps [D]."""
    no_capabilities_in_show: bool = False
    """Row `context it serves` again: old versions have no `capabilities` in /api/show [D]."""


def with_tag(name: str) -> str:
    return name if ":" in name.rpartition("/")[2] else f"{name}:latest"


def ollama_model(name: str) -> OllamaModel:
    if "embed" in name:
        return OllamaModel(name, "nomic-bert", "137M", "F16", 2048, 2048, 768, ("embedding",), 274_302_450)
    return OllamaModel(name)
