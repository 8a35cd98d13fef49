"""LM Studio, so far as the facts table records it."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tests.support.fake_runtimes.http_server import DONE, Answer, Asked, Refused, dumped, sse_frame
from tests.support.fake_runtimes.lm_studio_models import LM_STUDIO_MODELS, LmStudioModel, LmStudioQuirks
from tests.support.fake_runtimes.runtime import CREATED, Runtime, not_played, some_id, texts_to_embed
from tests.support.fake_runtimes.speaking import Call, Said, pieces, prompt_tokens_of, speak, tokens_of, vector

FRAGMENT_CHARACTERS = 5

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


class FakeLmStudio(Runtime):
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
            return not_played(asked)
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
            raise Refused(self._error(400, "Invalid JSON in the request body"))
        return body

    def _serving(self, name: str) -> LmStudioModel:
        """The named model, loaded just in time; under any other name the one that is loaded."""
        talkers = [model for model in self._listed() if model.type != "embeddings"]
        named = next((model for model in talkers if model.id == name), None)
        loaded = [model for model in talkers if model.id in self.loaded]
        if named is None and len(loaded) == 1:
            return loaded[0]
        if named is None and loaded:
            raise Refused(self._unknown(name))
        if named is None and (self.quirks.no_jit or not talkers):
            raise Refused(self._error(400, NO_MODELS))
        if named is None:
            some = ", ".join(model.id for model in talkers[:3])
            text = f'Invalid model identifier "{name}". Please specify a valid downloaded model (e.g., {some}).'
            raise Refused(self._error(400, text, "model_not_found", "model"))
        self.loaded.add(named.id)
        return named

    def _chat(self, asked: Asked) -> Answer:
        body = self._body(asked)
        try:
            return self._chat_or_refusal(asked, body)
        except Refused as refused:
            if not (self.quirks.errors_in_stream and body.get("stream")):
                raise
            error = json.loads(refused.answer.raw)["error"]
            return Answer(200, content_type="text/event-stream", headers=EXPRESS, frames=(_error_frame(error),))

    def _chat_or_refusal(self, asked: Asked, body: dict[str, Any]) -> Answer:
        messages = body.get("messages")
        if not isinstance(messages, list):
            raise Refused(self._error(400, "'messages' field is required"))
        choice = body.get("tool_choice")
        if isinstance(choice, dict):
            text = "Invalid tool_choice type: 'object'. Supported string values: none, auto, required"
            raise Refused(self._error(400, text))
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
            call_ids=[some_id(asked, f"call {i}", 9, "0123456789") for i in range(2)],
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
                raise Refused(self._error(400, "'response_format.json_schema.schema' must be an object"))
        elif kind is not None and not (kind == "text" and with_text):
            also = " or 'text'" if with_text else ""
            raise Refused(self._error(400, f"'response_format.type' must be 'json_schema'{also}"))

    def _too_long(self, asked: Asked, body: Mapping[str, Any], model: LmStudioModel, tokens: int) -> Answer:
        if self.quirks.too_long == "400":
            raise Refused(
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
            "id": f"{prefix}-{some_id(asked, 'id', 21)}",
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
            own = some_id(asked, f"call {index} {at}", 9, "0123456789")
            fresh = {"id": own} if self.quirks.new_id_per_fragment else {}
            yield {"index": index, **fresh, "type": "function", "function": later}

    def _streamed(
        self, body: Mapping[str, Any], head: Mapping[str, Any], choices: Sequence[Mapping[str, Any]], said: Said
    ) -> Answer:
        frames = [sse_frame({**head, "choices": [choice]}) for choice in choices]
        if (body.get("stream_options") or {}).get("include_usage") and self._since >= (0, 3, 18):
            frames.append(sse_frame({**head, "choices": [], "usage": said.usage}))
        return Answer(200, content_type="text/event-stream", headers=EXPRESS, frames=(*frames, DONE))

    def _complete(self, asked: Asked) -> Answer:
        body = self._body(asked)
        prompt = body.get("prompt")
        if not isinstance(prompt, str):
            return self._error(400, "'prompt' field must be a string")
        model = self._serving(str(body.get("model") or ""))
        message = {"role": "user", "content": prompt}
        if (tokens := tokens_of(prompt)) >= model.loaded_context:
            raise Refused(self._error(400, f"The prompt of {tokens} tokens exceeds the context length"))
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
        texts = texts_to_embed(body)
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
    return Answer(status, dumped(value), "application/json; charset=utf-8", EXPRESS)


def _error_frame(error: Any) -> bytes:
    """How LM Studio ends a stream that failed: no `[DONE]` follows [I]."""
    message = error["message"] if isinstance(error, dict) else error
    return b"event: error\n" + sse_frame({"error": error, "message": message})
