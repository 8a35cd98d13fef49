"""The table, server × check: everything works but what stands here, which is what was seen, and why it is so.

`tests/transport/conformance` fails for whatever differs from it, in both directions.
"""

from __future__ import annotations

from dataclasses import dataclass

from tests.transport.conformance.checks import CHECKS, IGNORED, NOT_OFFERED, WORKS, WRONG
from tests.transport.conformance.clients import Way


@dataclass(frozen=True)
class Known:
    """Something that does not work, and what was seen instead."""

    outcome: str
    why: str
    stream: str = ""
    """What was seen of a stream, where that is something else."""
    ours: bool = False
    """Whether it is a defect of the library, not of the server."""

    def of(self, way: Way) -> str:
        """What comes of it in one way."""
        return self.stream if way == "stream" and self.stream else self.outcome


_NEVER_REFUSES = Known(NOT_OFFERED, "The server never refuses for being busy, so nothing can be seen.")
_NO_PATH = "The server has no `/v1/embeddings`: 404 with the text `Not Found`."
_BY_RULE = Known(
    "schema_mismatch", "The played model answers by rule: asked again, it says the same. The repair was asked for."
)
_LOADS_FIRST = "It loads a model while the request waits, and nobody is told."

MLX = {
    "logprobs": Known(
        WRONG,
        "A whole answer names the likeliest token of each place instead of the one that was said; "
        "a stream has no `logprobs`.",
        stream=IGNORED,
    ),
    "tool_required": Known(IGNORED, "`tool_choice` has no effect: the model answers in words."),
    "tool_named": Known(IGNORED, "`tool_choice` has no effect: the model answers in words."),
    "tool_none": Known(IGNORED, "`tool_choice` has no effect: the model calls all the same."),
    "tool_once": Known(IGNORED, "`parallel_tool_calls` has no effect: both calls come."),
    "json_schema": Known("schema_mismatch", "`response_format` has no effect; a model that cannot follow words fails."),
    "json_object": Known("schema_mismatch", "`response_format` has no effect; a model that cannot follow words fails."),
    "embed": Known("protocol", _NO_PATH),
    "embed_base64": Known("protocol", _NO_PATH),
    "embed_dimensions": Known("protocol", _NO_PATH),
    "embed_order": Known("protocol", _NO_PATH),
    "embed_usage": Known("protocol", _NO_PATH),
    "unknown_embedder": Known("protocol", _NO_PATH),
    "too_long": Known(
        IGNORED, "The context is not checked: a prompt twice as long as the model's context is answered."
    ),
    "rate_limit": _NEVER_REFUSES,
    "busy": _NEVER_REFUSES,
    "loading": Known(NOT_OFFERED, _LOADS_FIRST),
}

LLAMACPP = {
    "tool_required": Known(IGNORED, "The model may talk before it calls; one that only talks is not held to the call."),
    "tool_named": Known(IGNORED, "A named choice is taken for `auto`: the model answers in words."),
    "tool_once": Known(IGNORED, "`parallel_tool_calls: false` has no effect: both calls come."),
    "embed_dimensions": Known(IGNORED, "`dimensions` has no effect: the vectors have their full length."),
    "unknown_model": Known(IGNORED, "With one model loaded, any name is answered by that."),
    "unknown_embedder": Known(IGNORED, "With one model loaded, any name is answered by that."),
    "no_messages": Known(IGNORED, "An empty list of messages is answered."),
    "no_role": Known("server_error", "It answers 500 `Missing 'role' in message`."),
    "no_embeddings": Known("server_error", "It answers 501 `This server does not support embeddings`."),
    "rate_limit": _NEVER_REFUSES,
    "busy": _NEVER_REFUSES,
}

VLLM = {
    "embed_dimensions": Known("bad_request", "400: only a model with Matryoshka embeddings takes `dimensions`."),
    "rate_limit": _NEVER_REFUSES,
    "busy": _NEVER_REFUSES,
    "loading": Known(NOT_OFFERED, "It listens once its model is loaded; until then there is no connection."),
}

