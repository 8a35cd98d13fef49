"""The gateway against its own OpenAPI document: schemathesis asks what the document allows, and what it does not."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from copy import deepcopy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.generation import GenerationMode

from aldo.api import Settings, create_app
from tests.api.live.gateway import GatewayProcess, entry, write_catalog
from tests.support.server_process import HOST, free_port

load_all_checks()

EXAMPLES = settings(
    max_examples=40,
    derandomize=True,
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
)
POSTS = ("/v1/chat/completions", "/v1/embeddings", "/v1/route")
GETS = ("/v1/models", "/v1/models/{model}", "/health", "/metrics")
MODES = pytest.mark.parametrize("mode", GenerationMode, ids=lambda mode: mode.value)
ASK = {"messages": [{"role": "user", "content": "hi"}]}

FAULTS: dict[str, tuple[int, str, int]] = {
    "breaks": (500, '{"error": {"message": "it broke", "code": 500}}', 502),
    "loads": (503, '{"error": {"message": "Loading model", "code": 503}}', 503),
    "slows": (429, '{"error": {"message": "too fast"}}', 429),
    "refuses": (400, '{"error": {"message": "that makes no sense"}}', 400),
    "locks": (401, '{"error": {"message": "who are you"}}', 502),
    "lacks": (404, '{"error": {"message": "no such model", "code": 404}}', 502),
    "strays": (200, "<html><body>It works!</body></html>", 502),
    "reports": (200, '{"error": {"message": "out of memory"}}', 502),
    "stops": (200, '{"choices": [{"message": {"content": "half of i', 502),
}
"""By model: what its server answers, and what a client is then told."""
GONE = "gone"
"""A model whose server is not there."""


class _Upstream(BaseHTTPRequestHandler):
    """Answers well, but for the models that fail."""

    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if asked["model"] in FAULTS:
            status, body, _ = FAULTS[asked["model"]]
            self._say(body, status)
        elif "input" in asked:
            items = [{"index": place, "embedding": [0.5, -1.0, place]} for place in range(len(asked["input"]))]
            self._say(json.dumps({"object": "list", "data": items, "usage": {"prompt_tokens": 3}}))
        else:
            self._chat(asked)

    def _chat(self, asked: dict[str, Any]) -> None:
        # What a `response_format` asks for is checked by the gateway: an empty object is JSON, at least.
        message: dict[str, Any] = {"role": "assistant", "content": "{}"}
        choice: dict[str, Any] = {"index": 0, "message": message, "finish_reason": "stop"}
        said = str(asked["messages"][-1].get("content"))
        if said == "call":
            function = {"name": "look", "arguments": '{"where": "here"}'}
            message |= {"content": None, "tool_calls": [{"id": "c1", "type": "function", "function": function}]}
            choice["finish_reason"] = "tool_calls"
        elif said == "think":
            message["reasoning_content"] = "well"
        elif said == "decline":
            message |= {"content": None, "refusal": "I would rather not"}
        elif said == "count":
            token = {"token": "{}", "bytes": [123, 125], "logprob": -0.5, "top_logprobs": []}
            choice["logprobs"] = {"content": [token]}
        elif said == "ramble":
            choice["finish_reason"] = "length"
        usage = {"prompt_tokens": 3, "completion_tokens": 2, "prompt_tokens_details": {"cached_tokens": 1}}
        whole = {"model": asked["model"], "choices": [choice], "usage": usage}
        if not asked.get("stream"):
            self._say(json.dumps(whole))
            return
        choice["delta"] = choice.pop("message")
        self._say(f"data: {json.dumps(whole)}\n\ndata: [DONE]\n\n", kind="text/event-stream")

    def _say(self, body: str, status: int = 200, kind: str = "application/json") -> None:
        data = body.encode()
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


@pytest.fixture(scope="module")
def upstream() -> Iterator[str]:
    with ThreadingHTTPServer((HOST, 0), _Upstream) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://{HOST}:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def catalog(upstream: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    able = {"provider": "acme", "effectiveContextTokens": 10**9}
    chats = ["streaming", "tool-use", "vision", "audio-in"]
    entries = [
        entry("good", upstream, **able, provides=chats),
        entry("vectors", upstream, **able, capabilityClass="embeddings", provides=["embeddings"], latencyP95Ms=10),
    ]
    for model in FAULTS:
        entries.append(entry(model, upstream, **able, capabilityClass="reasoning-small", provides=chats))
        config = {"baseUrl": upstream, "model": model}
        entries.append(
            entry(
                f"{model}-vectors",
                upstream,
                **able,
                capabilityClass="embeddings",
                provides=["embeddings"],
                latencyP95Ms=20,
                providerConfig=config,
            )
        )
    gone = f"http://{HOST}:{free_port()}"
    entries.append(entry(GONE, gone, **able, capabilityClass="local-reasoning", provides=chats))
    return write_catalog(tmp_path_factory.mktemp("catalog") / "models.yaml", entries)


@pytest.fixture(scope="module")
def gateway(catalog: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
    usage = tmp_path_factory.mktemp("usage") / "usage.jsonl"
    options = ("--privacy=internal", "--no-probe", "--no-failover", "--retries=0", "--max-body=200000")
    with GatewayProcess(catalog, *options, usage=usage) as process:
        yield process


@pytest.fixture(scope="module")
def http(gateway: GatewayProcess) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=gateway.base_url, trust_env=False, timeout=30) as client:
        yield client


@pytest.fixture(scope="module")
def document(http: httpx.Client) -> dict[str, Any]:
    answer = http.get("/openapi.json")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    found: dict[str, Any] = answer.json()
    return found


def named(document: dict[str, Any], chats: list[str], vectors: list[str]) -> dict[str, Any]:
    """The same document for clients who know the names of the catalog and send no headers of ours."""
    found = deepcopy(document)
    schemas = found["components"]["schemas"]
    schemas["ChatBody"]["properties"]["model"] = {"enum": chats}
    schemas["EmbeddingBody"]["properties"]["model"] = {"enum": vectors}
    schemas["RouteRequest"]["properties"]["capabilityClass"] = {"enum": ["fast-draft", "embeddings", "reasoning-small"]}
    found["paths"]["/v1/models/{model}"]["get"]["parameters"][0]["schema"] = {"enum": ["good", "vectors", GONE]}
    for path in POSTS:
        found["paths"][path]["post"]["parameters"] = []
    return found


def narrowed(document: dict[str, Any], chats: list[str], vectors: list[str]) -> dict[str, Any]:
    """The same for clients who ask for what somebody provides, with headers that say so."""
    found = named(document, chats, vectors)
    schemas = found["components"]["schemas"]
    chat, route = schemas["ChatBody"]["properties"], schemas["RouteRequest"]["properties"]
    chat["max_tokens"] = chat["max_completion_tokens"] = {"type": "integer", "minimum": 1, "maximum": 10**6}
    route["requires"] = {"type": "array", "items": {"enum": ["streaming", "tool-use", "vision"]}}
    route["budgetUsd"] = {"enum": [None, 0, 0.5, "12.25"]}  # a pattern cannot say how much is too much
    route["fallbackClasses"] = {"type": "array", "items": {"enum": ["fast-draft", "coding-frontier"]}}
    sensible = {
        "X-Aldo-Budget-Usd": ["0", "0.01", "12"],
        "X-Aldo-Requires": ["streaming", "tool-use, streaming"],
        "X-Aldo-Fallback": ["coding-frontier", "reasoning-large, coding-frontier"],
        "X-Aldo-Privacy": ["public", "internal", "sensitive"],
    }
    for path in POSTS:
        # A body that says another tier than the header is refused.
        names = set(sensible) - ({"X-Aldo-Privacy"} if path == "/v1/route" else set())
        found["paths"][path]["post"]["parameters"] = [
            {**one, "schema": {"enum": sensible[one["name"]]}}
            for one in document["paths"][path]["post"]["parameters"]
            if one["name"] in names
        ]
    return found


def explore(
    document: dict[str, Any], path: str, mode: GenerationMode, base_url: str, *, without: tuple[str, ...] = ()
) -> Counter[str]:
    """The answers by status. Every one passes all checks of schemathesis, but for those that are named."""
    method = "POST" if path in POSTS else "GET"
    operation = schemathesis.openapi.from_dict(document)[path][method]
    excluded = CHECKS.get_by_names(["not_a_server_error", *without])
    seen: Counter[str] = Counter()

    @EXAMPLES
    @given(operation.as_strategy(generation_mode=mode))
    def ask(case: Any) -> None:
        answer = case.call(base_url=base_url)
        streams = answer.headers["content-type"][0].startswith("text/event-stream")
        # To schemathesis the schema of a stream is that of each of its events; in OpenAPI 3.1 it is that of the text.
        schema = CHECKS.get_by_names(["response_schema_conformance"]) if streams else []
        case.validate_response(answer, excluded_checks=[*excluded, *schema])
        assert answer.status_code != 500, answer.text
        if streams:
            *events, done, rest = answer.text.split("\n\n")
            assert (done, rest) == ("data: [DONE]", "")
            objects = {json.loads(event.removeprefix("data: "))["object"] for event in events}
            assert objects == {"chat.completion.chunk"}
        seen[f"{answer.status_code} streamed" if streams else str(answer.status_code)] += 1

    ask()
    return seen


# --- the document ---


def refs(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for inner in value.values():
            yield from refs(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from refs(inner)


def test_the_document_is_openapi_and_its_schemas_are_json_schema(document):
    assert document["openapi"] == "3.1.0"
    schemathesis.openapi.from_dict(document).validate()
    for schema in document["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)


def test_every_reference_leads_somewhere_and_every_component_is_used(document):
    named = {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}
    assert set(refs(document)) == named


def test_the_document_has_every_path_that_is_served_and_no_other(document, catalog):
    served = {route.path.replace(":path", "") for route in create_app(Settings(catalog=str(catalog))).routes}
    assert set(document["paths"]) == served - {"/openapi.json"}


def test_another_method_is_refused_in_the_documented_words(document, http):
    for path, methods in document["paths"].items():
        for method in ("get", "post", "put", "patch", "delete"):
            if method in methods:
                continue
            answer = http.request(method, path.replace("{model}", "good"))
            assert (path, method, answer.status_code) == (path, method, 405)
            assert {name.strip().lower() for name in answer.headers["allow"].split(",")} - {"head"} == set(methods)
            fits(document, "Error", answer.json())
            assert "405" in next(iter(methods.values()))["responses"]


@pytest.mark.parametrize(
    ("header", "value"),
    [("X-Aldo-Budget-Usd", "cheap"), ("X-Aldo-Requires", ","), ("X-Aldo-Fallback", "no name!")],
)
def test_a_header_that_is_refused_does_not_fit_the_document(document, http, header, value):
    answer = http.post("/v1/chat/completions", json={"model": "good", **ASK}, headers={header: value})
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, header)
    parameters = document["paths"]["/v1/chat/completions"]["post"]["parameters"]
    (schema,) = (one["schema"] for one in parameters if one["name"] == header)
    assert not Draft202012Validator(schema).is_valid(value)


@pytest.mark.parametrize(("field", "value"), [("budgetUsd", -1), ("requires", ["no-such-tag"])])
def test_an_error_names_what_was_sent(http, field, value):
    answer = http.post("/v1/route", json={"capabilityClass": "fast-draft", field: value})
    assert answer.status_code == 400
    assert answer.json()["error"]["param"] == field


def test_a_word_for_explain_that_the_document_does_not_have_is_refused(document, http):
    parameters = document["paths"]["/v1/route"]["post"]["parameters"]
    (schema,) = (one["schema"] for one in parameters if one["name"] == "explain")
    assert not Draft202012Validator(schema).is_valid("ture")
    assert http.post("/v1/route?explain=ture", json={"capabilityClass": "fast-draft"}).status_code == 400


MESSAGE: dict[str, Any] = {"role": "user", "content": "hi"}
OTHER_TYPES: dict[str, dict[str, Any]] = {
    "a text for a count": {"max_tokens": "8"},
    "a truth for a count": {"max_tokens": True},
    "a word for a truth": {"stream": "yes"},
    "a number for a truth": {"logprobs": 1},
    "a truth for a number": {"temperature": True},
    "a text for a number": {"top_p": "0.5"},
    "a truth for a seed": {"seed": False},
    "a truth for the only number of answers": {"n": True},
    "a number for a name": {"messages": [{**MESSAGE, "name": 5}]},
    "an object for the id of a call": {"messages": [{"role": "tool", "content": "18", "tool_call_id": {}}]},
    "a list for the parameters of a tool": {
        "tools": [{"type": "function", "function": {"name": "f", "parameters": []}}]
    },
    "a number for the description of a tool": {
        "tools": [{"type": "function", "function": {"name": "f", "description": 5}}]
    },
    "a word for the strictness of a tool": {
        "tools": [{"type": "function", "function": {"name": "f", "strict": "yes"}}]
    },
}


@pytest.mark.parametrize("what", OTHER_TYPES)
def test_a_value_of_another_type_than_the_document_says_is_refused(document, http, what):
    body = {"model": "good", **ASK, **OTHER_TYPES[what]}
    assert not validator(document, "ChatBody").is_valid(body)
    answer = http.post("/v1/chat/completions", json=body)
    assert answer.status_code == 400
    assert answer.json()["error"]["param"].startswith(next(iter(OTHER_TYPES[what])))


# --- what the document allows, and what it does not ---


@MODES
@pytest.mark.parametrize("path", POSTS)
def test_what_a_stranger_sends_is_answered_as_documented(document, gateway, path, mode):
    """The names are not of the catalog, and headers are any text: that may be refused, but never in another form."""
    seen = explore(document, path, mode, gateway.base_url, without=("positive_data_acceptance",))
    assert seen.total() >= 20
    assert set(seen) <= {"400", "404", "422"}


@pytest.mark.parametrize("path", GETS)
def test_what_is_known_is_told_as_documented(document, gateway, path):
    seen = explore(narrowed(document, [], []), path, GenerationMode.POSITIVE, gateway.base_url)
    assert set(seen) == {"200"}


def test_a_model_that_nobody_knows_is_not_found(document, gateway):
    assert set(explore(document, "/v1/models/{model}", GenerationMode.POSITIVE, gateway.base_url)) == {"404"}


def test_every_chat_that_the_document_allows_is_answered(document, gateway):
    known = narrowed(document, ["good", "fast-draft"], [])
    seen = explore(known, "/v1/chat/completions", GenerationMode.POSITIVE, gateway.base_url)
    assert set(seen) == {"200", "200 streamed"}


@pytest.mark.parametrize("path", ["/v1/embeddings", "/v1/route"])
def test_what_the_document_allows_is_answered_or_nobody_provides_it(document, gateway, path):
    known = narrowed(document, [], ["vectors", "embeddings"])
    without = ("positive_data_acceptance",)  # to it, a 422 is no answer
    seen = explore(known, path, GenerationMode.POSITIVE, gateway.base_url, without=without)
    assert set(seen) <= ({"200", "422"} if path == "/v1/embeddings" else {"200", "404", "422"})  # a pin nobody knows
    assert seen["200"] >= 5


@pytest.mark.parametrize("path", POSTS)
def test_what_the_document_does_not_allow_is_refused_though_every_name_is_known(document, gateway, path):
    known = named(document, ["good", "fast-draft"], ["vectors", "embeddings"])
    seen = explore(known, path, GenerationMode.NEGATIVE, gateway.base_url)
    assert seen["400"] >= 20
    assert not {"200", "200 streamed"} & set(seen)


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/embeddings"])
def test_servers_that_fail_are_told_as_documented(document, gateway, path):
    known = narrowed(document, [*FAULTS, GONE], [f"{model}-vectors" for model in FAULTS])
    # Models that fail are down after a while, and `refuses` answers a 400 to whatever it is asked.
    without = ("positive_data_acceptance",)
    seen = explore(known, path, GenerationMode.POSITIVE, gateway.base_url, without=without)
    assert {"502", "503"} <= set(seen) <= {"400", "422", "429", "502", "503"}


# --- answers and their schemas ---


def validator(document: dict[str, Any], name: str) -> Draft202012Validator:
    """Of a component of the document, with all that it refers to."""
    registry: Registry[Any] = Registry().with_resource("urn:document", Resource(document, DRAFT202012))
    return Draft202012Validator({"$ref": f"urn:document#/components/schemas/{name}"}, registry=registry)


def fits(document: dict[str, Any], name: str, value: Any) -> None:
    assert [problem.message for problem in validator(document, name).iter_errors(value)] == []


def chat(model: str = "good", said: str = "hi", **more: Any) -> Callable[[httpx.Client], httpx.Response]:
    body = {"model": model, "messages": [{"role": "user", "content": said}], **more}
    return lambda http: http.post("/v1/chat/completions", json=body)


def post(path: str, **body: Any) -> Callable[[httpx.Client], httpx.Response]:
    return lambda http: http.post(path, json=body)


def get(path: str) -> Callable[[httpx.Client], httpx.Response]:
    return lambda http: http.get(path)


WELL: dict[str, tuple[Callable[[httpx.Client], httpx.Response], str]] = {
    "a chat": (chat(), "ChatCompletion"),
    "a chat by class": (chat("fast-draft"), "ChatCompletion"),
    "a tool call": (chat(said="call"), "ChatCompletion"),
    "reasoning": (chat(said="think"), "ChatCompletion"),
    "a refusal": (chat(said="decline"), "ChatCompletion"),
    "log probabilities": (chat(said="count", logprobs=True), "ChatCompletion"),
    "a long answer": (chat(said="ramble"), "ChatCompletion"),
    "structured output": (chat(response_format={"type": "json_object"}), "ChatCompletion"),
    "embeddings": (post("/v1/embeddings", model="vectors", input=["a", "b"]), "Embeddings"),
    "packed embeddings": (
        post("/v1/embeddings", model="vectors", input="a", encoding_format="base64"),
        "Embeddings",
    ),
    "a decision": (post("/v1/route", capabilityClass="fast-draft", privacy="sensitive"), "Decision"),
    "an explained decision": (post("/v1/route?explain=true", capabilityClass="fast-draft"), "Decision"),
    "the models": (get("/v1/models"), "Models"),
    "a model": (get("/v1/models/good"), "Model"),
    "health": (get("/health"), "Health"),
}


@pytest.mark.parametrize("what", WELL)
def test_every_answer_fits_its_schema(document, http, what):
    call, schema = WELL[what]
    answer = call(http)
    assert answer.status_code == 200, answer.text
    fits(document, schema, answer.json())
    if schema == "ChatCompletion":
        assert answer.headers["x-aldo-model"] == "good"


REFUSED: dict[str, tuple[Callable[[httpx.Client], httpx.Response], str, int]] = {
    "no json": (
        lambda http: http.post("/v1/chat/completions", content=b"{", headers={"content-type": "application/json"}),
        "/v1/chat/completions",
        400,
    ),
    "another type": (
        lambda http: http.post("/v1/chat/completions", content=b"{}", headers={"content-type": "text/plain"}),
        "/v1/chat/completions",
        415,
    ),
    "a large body": (chat(said="x" * 250_000), "/v1/chat/completions", 413),
    "another name": (
        lambda http: http.post(
            "/v1/chat/completions", json={"model": "good", **ASK}, headers={"host": "models.example"}
        ),
        "/v1/chat/completions",
        403,
    ),
    "a long head": (
        lambda http: http.get("/v1/models", headers={"x-long": "x" * 40_000}),
        "/v1/models",
        431,
    ),
    "no such class": (chat("no-such"), "/v1/chat/completions", 404),
    "nobody provides it": (chat("coding-frontier"), "/v1/chat/completions", 422),
    "no such model": (get("/v1/models/no-such"), "/v1/models/{model}", 404),
    "an empty text": (post("/v1/embeddings", model="vectors", input=""), "/v1/embeddings", 400),
    "a tier that is none": (
        post("/v1/route", capabilityClass="fast-draft", privacy="secret"),
        "/v1/route",
        400,
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_every_refusal_fits_the_error_schema_and_its_status_is_documented(document, http, what):
    call, path, status = REFUSED[what]
    answer = call(http)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    fits(document, "Error", answer.json())
    (operation,) = document["paths"][path].values()
    assert str(status) in operation["responses"]


@pytest.fixture(scope="module")
def forgetful(catalog: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A gateway that has not yet seen anybody fail three times."""
    options = ("--privacy=public", "--no-probe", "--no-failover", "--retries=0")
    usage = tmp_path_factory.mktemp("usage") / "usage.jsonl"
    with (
        GatewayProcess(catalog, *options, usage=usage) as process,
        httpx.Client(base_url=process.base_url, trust_env=False, timeout=30) as client,
    ):
        yield client


