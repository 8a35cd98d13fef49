"""Models that are down: how that is noticed, where it shows, what it does to requests, and how it ends."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.api.running import Gateway, House, model, until
from tests.api.upstream import FAULTS, Upstream, good, probed

MLX = {"provider": "mlx", "providerKind": "mlx"}


def fail(gateway: Gateway, server: Upstream, times: int, name: str = "a", fault: str = "500") -> None:
    server.script = FAULTS[fault]
    for _ in range(times):
        assert gateway.chat(name).status_code >= 400


@pytest.fixture
def servers(house: House) -> list[Upstream]:
    return [house.upstream(), house.upstream()]


@pytest.fixture
def pair(house: House, servers: list[Upstream]) -> Gateway:
    return house.gateway(*(model(name, one.url) for name, one in zip("ab", servers, strict=True)))


@pytest.mark.parametrize("fault", ["500", "429", "401", "404", "503", "html", "close"])
def test_three_failed_requests_in_a_row_put_a_model_down(fault: str, pair: Gateway, servers: list[Upstream]) -> None:
    fail(pair, servers[0], 2, fault=fault)
    assert pair.health_of("a")["state"] == "up"
    fail(pair, servers[0], 1, fault=fault)
    health = pair.health_of("a")
    assert (health["state"], bool(health["reason"]), bool(health["since"])) == ("down", True, True)
    servers[0].forget()
    answer = pair.chat()
    assert (answer.headers["x-aldo-model"], answer.headers["x-aldo-down"]) == ("b", "a")
    assert servers[0].asked == []


@pytest.mark.parametrize("fault", ["400", "context"])
def test_a_request_that_was_wrong_puts_nobody_down(fault: str, pair: Gateway, servers: list[Upstream]) -> None:
    fail(pair, servers[0], 5, fault=fault)
    assert pair.health_of("a")["state"] == "up"


def test_an_answer_in_between_begins_the_count_anew(pair: Gateway, servers: list[Upstream]) -> None:
    for _ in range(3):
        fail(pair, servers[0], 2)
        servers[0].script = good
        assert pair.chat("a").status_code == 200
    assert pair.health_of("a") == {**pair.health_of("a"), "state": "up", "reason": None}


def test_where_all_are_down_the_answer_is_503_and_says_when_to_come_again(
    pair: Gateway, servers: list[Upstream]
) -> None:
    fail(pair, servers[0], 3)
    fail(pair, servers[1], 3, "b")
    for answer in (pair.chat(), pair.chat("a"), pair.route(capabilityClass="fast-draft", privacy="public")):
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "no_eligible_model")
        assert int(answer.headers["retry-after"]) >= 1
    assert pair.chat(headers={"x-aldo-requires": "vision"}).status_code == 422  # health has nothing to do with it
    assert pair.http.get("/health").status_code == 200
    assert pair.http.get("/health").json()["up"] == 0


def test_a_dry_run_shows_who_is_down_and_why(pair: Gateway, servers: list[Upstream]) -> None:
    fail(pair, servers[0], 3)
    found = pair.route(capabilityClass="fast-draft", privacy="public").json()
    assert (found["model"], found["alternates"], found["request"]["down"]) == ("b", [], ["a"])
    assert found["health"] == {"a": pair.health_of("a")}
    assert pair.http.get("/health").json()["up"] == 1


def test_a_class_without_failures_has_nobody_down(house: House) -> None:
    one, other = house.upstream(), house.upstream()
    gateway = house.gateway(model("a", one.url), model("c", other.url, capabilityClass="reasoning-small"))
    fail(gateway, one, 3)
    answer = gateway.chat("reasoning-small")
    assert answer.status_code == 200
    assert "x-aldo-down" not in answer.headers
    assert gateway.route(capabilityClass="reasoning-small", privacy="public").json()["health"] == {}


def test_recovery_is_tried_after_the_interval_and_an_answer_ends_it(pair: Gateway, servers: list[Upstream]) -> None:
    fail(pair, servers[0], 3)
    interval = pair.inner.recovery
    pair.clock.shift += interval - 1.0
    assert pair.chat().headers["x-aldo-model"] == "b"
    pair.clock.shift += 1.5
    assert pair.health_of("a")["state"] == "trying"
    answer = pair.chat()
    assert answer.headers["x-aldo-model"] == "b"  # it failed again, and its alternate took over
    assert pair.health_of("a")["state"] == "down"
    pair.clock.shift += interval + 0.5
    servers[0].script = good
    assert pair.chat().headers["x-aldo-model"] == "a"
    assert pair.health_of("a")["state"] == "up"


def test_a_model_that_is_down_cannot_be_had_by_pinning_it(pair: Gateway, servers: list[Upstream]) -> None:
    fail(pair, servers[0], 3)
    servers[0].forget()
    servers[0].script = good
    assert pair.chat("a").status_code == 503
    assert servers[0].asked == []


def test_since_is_the_moment_of_the_present_state(pair: Gateway, servers: list[Upstream]) -> None:
    fail(pair, servers[0], 3)
    down = pair.health_of("a")
    pair.clock.shift += pair.inner.recovery + 1.0
    trying = pair.health_of("a")
    assert (down["state"], trying["state"]) == ("down", "trying")
    assert trying["since"] > down["since"]


def test_a_stream_that_is_cut_counts_as_a_failure(pair: Gateway, servers: list[Upstream]) -> None:
    servers[0].script = FAULTS["cut"]
    for _ in range(3):
        assert "error" in pair.chat("a", stream=True).text
    assert pair.health_of("a")["state"] == "down"


# Probes ---------------------------------------------------------------------------------------------------------


def test_who_is_not_there_at_the_start_is_down_from_the_first_request_on(house: House) -> None:
    gone, well = house.upstream(), house.upstream()
    house.run(gone.stop())
    gateway = house.gateway(model("a", gone.url, **MLX), model("b", well.url, **MLX), probe_every=600.0)
    answer = gateway.chat()
    assert (answer.headers["x-aldo-model"], answer.headers["x-aldo-down"]) == ("b", "a")
    listed = {one["id"]: one for one in gateway.http.get("/v1/models").json()["data"]}
    assert [listed[name]["available"] for name in "ab"] == [False, True]
    assert (listed["a"]["health"]["state"], listed["b"]["health"]["state"]) == ("down", "up")
    assert listed["a"]["health"]["reason"]
    assert gateway.chat("a").status_code == 503
    assert gateway.metric("aldo_model_up", gen_ai_request_model="a") == 0
    assert gateway.metric("aldo_model_up", gen_ai_request_model="b") == 1


def test_who_comes_back_is_found_by_a_probe_and_who_goes_is_missed(house: House) -> None:
    server = house.upstream()
    gateway = house.gateway(model("a", server.url, **MLX), probe_every=0.1)
    assert gateway.chat().status_code == 200
    house.run(server.stop())
    until(lambda: gateway.health_of("a")["state"] == "down", "the probe that misses it")
    assert gateway.chat().status_code == 503
    house.run(server.start())
    until(lambda: gateway.health_of("a")["state"] == "up", "the probe that finds it")
    assert gateway.chat().status_code == 200


def test_a_server_that_still_loads_is_down(house: House) -> None:
    def loading(asked: Any) -> Any:
        if asked.target.endswith("/health"):
            return FAULTS["503"](type(asked)("POST", "/v1/x", {}, b"{}"))
        return probed(asked) or good(asked)

    gateway = house.gateway(
        model("a", house.upstream(loading).url, provider="llamacpp"),
        probe_every=600.0,
    )
    assert gateway.health_of("a")["state"] == "down"


def test_a_stranger_that_does_not_say_what_it_is_may_serve_well(house: House) -> None:
    def silent(asked: Any) -> Any:
        return FAULTS["404"](type(asked)("POST", "/x", {}, b"{}")) if asked.method == "GET" else good(asked)

    gateway = house.gateway(model("a", house.upstream(silent).url, provider="acme"), probe_every=600.0)
    assert gateway.chat().status_code == 200


def test_a_cloud_model_without_its_key_is_not_available_and_never_probed(house: House) -> None:
    server = house.upstream()
    config = {"apiKeyEnv": "ACME_KEY"}
    sky = model("sky", server.url, locality="cloud", config=config)
    without = house.gateway(sky, probe_every=0.1)
    assert without.http.get("/v1/models/sky").json()["available"] is False
    assert without.chat().status_code == 503
    assert server.connections == 0
    keyed = house.gateway(sky, probe_every=0.1, environ={"ACME_KEY": "sk-1"})
    assert keyed.http.get("/v1/models/sky").json()["available"] is True
    assert keyed.chat().status_code == 200
    assert server.messages[0].headers["authorization"] == "Bearer sk-1"
    assert all(asked.method == "POST" for asked in server.asked)


def test_without_probes_nothing_is_ever_probed(house: House) -> None:
    server = house.upstream()
    gateway = house.gateway(model("a", server.url, **MLX), probe_every=None)
    for _ in range(3):
        assert gateway.chat().status_code == 200
    assert [asked.method for asked in server.asked] == ["POST"] * 3
    assert json.loads(gateway.http.get("/v1/models/a").text)["health"]["state"] == "up"
