"""A catalog that changes again and again while requests are made: no request fails, and none sees two catalogs."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from tests.api.running import CHAT, House, catalog_text, model, posting, read_answer, sse, text_of, until, write
from tests.api.upstream import CLOSE, Gate, answering, saying


@pytest.mark.parametrize("probe_every", [None, 0.1], ids=["unprobed", "probed"])
def test_every_request_is_answered_by_one_catalog_alone(probe_every: float | None, house: House) -> None:
    kind: dict[str, Any] = {"provider": "mlx", "providerKind": "mlx"} if probe_every else {}
    one, other = house.upstream(saying("I am one")), house.upstream(saying("I am other"))
    texts = {
        "one": catalog_text([model("one", one.url, **kind)]),
        "other": catalog_text([model("other", other.url, privacyAllowed=["public", "sensitive"], **kind)]),
    }
    path = house.catalog(model("one", one.url, **kind))
    gateway = house.gateway(path=path, watch_every=0.002, probe_every=probe_every)
    digests = {"one": gateway.http.get("/health").json()["routingDigest"]}
    write(path, texts["other"])
    until(lambda: gateway.chat().headers["x-aldo-model"] == "other", "the first change")
    digests["other"] = gateway.http.get("/health").json()["routingDigest"]
    over, found, wrong = threading.Event(), [], []

    def ask(stream: bool) -> None:
        while not over.is_set():
            answer = gateway.chat(stream=stream)
            if answer.status_code != 200:
                wrong.append(answer.text)
                return
            name = answer.headers["x-aldo-model"]
            text = text_of(sse(answer)) if stream else answer.json()["choices"][0]["message"]["content"]
            if (text, answer.headers["x-aldo-routing-digest"]) != (f"I am {name}", digests[name]):
                wrong.append((name, text))
            found.append(name)

    threads = [threading.Thread(target=ask, args=(stream,)) for stream in (False, True)]
    for thread in threads:
        thread.start()
    try:
        for name in ("one", "other") * 4:
            write(path, texts[name])
            until(lambda: gateway.http.get("/health").json()["routingDigest"] == digests[name])  # noqa: B023
    finally:
        over.set()
        for thread in threads:
            thread.join()
    assert wrong == []
    assert {"one", "other"} <= set(found)


def test_what_fails_at_a_server_that_has_moved_says_nothing_of_its_new_place(house: House) -> None:
    """Three requests to the old place fail after the catalog was replaced."""
    gate = Gate()
    old, new = house.upstream(answering(gate, CLOSE)), house.upstream()
    path = house.catalog(model("near", old.url))
    gateway = house.gateway(path=path, watch_every=0.002)
    connections = [gateway.connect() for _ in range(4)]
    try:
        for connection in connections:
            connection.sendall(posting("/v1/chat/completions", CHAT))
        until(lambda: gate.reached == 4, "four requests at the old place")
        write(path, catalog_text([model("near", new.url)]))
        until(lambda: gateway.metric("aldo_reloads_total", result="changed"), "the change")
        gate.open()
        assert [read_answer(connection)[0] for connection in connections] == [502] * 4
    finally:
        for connection in connections:
            connection.close()
    assert gateway.health_of("near")["state"] == "up"
    assert gateway.chat().status_code == 200
    assert len(new.asked) == 1
