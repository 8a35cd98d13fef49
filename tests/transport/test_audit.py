"""The audit: claims against servers that keep them and servers that do not, and the overlay that corrects them."""

from __future__ import annotations

import base64
import datetime
import json
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aldo.catalog import load_catalog
from aldo.schema import Catalog
from aldo.schema.vocabulary import CAPABILITIES
from aldo.transport import Timeouts
from aldo.transport.audit import Audit, Checked, audit
from aldo.validate.lint import lint
from tests.support.bound import entry
from tests.support.fake_runtimes import (
    FakeLmStudio,
    FakeOllama,
    Fault,
    LmStudioModel,
    LmStudioQuirks,
    OllamaModel,
    OllamaQuirks,
    instance,
)
from tests.support.fake_server import FakeServer, Reply, Seen, sse
from tests.support.fake_server import http as raw_http
from tests.support.llamacpp_server import LlamaCppServer, smollm2
from tests.support.mlx_server import MlxServer
from tests.transport.conftest import Connections

TODAY = datetime.date(2026, 11, 22)
PATIENT = Timeouts(connect=30, read=60, no_content=60)
CONTEXT_TAGS = {"32k-context": 32_000, "128k-context": 128_000, "200k-context": 200_000, "1m-context": 1_000_000}
RESERVE = entry(id="reserve", config={"baseUrl": "http://127.0.0.1:1"}, provides=["streaming", "tool-use"])
"""A second model of the class, so that one that is switched off leaves no hole."""


