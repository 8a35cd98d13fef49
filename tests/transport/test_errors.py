"""What a server's refusal means: status and body to one tree of errors, the same for plain and streamed chats."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import httpx
import pytest

from aldo import errors
from aldo.errors import TransportError
from aldo.transport import ModelClient
from tests.support.bound import ASK, COMPLETION, Wire, bind, entry

KINDS = ("openai-compat", "mlx")
CODES = {
    "connection": errors.ConnectionFailed,
    "timeout": errors.TransportTimeout,
    "rate_limited": errors.RateLimited,
    "context_exceeded": errors.ContextExceeded,
    "model_not_found": errors.ModelNotFound,
    "server_loading": errors.ServerLoading,
    "bad_request": errors.BadRequest,
    "unauthorized": errors.Unauthorized,
    "server_error": errors.ServerError,
    "stream_cut": errors.StreamCut,
    "protocol": errors.ProtocolError,
    "tool_call_unparsable": errors.ToolCallUnparsable,
    "egress_refused": errors.EgressRefused,
    "schema_mismatch": errors.SchemaMismatch,
}


def plain(client: ModelClient) -> Any:
    return client.chat(ASK)


def streamed(client: ModelClient) -> Any:
    return list(client.stream(ASK))


WAYS = [pytest.param(plain, id="plain"), pytest.param(streamed, id="streamed")]


def failure(kind: str, way: Callable[[ModelClient], Any], response: Callable[[], httpx.Response]) -> TransportError:
    wire = Wire(lambda request: response())
    model = entry(kind, {"baseUrl": "http://x", "model": "asked"})
    with bind(model, http=wire) as client, pytest.raises(TransportError) as caught:
        way(client)
    assert len(wire.requests) == 1
    error = caught.value
    assert type(error) is CODES[error.code]
    assert error.exit_code == 3
    told = error.to_dict()
    assert told["code"] == error.code
    assert told["message"]
    json.dumps(told)
    assert "the-entry" in json.dumps(told)  # it says which entry failed
    return error


@dataclass(frozen=True)
class Row:
    """One refusal: what came, what it means, and for which kinds."""

    status: int
    body: Any
    code: str | tuple[str, ...]
    headers: Mapping[str, str] = field(default_factory=dict)
    kinds: tuple[str, ...] = KINDS

    @property
    def codes(self) -> tuple[str, ...]:
        return (self.code,) if isinstance(self.code, str) else self.code

    def response(self) -> httpx.Response:
        if isinstance(self.body, str):
            headers = {"content-type": "text/html" if "<html" in self.body else "application/json"}
            return httpx.Response(self.status, text=self.body, headers={**headers, **self.headers})
        headers = {"content-type": "application/json", **self.headers}
        return httpx.Response(self.status, content=json.dumps(self.body), headers=headers)


def openai(message: str, kind: str = "invalid_request_error", code: Any = None) -> dict[str, Any]:
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}


VLLM_LONG = "This model's maximum context length is 512 tokens. However, you requested 900 tokens. Please reduce it."
LLAMA_LONG = {
    "error": {
        "code": 400, "type": "exceed_context_size_error", "n_prompt_tokens": 900, "n_ctx": 512,
        "message": "request (900 tokens) exceeds the available context size (512 tokens), try increasing it",
    }
}  # fmt: skip
NO_SNAPSHOT = "Cannot find an appropriate cached snapshot folder for the specified revision on the local disk."
NO_MESSAGES = "Cannot apply chat template to an empty conversation. Provide at least one message."
HTML = "<!DOCTYPE html><html><body><h1>502 Bad Gateway</h1></body></html>"

ROWS = {
    "401 of vLLM": Row(401, {"error": "Unauthorized"}, "unauthorized"),
    "401 without a body": Row(401, "", "unauthorized"),
    "401 of OpenAI": Row(401, openai("Incorrect API key provided", code="invalid_api_key"), "unauthorized"),
    "403": Row(403, openai("Country not supported"), "unauthorized"),
    "404 of Ollama": Row(404, openai('model "asked" not found, try pulling it first', "api_error"), "model_not_found"),
    "404 of vLLM": Row(404, openai("The model `asked` does not exist.", "NotFoundError", 404), "model_not_found"),
    "404 of OpenAI": Row(404, openai("No such thing", code="model_not_found"), "model_not_found"),
    "404 of mlx": Row(404, {"error": NO_SNAPSHOT}, "model_not_found", kinds=("mlx",)),
    "404 of mlx for no messages": Row(404, {"error": NO_MESSAGES}, "bad_request", kinds=("mlx",)),
    "400 with a text": Row(400, {"error": "max_tokens must be at least 1"}, "bad_request"),
    "400 of OpenAI": Row(400, openai("Unknown parameter"), "bad_request"),
    "422": Row(422, {"detail": [{"msg": "field required"}]}, "bad_request"),
    "400, too long for vLLM": Row(400, openai(VLLM_LONG, "BadRequestError", 400), "context_exceeded"),
    "400, too long for llama.cpp": Row(400, LLAMA_LONG, "context_exceeded"),
    "400, too long by its code": Row(400, openai("Too much.", code="context_length_exceeded"), "context_exceeded"),
    "400, LM Studio's text": Row(
        400, {"error": "The number of tokens to keep exceeds the context length"}, "context_exceeded"
    ),
    "429": Row(429, openai("Slow down", "rate_limit_error"), "rate_limited"),
    "503, loading": Row(503, openai("Loading model", "unavailable_error", 503), "server_loading"),
    "503, else": Row(503, openai("No workers", "overloaded", 503), "server_error"),
    "500": Row(500, openai("CUDA error", "server_error", 500), "server_error"),
    "500 with a text": Row(500, "Internal Server Error", "server_error"),
    "500 without a body": Row(500, "", "server_error"),
    "502, a proxy's page": Row(502, HTML, ("server_error", "protocol")),
    "504": Row(504, HTML, ("server_error", "timeout", "protocol")),
    "404, a proxy's page": Row(404, HTML, ("protocol", "bad_request", "server_error")),
    "418": Row(418, {}, ("bad_request", "server_error", "protocol")),
    "599": Row(599, "", "server_error"),
    "200 with an error text": Row(200, {"error": "Unexpected endpoint"}, ("server_error", "protocol", "bad_request")),
    "200 with an error object": Row(200, openai("boom", "server_error"), "server_error"),
    "200, error with code 500": Row(200, openai("boom", "InternalServerError", 500), "server_error"),
    "200, error with code 400": Row(200, openai("bad", "BadRequestError", 400), "bad_request"),
    "200, error with code 429": Row(200, openai("slow", "rate", 429), "rate_limited"),
    "200, error with code 503": Row(200, openai("Loading model", "unavailable_error", 503), "server_loading"),
    "200, too long": Row(200, LLAMA_LONG, "context_exceeded"),
    "200, error beside an answer": Row(200, COMPLETION | {"error": {"message": "boom"}}, "server_error"),
    "200, a page": Row(200, HTML, "protocol"),
    "200, empty": Row(200, "", ("protocol", "stream_cut")),
    "200, broken JSON": Row(200, '{"choices": [', ("protocol", "stream_cut")),
    "200, JSON of another kind": Row(200, [1, 2], "protocol"),
    "200, null": Row(200, None, ("protocol", "stream_cut")),
    "200, no choices": Row(200, {"object": "chat.completion", "choices": []}, ("protocol", "stream_cut")),
    "200, null choices": Row(200, {"choices": None}, ("protocol", "stream_cut")),
    "200, an unknown object": Row(200, {"hello": "world"}, ("protocol", "stream_cut")),
    "204": Row(204, "", ("protocol", "stream_cut", "server_error")),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("row", "kind"), [pytest.param(row, kind, id=f"{name}-{kind}")
                                           for name, row in ROWS.items() for kind in row.kinds])  # fmt: skip
def test_a_refusal_is_named(row: Row, kind: str, way: Callable[[ModelClient], Any]) -> None:
    error = failure(kind, way, row.response)
    assert error.code in row.codes, f"{error.code}: {error}"
    if row.status >= 400:
        assert error.status == row.status


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("body", ["Not Found", '{"detail":"Not Found"}', "404 page not found"])
def test_an_unknown_path_is_not_an_unknown_model(kind: str, body: str) -> None:
    error = failure(kind, plain, Row(404, body, ()).response)
    assert error.code in ("bad_request", "protocol", "server_error")


IN_5000_SECONDS = "a date, written when the test runs"
WAITS: dict[str | None, tuple[float, float] | None] = {
    "7": (7, 7), "0": (0, 0), "2.5": (2.5, 2.5), " 12 ": (12, 12), IN_5000_SECONDS: (1, 5000),
    "Wed, 21 Oct 2015 07:28:00 GMT": (0, 0),
    None: None, "": None, "soon": None, "-5": None, "nan": None, "inf": None, "1e999": None,
}  # fmt: skip


@pytest.mark.parametrize(("value", "seconds"), WAITS.items())
@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_seconds_a_date_or_nothing(
    status: int, value: str | None, seconds: tuple[float, float] | None
) -> None:
    if value == IN_5000_SECONDS:
        value = format_datetime(datetime.now(UTC) + timedelta(seconds=5000), usegmt=True)
    headers = {} if value is None else {"Retry-After": value}
    error = failure("openai-compat", plain, Row(status, openai("later"), (), headers).response)
    if value in ("-5", "Wed, 21 Oct 2015 07:28:00 GMT"):  # nonsense, or already over: no wait either way
        assert error.retry_after in (None, 0)
    elif seconds is None:
        assert error.retry_after is None
    else:
        assert error.retry_after is not None
        assert seconds[0] <= error.retry_after <= seconds[1]
    json.dumps(error.to_dict(), allow_nan=False)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_an_error_and_is_not_followed(status: int, way: Callable[[ModelClient], Any]) -> None:
    elsewhere = Row(status, "", (), {"Location": "http://elsewhere/v1/chat/completions"})
    failure("openai-compat", way, elsewhere.response)  # asserts one request


def test_codes_are_the_published_ones_and_all_end_with_3_but_for_an_answer_of_another_shape() -> None:
    def below(kind: type[TransportError]) -> set[type[TransportError]]:
        return {child for direct in kind.__subclasses__() for child in (direct, *below(direct))}

    assert {kind.code: kind for kind in below(TransportError)} == CODES
    assert {code: kind.exit_code for code, kind in CODES.items()} == dict.fromkeys(CODES, 3) | {"schema_mismatch": 1}
