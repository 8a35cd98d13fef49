"""Two servers on the loopback that behave as Ollama and LM Studio do, so far as the facts table records them.

They answer by rule, not by model: "You said N words.", a token for every four characters. What differs between
versions is a quirk; what goes wrong at one request is a `Fault`. Sources are marked as in the table: [S] read in
source, [D] documented, [I] reported in an issue. What they do not play they say with a 501.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import math
import random
import re
import socket
import socketserver
import struct
import sys
import threading
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Literal, Self

POLL_SECONDS = 0.01
GIVE_UP_SECONDS = 20.0
CREATED = 1_790_000_000
DIGITS = "abcdefghijklmnopqrstuvwxyz0123456789"
DEFAULT_LM_STUDIO_CONTEXT = 4096
FRAGMENT_CHARACTERS = 5

Schema = Mapping[str, Any] | bool


# What a test sees and orders


@dataclass(frozen=True)
class Asked:
    """One request as it arrived; `body` is its JSON, or None where there was none."""

    method: str
    target: str
    headers: Mapping[str, str]
    raw: bytes

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def body(self) -> Any:
        try:
            return json.loads(self.raw)
        except ValueError:
            return None


@dataclass(frozen=True)
class Fault:
    """What befalls one request: the next POST, or the next request for `path`. Frames are counted from 1."""

    delay: threading.Event | None = None
    """The first byte waits until the test sets it (the end of the server sets it too)."""
    status: int | None = None
    """Refuse with this status instead of answering."""
    retry_after: str | None = None
    """The header `Retry-After` beside `status`."""
    stream_error: int | None = None
    """The generation fails after so many frames; an answer in one piece fails whole."""
    cut: int | None = None
    """After so many frames half of the next goes out and the connection closes; half of an answer in one piece."""
    path: str | None = None


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
        return _tagged(self.name)

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


OLLAMA_MODELS = (
    OllamaModel("qwen3:4b", capabilities=("completion", "tools", "thinking")),
    OllamaModel("llama3.2", "llama", "3.2B", context=131072, embedding=3072),
    OllamaModel("gemma3:4b", "gemma3", "4.3B", context=131072, capabilities=("completion", "vision")),
    OllamaModel("nomic-embed-text", "nomic-bert", "137M", "F16", 2048, 2048, 768, ("embedding",), 274_302_450),
)

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


# What the model says


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


# HTTP


@dataclass(frozen=True)
class Answer:
    """A body in one piece, or frames of a stream, each in an HTTP chunk of its own. Not `whole`: the end is missing."""

    status: int = 200
    raw: bytes = b""
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    frames: tuple[bytes, ...] | None = None
    whole: bool = True


class _Refused(Exception):
    """An answer that ends the handling of a request."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer


