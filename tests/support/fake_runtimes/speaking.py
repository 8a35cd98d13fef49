"""What the model says: by rule, a token for every four characters, and an instance of the schema that is asked for."""

from __future__ import annotations

import json
import math
import random
import re
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Schema = Mapping[str, Any] | bool


@dataclass(frozen=True)
class Call:
    id: str
    name: str
    arguments: str


@dataclass(frozen=True)
class Said:
    """One answer before any protocol."""

    text: str
    finish: Literal["stop", "length", "tool_calls"]
    prompt_tokens: int
    reasoning: str = ""
    calls: tuple[Call, ...] = ()
    swallowed: int = 0  # tokens that were made and never shown

    @property
    def usage(self) -> dict[str, int]:
        parts = (self.reasoning, self.text, *(call.name + call.arguments for call in self.calls))
        told = sum(map(tokens_of, parts)) + self.swallowed
        total = self.prompt_tokens + told
        return {"prompt_tokens": self.prompt_tokens, "completion_tokens": told, "total_tokens": total}


def tokens_of(text: str) -> int:
    """A token for every four characters that were begun."""
    return -(-len(text) // 4)


def text_of(message: Mapping[str, Any]) -> str:
    """The text of a message: its content, or the text parts of it."""
    content = message.get("content")
    if isinstance(content, list):
        return " ".join(part["text"] for part in content if part.get("type") == "text")
    return content or ""


def prompt_tokens_of(messages: Sequence[Mapping[str, Any]]) -> int:
    return sum(tokens_of(text_of(message)) for message in messages)


def answer_to(text: str, seed: int | None) -> str:
    """The answer to a text; any seed makes another verb of `said`."""
    verb = "said" if seed is None else ("typed", "wrote", "sent", "spoke")[seed % 4]
    return f"You {verb} {len(text.split())} words."


def instance(schema: Schema, root: Schema | None = None, text: str = "text", keys: str = "required") -> Any:
    """A smallest value that fits a JSON Schema (without `pattern`, `not` and `if`): the first of every choice."""
    root = schema if root is None else root
    if isinstance(schema, bool) or not schema:
        return text
    if isinstance(ref := schema.get("$ref"), str):
        target: Any = root
        for part in ref.removeprefix("#").split("/")[1:]:
            target = target[part.replace("~1", "/").replace("~0", "~")]
        return instance(target, root, text)
    for several in ("anyOf", "oneOf"):
        if several in schema:
            rest = {key: value for key, value in schema.items() if key != several}
            return instance(_merged([rest, schema[several][0]]), root, text)
    if "allOf" in schema:
        rest = {key: value for key, value in schema.items() if key != "allOf"}
        return instance(_merged([rest, *schema["allOf"]]), root, text)
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][0]
    kind = schema.get("type") or _kind(schema)
    kind = kind[0] if isinstance(kind, list) else kind
    match kind:
        case "object":
            properties = schema.get("properties", {})
            wanted = schema.get("required", ()) or (properties if keys == "all" else ())
            return {key: instance(properties.get(key, {}), root, text) for key in wanted}
        case "array":
            first = [instance(item, root, text) for item in schema.get("prefixItems", ())]
            more = range(len(first), schema.get("minItems", 0))
            return first + [instance(schema.get("items", {}), root, text) for _ in more]
        case "integer" | "number":
            return _number(schema, kind == "integer")
        case "boolean":
            return True
        case "null":
            return None
    formats = {"date": "2026-01-01", "date-time": "2026-01-01T00:00:00Z", "time": "00:00:00Z", "email": "a@b.example"}
    value = formats.get(schema.get("format", ""), text)
    return value.ljust(schema.get("minLength", 0), "x")[: schema.get("maxLength")]


def _merged(schemas: Sequence[Schema]) -> dict[str, Any]:
    whole: dict[str, Any] = {}
    for schema in schemas:
        for key, value in ({} if isinstance(schema, bool) else schema).items():
            old = whole.get(key)
            if key == "properties" and old:
                whole[key] = {**old, **value}
            elif key == "required" and old:
                whole[key] = [*old, *value]
            else:
                whole[key] = value
    return whole


