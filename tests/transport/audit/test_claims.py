"""Each tag of the vocabulary in both directions: servers that do what is claimed, and servers that do not."""

from __future__ import annotations

import json

import pytest

from aldo.schema.vocabulary import CAPABILITIES
from tests.support.fake_server import FakeServer, Reply, Seen
from tests.transport.audit.able_server import Able, able, answer
from tests.transport.audit.auditing import CONTEXT_TAGS, against, audited, model, verdicts

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
