"""A model that gives the answers of the test, and what becomes of them."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from aldo.errors import SchemaMismatch
from aldo.schema.usage import UsageRow
from aldo.transport import ChatRequest, ChatResult, ModelClient, json_schema_format
from tests.support.bound import COMPLETION, USER, Wire, bind, entry

KINDS = ["openai-compat", "mlx"]
ANY_OBJECT = {"type": "json_object"}


class Model:
    """A client whose model gives these answers in turn; the last one stays. An answer is a text or a whole choice."""

    def __init__(self, *answers: Any, kind: str = "openai-compat", **more: Any) -> None:
        self.rows: list[UsageRow] = []
        self._answers = answers
        self.wire = Wire(self._answer)
        model = entry(kind, {"baseUrl": "http://x"})
        self.client: ModelClient = bind(model, http=self.wire, on_usage=self.rows.append, **more)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        answer = self._answers[min(len(self.wire.requests), len(self._answers)) - 1]
        if isinstance(answer, httpx.Response):
            return answer
        choice = answer if isinstance(answer, dict) else {"message": {"content": answer}, "finish_reason": "stop"}
        if not json.loads(request.content)["stream"]:
            return httpx.Response(200, text=json.dumps({**COMPLETION, "choices": [choice]}))
        pieces = [{"choices": [{"delta": {"content": c}}]} for c in choice["message"].pop("content", None) or ""]
        chunks = [*pieces, {"choices": [{"delta": choice["message"], "finish_reason": choice["finish_reason"]}]}]
        return httpx.Response(200, text="".join(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks))

    @property
    def outcomes(self) -> list[str]:
        return [row.outcome for row in self.rows]


def asking(schema: Any, repairs: int = 0, **more: Any) -> ChatRequest:
    wanted = json_schema_format(schema) if schema is not ANY_OBJECT else ANY_OBJECT
    return ChatRequest(messages=(USER,), max_tokens=8, response_format=wanted, repairs=repairs, **more)


def answered(schema: Any, *answers: Any, repairs: int = 0, **more: Any) -> ChatResult:
    return Model(*answers, **more).client.chat(asking(schema, repairs))


def refused(schema: Any, *answers: Any, **more: Any) -> SchemaMismatch:
    with pytest.raises(SchemaMismatch) as caught:
        answered(schema, *answers, **more)
    assert caught.value.exit_code == 1
    return caught.value


INTEGER = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}
