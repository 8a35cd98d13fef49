"""Who answers when somebody fails: along the alternates, before the first byte, and never across a tier."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pytest

from tests.api.running import Gateway, House, events_of, model, sse, text_of, until
from tests.api.upstream import (
    CLOSE,
    DONE,
    FAULTS,
    STREAM_END,
    STREAM_HEAD,
    Gate,
    Upstream,
    answering,
    delta,
    good,
    saying,
)

PASSED_ON = ("500", "502", "503", "429", "404", "html", "close", "reset", "half a head", "no HTTP", "context")
"""What another server may do better."""


@pytest.fixture(scope="module")
def pair(shared_house: House) -> list[Upstream]:
    return [shared_house.upstream(), shared_house.upstream()]


@pytest.fixture(scope="module")
def one_of_two(shared_house: House, pair: list[Upstream]) -> Gateway:
    first, second = pair
    return shared_house.gateway(model("a", first.url), model("b", second.url))


@pytest.fixture
def chain(one_of_two: Gateway, pair: list[Upstream]) -> Gateway:
    """Two models, both well, and `a` is asked first."""
    for one in pair:
        one.script = good
    one_of_two.rest()
    for one in pair:
        one.forget()
    return one_of_two


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("fault", PASSED_ON)
def test_an_alternate_takes_over_before_the_first_byte(
    fault: str, stream: bool, chain: Gateway, pair: list[Upstream]
) -> None:
    first, second = pair
    first.script, second.script = FAULTS[fault], saying("I am b")
    answer = chain.chat(stream=stream)
    assert answer.status_code == 200, answer.text
    assert answer.headers["x-aldo-model"] == "b"
    if stream:
        events = sse(answer)
        assert (text_of(events), events[-1]) == ("I am b", "[DONE]")
        assert {one["model"] for one in events[:-1]} == {"b"}
    else:
        assert answer.json()["choices"][0]["message"]["content"] == "I am b"
        assert answer.json()["model"] == "b"
    assert (len(first.asked), len(second.asked)) == (1, 1)


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_what_would_be_wrong_everywhere_is_not_asked_of_another(
    stream: bool, chain: Gateway, pair: list[Upstream]
) -> None:
    pair[0].script = FAULTS["400"]
    answer = chain.chat(stream=stream)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "bad_request")
    assert pair[1].asked == []


def test_a_stream_that_began_is_ended_by_an_error_and_nobody_takes_over(chain: Gateway, pair: list[Upstream]) -> None:
    pair[0].script = answering(STREAM_HEAD, delta(content="Hel"), CLOSE)
    events = sse(chain.chat(stream=True))
    assert text_of(events) == "Hel"
    assert events[-1]["error"]["code"] == "stream_cut"
    assert {one["model"] for one in events[:-1]} == {"a"}
    assert pair[1].asked == []


@pytest.mark.parametrize(
    "begun", [[STREAM_HEAD, CLOSE], [STREAM_HEAD, delta(role="assistant"), CLOSE], [STREAM_HEAD, DONE, STREAM_END]]
)
def test_a_stream_that_said_nothing_yet_may_be_taken_over(begun: Any, chain: Gateway, pair: list[Upstream]) -> None:
    pair[0].script = answering(*begun)
    answer = chain.chat(stream=True)
    assert text_of(sse(answer)) == "Hello there"
    assert answer.headers["x-aldo-model"] == "b"


def test_where_all_fail_the_last_error_tells_every_attempt(chain: Gateway, pair: list[Upstream]) -> None:
    pair[0].script, pair[1].script = FAULTS["500"], FAULTS["429"]
    answer = chain.chat()
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (429, "rate_limited")
    assert error["attempts"] == [{"model": "a", "outcome": "server_error"}, {"model": "b", "outcome": "rate_limited"}]


def test_without_failover_nobody_else_is_asked(house: House) -> None:
    first, second = house.upstream(FAULTS["500"]), house.upstream()
    gateway = house.gateway(model("a", first.url), model("b", second.url), failover=False)
    assert gateway.chat().status_code == 502
    assert second.asked == []


def test_the_same_server_is_asked_again_as_often_as_the_operator_says(house: House) -> None:
    servers = [house.upstream(FAULTS["close"]) for _ in range(2)]
    for times in (0, 1):
        gateway = house.gateway(*(model(name, one.url) for name, one in zip("ab", servers, strict=True)), retries=times)
        for one in servers:
            one.forget()
        assert gateway.chat().status_code == 502
        assert [len(one.asked) for one in servers] == [times + 1] * 2


@pytest.mark.parametrize(
    ("tier", "wanted"),
    [("public", ["a", "b", "c", "d"]), ("internal", ["a", "b", "d"]), ("sensitive", ["a", "d"])],
)
def test_failover_stays_within_the_tier_and_goes_on_to_the_fallback_classes(
    tier: str, wanted: list[str], house: House
) -> None:
    order: list[str] = []

    def failing(name: str) -> Any:
        def script(asked: Any) -> Any:
            order.append(name)
            return FAULTS["500"](asked)

        return script

    servers = {name: house.upstream(failing(name)) for name in "abcd"}
    gateway = house.gateway(
        model("a", servers["a"].url),
        model("b", servers["b"].url, locality="cloud"),
        model(
            "c",
            servers["c"].url,
            locality="cloud",
            privacyAllowed=["public"],
            latencyP95Ms=9000,
            cost={"usdPerMtokIn": 9, "usdPerMtokOut": 9},
        ),
        model("d", servers["d"].url, capabilityClass="reasoning-small"),
    )
    answer = gateway.chat("fast-draft", tier, headers={"x-aldo-fallback": "reasoning-small"})
    assert answer.status_code == 502
    assert order == wanted


def test_an_answer_of_a_fallback_class_names_that_class(house: House) -> None:
    broken, well = house.upstream(FAULTS["500"]), house.upstream()
    gateway = house.gateway(model("a", broken.url), model("b", well.url, capabilityClass="reasoning-small"))
    answer = gateway.chat(headers={"x-aldo-fallback": "reasoning-small"})
    assert (answer.headers["x-aldo-model"], answer.headers["x-aldo-class"]) == ("b", "reasoning-small")


def test_an_alternate_that_cannot_be_asked_is_passed_over(house: House) -> None:
    """It has no address; the one behind it has."""
    broken, well = house.upstream(FAULTS["500"]), house.upstream()
    gateway = house.gateway(model("a", broken.url), model("b", None), model("c", well.url))
    assert gateway.chat().headers["x-aldo-model"] == "c"


def test_every_attempt_has_a_row_of_its_own(house: House, tmp_path: Path) -> None:
    first, second = house.upstream(FAULTS["500"]), house.upstream()
    usage = tmp_path / "usage.jsonl"
    gateway = house.gateway(model("a", first.url), model("b", second.url), usage=str(usage))
    gateway.chat(stream=True)
    rows = until(lambda: list(map(json.loads, usage.read_text().splitlines())) if usage.exists() else [])
    assert [(row["model"], row["outcome"]) for row in rows] == [("a", "server_error"), ("b", "ok")]


def test_a_slow_first_server_holds_up_nobody_elses_request(chain: Gateway, pair: list[Upstream]) -> None:
    gate = Gate()
    pair[0].script = answering(STREAM_HEAD, gate, delta(content="late"), delta("stop"), DONE, STREAM_END)
    body = {"model": "a", "messages": [{"role": "user", "content": "hi"}], "stream": True}
    request = chain.http.build_request("POST", "/v1/chat/completions", json=body, headers={"x-aldo-privacy": "public"})
    found: list[str] = []
    waiting = threading.Thread(target=lambda: found.append(chain.http.send(request).text))
    waiting.start()
    until(lambda: gate.reached, "the first request")
    assert [chain.chat("b").status_code for _ in range(5)] == [200] * 5
    gate.open()
    waiting.join()
    assert text_of(events_of(found[0])) == "late"
