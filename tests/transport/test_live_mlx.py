"""Against a real mlx_lm.server with a random model: the protocol is true, the words are noise."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from aldo.errors import TransportError
from aldo.transport import ChatRequest, ChatResult, Finished, ModelClient, TextDelta, Timeouts
from tests.support.bound import ASK, bind, entry
from tests.support.mlx_server import MlxServer
from tests.support.tiny_model import build_tiny_model

PATIENT = Timeouts(connect=10, read=60, no_content=60)


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_tiny_model(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture(scope="session")
def mlx(model: Path) -> Iterator[MlxServer]:
    with MlxServer(model) as server:
        yield server


def client(server: MlxServer, path: str = "", **config: Any) -> ModelClient:
    """A sensitive chat's client, so that the guard is in place."""
    found = {"baseUrl": server.base_url + path, **config}
    return bind(entry("mlx", found), privacy="sensitive", timeouts=PATIENT)


def streamed(bound: ModelClient, request: ChatRequest) -> tuple[list[str], ChatResult]:
    *before, last = bound.stream(request)
    assert isinstance(last, Finished)
    return [event.text for event in before if isinstance(event, TextDelta)], last.result


def code_of(bound: ModelClient, request: ChatRequest = ASK) -> str:
    with bound:
        with pytest.raises(TransportError) as caught:
            bound.chat(request)
        with pytest.raises(TransportError) as again:
            list(bound.stream(request))
    assert again.value.code == caught.value.code
    assert caught.value.exit_code == 3
    return caught.value.code


@pytest.mark.parametrize("path", ["", "/", "/v1", "/v1/"])
def test_a_chat_is_answered(mlx: MlxServer, path: str) -> None:
    with client(mlx, path) as bound:
        result = bound.chat(ASK)
    assert result.finish_reason == "length"
    assert result.text
    assert result.usage.tokens_out == 8
    assert result.usage.tokens_in is not None
    assert result.usage.tokens_in > 0
    assert (result.model, result.provider, result.upstream_model) == ("the-entry", "mlx", "default_model")
    assert result.usd == "0"


def test_streamed_and_plain_chats_agree(mlx: MlxServer) -> None:
    with client(mlx) as bound:
        plain = bound.chat(ASK)
        pieces, result = streamed(bound, ASK)
    assert len(pieces) > 1
    assert "".join(pieces) == result.text
    assert plain.to_dict().keys() == result.to_dict().keys()
    same = ("finish_reason", "model", "provider", "upstream_model", "returned_model", "tool_calls", "reasoning", "usd")
    assert [getattr(plain, name) for name in same] == [getattr(result, name) for name in same]
    assert (plain.usage.tokens_in, plain.usage.tokens_out) == (result.usage.tokens_in, result.usage.tokens_out)
    assert result.ttft_ms is not None
    assert result.latency_ms is not None
    assert 0 <= result.ttft_ms <= result.latency_ms


def test_a_seed_decides_the_text(mlx: MlxServer) -> None:
    with client(mlx) as bound:
        texts = [bound.chat(replace(ASK, seed=seed, max_tokens=24)).text for seed in (1, 1, 2)]
    assert texts[0] == texts[1] != texts[2]


def test_an_entrys_seed_decides_it_too_and_a_requests_goes_first(mlx: MlxServer) -> None:
    ask = replace(ASK, max_tokens=24, seed=None)
    with client(mlx, extra={"samplerSeed": 7, "quantization": "q4", "kvCacheQuantized": True}) as bound:
        first, again, other = bound.chat(ask), bound.chat(replace(ask, seed=7)), bound.chat(replace(ask, seed=8))
    assert first.text == again.text != other.text


def test_a_stop_word_ends_a_chat(mlx: MlxServer) -> None:
    with client(mlx) as bound:
        text = bound.chat(replace(ASK, max_tokens=24)).text
        stopped = bound.chat(replace(ASK, max_tokens=24, stop=(text[10],)))
    assert stopped.finish_reason == "stop"
    assert text[10] not in stopped.text


def test_an_unknown_path_is_named_so(mlx: MlxServer) -> None:
    assert code_of(client(mlx, "/nope/v1")) in ("protocol", "bad_request", "server_error")


def test_an_unknown_model_is_named_so_and_the_next_chat_works(mlx: MlxServer) -> None:
    assert code_of(client(mlx, model="nope")) == "model_not_found"
    with client(mlx) as bound:
        assert bound.chat(ASK).text


@pytest.mark.parametrize("request_", [replace(ASK, messages=()), replace(ASK, top_p=2.0)],
                         ids=["no messages", "top_p of 2"])  # fmt: skip
def test_a_malformed_request_is_a_bad_request(mlx: MlxServer, request_: ChatRequest) -> None:
    assert code_of(client(mlx), request_) == "bad_request"


def test_a_conversation_with_a_tool_call_in_it_is_understood(mlx: MlxServer) -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}
    tool = {"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}
    messages = (*ASK.messages, {"role": "assistant", "content": None, "tool_calls": [call]},
                {"role": "tool", "tool_call_id": "c1", "content": "2"})  # fmt: skip
    with client(mlx) as bound:
        assert bound.chat(replace(ASK, messages=messages, tools=(tool,))).text


def test_closing_a_stream_early_leaves_the_server_usable(mlx: MlxServer) -> None:
    with client(mlx) as bound:
        for _ in range(3):
            stream = bound.stream(replace(ASK, max_tokens=4000))
            assert isinstance(next(stream), TextDelta)
            stream.close()  # type: ignore[attr-defined]
        assert streamed(bound, ASK)[1].finish_reason == "length"


def test_two_streams_of_one_client_do_not_mix(mlx: MlxServer) -> None:
    with client(mlx) as bound:
        alone = [bound.chat(replace(ASK, seed=seed, max_tokens=16)).usage for seed in (1, 2)]
        one, two = (bound.stream(replace(ASK, seed=seed, max_tokens=16)) for seed in (1, 2))
        seen: tuple[list[Any], list[Any]] = ([], [])
        for pair in zip(one, two, strict=False):
            for events, event in zip(seen, pair, strict=True):
                events.append(event)
        seen[0].extend(one)
        seen[1].extend(two)
    for events, usage in zip(seen, alone, strict=True):
        assert isinstance(events[-1], Finished)
        assert events[-1].result.usage.tokens_out == usage.tokens_out
        assert "".join(event.text for event in events[:-1] if isinstance(event, TextDelta)) == events[-1].result.text


def test_a_server_that_is_not_there_is_no_connection_and_one_killed_in_mid_stream_a_cut(model: Path) -> None:
    with MlxServer(model) as server, client(server) as bound:
        stream, texts = bound.stream(replace(ASK, max_tokens=4000)), 0
        with pytest.raises(TransportError) as caught:
            for event in stream:
                assert not isinstance(event, Finished)
                texts += isinstance(event, TextDelta)
                if texts == 5:
                    server.kill()
        assert texts >= 5
        assert caught.value.code == "stream_cut"
        with pytest.raises(TransportError) as gone:
            bound.chat(ASK)
        assert gone.value.code == "connection"
        server.start()
        assert bound.chat(ASK).text  # the client outlives its server
