"""The models of an LM Studio server, and what it does in some versions, settings or engines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

DEFAULT_LM_STUDIO_CONTEXT = 4096


@dataclass(frozen=True)
class LmStudioModel:
    """One model of an LM Studio server. `loaded_context` counts once it is loaded."""

    id: str
    type: Literal["llm", "vlm", "embeddings"] = "llm"
    publisher: str = "lmstudio-community"
    arch: str = "qwen3"
    compatibility_type: Literal["gguf", "mlx"] = "gguf"
    quantization: str = "Q4_K_M"
    max_context: int = 32768
    loaded_context: int = DEFAULT_LM_STUDIO_CONTEXT
    tool_use: bool = True
    thinks: bool = False
    dimensions: int = 768
    loaded: bool = True


LM_STUDIO_MODELS = (
    LmStudioModel("qwen3-4b"),
    LmStudioModel("deepseek-r1-distill-qwen-7b", arch="qwen2", tool_use=False, thinks=True, loaded=False),
    LmStudioModel(
        "text-embedding-nomic-embed-text-v1.5",
        "embeddings",
        "nomic-ai",
        "nomic-bert",
        quantization="Q4_0",
        max_context=2048,
        loaded_context=2048,
        tool_use=False,
        loaded=False,
    ),
)


@dataclass(frozen=True)
class LmStudioQuirks:
    """What LM Studio does in some versions, settings or engines. `FakeLmStudio.version` decides the dated ones."""

    too_long: Literal["400", "empty", "bare"] = "400"
    """Row `context it serves`, "400, or 200 with an empty stream" [I]: `empty` finishes, `bare` is `[DONE]` alone."""
    errors_in_stream: bool = False
    """No row: a refused streaming request is a 200 whose stream is one frame `event: error` [I]."""
    error_objects: bool = False
    """Row `error body`, "string or object" [I]: an object also where it is mostly a string."""
    reasoning_field: Literal["reasoning_content", "reasoning"] = "reasoning_content"
    """Row `reasoning`, "either" [D]: the field depends on model and version."""
    unparsable_calls: bool = False
    """Row `tool calls`, "unparsable calls land in content" [D], with finish reason `stop`."""
    new_id_per_fragment: bool = False
    """No row: every fragment of a call has an id of its own; only the first has a name [I]."""
    unknown_embedding_is_200: bool = False
    """Row `liveness`, "200 with an error" [I]: so are embeddings of an unknown model."""
    no_jit: bool = False
    """Row `oddities`, "JIT lists unloaded models": with just-in-time loading off, it lists the loaded ones only [D]."""
