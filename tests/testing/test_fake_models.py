"""Models that are played: what a client makes of them is what it would make of a server, and all that went out is kept."""

from __future__ import annotations

import asyncio
import threading
from typing import Any, get_args

import pytest

import aldo
from aldo.errors import SchemaMismatch, StreamCut
from aldo.testing import Fails, Failure, FakeModels, Says, Vectors
from aldo.transport import Retry, TextDelta, ToolCall, json_schema_format
from aldo.transport.chat import Finished
from tests.support.cases import MODELS

CATALOG = aldo.load_catalog(MODELS)
REQUEST = aldo.RouteRequest(capability_class="local-reasoning", privacy="sensitive")
DECISION = aldo.route(CATALOG, REQUEST)
CHAT = aldo.ChatRequest(messages=({"role": "user", "content": "Where?"},))
NO_RETRY = Retry(times=0)


def client(models: FakeModels, **more: Any) -> Any:
    return aldo.resolve(CATALOG, DECISION, http=models, environ={}, retry=NO_RETRY, **more)


def test_a_text_is_the_answer_whole_and_streamed_and_async() -> None:
    models = FakeModels(Says("It is Paris.", reasoning="Hm.", tokens_in=7, tokens_out=3))
    with client(models) as one:
        whole = one.chat(CHAT)
        *events, last = one.stream(CHAT)

    async def asked() -> Any:
        async with aldo.resolve_async(CATALOG, DECISION, http=models, environ={}) as other:
            return await other.chat(CHAT)

    assert isinstance(last, Finished)
    for result in (whole, last.result, asyncio.run(asked())):
        assert (result.text, result.reasoning, result.finish_reason) == ("It is Paris.", "Hm.", "stop")
        assert (result.usage.tokens_in, result.usage.tokens_out) == (7, 3)
        assert result.model == DECISION.model
    assert [event.text for event in events if isinstance(event, TextDelta)] == ["It ", "is ", "Paris."]
    assert [(asked.model, asked.kind, asked.prompt) for asked in models.asked] == [
        (DECISION.model, "chat", "Where?")
    ] * 3


def test_a_tool_call_arrives_whole() -> None:
    call = ToolCall("1", "weather", {"city": "Paris"})
    with client(FakeModels(Says(tool_calls=(call,)))) as one:
        assert one.chat(CHAT).tool_calls == (call,)
        assert one.chat(CHAT).finish_reason == "tool_calls"
        *_, last = one.stream(CHAT)
    assert last.result.tool_calls == (call,)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("code", get_args(Failure))
def test_every_failure_is_the_error_of_its_name(code: Failure, stream: bool) -> None:
    with client(FakeModels(Fails(code))) as one, pytest.raises(aldo.TransportError) as failed:
        _ = list(one.stream(CHAT)) if stream else one.chat(CHAT)
    assert failed.value.code == code


def test_a_code_that_no_server_brings_about_is_an_error_that_lists_those_that_they_do() -> None:
    with pytest.raises(aldo.UsageError, match="rate_limited"):
        Fails("egress_refused")  # type: ignore[arg-type]


def test_a_failover_walks_the_alternates_and_the_scripts_are_by_catalog_id() -> None:
    second = DECISION.alternates[0]
    models = FakeModels({DECISION.model: Fails("connection"), second: "Paris"})
    with client(models, failover=True) as one:
        assert one.chat(CHAT).model == second
    assert [asked.model for asked in models.asked] == [DECISION.model, second]


def test_a_cut_stream_has_told_the_beginning_of_its_answer() -> None:
    heard = []
    with client(FakeModels(Fails("stream_cut"))) as one, pytest.raises(StreamCut):
        heard += one.stream(CHAT)
    assert heard == []  # the role alone


def test_answers_in_a_row_are_given_one_after_the_other_and_one_more_is_a_failed_test() -> None:
    with client(FakeModels(["one", Fails("rate_limited", retry_after=9), "two"])) as one:
        assert one.chat(CHAT).text == "one"
        with pytest.raises(aldo.TransportError) as failed:
            one.chat(CHAT)
        assert failed.value.retry_after == 9
        assert one.chat(CHAT).text == "two"
        with pytest.raises(AssertionError, match="once more than FakeModels has answers"):
            one.chat(CHAT)


def test_an_entry_without_a_script_is_a_failed_test_that_names_it() -> None:
    with client(FakeModels({"another": "x"})) as one, pytest.raises(AssertionError, match=DECISION.model):
        one.chat(CHAT)


def test_a_function_sees_what_was_asked() -> None:
    with client(FakeModels(lambda asked: asked.prompt.upper())) as one:
        assert one.chat(CHAT).text == "WHERE?"


def test_structured_output_is_checked_as_ever() -> None:
    schema = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    chat = aldo.ChatRequest(messages=CHAT.messages, response_format=json_schema_format(schema))
    with client(FakeModels(['{"city": "Paris"}', "Paris"])) as one:
        assert one.chat(chat).parsed == {"city": "Paris"}
        with pytest.raises(SchemaMismatch):
            one.chat(chat)


def test_vectors_are_those_of_the_script_or_depend_on_the_text_alone() -> None:
    decision = aldo.route(CATALOG, aldo.RouteRequest(capability_class="embeddings", privacy="sensitive"))
    texts = aldo.EmbeddingRequest(inputs=("a", "b", "a"))
    with aldo.resolve(CATALOG, decision, http=FakeModels(""), environ={}) as one:
        first, second, third = one.embed(texts).vectors
    assert first == third != second
    models = FakeModels(Vectors(((1.0, 0.0), (0.0, 1.0), (1.0, 0.0))))
    with aldo.resolve(CATALOG, decision, http=models, environ={}) as one:
        assert [tuple(vector) for vector in one.embed(texts).vectors] == [(1.0, 0.0), (0.0, 1.0), (1.0, 0.0)]
    assert models.asked[0].prompt == "a\nb\na"
    with client(models) as one, pytest.raises(AssertionError, match="vectors"):
        one.chat(CHAT)


def test_installed_models_answer_whoever_resolves_and_only_inside() -> None:
    def somebody_elses() -> str:
        with aldo.resolve(CATALOG, DECISION, environ={"MLX_BASE_URL": "http://127.0.0.1:9"}, retry=NO_RETRY) as one:
            return one.chat(CHAT).text

    with FakeModels("Paris").installed() as models:
        assert somebody_elses() == "Paris"
    assert len(models.asked) == 1
    with pytest.raises(aldo.TransportError):
        somebody_elses()


def test_many_threads_may_ask_one_client_and_no_request_is_lost() -> None:
    models = FakeModels(lambda asked: asked.prompt)
    wrong: list[str] = []
    with client(models) as one:

        def ask(number: int) -> None:
            for turn in range(25):
                said = f"{number} {turn}"
                chat = aldo.ChatRequest(messages=({"role": "user", "content": said},))
                if one.chat(chat).text != said:
                    wrong.append(said)

        threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert wrong == []
    assert len({asked.prompt for asked in models.asked}) == len(models.asked) == 200


def test_a_header_or_a_prompt_is_in_no_repr() -> None:
    models = FakeModels("x")
    with client(models) as one:
        one.chat(aldo.ChatRequest(messages=({"role": "user", "content": "zebra"},)))
    assert "zebra" not in repr(models.asked)
