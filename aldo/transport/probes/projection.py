"""What a model's name says of it, for servers that say nothing."""

from __future__ import annotations

import re

_TOOLS = ("tool-use", "function-calling")
_THINKS = ("reasoning", "extended-thinking")
_STRUCTURED = ("structured-output",)

_FAMILIES: tuple[tuple[re.Pattern[str], tuple[str, ...]], ...] = tuple(
    (re.compile(pattern), tags)
    for pattern, tags in (
        (r"^qwen-?2\.5.*coder", (*_TOOLS, *_STRUCTURED, "128k-context", "code-fim")),
        (r"^qwen-?2\.5", (*_TOOLS, *_STRUCTURED, "128k-context")),
        (r"^qwen-?3(?!\d|b\b).*coder", (*_TOOLS, *_STRUCTURED, "128k-context", *_THINKS, "code-fim")),
        (r"^qwen-?3(?!\d|b\b)", (*_TOOLS, *_STRUCTURED, "128k-context", *_THINKS)),
        (r"^(meta-)?llama-?(3[.-][1-9](?!\d*b\b)|[4-9](?!\d*b\b)(?!\d))", (*_TOOLS, *_STRUCTURED, "128k-context")),
        (r"^(deepseek-r1|phi-?4)", (*_THINKS, *_STRUCTURED, "128k-context")),
        (r"^gpt-oss", (*_THINKS, *_STRUCTURED, "128k-context", *_TOOLS)),
        (r"^(mistral|mixtral|ministral|codestral|devstral)", (*_TOOLS, *_STRUCTURED)),
        (r"^gemma-?3", _STRUCTURED),
        (r"^codellama", ("code-fim",)),
    )
)
_CONTEXT_TAGS = (
    ("32k-context", 32_000),
    ("128k-context", 128_000),
    ("200k-context", 200_000),
    ("1m-context", 1_000_000),
)
_EMBEDDING_FAMILY = re.compile(r"(bge|e5|gte|all-minilm|multilingual-e5|paraphrase)[-_:]")
_LONGEST_ID = 180  # of the 200 that a name may have: a runtime's name may come before it
_ENDINGS = (".gguf", ".safetensors", ".bin", ".mlx", ".ggml")

UNKNOWN_CONTEXT = 8192
"""Tokens, where nobody says."""


def normalised(name: str) -> str:
    """A model's name as an id: lower case, what comes after the last `/`, no file ending, `_` and `:` as `-`."""
    short = name.rstrip("/").rpartition("/")[2].lower()
    for ending in _ENDINGS:
        short = short.removesuffix(ending)
    short = re.sub(r"[^a-z0-9._@+-]", "-", short.replace("_", "-").replace(":", "-"))
    short = short.removesuffix("-latest").lstrip("-._@+").rstrip("-.")
    return short[:_LONGEST_ID].rstrip("-.") or "model"


def embeds(name: str) -> bool:
    """Whether a name is that of a model for embeddings."""
    short = name.rstrip("/").rpartition("/")[2].lower()
    return "embed" in short or _EMBEDDING_FAMILY.match(short) is not None


def projected(name: str) -> tuple[str, ...]:
    """The capability tags that a name stands for; `streaming` for every model that chats."""
    if embeds(name):
        return ("embeddings",)
    short = normalised(name)
    for pattern, tags in _FAMILIES:
        if pattern.search(short):
            return ("streaming", *tags)
    return ("streaming",)


def context_tags(tokens: int) -> tuple[str, ...]:
    """The tags of a context."""
    return tuple(tag for tag, least in _CONTEXT_TAGS if tokens >= least)