def _dump(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _sse(value: Any) -> bytes:
    return b"data: " + _dump(value) + b"\n\n"


DONE = b"data: [DONE]\n\n"


class _Server(ThreadingHTTPServer):
    """A thread per connection; closing it ends the connections that clients keep alive, and waits for the threads."""

    daemon_threads = False
    request_queue_size = 64

    def __init__(self, play: Callable[[Asked], Answer]) -> None:
        self.play = play
        self.errors: list[BaseException] = []
        self._open: set[socket.socket] = set()
        super().__init__(("127.0.0.1", 0), _Handler)

    def server_bind(self) -> None:
        socketserver.TCPServer.server_bind(self)  # HTTPServer's would look a name up
        self.server_name, self.server_port = self.server_address[:2]

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        error = sys.exception()
        if error is not None and not isinstance(error, OSError):  # that the client hung up is no news
            self.errors.append(error)

    def stop(self) -> None:
        self.shutdown()
        for connection in list(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = GIVE_UP_SECONDS
    server: _Server

    def _serve(self) -> None:
        raw = self.rfile.read(int(self.headers.get("content-length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        answer = self.server.play(Asked(self.command, self.path, headers, raw))
        if not answer.whole:
            self.close_connection = True
        self.send_response_only(answer.status)
        self.send_header("Content-Type", answer.content_type)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if answer.frames is None:
            self.send_header("Content-Length", str(len(answer.raw)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(answer.raw if answer.whole else answer.raw[: len(answer.raw) // 2])
            return
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for frame in answer.frames:
            self.wfile.write(b"%x\r\n%s\r\n" % (len(frame), frame))
        if answer.whole:
            self.wfile.write(b"0\r\n\r\n")

    def __getattr__(self, name: str) -> Any:
        if name.startswith("do_"):  # every method alike
            return self._serve
        raise AttributeError(name)

    def log_message(self, format: str, *args: Any) -> None:
        pass


class _Runtime:
    """A server as a context manager: `seen` is what it was asked, `inject` what shall go wrong."""

    def __init__(self) -> None:
        self.seen: list[Asked] = []
        self._faults: list[Fault] = []
        self._held: list[threading.Event] = []
        self._news = threading.Condition()
        self._server = _Server(self._play)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(POLL_SECONDS,), daemon=True)

    @property
    def port(self) -> int:
        return self._server.server_port

    @property
    def base_url(self) -> str:
        """Without `/v1`."""
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        with self._news:
            held, self._faults = self._held, []
        for event in held:
            event.set()
        self._server.stop()
        self._thread.join(GIVE_UP_SECONDS)
        if self._server.errors and error is None:
            raise self._server.errors[0]

    def inject(self, *faults: Fault) -> None:
        """Queue faults; each befalls one request."""
        with self._news:
            self._faults.extend(faults)

    def wait_for(self, count: int) -> None:
        """Until so many requests have arrived."""
        with self._news:
            assert self._news.wait_for(lambda: len(self.seen) >= count, GIVE_UP_SECONDS), self.seen

    def bodies(self, path: str) -> list[Any]:
        """The JSON bodies of the requests for a path, in order."""
        return [asked.body for asked in self.seen if asked.path == path]

    def _play(self, asked: Asked) -> Answer:
        with self._news:
            fault = self._fault(asked)
            if fault.delay is not None:
                self._held.append(fault.delay)
            self.seen.append(asked)
            self._news.notify_all()
        if fault.delay is not None:
            fault.delay.wait(GIVE_UP_SECONDS)
        if fault.status is not None:
            again = {} if fault.retry_after is None else {"Retry-After": fault.retry_after}
            return self._unwell(asked, fault.status, again)
        try:
            answer = self._answer(asked)
        except _Refused as refused:
            answer = refused.answer
        if fault.stream_error is not None:
            answer = self._failing(asked, answer, fault.stream_error)
        if fault.cut is not None:
            answer = _cut(answer, fault.cut)
        return answer

    def _fault(self, asked: Asked) -> Fault:
        for fault in self._faults:
            if asked.method == "POST" if fault.path is None else asked.path == fault.path:
                self._faults.remove(fault)
                return fault
        return Fault()

    def _answer(self, asked: Asked) -> Answer:
        raise NotImplementedError

    def _unwell(self, asked: Asked, status: int, headers: Mapping[str, str]) -> Answer:
        raise NotImplementedError

    def _failing(self, asked: Asked, answer: Answer, after: int) -> Answer:
        raise NotImplementedError


def _cut(answer: Answer, after: int) -> Answer:
    if answer.frames is None:
        return Answer(answer.status, answer.raw, answer.content_type, answer.headers, whole=False)
    at = min(after, len(answer.frames) - 1)
    half = answer.frames[at][: len(answer.frames[at]) // 2]
    frames = (*answer.frames[:at], half)
    return Answer(answer.status, b"", answer.content_type, answer.headers, frames, whole=False)


def _not_played(asked: Asked) -> Answer:
    return Answer(501, f"this fake does not play {asked.method} {asked.path}".encode(), "text/plain")


def _some_id(asked: Asked, salt: str, length: int, digits: str = DIGITS) -> str:
    """An id that only the request decides."""
    number = int.from_bytes(hashlib.sha256(asked.raw + salt.encode()).digest())
    return "".join(digits[number // len(digits) ** i % len(digits)] for i in range(length))


def _inputs(body: Mapping[str, Any]) -> list[str] | None:
    """The texts to embed, or None where they are no texts."""
    given = body.get("input")
    texts = [given] if isinstance(given, str) else given
    return texts if isinstance(texts, list) and texts and all(isinstance(text, str) for text in texts) else None


# Ollama


def _tagged(name: str) -> str:
    return name if ":" in name.rpartition("/")[2] else f"{name}:latest"


OLLAMA_ERROR_TYPES = {400: "invalid_request_error", 404: "not_found_error"}
OLLAMA_NOT_PLAYED = ("/api/generate", "/api/chat", "/api/embed", "/api/embeddings", "/v1/responses", "/v1/messages")


class FakeOllama(_Runtime):
    """Ollama's own API where it tells of models, and its OpenAI-compatible one. Use as a context manager."""

    def __init__(
        self,
        models: Sequence[OllamaModel | str] = OLLAMA_MODELS,
        version: str = "0.12.6",
        quirks: OllamaQuirks | None = None,
    ) -> None:
        self.models = [model if isinstance(model, OllamaModel) else _ollama_model(model) for model in models]
        self.version = version
        self.quirks = quirks or OllamaQuirks()
        self.loaded = {model.tagged for model in self.models if model.loaded}
        super().__init__()

    def _answer(self, asked: Asked) -> Answer:
        gets: dict[str, Callable[[], Answer]] = {
            "/": lambda: Answer(200, b"Ollama is running", "text/plain; charset=utf-8"),
            "/api/version": lambda: _native({"version": self.version}),
            "/api/tags": lambda: _native({"models": [self._tag(model) for model in self.models]}),
            "/api/ps": lambda: _native({"models": [self._running(m) for m in self.models if m.tagged in self.loaded]}),
            "/v1/models": lambda: _encoded({"object": "list", "data": [self._listed(m) for m in self.models] or None}),
        }
        posts: dict[str, Callable[[Asked], Answer]] = {
            "/api/show": self._show,
            "/v1/chat/completions": self._chat,
            "/v1/completions": self._complete,
            "/v1/embeddings": self._embed,
        }
        path = asked.path
        if asked.method in ("GET", "HEAD") and path in gets:
            return gets[path]()
        if asked.method == "POST" and path in posts:
            return posts[path](asked)
        if asked.method == "GET" and path.startswith("/v1/models/"):
            return self._retrieve(path.removeprefix("/v1/models/"))
        if path in gets or path in posts:
            return Answer(405, b"405 method not allowed", "text/plain")
        if path in OLLAMA_NOT_PLAYED:
            return _not_played(asked)
        return Answer(404, b"404 page not found", "text/plain")

    def _find(self, name: str) -> OllamaModel | None:
        wanted = _tagged(name).lower()
        return next((model for model in self.models if model.tagged.lower() == wanted), None)

    def _details(self, model: OllamaModel) -> dict[str, Any]:
        return {
            "parent_model": "",
            "format": "gguf",
            "family": model.family,
            "families": [model.family],
            "parameter_size": model.parameter_size,
            "quantization_level": model.quantization,
        }

    def _tag(self, model: OllamaModel) -> dict[str, Any]:
        return {
            "name": model.tagged,
            "model": model.tagged,
            "modified_at": "2026-10-01T12:00:00.123456789Z",
            "size": model.size,
            "digest": hashlib.sha256(model.tagged.encode()).hexdigest(),
            "details": self._details(model),
        }

    def _running(self, model: OllamaModel) -> dict[str, Any]:
        row = self._tag(model)
        del row["modified_at"]
        row |= {"expires_at": "2099-01-01T00:00:00.123456789Z", "size_vram": model.size}
        return row if self.quirks.no_context_in_ps else row | {"context_length": min(model.served, model.context)}

    def _listed(self, model: OllamaModel) -> dict[str, Any]:
        return {"id": model.tagged, "object": "model", "created": CREATED, "owned_by": model.namespace}

    def _retrieve(self, name: str) -> Answer:
        model = self._find(name)
        return _encoded({**self._listed(model), "id": name}) if model else _ollama_error(404, _missing(name))

    def _show(self, asked: Asked) -> Answer:
        body = asked.body
        if not isinstance(body, dict):
            return _native({"error": "missing request body"}, 400)
        name = body.get("model") or body.get("name")
        if not name:
            return _native({"error": "model is required"}, 400)
        model = self._find(name)
        if model is None:
            return _native({"error": _missing(name)}, 404)
        shown = {
            "license": "Apache License 2.0",
            "modelfile": f'# Modelfile generated by "ollama show"\nFROM {model.tagged}\n',
            "parameters": 'stop                           "<|im_end|>"',
            "template": "{{ .Prompt }}",
            "details": self._details(model),
            "model_info": {
                "general.architecture": model.family,
                f"{model.family}.context_length": model.context,
                f"{model.family}.embedding_length": model.embedding,
                "tokenizer.ggml.tokens": None,
            },
            "capabilities": list(model.capabilities),
            "modified_at": "2026-10-01T12:00:00.123456789Z",
        }
        if self.quirks.no_capabilities_in_show:
            del shown["capabilities"]
        return _native(shown)

    def _body(self, asked: Asked) -> dict[str, Any]:
        body = asked.body
        if not isinstance(body, dict):
            raise _Refused(_ollama_error(400, "invalid character in request body" if asked.raw else "EOF"))
        return body

    def _serving(self, name: str) -> OllamaModel:
        model = self._find(name)
        if model is None:
            raise _Refused(_ollama_error(404, _missing(name)))
        return model

    def _chat(self, asked: Asked) -> Answer:
        body = self._body(asked)
        messages = body.get("messages")
        if not messages:
            return _ollama_error(400, "[] is too short - 'messages'")
        for message in messages:
            _check_ollama_message(message)
        effort = (body.get("reasoning") or {}).get("effort") or body.get("reasoning_effort")
        if effort not in (None, "", "high", "medium", "low", "none"):
            allowed = '(must be "high", "medium", "low", or "none")'
            return _ollama_error(400, f"invalid reasoning value: '{effort}' {allowed}")
        name = body.get("model") or ""
        if not name:
            return _ollama_error(400, "model is required")
        model = self._serving(name)
        thinks = "thinking" in model.capabilities
        if not thinks and effort not in (None, "", "none"):
            return _ollama_error(400, f'"{name}" does not support thinking')
        if "completion" not in model.capabilities:
            return _ollama_error(400, f'"{name}" does not support chat')
        if body.get("tools") and "tools" not in model.capabilities:
            return _ollama_error(400, f"{model.full_name} does not support tools")
        self.loaded.add(model.tagged)
        context = min(model.served, model.context)
        kept = _fitting(messages, context)
        said = speak(
            body,
            kept,
            prompt_tokens=min(prompt_tokens_of(kept), context),
            thinks=thinks and effort != "none",
            call_ids=["call_" + _some_id(asked, f"call {i}", 8) for i in range(2)],
            parallel=self.quirks.parallel_calls_always or body.get("parallel_tool_calls") is not False,
            json_object=True,
        )
        return self._told(asked, body, said, self._chat_steps(said), _Shape("chat.completion", "chatcmpl", "message"))

    def _complete(self, asked: Asked) -> Answer:
        body = self._body(asked)
        prompt = body.get("prompt") or ""
        if not isinstance(prompt, str):
            problem = "json: cannot unmarshal array into Go struct field CompletionRequest.prompt of type string"
            return _ollama_error(400, problem)
        name = body.get("model") or ""
        model = self._serving(name)
        if "completion" not in model.capabilities:
            return _ollama_error(400, f'"{name}" does not support generate')
        self.loaded.add(model.tagged)
        tokens = min(tokens_of(prompt), model.served, model.context)
        message = {"role": "user", "content": prompt}
        said = speak(body, [message], prompt_tokens=tokens, thinks=False, call_ids=(), may_call=False)
        steps = [{"text": piece} for piece in pieces(said.text)] if prompt else []
        shape = _Shape("text_completion", "cmpl", "text")
        return self._told(asked, body, said if prompt else Said("", "stop", 0), steps, shape, load=not prompt)

    def _chat_steps(self, said: Said) -> list[dict[str, Any]]:
        """The deltas of a chat but the last."""
        steps = [{"content": "", "reasoning": piece} for piece in pieces(said.reasoning)]
        steps += [{"content": piece} for piece in pieces(said.text)]
        if said.calls:
            steps.append({"content": "", "tool_calls": self._calls(said)})
        return steps

    def _calls(self, said: Said) -> list[dict[str, Any]]:
        rows = []
        for i, call in enumerate(said.calls):
            index = {"running": {"index": i}, "zero": {"index": 0}, "missing": {}}[self.quirks.tool_index]
            function = {"name": call.name, "arguments": call.arguments}
            rows.append({"id": call.id, **index, "type": "function", "function": function})
        return rows

    def _told(
        self,
        asked: Asked,
        body: Mapping[str, Any],
        said: Said,
        steps: list[dict[str, Any]],
        shape: _Shape,
        load: bool = False,
    ) -> Answer:
        """The answer in one piece or as a stream; both endpoints differ in names only."""
        chat = shape.field == "message"
        finish: str = "load" if load else said.finish
        finish = finish if self.quirks.finish is None else self.quirks.finish
        head = {
            "id": f"{shape.prefix}-{zlib.crc32(asked.raw) % 999}",  # Ollama draws from 999 numbers
            "object": shape.object,
            "created": CREATED,
            "model": body["model"],
            "system_fingerprint": "fp_ollama",
        }
        if not body.get("stream"):
            choice: dict[str, Any] = {"text": said.text, "index": 0, "finish_reason": finish}
            if chat:
                message: dict[str, Any] = {"role": "assistant", "content": said.text}
                message |= {"reasoning": said.reasoning} if said.reasoning else {}
                message |= {"tool_calls": self._calls(said)} if said.calls else {}
                choice = {"index": 0, "message": message, "finish_reason": finish}
            return _encoded({**head, "choices": [choice], "usage": said.usage})
        head["object"] = "chat.completion.chunk" if chat else "text_completion"
        with_usage = bool((body.get("stream_options") or {}).get("include_usage"))
        empty = {"usage": {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}}
        every = empty if with_usage and (not chat or self.quirks.usage_on_every_chunk) else {}
        frames = []
        for i, step in enumerate([*steps, {"content": ""} if chat else {"text": ""}]):
            reason = finish if i == len(steps) else None
            if chat:
                role = {"role": "assistant"} if i == 0 or self.quirks.role_in_every_chunk else {}
                choices = [{"index": 0, "delta": {**role, **step}, "finish_reason": reason}]
            else:
                choices = [{**step, "index": 0, "finish_reason": reason}]
            frames.append(_sse({**head, "choices": choices, **every}))
        if with_usage:
            frames.append(_sse({**head, "choices": [], "usage": said.usage}))
        return Answer(200, content_type="text/event-stream", frames=(*frames, DONE))

    def _embed(self, asked: Asked) -> Answer:
        body = self._body(asked)
        encoding = str(body.get("encoding_format") or "float").lower()
        if encoding not in ("float", "base64"):
            supported = "Supported values: ['float', 'base64']."
            problem = f"Invalid value for 'encoding_format' = {body['encoding_format']}. {supported}"
            return _ollama_error(400, problem)
        texts = _inputs(body)
        if texts is None:
            return _ollama_error(400, "invalid input" if not body.get("input") else "invalid input type")
        model = self._serving(body.get("model") or "")
        if "embedding" not in model.capabilities:
            return _ollama_error(self.quirks.no_embeddings_status, "this model does not support embeddings")
        self.loaded.add(model.tagged)
        rows = []
        for i, text in enumerate(texts):
            numbers = vector(text, model.embedding)
            if 0 < (wanted := body.get("dimensions") or 0) < len(numbers):
                numbers = normalised(numbers[:wanted])
            packed = base64.b64encode(struct.pack(f"<{len(numbers)}f", *numbers)).decode()
            embedding = packed if encoding == "base64" else numbers
            rows.append({"object": "embedding", "embedding": embedding, "index": i})
        tokens = sum(map(tokens_of, texts))
        usage = {"prompt_tokens": tokens, "total_tokens": tokens}
        return _encoded({"object": "list", "data": rows, "model": body["model"], "usage": usage})

    def _unwell(self, asked: Asked, status: int, headers: Mapping[str, str]) -> Answer:
        text = "server busy, please try again.  maximum pending requests exceeded"
        answer = _ollama_error(status, text) if asked.path.startswith("/v1/") else _native({"error": text}, status)
        return Answer(answer.status, answer.raw, answer.content_type, headers)

    def _failing(self, asked: Asked, answer: Answer, after: int) -> Answer:
        """Ollama reads its own error as a chat without content, so it becomes an empty delta; no `[DONE]` follows."""
        if answer.frames is None or after == 0:
            return _ollama_error(500, "an error was encountered while running the model: unexpected EOF")
        head = json.loads(answer.frames[0].removeprefix(b"data: "))
        delta = {"role": "assistant", "content": ""}
        choice = {"index": 0, "text": ""} if "text" in head["choices"][0] else {"index": 0, "delta": delta}
        last = _sse({**head, "model": "", "choices": [{**choice, "finish_reason": None}]})
        return Answer(200, content_type=answer.content_type, frames=(*answer.frames[:after], last))


@dataclass(frozen=True)
class _Shape:
    object: str
    prefix: str
    field: Literal["message", "text"]


def _ollama_model(name: str) -> OllamaModel:
    if "embed" in name:
        return OllamaModel(name, "nomic-bert", "137M", "F16", 2048, 2048, 768, ("embedding",), 274_302_450)
    return OllamaModel(name)


def _native(value: Any, status: int = 200) -> Answer:
    return Answer(status, _dump(value), "application/json; charset=utf-8")


def _encoded(value: Any, status: int = 200) -> Answer:
    return Answer(status, _dump(value) + b"\n")


def _missing(name: str) -> str:
    return f"model '{name}' not found"


def _ollama_error(status: int, text: str) -> Answer:
    kind = OLLAMA_ERROR_TYPES.get(status, "api_error")
    return _encoded({"error": {"message": text, "type": kind, "param": None, "code": None}}, status)


def _check_ollama_message(message: Mapping[str, Any]) -> None:
    content = message.get("content")
    if content is None and message.get("tool_calls"):
        return
    if not isinstance(content, str | list):
        kind = "<nil>" if content is None else type(content).__name__
        raise _Refused(_ollama_error(400, f"invalid message content type: {kind}"))
    for part in content if isinstance(content, list) else ():
        if part.get("type") == "image_url":
            image = part.get("image_url")
            url = image.get("url", "") if isinstance(image, dict) else image
            if not str(url).startswith("data:"):
                raise _Refused(_ollama_error(400, "invalid image input"))
        elif not isinstance(part.get("text"), str):
            raise _Refused(_ollama_error(400, "invalid message format"))


def _fitting(messages: Sequence[Mapping[str, Any]], context: int) -> list[Mapping[str, Any]]:
    """The system messages and the last one, and as many before it as the context holds: nothing tells of the rest."""
    kept = list(messages)
    while prompt_tokens_of(kept) > context:
        at = next((i for i, message in enumerate(kept[:-1]) if message.get("role") != "system"), None)
        if at is None:
            break
        del kept[at]
    return kept


# LM Studio


NO_MODELS = "No models loaded. Please load a model in the developer page or use the 'lms load' command."
EXPRESS = {"X-Powered-By": "Express"}
LM_STUDIO_NOT_PLAYED = {  # since which version
    "/api/v0/chat/completions": (0, 3, 6),
    "/api/v0/completions": (0, 3, 6),
    "/api/v0/embeddings": (0, 3, 6),
    "/v1/responses": (0, 3, 29),
    "/api/v1/models": (0, 4, 0),
    "/api/v1/chat": (0, 4, 0),
    "/v1/messages": (0, 4, 1),
}


class FakeLmStudio(_Runtime):
    """LM Studio's list of models with their state, and its OpenAI-compatible API. Use as a context manager.

    `version` decides what the changelog dates: `capabilities` since 0.3.16; usage in streams and
    `response_format: text` since 0.3.18 [D].
    """

    def __init__(
        self,
        models: Sequence[LmStudioModel | str] = LM_STUDIO_MODELS,
        version: str = "0.3.31",
        quirks: LmStudioQuirks | None = None,
    ) -> None:
        self.models = [model if isinstance(model, LmStudioModel) else _lm_studio_model(model) for model in models]
        self.version = version
        self.quirks = quirks or LmStudioQuirks()
        self.loaded = {model.id for model in self.models if model.loaded}
        self._since = tuple(int(part) for part in re.findall(r"\d+", version)[:3])
        super().__init__()

    def _answer(self, asked: Asked) -> Answer:
        path = asked.path
        if asked.method == "GET" and path == "/v1/models":
            data = [{"id": m.id, "object": "model", "owned_by": "organization_owner"} for m in self._listed()]
            return _express({"data": data, "object": "list"})
        if asked.method == "GET" and path == "/api/v0/models":
            return _express({"object": "list", "data": [self._entry(model) for model in self.models]})
        if asked.method == "GET" and path.startswith("/api/v0/models/"):
            model = self._find(path.removeprefix("/api/v0/models/"))
            return _express(self._entry(model)) if model else self._unknown(path.rpartition("/")[2])
        posts = {
            "/v1/chat/completions": self._chat,
            "/v1/completions": self._complete,
            "/v1/embeddings": self._embed,
        }
        if asked.method == "POST" and path in posts:
            return posts[path](asked)
        if self._since >= LM_STUDIO_NOT_PLAYED.get(path, (math.inf,)):
            return _not_played(asked)
        return _express({"error": f"Unexpected endpoint or method. ({asked.method} {asked.target})"})

    def _find(self, name: str) -> LmStudioModel | None:
        return next((model for model in self.models if model.id == name), None)

    def _listed(self) -> list[LmStudioModel]:
        return [model for model in self.models if model.id in self.loaded or not self.quirks.no_jit]

    def _entry(self, model: LmStudioModel) -> dict[str, Any]:
        loaded = model.id in self.loaded
        entry: dict[str, Any] = {
            "id": model.id,
            "object": "model",
            "type": model.type,
            "publisher": model.publisher,
            "arch": model.arch,
            "compatibility_type": model.compatibility_type,
            "quantization": model.quantization,
            "state": "loaded" if loaded else "not-loaded",
            "max_context_length": model.max_context,
        }
        if loaded:
            entry["loaded_context_length"] = model.loaded_context
        if self._since >= (0, 3, 16) and model.type != "embeddings":
            entry["capabilities"] = ["tool_use"] if model.tool_use else []
        return entry

    def _error(self, status: int, text: str, code: str | None = None, param: str | None = None) -> Answer:
        """An object where a code is known, else mostly a string."""
        if code is None and not self.quirks.error_objects:
            return _express({"error": text}, status)
        error = {"message": text, "type": "invalid_request_error", "param": param, "code": code}
        return _express({"error": error}, status)

    def _unknown(self, name: str) -> Answer:
        names = "\n".join(model.id for model in self.models)
        text = f'Model "{name}" not found. Please specify a valid model.\n\nYour models:\n\n{names}'
        return self._error(404, text, "model_not_found", "model")

    def _body(self, asked: Asked) -> dict[str, Any]:
        body = asked.body
        if not isinstance(body, dict):
            raise _Refused(self._error(400, "Invalid JSON in the request body"))
        return body

    def _serving(self, name: str) -> LmStudioModel:
        """The named model, loaded just in time; under any other name the one that is loaded."""
        talkers = [model for model in self._listed() if model.type != "embeddings"]
        named = next((model for model in talkers if model.id == name), None)
        loaded = [model for model in talkers if model.id in self.loaded]
        if named is None and len(loaded) == 1:
            return loaded[0]
        if named is None and loaded:
            raise _Refused(self._unknown(name))
        if named is None and (self.quirks.no_jit or not talkers):
            raise _Refused(self._error(400, NO_MODELS))
        if named is None:
            some = ", ".join(model.id for model in talkers[:3])
            text = f'Invalid model identifier "{name}". Please specify a valid downloaded model (e.g., {some}).'
            raise _Refused(self._error(400, text, "model_not_found", "model"))
        self.loaded.add(named.id)
        return named

    def _chat(self, asked: Asked) -> Answer:
        body = self._body(asked)
        try:
            return self._chat_or_refusal(asked, body)
        except _Refused as refused:
            if not (self.quirks.errors_in_stream and body.get("stream")):
                raise
            error = json.loads(refused.answer.raw)["error"]
            return Answer(200, content_type="text/event-stream", headers=EXPRESS, frames=(_error_frame(error),))

    def _chat_or_refusal(self, asked: Asked, body: dict[str, Any]) -> Answer:
        messages = body.get("messages")
        if not isinstance(messages, list):
            raise _Refused(self._error(400, "'messages' field is required"))
        choice = body.get("tool_choice")
        if isinstance(choice, dict):
            text = "Invalid tool_choice type: 'object'. Supported string values: none, auto, required"
            raise _Refused(self._error(400, text))
        self._check_format(body.get("response_format"))
        model = self._serving(str(body.get("model") or ""))
        prompt_tokens = prompt_tokens_of(messages)
        if prompt_tokens >= model.loaded_context:
            return self._too_long(asked, body, model, prompt_tokens)
        said = speak(
            body,
            messages,
            prompt_tokens=prompt_tokens,
            thinks=model.thinks,
            call_ids=[_some_id(asked, f"call {i}", 9, "0123456789") for i in range(2)],
            must_call=choice == "required",
            may_call=choice != "none",
            parallel=body.get("parallel_tool_calls") is not False,
        )
        if said.calls and self.quirks.unparsable_calls:
            call = said.calls[0]
            text = f'<tool_call>\n{{"name": "{call.name}", "arguments": {call.arguments}'
            said = Said(text, "stop", prompt_tokens, said.reasoning)
        return self._told(asked, body, model, said)

    def _check_format(self, wanted: Any) -> None:
        with_text = self._since >= (0, 3, 18)
        kind = (wanted or {}).get("type")
        if kind == "json_schema":
            if not isinstance((wanted.get("json_schema") or {}).get("schema"), dict):
                raise _Refused(self._error(400, "'response_format.json_schema.schema' must be an object"))
        elif kind is not None and not (kind == "text" and with_text):
            also = " or 'text'" if with_text else ""
            raise _Refused(self._error(400, f"'response_format.type' must be 'json_schema'{also}"))

    def _too_long(self, asked: Asked, body: Mapping[str, Any], model: LmStudioModel, tokens: int) -> Answer:
        if self.quirks.too_long == "400":
            raise _Refused(
                self._error(
                    400,
                    "The number of tokens to keep from the initial prompt is greater than the context length "
                    f"(n_keep: {tokens}>= n_ctx: {model.loaded_context}). Try to load the model with a larger "
                    "context length, or provide a shorter input.",
                )
            )
        if self.quirks.too_long == "bare" and body.get("stream"):
            return Answer(200, content_type="text/event-stream", headers=EXPRESS, frames=(DONE,))
        return self._told(asked, body, model, Said("", "stop", tokens))

    def _head(self, asked: Asked, model: LmStudioModel, prefix: str, kind: str) -> dict[str, Any]:
        return {
            "id": f"{prefix}-{_some_id(asked, 'id', 21)}",
            "object": kind,
            "created": CREATED,
            "model": model.id,
        }

    def _told(self, asked: Asked, body: Mapping[str, Any], model: LmStudioModel, said: Said) -> Answer:
        reasoning = {self.quirks.reasoning_field: said.reasoning} if said.reasoning else {}
        if not body.get("stream"):
            calls = [
                {"type": "function", "id": call.id, "function": {"name": call.name, "arguments": call.arguments}}
                for call in said.calls
            ]
            message = {"role": "assistant", "content": said.text, **reasoning, "tool_calls": calls}  # also when empty
            choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": said.finish}
            head = self._head(asked, model, "chatcmpl", "chat.completion")
            rest = {"usage": said.usage, "stats": {}, "system_fingerprint": model.id}
            return _express({**head, "choices": [choice], **rest})
        deltas: list[dict[str, Any]] = []
        deltas += [{"role": "assistant", self.quirks.reasoning_field: piece} for piece in pieces(said.reasoning)]
        deltas += [{"role": "assistant", "content": piece} for piece in pieces(said.text)]
        for i, call in enumerate(said.calls):
            deltas += [{"role": "assistant", "tool_calls": [row]} for row in self._fragments(asked, i, call)]
        choices = [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": None} for delta in deltas]
        choices.append({"index": 0, "delta": {}, "logprobs": None, "finish_reason": said.finish})
        head = self._head(asked, model, "chatcmpl", "chat.completion.chunk") | {"system_fingerprint": model.id}
        return self._streamed(body, head, choices, said)

    def _fragments(self, asked: Asked, index: int, call: Call) -> Iterator[dict[str, Any]]:
        first = {"name": call.name, "arguments": ""}
        yield {"index": index, "id": call.id, "type": "function", "function": first}
        for at in range(0, len(call.arguments), FRAGMENT_CHARACTERS):
            later = {"name": "", "arguments": call.arguments[at : at + FRAGMENT_CHARACTERS]}
            own = _some_id(asked, f"call {index} {at}", 9, "0123456789")
            fresh = {"id": own} if self.quirks.new_id_per_fragment else {}
            yield {"index": index, **fresh, "type": "function", "function": later}

    def _streamed(
        self, body: Mapping[str, Any], head: Mapping[str, Any], choices: Sequence[Mapping[str, Any]], said: Said
    ) -> Answer:
        frames = [_sse({**head, "choices": [choice]}) for choice in choices]
        if (body.get("stream_options") or {}).get("include_usage") and self._since >= (0, 3, 18):
            frames.append(_sse({**head, "choices": [], "usage": said.usage}))
        return Answer(200, content_type="text/event-stream", headers=EXPRESS, frames=(*frames, DONE))

    def _complete(self, asked: Asked) -> Answer:
        body = self._body(asked)
        prompt = body.get("prompt")
        if not isinstance(prompt, str):
            return self._error(400, "'prompt' field must be a string")
        model = self._serving(str(body.get("model") or ""))
        message = {"role": "user", "content": prompt}
        if (tokens := tokens_of(prompt)) >= model.loaded_context:
            raise _Refused(self._error(400, f"The prompt of {tokens} tokens exceeds the context length"))
        said = speak(body, [message], prompt_tokens=tokens, thinks=False, call_ids=(), may_call=False)
        head = self._head(asked, model, "cmpl", "text_completion")
        if body.get("stream"):
            texts = [*((piece, None) for piece in pieces(said.text)), ("", said.finish)]
            choices = [{"index": 0, "text": text, "logprobs": None, "finish_reason": end} for text, end in texts]
            return self._streamed(body, head, choices, said)
        choice = {"index": 0, "text": said.text, "logprobs": None, "finish_reason": said.finish}
        return _express({**head, "choices": [choice], "usage": said.usage, "stats": {}})

    def _embed(self, asked: Asked) -> Answer:
        """Always floats, whatever `encoding_format` and `dimensions` say, and without counting tokens."""
        body = self._body(asked)
        texts = _inputs(body)
        if texts is None:
            return self._error(400, "'input' field must be a string or an array of strings")
        name = str(body.get("model") or "")
        model = next((model for model in self._listed() if model.id == name), None)
        if model is None or model.type != "embeddings":
            problem = "does not exist" if model is None else "is not embedding"
            text = f'Failed to load model "{name}". Error: Model {problem}.'
            if model is None and self.quirks.unknown_embedding_is_200:
                return self._error(200, text)
            return self._error(400, text, "model_not_found", "model")
        self.loaded.add(model.id)
        rows = [
            {"object": "embedding", "embedding": vector(text, model.dimensions), "index": i}
            for i, text in enumerate(texts)
        ]
        usage = {"prompt_tokens": 0, "total_tokens": 0}
        return _express({"object": "list", "data": rows, "model": model.id, "usage": usage})

    def _unwell(self, asked: Asked, status: int, headers: Mapping[str, str]) -> Answer:
        answer = self._error(status, "The server is busy. Try again later.")
        return Answer(status, answer.raw, answer.content_type, {**EXPRESS, **headers})

    def _failing(self, asked: Asked, answer: Answer, after: int) -> Answer:
        text = "The model has crashed without additional information. (Exit code: 6)"
        refusal = self._error(400, text)
        if answer.frames is None:
            return refusal
        last = _error_frame(json.loads(refusal.raw)["error"])
        return Answer(200, content_type=answer.content_type, headers=EXPRESS, frames=(*answer.frames[:after], last))


def _lm_studio_model(name: str) -> LmStudioModel:
    if "embed" in name:
        return LmStudioModel(name, "embeddings", "nomic-ai", "nomic-bert", max_context=2048, loaded_context=2048)
    return LmStudioModel(name)


def _express(value: Any, status: int = 200) -> Answer:
    return Answer(status, _dump(value), "application/json; charset=utf-8", EXPRESS)


def _error_frame(error: Any) -> bytes:
    """How LM Studio ends a stream that failed: no `[DONE]` follows [I]."""
    message = error["message"] if isinstance(error, dict) else error
    return b"event: error\n" + _sse({"error": error, "message": message})
