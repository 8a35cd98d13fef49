"""Ollama, so far as the facts table records it."""

from __future__ import annotations

import base64
import hashlib
import json
import struct
import zlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tests.support.fake_runtimes.http_server import DONE, Answer, Asked, Refused, sse_frame
from tests.support.fake_runtimes.ollama_answers import (
    Shape,
    check_ollama_message,
    encoded,
    native,
    not_found,
    ollama_error,
)
from tests.support.fake_runtimes.ollama_models import OLLAMA_MODELS, OllamaModel, OllamaQuirks, ollama_model, with_tag
from tests.support.fake_runtimes.runtime import CREATED, Runtime, not_played, some_id, texts_to_embed
from tests.support.fake_runtimes.speaking import Said, normalised, pieces, prompt_tokens_of, speak, tokens_of, vector

OLLAMA_NOT_PLAYED = ("/api/generate", "/api/chat", "/api/embed", "/api/embeddings", "/v1/responses", "/v1/messages")


class FakeOllama(Runtime):
    """Ollama's own API where it tells of models, and its OpenAI-compatible one. Use as a context manager."""

    def __init__(
        self,
        models: Sequence[OllamaModel | str] = OLLAMA_MODELS,
        version: str = "0.12.6",
        quirks: OllamaQuirks | None = None,
    ) -> None:
        self.models = [model if isinstance(model, OllamaModel) else ollama_model(model) for model in models]
        self.version = version
        self.quirks = quirks or OllamaQuirks()
        self.loaded = {model.tagged for model in self.models if model.loaded}
        super().__init__()

    def _answer(self, asked: Asked) -> Answer:
        gets: dict[str, Callable[[], Answer]] = {
            "/": lambda: Answer(200, b"Ollama is running", "text/plain; charset=utf-8"),
            "/api/version": lambda: native({"version": self.version}),
            "/api/tags": lambda: native({"models": [self._tag(model) for model in self.models]}),
            "/api/ps": lambda: native({"models": [self._running(m) for m in self.models if m.tagged in self.loaded]}),
            "/v1/models": lambda: encoded({"object": "list", "data": [self._listed(m) for m in self.models] or None}),
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
            return not_played(asked)
        return Answer(404, b"404 page not found", "text/plain")

    def _find(self, name: str) -> OllamaModel | None:
        wanted = with_tag(name).lower()
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
        return encoded({**self._listed(model), "id": name}) if model else ollama_error(404, not_found(name))

    def _show(self, asked: Asked) -> Answer:
        body = asked.body
        if not isinstance(body, dict):
            return native({"error": "missing request body"}, 400)
        name = body.get("model") or body.get("name")
        if not name:
            return native({"error": "model is required"}, 400)
        model = self._find(name)
        if model is None:
            return native({"error": not_found(name)}, 404)
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
        return native(shown)

    def _body(self, asked: Asked) -> dict[str, Any]:
        body = asked.body
        if not isinstance(body, dict):
            raise Refused(ollama_error(400, "invalid character in request body" if asked.raw else "EOF"))
        return body

    def _serving(self, name: str) -> OllamaModel:
        model = self._find(name)
        if model is None:
            raise Refused(ollama_error(404, not_found(name)))
        return model

    def _chat(self, asked: Asked) -> Answer:
        body = self._body(asked)
        messages = body.get("messages")
        if not messages:
            return ollama_error(400, "[] is too short - 'messages'")
        for message in messages:
            check_ollama_message(message)
        effort = (body.get("reasoning") or {}).get("effort") or body.get("reasoning_effort")
        if effort not in (None, "", "high", "medium", "low", "none"):
            allowed = '(must be "high", "medium", "low", or "none")'
            return ollama_error(400, f"invalid reasoning value: '{effort}' {allowed}")
        name = body.get("model") or ""
        if not name:
            return ollama_error(400, "model is required")
        model = self._serving(name)
        thinks = "thinking" in model.capabilities
        if not thinks and effort not in (None, "", "none"):
            return ollama_error(400, f'"{name}" does not support thinking')
        if "completion" not in model.capabilities:
            return ollama_error(400, f'"{name}" does not support chat')
        if body.get("tools") and "tools" not in model.capabilities:
            return ollama_error(400, f"{model.full_name} does not support tools")
        self.loaded.add(model.tagged)
        context = min(model.served, model.context)
        kept = _fitting(messages, context)
        said = speak(
            body,
            kept,
            prompt_tokens=min(prompt_tokens_of(kept), context),
            thinks=thinks and effort != "none",
            call_ids=["call_" + some_id(asked, f"call {i}", 8) for i in range(2)],
            parallel=self.quirks.parallel_calls_always or body.get("parallel_tool_calls") is not False,
            json_object=True,
        )
        return self._told(asked, body, said, self._chat_steps(said), Shape("chat.completion", "chatcmpl", "message"))

    def _complete(self, asked: Asked) -> Answer:
        body = self._body(asked)
        prompt = body.get("prompt") or ""
        if not isinstance(prompt, str):
            problem = "json: cannot unmarshal array into Go struct field CompletionRequest.prompt of type string"
            return ollama_error(400, problem)
        name = body.get("model") or ""
        model = self._serving(name)
        if "completion" not in model.capabilities:
            return ollama_error(400, f'"{name}" does not support generate')
        self.loaded.add(model.tagged)
        tokens = min(tokens_of(prompt), model.served, model.context)
        message = {"role": "user", "content": prompt}
        said = speak(body, [message], prompt_tokens=tokens, thinks=False, call_ids=(), may_call=False)
        steps = [{"text": piece} for piece in pieces(said.text)] if prompt else []
        shape = Shape("text_completion", "cmpl", "text")
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
        shape: Shape,
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
            return encoded({**head, "choices": [choice], "usage": said.usage})
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
            frames.append(sse_frame({**head, "choices": choices, **every}))
        if with_usage:
            frames.append(sse_frame({**head, "choices": [], "usage": said.usage}))
        return Answer(200, content_type="text/event-stream", frames=(*frames, DONE))

    def _embed(self, asked: Asked) -> Answer:
        body = self._body(asked)
        encoding = str(body.get("encoding_format") or "float").lower()
        if encoding not in ("float", "base64"):
            supported = "Supported values: ['float', 'base64']."
            problem = f"Invalid value for 'encoding_format' = {body['encoding_format']}. {supported}"
            return ollama_error(400, problem)
        texts = texts_to_embed(body)
        if texts is None:
            return ollama_error(400, "invalid input" if not body.get("input") else "invalid input type")
        model = self._serving(body.get("model") or "")
        if "embedding" not in model.capabilities:
            return ollama_error(self.quirks.no_embeddings_status, "this model does not support embeddings")
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
        return encoded({"object": "list", "data": rows, "model": body["model"], "usage": usage})

    def _unwell(self, asked: Asked, status: int, headers: Mapping[str, str]) -> Answer:
        text = "server busy, please try again.  maximum pending requests exceeded"
        answer = ollama_error(status, text) if asked.path.startswith("/v1/") else native({"error": text}, status)
        return Answer(answer.status, answer.raw, answer.content_type, headers)

    def _failing(self, asked: Asked, answer: Answer, after: int) -> Answer:
        """Ollama reads its own error as a chat without content, so it becomes an empty delta; no `[DONE]` follows."""
        if answer.frames is None or after == 0:
            return ollama_error(500, "an error was encountered while running the model: unexpected EOF")
        head = json.loads(answer.frames[0].removeprefix(b"data: "))
        delta = {"role": "assistant", "content": ""}
        choice = {"index": 0, "text": ""} if "text" in head["choices"][0] else {"index": 0, "delta": delta}
        last = sse_frame({**head, "model": "", "choices": [{**choice, "finish_reason": None}]})
        return Answer(200, content_type=answer.content_type, frames=(*answer.frames[:after], last))


def _fitting(messages: Sequence[Mapping[str, Any]], context: int) -> list[Mapping[str, Any]]:
    """The system messages and the last one, and as many before it as the context holds: nothing tells of the rest."""
    kept = list(messages)
    while prompt_tokens_of(kept) > context:
        at = next((i for i, message in enumerate(kept[:-1]) if message.get("role") != "system"), None)
        if at is None:
            break
        del kept[at]
    return kept
