"""The openai-compat adapter: what is sent and how answers are read. No I/O.

Serves every server that speaks OpenAI's chat completions: Ollama, vLLM, llama.cpp, LM Studio, and the
cloud ones. What a kind of server does differently is data (`schema/kinds`), not code.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from aldo.errors import TransportError, Unauthorized, UsageError
from aldo.schema.entry import ModelEntry
from aldo.schema.frozen import thawed
from aldo.schema.kinds import KindData, kind_data
from aldo.transport.chat import ChatRequest
from aldo.transport.embedding import EmbeddingRequest
from aldo.transport.structured import instruction
from aldo.transport.wire.faults import error_from_response


class OpenAICompatAdapter:
    """One entry's view of the protocol."""

    kind: ClassVar[str] = "openai-compat"

    def __init__(self, entry: ModelEntry) -> None:
        self.entry = entry
        self.data: KindData = kind_data(self.kind)

    @property
    def wire_model(self) -> str:
        """The model name on the wire: the config's, else the kind's, else the id."""
        return self.entry.provider_config.model or self.data.wire_model or self.entry.id

    def headers(self, environ: Mapping[str, str]) -> dict[str, str]:
        """The request headers, with the key from the variable that `apiKeyEnv` names.

        Raises `UsageError` for a key or a header that HTTP cannot carry, `Unauthorized` for a cloud entry
        whose key is not set.
        """
        config = self.entry.provider_config
        headers = {"accept": "application/json, text/event-stream", **config.headers}
        key = environ.get(config.api_key_env or "", "").strip()
        if config.api_key_env and not key and self.entry.locality == "cloud":
            raise Unauthorized(f"it needs a key: set the environment variable {config.api_key_env}")
        if key:
            headers["authorization"] = f"Bearer {key}"
        for name, value in headers.items():
            if not (value.isascii() and value.isprintable() and name.isascii() and name.isprintable()):
                source = f"${config.api_key_env}" if name == "authorization" and key else f"the header {name!a}"
                raise UsageError(f"{self.entry.id}: {source} holds characters that no HTTP header can carry")
        return headers

    def chat_body(self, request: ChatRequest, *, stream: bool) -> dict[str, Any]:
        """The JSON of a chat. Sizes and sampling are explicit, and nothing is ever null: servers refuse nulls."""
        extra = self.entry.provider_config.extra
        body: dict[str, Any] = {
            **self.knobs(),
            **request.more,
            "model": self.wire_model,
            "messages": [_without_nulls(message) for message in self._messages(request)],
            str(extra.get("maxTokensField", "max_tokens")): request.max_tokens,
            "stream": stream,
        }
        if extra.get("sampling", True):
            body |= {"temperature": float(request.temperature), "top_p": float(request.top_p)}
        if stream:
            body["stream_options"] = {"include_usage": True}
        optional = {
            "seed": request.seed,
            "stop": list(request.stop) or None,
            "tools": [dict(tool) for tool in request.tools] or None,
            "tool_choice": request.tool_choice,
            "parallel_tool_calls": request.parallel_tool_calls,
            "response_format": request.response_format and thawed(request.response_format),
            "logprobs": request.logprobs or None,
            "top_logprobs": request.top_logprobs,
        }
        return body | {field: value for field, value in optional.items() if value is not None}

    def _messages(self, request: ChatRequest) -> tuple[Mapping[str, Any], ...]:
        """Where a server takes no notice of `response_format`, the model is told in words."""
        told = instruction(request.response_format) if "response_format" in self.data.ignored_fields else None
        if told is None:
            return request.messages
        first, *rest = request.messages or ({},)
        if first.get("role") == "system" and isinstance(first.get("content"), str):
            return ({**first, "content": f"{first['content']}\n\n{told}"}, *rest)
        return ({"role": "system", "content": told}, *request.messages)

    def embedding_body(self, request: EmbeddingRequest, batch: Sequence[str]) -> dict[str, Any]:
        """The JSON of one batch of texts. The encoding is explicit: servers differ in their defaults."""
        body = {**self.knobs(), "model": self.wire_model, "input": list(batch), "encoding_format": request.encoding}
        return body if request.dimensions is None else {**body, "dimensions": request.dimensions}

    def knobs(self) -> dict[str, Any]:
        """The knobs of `providerConfig.extra` as the request fields they stand for.

        Knobs of other kinds, and those that only a server's command line can set, are not sent.
        """
        extra = self.entry.provider_config.extra
        fields = self.data.wire_fields
        return {fields[name]: value for name, value in extra.items() if name in fields and value is not None}

    def ignored(self, request: ChatRequest) -> tuple[str, ...]:
        """The fields of a request that this kind of server is known to ignore."""
        given = {"response_format": request.response_format, "tool_choice": request.tool_choice}
        return tuple(field for field, value in given.items() if value is not None and field in self.data.ignored_fields)

    def error(self, status: int, headers: Mapping[str, str], body: bytes, url: str) -> TransportError:
        """The error that an answer other than 200 stands for."""
        return error_from_response(status, headers, body, url)


def _without_nulls(message: Mapping[str, Any]) -> dict[str, Any]:
    """A message of an assistant that only called tools has no content; servers take that better than a null."""
    return {field: value for field, value in message.items() if value is not None}