def _kind(schema: Mapping[str, Any]) -> str:
    kinds = {"properties": "object", "required": "object", "items": "array", "minItems": "array", "minimum": "number"}
    return next((kind for key, kind in kinds.items() if key in schema), "string")


def _number(schema: Mapping[str, Any], whole: bool) -> int | float:
    low = schema.get("minimum", -math.inf)
    if (above := schema.get("exclusiveMinimum")) is not None:
        low = max(low, math.floor(above) + 1)
    high = schema.get("maximum", math.inf)
    if (below := schema.get("exclusiveMaximum")) is not None:
        high = min(high, math.ceil(below) - 1)
    value = min(max(1, low), high)
    if step := schema.get("multipleOf"):
        value = math.ceil(value / step) * step
    return math.ceil(value) if whole else value


def vector(text: str, dimensions: int) -> list[float]:
    """A direction that only the text decides, in the precision of a float32."""
    drawn = random.Random(text)
    return normalised([drawn.uniform(-1, 1) for _ in range(dimensions)])


def normalised(numbers: Sequence[float]) -> list[float]:
    length = math.sqrt(sum(number * number for number in numbers))
    return list(struct.unpack(f"<{len(numbers)}f", struct.pack(f"<{len(numbers)}f", *(n / length for n in numbers))))


def speak(
    body: Mapping[str, Any],
    messages: Sequence[Mapping[str, Any]],
    *,
    prompt_tokens: int,
    thinks: bool,
    call_ids: Sequence[str],
    must_call: bool = False,
    may_call: bool = True,
    parallel: bool = True,
    json_object: bool = False,
) -> Said:
    """What the model answers. It calls the first tool when the last message is a user's and speaks of the weather."""
    last = messages[-1] if messages else {}
    asked = next((text_of(message) for message in reversed(messages) if message.get("role") == "user"), "")
    seed = body.get("seed")
    plain = answer_to(asked, seed)
    reasoning = f"The user asks. {plain}" if thinks else ""
    tools = body.get("tools") or []
    wants = must_call or (last.get("role") == "user" and "weather" in asked.lower())
    if tools and may_call and wants:
        function = tools[0]["function"]
        arguments = json.dumps(instance(function.get("parameters") or {"type": "object"}, text="Paris", keys="all"))
        count = 2 if parallel and "and" in asked.lower().split() else 1
        calls = tuple(Call(call_ids[i], function["name"], arguments) for i in range(count))
        said = Said("", "tool_calls", prompt_tokens, reasoning, calls)
        budget = body.get("max_tokens") or -1
        if not 0 <= budget < said.usage["completion_tokens"]:
            return said
        thought = reasoning[: budget * 4]
        return Said("", "length", prompt_tokens, thought, swallowed=budget - tokens_of(thought))
    wanted = body.get("response_format") or {}
    if wanted.get("type") == "json_schema" and (wanted.get("json_schema") or {}).get("schema") is not None:
        plain = json.dumps(instance(wanted["json_schema"]["schema"]))
    elif wanted.get("type") == "json_object" and json_object:
        plain = json.dumps({"words": len(asked.split())})
    stops = body.get("stop") or []
    for stop in [stops] if isinstance(stops, str) else stops:
        plain = plain.partition(stop)[0]
    return _limited(reasoning, plain, body.get("max_tokens") or -1, prompt_tokens)


def _limited(reasoning: str, text: str, budget: int, prompt_tokens: int) -> Said:
    """The answer within a budget of tokens, spent on the reasoning first; a negative budget is none."""
    if budget < 0:
        return Said(text, "stop", prompt_tokens, reasoning)
    left = budget - tokens_of(reasoning)
    if left < 0:
        return Said("", "length", prompt_tokens, reasoning[: budget * 4])
    if left < tokens_of(text):
        return Said(text[: left * 4], "length", prompt_tokens, reasoning)
    return Said(text, "stop", prompt_tokens, reasoning)


def pieces(text: str) -> list[str]:
    """A text in words, as a stream brings it."""
    return re.findall(r"\s*\S+\s*\Z|\s*\S+", text)
