"""Embeddings: texts in, vectors out, in OpenAI's shape."""

from __future__ import annotations

import base64
import struct
from typing import Any

import openai
import pytest

from tests.api.running import Gateway, House, model, posting, until
from tests.api.upstream import FAULTS, HANG, Upstream, answering, http, vectors


@pytest.fixture(scope="module")
def shared_gateway(shared_house: House, shared_server: Upstream) -> Gateway:
    return shared_house.gateway(
        model("near", shared_server.url),
        model(
            "vec", shared_server.url, capabilityClass="embeddings", provides=["embeddings"], effectiveContextTokens=50
        ),
    )


def test_a_text_has_one_vector_and_a_list_one_each_in_order(gateway: Gateway, server: Upstream) -> None:
    one = gateway.embed("hi").json()
    assert (one["object"], one["model"]) == ("list", "vec")
    assert one["data"] == [{"object": "embedding", "index": 0, "embedding": [1.5, -0.25, 0.0]}]
    many = gateway.embed(["a", "b", "c"]).json()
    assert [(item["index"], item["embedding"][2]) for item in many["data"]] == [(0, 0.0), (1, 1.0), (2, 2.0)]
    assert many["usage"] == {"prompt_tokens": 6, "total_tokens": 6}
    assert [asked.json["input"] for asked in server.asked] == [["hi"], ["a", "b", "c"]]


def test_vectors_that_come_in_another_order_are_put_right(gateway: Gateway, server: Upstream) -> None:
    body = vectors(3)
    body["data"].reverse()
    server.script = answering(*http(body))
    assert [item["embedding"][2] for item in gateway.embed(["a", "b", "c"]).json()["data"]] == [0.0, 1.0, 2.0]


def test_base64_is_the_same_numbers_in_32_bits(gateway: Gateway, server: Upstream) -> None:
    plain = [item["embedding"] for item in gateway.embed(["a", "b"]).json()["data"]]
    packed = [item["embedding"] for item in gateway.embed(["a", "b"], encoding_format="base64").json()["data"]]
    assert [list(struct.unpack("<3f", base64.b64decode(text))) for text in packed] == plain
    assert all(asked.json.get("encoding_format") in (None, "float") for asked in server.asked)


def test_the_openai_sdk_reads_them(gateway: Gateway, server: Upstream) -> None:
    with openai.OpenAI(
        base_url=f"{gateway.url}/v1", api_key="any", max_retries=0, default_headers={"X-Aldo-Privacy": "public"}
    ) as sdk:
        found = sdk.embeddings.create(model="embeddings", input=["a", "b"])
    assert [item.embedding for item in found.data] == [[1.5, -0.25, 0.0], [1.5, -0.25, 1.0]]


def test_dimensions_are_sent_on(gateway: Gateway, server: Upstream) -> None:
    gateway.embed("hi", dimensions=3)
    gateway.embed("hi", dimensions=None, encoding_format=None, user=None)
    assert [asked.json.get("dimensions") for asked in server.asked] == [3, None]


WRONG: list[Any] = [[], "", ["a", ""], None, 5, [5], [[1, 2]], [1, 2, 3], ["a", 5], {"text": "a"}, [None], [["a"]]]


@pytest.mark.parametrize("value", WRONG)
def test_what_is_no_text_is_refused_before_any_server_is_asked(value: Any, gateway: Gateway, server: Upstream) -> None:
    answer = gateway.embed(value)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid_request")
    assert answer.json()["error"]["param"].startswith("input")
    assert server.asked == []


@pytest.mark.parametrize("more", [{"encoding_format": "hex"}, {"dimensions": 0}, {"dimension": 3}, {"inputs": "x"}])
def test_what_makes_no_sense_is_refused(more: Any, gateway: Gateway, server: Upstream) -> None:
    assert gateway.embed("hi", **more).status_code == 400
    assert server.asked == []


def test_a_model_that_makes_none_is_not_asked_for_any(gateway: Gateway, server: Upstream) -> None:
    for name in ("near", "fast-draft"):
        answer = gateway.embed("hi", model=name)
        assert answer.status_code in (400, 422)
    assert server.asked == []


def test_the_longest_text_must_fit_and_not_their_sum(gateway: Gateway, server: Upstream) -> None:
    assert gateway.embed(["a" * 200] * 5).status_code == 200
    answer = gateway.embed(["a", "a" * 300])
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "no_eligible_model")


@pytest.mark.parametrize(
    "data", [[], vectors(1)["data"], vectors(3)["data"], [{"embedding": "AAAA"}, {"embedding": []}]]
)
def test_vectors_that_do_not_match_the_texts_are_no_success(data: Any, gateway: Gateway, server: Upstream) -> None:
    server.script = answering(*http({"object": "list", "data": data}))
    answer = gateway.embed(["a", "b"])
    assert (answer.status_code, answer.json()["error"]["code"]) == (502, "protocol")


def test_a_number_that_32_bits_cannot_hold_is_told(gateway: Gateway, server: Upstream) -> None:
    server.script = answering(*http({"data": [{"index": 0, "embedding": [1e300]}]}))
    assert gateway.embed("hi", encoding_format="base64").status_code == 502
    assert gateway.embed("hi").json()["data"][0]["embedding"] == [1e300]


@pytest.mark.parametrize("raw", ["[NaN]", "[1e999]", "[Infinity]", "[null]", '["1"]', "[true]"])
def test_what_is_no_finite_number_is_no_vector(raw: str, gateway: Gateway, server: Upstream) -> None:
    server.script = answering(*http(f'{{"data": [{{"index": 0, "embedding": {raw}}}]}}'))
    assert gateway.embed("hi").status_code == 502


def test_an_alternate_takes_over_for_all_texts(house: House) -> None:
    broken, well = house.upstream(FAULTS["500"]), house.upstream()
    gateway = house.gateway(
        *(
            model(name, one.url, capabilityClass="embeddings", provides=["embeddings"])
            for name, one in (("a", broken), ("b", well))
        )
    )
    answer = gateway.embed(["x", "y"])
    assert (answer.json()["model"], answer.headers["x-aldo-model"]) == ("b", "b")
    assert (len(broken.asked), len(well.asked)) == (1, 1)


def test_a_client_that_hangs_up_closes_the_connection_to_the_server(house: House) -> None:
    server = house.upstream(answering(HANG))
    gateway = house.gateway(model("vec", server.url, capabilityClass="embeddings", provides=["embeddings"]))
    body = b'{"model": "embeddings", "input": "hi"}'
    with gateway.connect() as connection:
        connection.sendall(posting("/v1/embeddings", body))
        until(lambda: server.asked, "the request to the server")
    until(lambda: server.closed == 1, "the end of the connection to the server")
    until(lambda: not gateway.inner.calls, "the end of the call")