@pytest.fixture(autouse=True)
def patient_probes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine under load must not decide whether a server is there."""
    monkeypatch.setattr("aldo.transport.audit.auditor.SECONDS", 30.0, raising=False)


# A server whose abilities are the test's


WORDS = "The sea is wide and blue, and it is deep and cold."


@dataclass(frozen=True)
class Able:
    """What a server can, by tag and by manner; `stated` is what it says of its context, `served` what it takes."""

    can: frozenset[str]
    stated: int | None = None
    served: int = 10**9
    too_long: str = "refuse"

    def __call__(self, seen: Seen) -> Reply | bytes:
        path = seen.target.removeprefix("/v1")
        if path == "/models":
            stated = {} if self.stated is None else {"max_model_len": self.stated}
            return answer({"object": "list", "data": [{"id": "m", "object": "model", "owned_by": "vllm", **stated}]})
        handlers = {
            "/chat/completions": self.chat,
            "/embeddings": self.embeddings,
            "/completions": self.completions,
            "/rerank": self.rerank,
        }
        return handlers[path](seen.json) if path in handlers else answer({"detail": "Not Found"}, "404 Not Found")

    def chat(self, body: Mapping[str, Any]) -> bytes:
        parts = [part for message in body["messages"] for part in parts_of(message)]
        text = " ".join(part["text"] for part in parts if part["type"] == "text")
        tokens = len(text.split())
        if tokens + body["max_tokens"] > self.served:
            if self.too_long == "refuse":
                return refusal(f"maximum context length is {self.served} tokens")
            tokens = min(tokens, self.served)
        said = WORDS
        for part in parts:
            kind = part["type"]
            if kind == "image_url" and not {"vision", "blind"} & self.can:
                return refusal("image input is not supported")
            if kind == "input_audio" and "audio-in" not in self.can:
                return refusal("audio input is not supported")
            if kind == "image_url":
                said = colour_of(part["image_url"]["url"]) if "vision" in self.can else "It is red."
        message: dict[str, Any] = {"role": "assistant", "content": said}
        form = (body.get("response_format") or {}).get("type")
        if form and "refuses-formats" in self.can:
            return refusal("response_format is not supported")
        if form == "json_schema" and "structured-output" in self.can:
            message["content"] = json.dumps(instance(body["response_format"]["json_schema"]["schema"]))
        if form == "json_object" and "json-mode" in self.can:
            message["content"] = '{"sea": "wide"}'
        if "reasoning" in self.can:
            message["reasoning_content"] = "The user asks. I think."
        if "thinks-aloud" in self.can:
            message["content"] = f"<think>Let me see.</think>{said}"
        if body.get("modalities") and "audio-out" in self.can:
            message["audio"] = {"id": "a", "data": "AAAA"}
        if body.get("tools"):
            if "refuses-tools" in self.can:
                return refusal("this model does not support tools")
            calls = self.calls(body, text)
            message |= {"tool_calls": calls, "content": None} if calls else {}
        finish = "tool_calls" if message.get("tool_calls") else "stop"
        usage = {"prompt_tokens": tokens, "completion_tokens": 12, "total_tokens": tokens + 12}
        if not body.get("stream") or "streaming" not in self.can:
            if body.get("stream") and "refuses-streams" in self.can:
                return refusal("stream is not supported")
            choice = {"index": 0, "message": message, "finish_reason": finish}
            return answer({"object": "chat.completion", "model": "m", "choices": [choice], "usage": usage})
        pieces = [{"delta": {"content": word + " "}, "index": 0} for word in str(message["content"]).split()]
        choices = [*pieces, {"delta": {}, "index": 0, "finish_reason": finish}]
        return sse(b"".join(b"data: %s\n\n" % json.dumps({"choices": [one]}).encode() for one in choices))

    def calls(self, body: Mapping[str, Any], text: str) -> list[dict[str, Any]]:
        if "when-required" in self.can and body.get("tool_choice") != "required":
            return []
        if not {"tool-use", "function-calling", "parallel-tool-calls", "when-required"} & self.can:
            return []
        name = "another_tool" if "another-tool" in self.can else "get_weather"
        arguments = '{"city": "Par' if "unparsable" in self.can else '{"town": 1}' if "misnamed" in self.can else None
        cities = ["Paris", "Rome"] if "parallel-tool-calls" in self.can and "Rome" in text else ["Paris"]
        return [
            {
                "id": f"c{number}",
                "index": number,
                "type": "function",
                "function": {"name": name, "arguments": arguments or json.dumps({"city": city})},
            }
            for number, city in enumerate(cities)
        ]

    def embeddings(self, body: Mapping[str, Any]) -> bytes:
        if "embeddings" not in self.can:
            return answer({"detail": "Not Found"}, "404 Not Found")
        rows = [
            {"index": i, "embedding": [1.0, 2.0 if "constant" in self.can else float(len(text))]}
            for i, text in enumerate(body["input"])
        ]
        usage = {"prompt_tokens": sum(len(text.split()) for text in body["input"])}
        return answer({"object": "list", "data": rows, "model": "m", "usage": usage})

    def completions(self, body: Mapping[str, Any]) -> bytes:
        if "code-fim" not in self.can:
            return refusal("suffix is not supported")
        return answer({"choices": [{"index": 0, "text": "x * 2", "finish_reason": "stop"}]})

    def rerank(self, body: Mapping[str, Any]) -> bytes:
        if "rerank" not in self.can:
            return answer({"detail": "Not Found"}, "404 Not Found")
        return answer({"results": [{"index": 0, "relevance_score": 0.9}, {"index": 1, "relevance_score": 0.1}]})


def answer(value: Any, status: str = "200 OK", **headers: str) -> bytes:
    return raw_http(json.dumps(value), status, **headers)


def refusal(message: str) -> bytes:
    return answer({"error": {"message": message, "type": "invalid_request_error", "code": 400}}, "400 Bad Request")


def parts_of(message: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    content = message["content"]
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


def colour_of(url: str) -> str:
    """What a square of one colour shows, from the first point of its PNG."""
    png = base64.b64decode(url.partition(",")[2])
    at = png.index(b"IDAT")
    length = int.from_bytes(png[at - 4 : at])
    red, _, blue = zlib.decompress(png[at + 4 : at + 4 + length])[1:4]
    return "It is red." if red > blue else "It is blue."


def able(*can: str, **more: Any) -> Able:
    return Able(frozenset(can), **more)


def healthy_then(good: Callable[[Seen], Reply | bytes], bad: Reply | bytes) -> Callable[[Seen], Reply | bytes]:
    """Well until it has been probed, warmed up, and probed again; after that every question gets the same."""
    asked = 0

    def script(seen: Seen) -> Reply | bytes:
        nonlocal asked
        asked += 1
        return good(seen) if asked <= 3 else bad

    return script


# Auditing


def model(url: str, *tags: str, provider: str = "vllm", wire: str = "m", **more: Any) -> dict[str, Any]:
    config = {"baseUrl": url, **({"model": wire} if wire else {}), **more.pop("config", {})}
    kind = "mlx" if provider == "mlx" else "openai-compat"
    return entry(kind, config, id="it", provider=provider, provides=list(tags or ["streaming"]), **more)


def catalog_of(*models: Mapping[str, Any], **more: Any) -> Catalog:
    return Catalog.model_validate({"models": [*models, RESERVE], **more})


def audited(it: Mapping[str, Any], *, deep: bool = False, timeouts: Timeouts = PATIENT, **more: Any) -> Checked:
    """What came of the claims of one entry."""
    environ = more.pop("environ", {})
    catalog = catalog_of(it, **more)
    (found,) = audit(catalog, [catalog.by_id["it"]], deep=deep, environ=environ, timeouts=timeouts).checked
    assert found.entry.id == "it"
    names = [claim.name for claim in found.claims]
    assert names == ([] if found.unreachable else ["context", *it["provides"]])
    assert all(claim.evidence for claim in found.claims)
    json.dumps(found.to_dict())
    return found


def verdicts(found: Checked) -> dict[str, str]:
    assert found.unreachable is None, found.unreachable
    return {claim.name: claim.verdict for claim in found.claims}


def evidence(found: Checked, claim: str) -> str:
    return next(one.evidence for one in found.claims if one.name == claim)


def against(server: Able, *tags: str, deep: bool = False, **more: Any) -> Checked:
    """The claims of an entry against a server of these abilities."""
    with FakeServer([server]) as fake:
        return audited(model(fake.url, *tags, **more), deep=deep)


def written(path: Path, models: Iterable[Mapping[str, Any]], **more: Any) -> Path:
    path.write_text(
        json.dumps({"apiVersion": "aldo/models.v1", "kind": "ModelCatalog", "models": list(models), **more})
    )
    return path


def severities(base: Path, *overlays: Path) -> list[str]:
    report = lint(base, overlays=overlays, today=TODAY)
    return [f"{one.severity} {one.code} {one.message}" for one in report.findings if one.severity != "info"]


def check_correction(it: Mapping[str, Any], directory: Path, **options: Any) -> Audit:
    """The law: the correction loads over what was audited, without a word of blame, and after it nothing is refuted."""
    base = written(directory / "models.yaml", [it, RESERVE])
    catalog = load_catalog(base)
    first = audit(catalog, [catalog.by_id["it"]], environ={}, timeouts=PATIENT, **options)
    if first.checked[0].correction() is None:
        corrected = catalog
    else:
        overlay = directory / "corrections.yaml"
        overlay.write_text(first.overlay(), encoding="utf-8")
        assert severities(base, overlay) == []
        corrected = load_catalog(base, overlays=[overlay])
        assert corrected.digest != catalog.digest
        assert corrected.by_id["reserve"] == catalog.by_id["reserve"]
    after = corrected.by_id["it"]
    again = audit(corrected, [after] if after.enabled else [], environ={}, timeouts=PATIENT, **options)
    for one in again.checked:
        assert one.unreachable == first.checked[0].unreachable
        assert one.holds, [claim for claim in one.claims if claim.verdict == "refuted"]
    return first


# Each tag in both directions


TRUE_OR_NOT = [
    ("streaming", able("streaming"), "confirmed"),
    ("streaming", able("refuses-streams"), "refuted"),
    ("tool-use", able("tool-use"), "confirmed"),
    ("tool-use", able("when-required"), "confirmed"),
    ("tool-use", able(), "refuted"),
    ("tool-use", able("refuses-tools"), "refuted"),
    ("tool-use", able("tool-use", "unparsable"), "refuted"),
    ("tool-use", able("tool-use", "misnamed"), "refuted"),
    ("tool-use", able("tool-use", "another-tool"), "refuted"),
    ("function-calling", able("function-calling"), "confirmed"),
    ("function-calling", able(), "refuted"),
    ("parallel-tool-calls", able("parallel-tool-calls"), "confirmed"),
    ("parallel-tool-calls", able("tool-use"), "refuted"),
    ("parallel-tool-calls", able(), "refuted"),
    ("parallel-tool-calls", able("parallel-tool-calls", "unparsable"), "refuted"),
    ("json-mode", able("json-mode"), "confirmed"),
    ("json-mode", able(), "refuted"),
    ("json-mode", able("refuses-formats"), "refuted"),
    ("json-mode", able("structured-output"), "refuted"),
    ("structured-output", able("structured-output"), "confirmed"),
    ("structured-output", able(), "refuted"),
    ("structured-output", able("json-mode"), "refuted"),
    ("structured-output", able("refuses-formats"), "refuted"),
    ("constrained-decoding", able("structured-output"), "confirmed"),
    ("constrained-decoding", able(), "refuted"),
    ("reasoning", able("reasoning"), "confirmed"),
    ("reasoning", able("thinks-aloud"), "confirmed"),
    ("reasoning", able(), "refuted"),
    ("extended-thinking", able("reasoning"), "confirmed"),
    ("extended-thinking", able(), "refuted"),
    ("vision", able("vision"), "confirmed"),
    ("vision", able("blind"), "refuted"),
    ("vision", able(), "refuted"),
    ("audio-in", able("audio-in"), "unclear"),
    ("audio-in", able(), "refuted"),
    ("audio-out", able("audio-out"), "confirmed"),
    ("audio-out", able(), "refuted"),
    ("code-fim", able("code-fim"), "unclear"),
    ("code-fim", able(), "refuted"),
    ("embeddings", able("embeddings"), "confirmed"),
    ("embeddings", able("embeddings", "constant"), "refuted"),
    ("embeddings", able(), "refuted"),
    ("rerank", able("rerank"), "confirmed"),
    ("rerank", able(), "refuted"),
    ("long-output", able(), "unclear"),
    ("coding-frontier", able(), "unclear"),
]


@pytest.mark.parametrize(("tag", "server", "verdict"), TRUE_OR_NOT, ids=lambda value: None)
def test_a_claim_is_what_the_server_does(tag: str, server: Able, verdict: str) -> None:
    found = against(server, tag)
    assert verdicts(found)[tag] == verdict, found.claims
    assert found.holds is (verdict != "refuted")
    assert found.refuted == ((tag,) if verdict == "refuted" else ())


def test_every_tag_of_the_vocabulary_is_in_the_table() -> None:
    assert {tag for tag, _, _ in TRUE_OR_NOT} | set(CONTEXT_TAGS) == set(CAPABILITIES)


def test_a_server_that_takes_no_notice_of_stream_does_not_stream() -> None:
    assert verdicts(against(able(), "streaming"))["streaming"] == "refuted"


def test_a_model_that_can_everything_and_one_that_can_nothing() -> None:
    tags = [tag for tag in CAPABILITIES if not tag.endswith("-context")]
    every = verdicts(against(able(*tags), *tags))
    assert "refuted" not in every.values()
    assert {tag for tag in tags if every[tag] == "unclear"} == {
        "audio-in",
        "code-fim",
        "long-output",
        "coding-frontier",
    }
    nothing = verdicts(against(able("refuses-streams"), *tags))
    assert {tag for tag in tags if nothing[tag] != "refuted"} == {"long-output", "coding-frontier"}


def test_a_tag_of_the_catalogs_own_is_unclear() -> None:
    with FakeServer([able()]) as server:
        found = audited(model(server.url, "speaks-latin"), vocabulary={"capabilities": ["speaks-latin"]})
    assert verdicts(found)["speaks-latin"] == "unclear"
    assert found.correction() is None


def test_two_tags_of_one_question_are_asked_once() -> None:
    with FakeServer([able("tool-use", "reasoning", "structured-output")]) as server:
        tags = ("tool-use", "function-calling", "reasoning", "extended-thinking", "structured-output", "constrained-decoding")  # fmt: skip
        found = audited(model(server.url, *tags))
        bodies = [seen.json for seen in server.seen if seen.method == "POST"]
    assert set(verdicts(found).values()) == {"unclear", "confirmed"}
    assert len(bodies) == 1 + 3, "a warm-up, and one for each pair"


def test_a_schema_is_asked_for_without_a_word_of_it() -> None:
    """It is the server that is audited. A chat tells the model in words where the kind of server takes no notice of
    the field, as mlx_lm.server does, and a model that obeys them would confirm what its server cannot."""
    good = able("streaming")

    def script(seen: Seen) -> Reply | bytes:
        known = {"/health": {"status": "ok"}, "/v1/models": {"object": "list", "data": []}}.get(seen.target)
        return good(seen) if known is None else answer(known)

    with FakeServer([script]) as server:
        found = audited(model(server.url, "structured-output", "json-mode", provider="mlx"))
        asked = [seen.json for seen in server.seen if b"response_format" in seen.body]
    assert found.refuted == ("structured-output", "json-mode")
    assert len(asked) == 2
    for body in asked:
        words = json.dumps(body["messages"])
        assert "zq" not in words
        assert "schema" not in words.lower()


# Ollama and LM Studio


OLLAMA = [
    OllamaModel("able", capabilities=("completion", "tools", "thinking")),
    OllamaModel("bare", capabilities=("completion",)),
    OllamaModel("vectors", "nomic-bert", context=2048, served=2048, embedding=768, capabilities=("embedding",)),
]
OLLAMA_CLAIMS = [
    ("able", ("tool-use", "function-calling", "reasoning", "extended-thinking", "streaming"), ()),
    ("able", ("structured-output", "json-mode", "constrained-decoding", "parallel-tool-calls"), ()),
    ("able", ("embeddings", "vision"), ("embeddings", "vision")),
    ("bare", ("tool-use", "function-calling", "parallel-tool-calls"), ("tool-use", "function-calling", "parallel-tool-calls")),
    ("bare", ("reasoning", "extended-thinking", "streaming"), ("reasoning", "extended-thinking")),
    ("vectors", ("embeddings",), ()),
    ("vectors", ("embeddings", "streaming", "tool-use"), ("streaming", "tool-use")),
]  # fmt: skip


@pytest.mark.parametrize(("wire", "tags", "refuted"), OLLAMA_CLAIMS)
def test_ollamas_models_are_what_they_are(wire: str, tags: tuple[str, ...], refuted: tuple[str, ...]) -> None:
    kind = "embeddings" if wire == "vectors" else "local-reasoning"
    with FakeOllama(OLLAMA) as ollama:
        found = audited(
            model(
                ollama.base_url, *tags, provider="ollama", wire=wire, capabilityClass=kind, effectiveContextTokens=2048
            )
        )
    assert found.refuted == refuted, found.claims
    assert {tag for tag in tags if verdicts(found)[tag] == "confirmed"} == set(tags) - set(refuted)
    assert verdicts(found)["context"] == "confirmed"


def test_lm_studio_refuses_json_mode_and_takes_a_schema() -> None:
    with FakeLmStudio([LmStudioModel("m", loaded=False, loaded_context=4096)]) as studio:
        found = audited(
            model(studio.base_url, "json-mode", "structured-output", "tool-use", "streaming", provider="lmstudio")
        )
        assert studio.loaded == {"m"}
    assert verdicts(found) == {
        "context": "refuted",  # stated only once the first request has loaded it
        "json-mode": "refuted",
        "structured-output": "confirmed",
        "tool-use": "confirmed",
        "streaming": "confirmed",
    }
    assert "json_schema" in evidence(found, "json-mode"), "in the server's own words"
    assert found.served_context == 4096


def test_calls_that_lm_studio_cannot_read_are_none() -> None:
    quirks = LmStudioQuirks(unparsable_calls=True)
    with FakeLmStudio([LmStudioModel("m")], quirks=quirks) as studio:
        found = audited(model(studio.base_url, "tool-use", "parallel-tool-calls", provider="lmstudio"))
    assert found.refuted == ("tool-use", "parallel-tool-calls")


# Real servers


def test_a_real_mlx_server_streams_and_has_no_schemas_and_no_embeddings(mlx: MlxServer, tmp_path: Path) -> None:
    tags = ("streaming", "structured-output", "json-mode", "embeddings", "rerank")
    it = model(mlx.base_url, *tags, provider="mlx", wire="")
    found = audited(it)
    assert verdicts(found) == {
        "context": "unclear",
        "streaming": "confirmed",
        **dict.fromkeys(tags[1:], "refuted"),
    }
    assert found.correction() is not None
    overlay = tmp_path / "corrections.yaml"
    catalog = catalog_of(it)
    overlay.write_text(audit(catalog, [catalog.by_id["it"]], environ={}, timeouts=PATIENT).overlay())
    base = written(tmp_path / "models.yaml", [it, RESERVE])
    assert any("AL207" in line for line in severities(base))
    assert severities(base, overlay) == []
    assert load_catalog(base, overlays=[overlay]).by_id["it"].provides == ("streaming",)


def test_a_real_mlx_server_serves_its_model_under_no_other_name(mlx: MlxServer) -> None:
    found = audited(model(mlx.base_url, "streaming", provider="mlx", wire="no-such-model"))
    assert found.unreachable
    assert found.correction() is None


@pytest.fixture(scope="module")
def llamacpp() -> Iterator[LlamaCppServer]:
    one_thread = {"cpuparams.n_threads": 1, "cpuparams_batch.n_threads": 1}  # more of them fight over a busy machine
    with LlamaCppServer(smollm2(), context=1024, extra=one_thread) as server:
        yield server


def test_a_real_llamacpp_server_holds_to_schemas_and_says_its_context(llamacpp: LlamaCppServer) -> None:
    it = model(llamacpp.base_url, "structured-output", "json-mode", provider="llamacpp", wire="any")
    found = audited(it | {"effectiveContextTokens": 1024})
    assert verdicts(found) == dict.fromkeys(("context", "structured-output", "json-mode"), "confirmed")
    assert found.correction() is None


def test_a_real_llamacpp_server_serves_what_it_was_launched_with(llamacpp: LlamaCppServer, tmp_path: Path) -> None:
    it = model(llamacpp.base_url, "streaming", "32k-context", "embeddings", provider="llamacpp", wire="any")
    result = check_correction(it, tmp_path)
    (found,) = result.checked
    assert verdicts(found) == {
        "context": "refuted",
        "streaming": "confirmed",
        "32k-context": "refuted",
        "embeddings": "refuted",
    }
    assert found.served_context == 1024


# The context


CONTEXTS = [  # claimed, stated, verdict
    (4096, 4096, "confirmed"),
    (4096, 8192, "confirmed"),
    (4096, 4095, "refuted"),
    (4096, 1, "refuted"),
    (4096, None, "unclear"),
    (4096, "8192", "unclear"),
    (4096, -1, "unclear"),
]


@pytest.mark.parametrize(("claimed", "stated", "verdict"), CONTEXTS)
def test_the_context_is_what_the_server_says(claimed: int, stated: Any, verdict: str) -> None:
    found = against(able("streaming", stated=stated), "streaming", effectiveContextTokens=claimed)
    assert verdicts(found)["context"] == verdict
    assert found.served_context == (stated if verdict == "refuted" else None)
    assert (found.correction() is not None) is (verdict == "refuted")
    assert str(claimed) in evidence(found, "context")


@pytest.mark.parametrize("stated", [None, 4096, 31_999, 32_000, 128_000, 199_999, 1_000_000])
def test_context_tags_are_measured_by_what_is_served(stated: int | None) -> None:
    found = against(able("streaming", stated=stated), "streaming", *CONTEXT_TAGS, effectiveContextTokens=2048)
    for tag, least in CONTEXT_TAGS.items():
        wanted = "unclear" if stated is None else "confirmed" if stated >= least else "refuted"
        assert verdicts(found)[tag] == wanted


def test_what_routing_counts_with_is_what_is_claimed() -> None:
    """The lesser of effective and served context."""
    more = {"effectiveContextTokens": 32768, "servedContextTokens": 4096}
    assert against(able("streaming", stated=4096), **more).holds
    assert against(able("streaming", stated=2048), **more).served_context == 2048


def test_ollama_serves_what_it_was_loaded_with() -> None:
    with FakeOllama([OllamaModel("m", context=131072, served=4096)]) as ollama:
        found = audited(model(ollama.base_url, "streaming", "32k-context", provider="ollama"))
    assert found.served_context == 4096
    assert found.refuted == ("32k-context",)


SILENT = OllamaQuirks(no_context_in_ps=True)


@pytest.mark.parametrize(
    ("claimed", "verdict"), [(8000, "refuted"), (1200, "refuted"), (1000, "confirmed"), (512, "confirmed")]
)
def test_deep_tells_a_server_that_drops_in_silence(claimed: int, verdict: str) -> None:
    with FakeOllama([OllamaModel("m", served=1000)], quirks=SILENT) as ollama:
        it = model(ollama.base_url, "streaming", provider="ollama", effectiveContextTokens=claimed)
        assert verdicts(audited(it))["context"] == "unclear"
        found = audited(it, deep=True)
    assert verdicts(found)["context"] == verdict, found.claims
    assert found.served_context == (1000 if verdict == "refuted" else None)


@pytest.mark.parametrize(("claimed", "verdict"), [(8000, "refuted"), (1100, "refuted"), (1000, "confirmed")])
def test_deep_tells_a_server_that_refuses(claimed: int, verdict: str) -> None:
    found = against(able("streaming", served=1000), deep=True, effectiveContextTokens=claimed)
    assert verdicts(found)["context"] == verdict, found.claims


@pytest.mark.parametrize(("claimed", "served"), [(8000, 1000), (8000, 7900), (1100, 1000)])
def test_deep_corrects_to_no_more_than_is_served_and_no_less_than_half(claimed: int, served: int) -> None:
    found = against(able("streaming", served=served), deep=True, effectiveContextTokens=claimed)
    assert found.served_context is not None
    assert served * 0.45 <= found.served_context <= served


def test_deep_refutes_no_tag_for_what_it_did_not_try() -> None:
    found = against(
        able("streaming", served=40_000), "streaming", "32k-context", deep=True, effectiveContextTokens=100_000
    )
    assert verdicts(found)["32k-context"] != "refuted"


def test_deep_tells_a_server_that_reads_all() -> None:
    found = against(able("streaming"), "streaming", "32k-context", deep=True, effectiveContextTokens=40_000)
    assert (verdicts(found)["context"], verdicts(found)["32k-context"]) == ("confirmed", "confirmed")


def test_deep_fills_the_context_of_embeddings_with_embeddings() -> None:
    with FakeServer([able("embeddings")]) as server:
        it = model(server.url, "embeddings", capabilityClass="embeddings", effectiveContextTokens=2048)
        found = audited(it, deep=True)
        assert {seen.target for seen in server.seen} == {"/v1/models", "/v1/embeddings"}
    assert verdicts(found) == {"context": "confirmed", "embeddings": "confirmed"}


def test_deep_asks_nothing_of_a_server_that_says_it() -> None:
    with FakeServer([able("streaming", stated=4096)]) as server:
        audited(model(server.url, effectiveContextTokens=4096), deep=True)
        assert max(len(seen.body) for seen in server.seen) < 2_000


def test_deep_cannot_tell_where_tokens_are_not_counted() -> None:
    with FakeLmStudio([LmStudioModel("text-embedding-m", "embeddings", max_context=2048)]) as studio:
        it = model(
            studio.base_url, "embeddings", provider="acme", wire="text-embedding-m", capabilityClass="embeddings"
        )
        found = audited(it, deep=True)
    assert verdicts(found)["context"] == "unclear"


# What says nothing about a claim


def test_a_server_that_is_not_there_is_told() -> None:
    with FakeServer([b""]) as server:
        url = server.url
    found = audited(model(url, "streaming"))
    assert found.unreachable == "nothing listens there"
    assert found.url == f"{url}/v1"
    assert (found.claims, found.correction(), found.holds) == ((), None, True)


@pytest.mark.parametrize(
    "more",
    [
        {"providerKind": "openai-compt"},
        {"config": {"extra": {"maxTokensField": "nonsense"}}},
        {"config": {"baseUrl": "localhost:8000"}},
        {"config": {"headers": {"x": "é"}}},
    ],
    ids=["kind", "knob", "url", "header"],
)
def test_an_entry_that_cannot_be_asked_is_told(more: dict[str, Any], connections: Connections) -> None:
    found = audited(model("http://127.0.0.1:1", **more) | {k: v for k, v in more.items() if k != "config"})
    assert found.unreachable
    assert connections.addresses == []


def test_an_entry_elsewhere_is_refused_by_the_guard(connections: Connections) -> None:
    found = audited(model("http://127.0.0.1:1"), environ={"VLLM_BASE_URL": "http://192.0.2.1:8000"})
    assert found.unreachable
    assert "192.0.2.1" in found.unreachable
    assert connections.addresses == []


def test_a_model_that_the_server_does_not_have_is_told() -> None:
    with FakeOllama([OllamaModel("other")]) as ollama:
        found = audited(model(ollama.base_url, provider="ollama"))
    assert found.unreachable
    assert "'m' not found" in found.unreachable


def test_what_answers_is_another_server() -> None:
    with FakeServer([raw_http("<html>", content_type="text/html")]) as server:
        found = audited(model(server.url))
    assert found.unreachable
    assert "not vllm" in found.unreachable


ASKABLE = [
    tag for tag in CAPABILITIES if not tag.endswith("-context") and tag not in ("long-output", "coding-frontier")
]
BY_HAND = ("audio-out", "code-fim", "rerank")
"""What is asked beside chats and embeddings."""
GONE = b""
LATER = {"retry_after": "0"}


def unharmed(tags: Iterable[str], bad: Reply | bytes, **more: Any) -> None:
    for tag in tags:
        with FakeServer([healthy_then(able(*ASKABLE), bad)]) as server:
            found = audited(model(server.url, tag), **more)
        assert verdicts(found)[tag] == "unclear", (tag, found.claims)
        assert found.correction() is None


def test_a_server_that_ends_in_the_middle_refutes_nothing() -> None:
    unharmed(ASKABLE, Reply(GONE))
    unharmed(ASKABLE[:3], Reply(GONE, after="reset"))


def test_a_server_that_is_stopped_in_the_middle_refutes_nothing() -> None:
    with FakeServer([able("streaming", "tool-use")]) as server:
        catalog = catalog_of(model(server.url, "streaming", "tool-use"))

        def stop(text: str) -> None:
            if "tool-use" in text:
                server.__exit__(None, None, None)

        (found,) = audit(catalog, [catalog.by_id["it"]], environ={}, timeouts=PATIENT, progress=stop).checked
    assert verdicts(found) == {"context": "unclear", "streaming": "confirmed", "tool-use": "unclear"}


def test_an_answer_that_is_cut_refutes_nothing() -> None:
    cut = b'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 900\r\n\r\n{"choices": [{"mess'
    unharmed(ASKABLE, cut)


def test_a_stream_that_is_cut_refutes_nothing() -> None:
    with FakeOllama([OllamaModel("m")]) as ollama:
        ollama.inject(Fault(path="/nowhere"))
        catalog = catalog_of(model(ollama.base_url, "streaming", provider="ollama"))

        def cut(text: str) -> None:
            if text.endswith(": streaming"):
                ollama.inject(Fault(cut=2), Fault(cut=2))

        (found,) = audit(catalog, [catalog.by_id["it"]], environ={}, timeouts=PATIENT, progress=cut).checked
    assert verdicts(found)["streaming"] == "unclear"


def test_a_server_that_asks_for_patience_refutes_nothing() -> None:
    busy = answer({"error": {"message": "slow down"}}, "429 Too Many Requests", **LATER)
    unharmed([tag for tag in ASKABLE if tag not in BY_HAND], busy)


@pytest.mark.parametrize("tag", BY_HAND)
@pytest.mark.parametrize("status", ["401 Unauthorized", "429 Too Many Requests", "504 Gateway Timeout"])
def test_a_server_that_asks_for_patience_refutes_nothing_else(tag: str, status: str) -> None:
    unharmed([tag], answer({"error": {"message": "not now"}}, status, **LATER))


@pytest.mark.parametrize("status", ["401 Unauthorized", "403 Forbidden", "504 Gateway Timeout"])
def test_a_door_that_closes_refutes_nothing(status: str) -> None:
    unharmed(("streaming", "tool-use", "vision", "embeddings"), answer({"error": "no"}, status, **LATER))


def test_a_server_that_loads_again_refutes_nothing() -> None:
    unharmed(("streaming", "json-mode"), answer({"error": {"message": "Loading model"}}, "503 Unavailable", **LATER))


def test_a_server_that_is_busy_refutes_nothing() -> None:
    words = "server busy, please try again.  maximum pending requests exceeded"
    unharmed(("streaming", "tool-use", "json-mode"), answer({"error": {"message": words}}, "503 Unavailable", **LATER))


def test_a_server_that_falls_silent_refutes_nothing() -> None:
    short = Timeouts(connect=5, read=0.2, no_content=0.2)
    for tag in ("streaming", "tool-use", "json-mode", "rerank"):
        unharmed([tag], Reply(b"", after="hang"), timeouts=short)


@pytest.mark.parametrize("tag", ["streaming", "tool-use", "embeddings", "json-mode", "structured-output", "rerank"])
def test_a_server_that_drips_is_given_up(tag: str) -> None:
    short = Timeouts(connect=5, read=0.4, no_content=0.4)
    head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n"
    bad = Reply(head, after="drip", drip=b" ")
    with FakeServer([healthy_then(able(tag), bad)]) as server:
        found = audited(model(server.url, tag), timeouts=short)
    assert verdicts(found)[tag] == "unclear"
    assert not server.ran_dry


# The correction


def test_the_correction_says_what_is_not_true_and_why() -> None:
    with FakeServer([able("streaming", stated=4096)]) as server:
        catalog = catalog_of(model(server.url, "streaming", "vision", "32k-context"))
        result = audit(catalog, [catalog.by_id["it"]], environ={}, timeouts=PATIENT)
    assert result.value() == {
        "apiVersion": "aldo/models.v1",
        "kind": "ModelCatalogOverlay",
        "override": {"it": {"provides": {"$remove": ["vision", "32k-context"]}, "servedContextTokens": 4096}},
        "expect": {"it": {"provides": ["streaming", "vision", "32k-context"], "effectiveContextTokens": 32768}},
    }
    comments = [line for line in result.overlay().splitlines() if line.startswith("  #")]
    assert [line.split(":")[0] for line in comments] == ["  # context", "  # vision", "  # 32k-context"]
    assert "image input is not supported" in result.overlay()


def test_an_entry_of_which_nothing_is_true_is_switched_off(tmp_path: Path) -> None:
    with FakeServer([able("refuses-streams")]) as server:
        result = check_correction(model(server.url, "streaming", "vision"), tmp_path)
    assert result.value()["override"] == {"it": {"enabled": False}}
    assert "provides" in result.value()["expect"]["it"]


def test_what_cannot_be_told_changes_nothing() -> None:
    found = against(able(), "long-output", "coding-frontier")
    assert found.correction() is None


def test_of_several_entries_each_is_asked_and_corrected_by_itself(tmp_path: Path) -> None:
    with FakeServer([able("streaming")]) as server, FakeServer([able("vision", "streaming")]) as other:
        models = [
            model(server.url, "streaming", "vision") | {"id": "a"},
            model(other.url, "streaming", "vision") | {"id": "b"},
            model("http://127.0.0.1:1", "streaming", "vision") | {"id": "c"},
            model(server.url, "vision") | {"id": "d"},
        ]
        catalog = Catalog.model_validate({"models": models})
        told: list[str] = []
        result = audit(catalog, catalog.models, environ={}, timeouts=PATIENT, progress=told.append)
    assert [one.entry.id for one in result.checked] == ["a", "b", "c", "d"]
    assert list(result.value()["override"]) == list(result.value()["expect"]) == ["a", "d"]
    assert {line.partition(":")[0] for line in told} == {"a", "b", "c", "d"}


LIES = [
    (able("streaming", stated=4096), ("streaming", "vision", "32k-context"), {}),
    (able("refuses-streams", stated=1), ("streaming",), {}),
    (able("streaming", stated=10**13), ("streaming", "vision", *CONTEXT_TAGS), {"effectiveContextTokens": 10**6}),
    (able("tool-use", "streaming"), tuple(tag for tag in CAPABILITIES if not tag.endswith("-context")), {}),
    (able("streaming", stated=2000), ("streaming", *CONTEXT_TAGS), {"effectiveContextTokens": 10**6}),
    (able("streaming", stated=2000), ("streaming",), {"servedContextTokens": 16384}),
    (able("embeddings", stated=512), ("embeddings", "streaming"), {"capabilityClass": "embeddings"}),
    (able("streaming"), ("streaming",), {}),
]


@pytest.mark.parametrize(("server", "tags", "more"), LIES, ids=lambda value: None)
def test_a_correction_loads_and_leaves_nothing_to_correct(
    server: Able, tags: tuple[str, ...], more: dict[str, Any], tmp_path: Path
) -> None:
    with FakeServer([server]) as fake:
        check_correction(model(fake.url, *tags, **more), tmp_path)


def test_a_deep_correction_leaves_nothing_to_correct(tmp_path: Path) -> None:
    with FakeOllama([OllamaModel("m", served=1000)], quirks=SILENT) as ollama:
        it = model(ollama.base_url, "streaming", provider="ollama", effectiveContextTokens=8000)
        result = check_correction(it, tmp_path, deep=True)
    assert result.value()["override"]["it"] == {"servedContextTokens": 1000}


def test_a_context_that_is_refused_is_corrected_too(tmp_path: Path) -> None:
    with FakeServer([able("streaming", served=1000)]) as server:
        check_correction(model(server.url, effectiveContextTokens=8000), tmp_path, deep=True)


def test_a_correction_leaves_no_more_output_than_context(tmp_path: Path) -> None:
    with FakeServer([able("streaming", stated=4096)]) as server:
        check_correction(model(server.url, maxOutputTokens=8192), tmp_path)


def test_what_is_switched_off_is_not_blamed_for_its_tags(tmp_path: Path) -> None:
    with FakeServer([able("streaming", stated=4096)]) as server:
        check_correction(model(server.url, "32k-context"), tmp_path)


def test_a_context_of_nothing_is_no_context(tmp_path: Path) -> None:
    with FakeServer([able("streaming", stated=0)]) as server:
        check_correction(model(server.url), tmp_path)


CHANGES = [
    {"provides": ["streaming", "vision", "tool-use"]},
    {"provides": ["streaming"]},
    {"effectiveContextTokens": 8192},
    {"servedContextTokens": 2048},
]


@pytest.mark.parametrize("change", CHANGES)
def test_a_correction_of_what_has_changed_since_is_an_error(change: dict[str, Any], tmp_path: Path) -> None:
    with FakeServer([able("streaming", stated=4096)]) as server:
        it = model(server.url, "streaming", "vision", servedContextTokens=16384)
        result = check_correction(it, tmp_path)
    assert result.value()["override"]["it"]["servedContextTokens"] == 4096
    changed = written(tmp_path / "later.yaml", [it | change, RESERVE])
    assert severities(changed) == []
    assert any("error AL605" in line for line in severities(changed, tmp_path / "corrections.yaml"))


# What is sent, and to whom


def test_what_is_asked_holds_nothing_of_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    secrets = {name: f"zebra-{name.lower()}-launch-code" for name in ("OPENAI_API_KEY", "HOME", "USER", "ALDO_X", "K2")}
    for name, value in secrets.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    tags = [tag for tag in CAPABILITIES if not tag.endswith("-context")]
    with FakeServer([able(*tags)]) as server:
        it = model(server.url, *tags, config={"apiKeyEnv": "K1"}, description="zebra-description")
        audited(it, deep=True, environ={**secrets, "K1": "its-own-key"})
        for seen in server.seen:
            everything = f"{seen.target} {dict(seen.headers)} {seen.body!r}"
            assert "zebra" not in everything
            assert tmp_path.name not in everything
            assert seen.headers["authorization"] == "Bearer its-own-key"
        assert len(server.seen) > 15


def test_only_the_entrys_own_server_is_asked(connections: Connections) -> None:
    with FakeServer([able("streaming")]) as server:
        audited(model(server.url), environ={"MLX_BASE_URL": "http://192.0.2.1", "OPENAI_BASE_URL": "http://192.0.2.1"})
        assert {port for _, port in connections.addresses} == {server.port}


def test_a_cloud_entry_that_is_named_is_asked_with_its_key() -> None:
    with FakeServer([able("streaming")]) as server:
        it = model(server.url, "streaming", "vision", provider="acme", locality="cloud", privacyAllowed=["public"])
        it["providerConfig"]["apiKeyEnv"] = "K"
        missing = audited(it)
        assert server.seen == []
        found = audited(it, environ={"K": "s3cret"})
        assert all(seen.method == "POST" for seen in server.seen)
    assert missing.unreachable
    assert "K" in missing.unreachable
    assert verdicts(found) == {"context": "unclear", "streaming": "confirmed", "vision": "refuted"}
    assert "s3cret" not in json.dumps(found.to_dict())


@pytest.mark.parametrize("tiers", [["sensitive"], ["internal"], ["public"], ["internal", "sensitive"]])
def test_an_entry_is_asked_as_of_a_tier_that_it_takes(tiers: list[str]) -> None:
    with FakeServer([able("streaming")]) as server:
        assert audited(model(server.url, privacyAllowed=tiers)).holds


# Whatever a server answers


def kind_of(seen: Seen) -> str:
    """What is asked, in a word."""
    if not seen.body:
        return seen.target
    body = seen.json
    if not seen.target.endswith("/chat/completions"):
        return seen.target
    if body.get("response_format"):
        return str(body["response_format"]["type"])
    if body.get("tools"):
        return str(body.get("tool_choice"))
    if not isinstance(body["messages"][0]["content"], str):
        return "parts"
    return "stream" if body.get("stream") else "modalities" if "modalities" in body else f"chat {body['max_tokens']}"


def choice(message: Any, finish: Any = "stop", usage: Any = None) -> dict[str, Any]:
    return {"choices": [{"index": 0, "message": message, "finish_reason": finish}], "usage": usage}


CALL = {"id": "c", "function": {"name": "get_weather", "arguments": '{"city": "Paris"}'}}
BODIES: list[Any] = [
    choice({"content": "It is red and blue."}),
    choice({"content": '{"zq": "vx-17"}'}),
    choice({"content": '```json\n{"zq": "vx-17"}\n```'}),
    choice({"content": '{"zq": "vx'}, "length"),
    choice({"content": "[1]", "reasoning": "hm"}),
    choice({"content": "<think>"}),
    choice({"content": None, "refusal": "no"}),
    choice({"content": "\ud800\x1b[31m\u202e# : - &a *b"}),
    choice({"tool_calls": [CALL]}, "tool_calls"),
    choice({"tool_calls": [CALL, {**CALL, "id": "d"}]}, "tool_calls"),
    choice({"tool_calls": [{"function": {"name": "get_weather", "arguments": "{"}}]}, "tool_calls"),
    choice({"tool_calls": None}, "tool_calls"),
    choice({"content": "x", "audio": {"data": "AA"}}, "stop", {"prompt_tokens": 10**9}),
    choice({"content": 1}, 2, "3"),
    {"choices": [{"text": "x", "finish_reason": "stop"}]},
    {"data": [{"index": 0, "embedding": [1, 2]}, {"index": 1, "embedding": [2, 1]}]},
    {"data": [{"index": 0, "embedding": [1]}]},
    {"results": [1, 2]},
    {"error": "a string"},
    {"error": {"message": "context length: # \ud800 \x1b[2J\n- x", "code": 400}},
    {"choices": []},
    {},
    [],
    None,
    1,
]
RAW = [json.dumps(body).encode() for body in BODIES] + [
    b"",
    b"<html>",
    b"data: [DONE]\n\n",
    b'data: {"choices":[{"delta":{"content":"a"}}]}\n\ndata: {"choices":[{"delta":{"content":"b"},"finish_reason":"stop"}]}\n\n',
    b'data: {"error": {"message": "no"}}\n\n',
    b"[" * 5_000,
    b"\xff\xfe",
]
STATUSES = ["200 OK"] * 6 + ["400 Bad Request", "404 Not Found", "429 Too Many", "500 Oops", "501 No", "302 Found"]
KINDS = ["chat 1", "chat 512", "stream", "json_schema", "json_object", "auto", "required", "None", "parts", "modalities",
         "/v1/embeddings", "/v1/completions", "/v1/rerank"]  # fmt: skip


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    told=st.fixed_dictionaries(
        dict.fromkeys(KINDS, st.tuples(st.sampled_from(STATUSES), st.sampled_from(RAW)))
        | {"chat 1": st.tuples(st.just("200 OK"), st.sampled_from(RAW[:6]))}
    ),
    stated=st.sampled_from([None, 1, 4096, 10**6, -1, "x", 2.5, 10**13]),
    tags=st.lists(st.sampled_from(CAPABILITIES), min_size=1, max_size=8, unique=True),
)
def test_whatever_a_server_answers_the_correction_loads_and_holds(
    tmp_path: Path, told: dict[str, tuple[str, bytes]], stated: Any, tags: list[str]
) -> None:
    row = {"id": "m", "owned_by": "vllm", "max_model_len": stated}

    def script(seen: Seen) -> bytes:
        if seen.target == "/v1/models":
            return answer({"data": [row]})
        status, body = told.get(kind_of(seen), ("404 Not Found", b"Not Found"))
        return raw_http(body, status, retry_after="0")

    with FakeServer([script]) as server:
        context = 32768
        if any(tag.endswith("-context") for tag in tags):  # see above what else becomes of them
            context, tags = 1_000_000, list(dict.fromkeys([*tags, "long-output"]))
        check_correction(model(server.url, *tags, effectiveContextTokens=context), tmp_path)
