"""The body of `POST /v1/chat/completions`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, JsonValue, WithJsonSchema
from pydantic_core import PydanticCustomError

from aldo.api.asked.base import Body, Integer
from aldo.schema.base import Name
from aldo.transport.chat import ChatRequest

ROLES = ("system", "developer", "user", "assistant", "tool", "function")
_PARTS = {"text": str, "image_url": dict, "input_audio": dict, "file": dict, "refusal": str}
_PART_SCHEMA = {
    "type": "object",
    "properties": {
        "type": {"enum": list(_PARTS)},
        "text": {"type": "string"},
        "refusal": {"type": "string"},
        "image_url": {"type": "object"},
        "input_audio": {"type": "object"},
        "file": {"type": "object"},
    },
    "required": ["type"],
    "oneOf": [{"properties": {"type": {"const": kind}}, "required": [kind]} for kind in _PARTS],
}
_MESSAGE_SCHEMA = {
    "type": "object",
    "properties": {
        "role": {"enum": list(ROLES)},
        "content": {
            "anyOf": [{"type": "string"}, {"type": "array", "items": _PART_SCHEMA, "minItems": 1}, {"type": "null"}]
        },
        "name": {"type": ["string", "null"]},
        "tool_call_id": {"type": ["string", "null"]},
        "tool_calls": {"type": ["array", "null"], "items": {"type": "object"}},
    },
    "required": ["role"],
}
_TOOL_SCHEMA = {
    "type": "object",
    "properties": {
        "type": {"const": "function"},
        "function": {
            "type": "object",
            "properties": {
                "name": {"type": "string", "minLength": 1},
                "description": {"type": ["string", "null"]},
                "parameters": {"type": ["object", "null"]},
                "strict": {"type": ["boolean", "null"]},
            },
            "required": ["name"],
        },
    },
    "required": ["type", "function"],
}


def _wrong(message: str) -> PydanticCustomError:
    return PydanticCustomError("message", "{said}", {"said": message})


def _checked_message(message: dict[str, Any]) -> dict[str, Any]:
    """What every server needs of a message: a role, and content that is text or parts. The rest is theirs."""
    if message.get("role") not in ROLES:
        raise _wrong(f"its role must be one of {', '.join(ROLES)}")
    content = message.get("content")
    if isinstance(content, list):
        if not content:
            raise _wrong("its content has no parts")
        for part in content:
            kind = part.get("type") if isinstance(part, dict) else None
            if not isinstance(kind, str) or kind not in _PARTS:
                raise _wrong(f"a part of its content has a type that is none of {', '.join(_PARTS)}")
            if not isinstance(part.get(kind), _PARTS[kind]):
                raise _wrong(f"a part of its content has the type {kind}, but no such field")
    elif content is not None and not isinstance(content, str):
        raise _wrong("its content must be a text or a list of parts")
    for name in ("name", "tool_call_id"):
        if not isinstance(message.get(name), (str, type(None))):
            raise _wrong(f"its {name} must be a text")
    calls = message.get("tool_calls")
    if calls is not None and not (isinstance(calls, list) and all(isinstance(call, dict) for call in calls)):
        raise _wrong("its tool_calls must be a list of calls")
    return message


def _checked_tool(tool: dict[str, Any]) -> dict[str, Any]:
    function = tool.get("function")
    if tool.get("type") != "function" or not isinstance(function, dict):
        raise _wrong('a tool is written {"type": "function", "function": {"name": …, "parameters": {…}}}')
    if not isinstance(function.get("name"), str) or not function["name"]:
        raise _wrong("the function has no name")
    for name, kind in (("parameters", dict), ("description", str), ("strict", bool)):
        if not isinstance(function.get(name), (kind, type(None))):
            raise _wrong(f"the field {name} of the function is not what it should be")
    return tool


Message = Annotated[dict[str, Any], AfterValidator(_checked_message), WithJsonSchema(_MESSAGE_SCHEMA)]
Tool = Annotated[dict[str, Any], AfterValidator(_checked_tool), WithJsonSchema(_TOOL_SCHEMA)]
Positive = Annotated[int, Field(ge=1, le=10**12), Integer]
Penalty = Annotated[float, Field(ge=-2, le=2)]

_SENT_ON = (
    "frequency_penalty",
    "presence_penalty",
    "logit_bias",
    "reasoning_effort",
    "verbosity",
    "top_k",
    "min_p",
    "repetition_penalty",
    "chat_template_kwargs",
)


class StreamOptions(Body):
    """What a stream is to hold beside the answer."""

    include_usage: bool | None = None
    """A last chunk with the tokens."""
    include_obfuscation: bool | None = None
    """Taken and without effect."""


class ChatBody(Body):
    """A chat in OpenAI's shape. A null is as good as nothing."""

    model: Name
    """A catalog id, which pins, or a capability class."""
    messages: Annotated[list[Message], Field(min_length=1)]
    max_tokens: Positive | None = None
    """The longest answer, in tokens. The operator sets what holds for requests that do not say."""
    max_completion_tokens: Positive | None = None
    """The newer name of the same."""
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    temperature: Annotated[float, Field(ge=0, le=100)] | None = None
    top_p: Annotated[float, Field(ge=0, le=1)] | None = None
    seed: Annotated[int, Field(ge=-(2**63), lt=2**63), Integer] | None = None
    stop: str | Annotated[list[str], Field(max_length=16)] | None = None
    tools: list[Tool] | None = None
    tool_choice: str | dict[str, JsonValue] | None = None
    parallel_tool_calls: bool | None = None
    response_format: dict[str, JsonValue] | None = None
    """The answer is held against it here, whatever the server did."""
    logprobs: bool | None = None
    top_logprobs: Annotated[int, Field(ge=0, le=20), Integer] | None = None
    n: Annotated[int, Field(ge=1, le=1), Integer] | None = None
    """One answer to a request."""
    frequency_penalty: Penalty | None = None
    presence_penalty: Penalty | None = None
    logit_bias: dict[str, float] | None = None
    reasoning_effort: str | None = None
    verbosity: str | None = None
    top_k: Annotated[int, Field(ge=-1, le=10**6), Integer] | None = None
    min_p: Annotated[float, Field(ge=0, le=1)] | None = None
    repetition_penalty: Annotated[float, Field(ge=0, le=100)] | None = None
    chat_template_kwargs: dict[str, JsonValue] | None = None
    modalities: list[Literal["text"]] | None = None
    """Answers are text."""
    store: Literal[False] | None = None
    """Nothing is stored."""
    user: str | None = None
    """Taken, and sent to no server: who asks is none of its business. So are the five below."""
    metadata: dict[str, JsonValue] | None = None
    safety_identifier: str | None = None
    prompt_cache_key: str | None = None
    prompt_cache_retention: str | None = None
    service_tier: str | None = None

    @property
    def wants_usage(self) -> bool:
        return self.stream_options is not None and bool(self.stream_options.include_usage)

    def chat(self, default_max_tokens: int) -> ChatRequest:
        """The same for the transport. Raises `UsageError` for what makes no chat."""
        given: dict[str, Any] = {
            "temperature": self.temperature,
            "top_p": self.top_p,
            "seed": self.seed,
            "stop": (self.stop,) if isinstance(self.stop, str) else self.stop and tuple(self.stop),
            "tools": self.tools and tuple(self.tools),
            "tool_choice": self.tool_choice,
            "parallel_tool_calls": self.parallel_tool_calls,
            "response_format": self.response_format,
            "logprobs": self.logprobs,
            "top_logprobs": self.top_logprobs,
        }
        fields = self.__dict__
        more = {name: fields[name] for name in _SENT_ON if fields[name] is not None}
        return ChatRequest(
            messages=tuple(map(_for_every_server, self.messages)),
            max_tokens=self.max_completion_tokens or self.max_tokens or default_max_tokens,
            more=more,
            **{name: value for name, value in given.items() if value is not None},
        )


def _for_every_server(message: Mapping[str, Any]) -> Mapping[str, Any]:
    """`developer` is OpenAI's newer word for `system`. OpenAI takes both; the templates of local models know one."""
    return {**message, "role": "system"} if message["role"] == "developer" else message