@pytest.mark.parametrize("model", FAULTS)
def test_a_server_that_fails_has_one_status_whole_and_streamed(document, forgetful, model):
    for stream in (False, True):
        answer = forgetful.post("/v1/chat/completions", json={"model": model, "stream": stream, **ASK})
        assert (stream, answer.status_code) == (stream, FAULTS[model][2]), answer.text
        fits(document, "Error", answer.json())
        assert answer.json()["error"]["model"] == model


def test_a_server_that_is_not_there_is_a_bad_gateway_and_then_an_outage(document, forgetful):
    answers = [forgetful.post("/v1/chat/completions", json={"model": GONE, **ASK}) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [502, 502, 502, 503]
    assert [answer.json()["error"]["code"] for answer in answers] == ["connection"] * 3 + ["no_eligible_model"]
    assert int(answers[-1].headers["retry-after"]) >= 1
    for answer in answers:
        fits(document, "Error", answer.json())


def test_an_outage_of_embeddings_is_an_outage_whatever_classes_may_stand_in(upstream, tmp_path):
    down = entry("vectors", f"http://{HOST}:{free_port()}", capabilityClass="embeddings", provides=["embeddings"])
    chats = entry("good", upstream, provider="acme")
    catalog = write_catalog(tmp_path / "models.yaml", [down, chats])
    body = {"model": "embeddings", "input": "hello"}
    with GatewayProcess(catalog, "--privacy=public", "--probe-every=0.2", usage=tmp_path / "usage.jsonl") as process:
        alone = httpx.post(f"{process.api}/embeddings", json=body, trust_env=False)
        assert (alone.status_code, alone.json()["error"]["code"]) == (503, "no_eligible_model")
        headers = {"x-aldo-fallback": "fast-draft"}
        answer = httpx.post(f"{process.api}/embeddings", json=body, headers=headers, trust_env=False)
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "no_eligible_model")