_OLLAMA = {
    "logprobs": Known(IGNORED, "There are no `logprobs` in the answer."),
    "tool_required": Known(IGNORED, "`tool_choice` has no effect: the model answers in words."),
    "tool_named": Known(IGNORED, "`tool_choice` has no effect: the model answers in words."),
    "tool_none": Known(IGNORED, "`tool_choice` has no effect: the model calls all the same."),
    "repair": _BY_RULE,
    "too_long": Known(IGNORED, "Old messages are dropped and the rest is answered; nothing tells of it."),
    "no_role": Known(IGNORED, "A message without a role is answered."),
    "no_embeddings": Known("server_error", "It answers 500 `this model does not support embeddings`."),
    "loading": Known(NOT_OFFERED, _LOADS_FIRST),
}

_OLD_OLLAMA = {
    **_OLLAMA,
    "tool_once": Known(IGNORED, "There is no field `parallel_tool_calls`: both calls come."),
    "no_embeddings": Known("server_error", "It answers 501 `this model does not support embeddings`."),
}

_LM_STUDIO = {
    "logprobs": Known(IGNORED, "There are no `logprobs` in the answer."),
    "tool_named": Known("bad_request", "400: `tool_choice` may be `none`, `auto` or `required`, no object."),
    "json_object": Known("bad_request", "400: `response_format.type` must be `json_schema` or `text`."),
    "repair": _BY_RULE,
    "embed_dimensions": Known(IGNORED, "`dimensions` has no effect: the vectors have their full length."),
    "embed_usage": Known(IGNORED, "It counts 0 tokens for embeddings."),
    "no_embeddings": Known("model_not_found", "400 `Model is not embedding`, with the code `model_not_found`."),
    "no_messages": Known(IGNORED, "An empty list of messages is answered."),
    "no_role": Known(IGNORED, "A message without a role is answered."),
    "loading": Known(NOT_OFFERED, _LOADS_FIRST),
}

_OLD_LM_STUDIO = {
    **_LM_STUDIO,
    "usage": Known(WORKS, "Streams tell no usage before version 0.3.18.", stream=IGNORED),
    "too_long": Known(WRONG, "A prompt that is too long gives an empty answer that claims to be whole."),
}

_NO_CALL = Known(IGNORED, "A call that cannot be parsed is text of the answer.")
_ODD_LM_STUDIO = {
    **_LM_STUDIO,
    "tool_auto": _NO_CALL,
    "tool_required": _NO_CALL,
    "tool_twice": _NO_CALL,
    "tool_once": _NO_CALL,
    "tool_named": Known(
        "bad_request",
        "400: no object is taken; in a stream that is a 200 with an error event, which names no status.",
        stream="server_error",
    ),
    "json_object": Known(
        "bad_request",
        "400: the format is not known; in a stream that is a 200 with an error event, which names no status.",
        stream="server_error",
    ),
    "unknown_embedder": Known("server_error", "200 with an error that is a text, without a code."),
    "too_long": Known(
        WRONG,
        "A prompt that is too long gives an empty answer that claims to be whole; a stream is `[DONE]` alone.",
        stream="stream_cut",
    ),
}

EXPECTED: dict[str, dict[str, Known]] = {
    "mlx": MLX,
    "llamacpp": LLAMACPP,
    "vllm": VLLM,
    "ollama": _OLLAMA,
    "ollama-old": _OLD_OLLAMA,
    "ollama-older": _OLLAMA,
    "lmstudio": _LM_STUDIO,
    "lmstudio-old": _OLD_LM_STUDIO,
    "lmstudio-odd": _ODD_LM_STUDIO,
}


def known(server: str, check: str) -> Known | None:
    """Why a check does not work; None where it does."""
    return EXPECTED[server].get(check)


def expected(server: str, check: str, way: Way) -> str:
    """What comes of a check."""
    found = known(server, check)
    return WORKS if found is None else found.of(way)


def everything() -> dict[str, dict[str, dict[Way, str]]]:
    """The whole table: server → check → way → what comes of it."""
    return {
        server: {name: {way: expected(server, name, way) for way in check.ways} for name, check in CHECKS.items()}
        for server in EXPECTED
    }
