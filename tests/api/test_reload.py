"""Files that change while the gateway serves: a good one takes over, a broken one never does."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import httpx
import pytest

from aldo.api import Settings, create_app
from aldo.api.door.keys import add_key
from tests.api.running import Gateway, House, catalog_text, events_of, model, text_of, until, write
from tests.api.upstream import DONE, FAULTS, STREAM_END, STREAM_HEAD, Gate, answering, delta, good, saying

LOOK = 0.01
BROKEN = {
    "no YAML": "models: [",
    "empty": "",
    "an id twice": catalog_text([model("near"), model("near")]),
    "an unknown field": catalog_text([model("near", capabilties=[])]),
    "no UTF-8": None,
    "gone": None,
}


@pytest.fixture(autouse=True)
def _log(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("aldo", "aldo.serve"):
        monkeypatch.setattr(logging.getLogger(name), "propagate", True)
        monkeypatch.setattr(logging.getLogger(name), "disabled", False)
    caplog.set_level(logging.INFO, logger="aldo.serve")


def watching(house: House, path: Path, **settings: Any) -> Gateway:
    return house.gateway(path=path, watch_every=LOOK, **settings)


def first(gateway: Gateway) -> str:
    """Who would serve a request."""
    return str(gateway.route(capabilityClass="fast-draft", privacy="public").raise_for_status().json()["model"])


def state(gateway: Gateway) -> str:
    return str(gateway.http.get("/health").raise_for_status().json()["catalogFile"])


def reloads(gateway: Gateway, result: str) -> float:
    return gateway.metric("aldo_reloads_total", result=result)


def test_a_file_that_changes_is_served_soon(house: House) -> None:
    one, other = house.upstream(saying("I am one")), house.upstream(saying("I am other"))
    path = house.catalog(model("one", one.url))
    gateway = watching(house, path)
    before = gateway.http.get("/health").json()["routingDigest"]
    assert gateway.chat().headers["x-aldo-model"] == "one"
    write(path, catalog_text([model("other", other.url)]))
    until(lambda: first(gateway) == "other", "the other catalog")
    answer = gateway.chat()
    assert answer.headers["x-aldo-model"] == "other"
    assert answer.json()["choices"][0]["message"]["content"] == "I am other"
    assert gateway.http.get("/health").json()["routingDigest"] == answer.headers["x-aldo-routing-digest"] != before
    until(lambda: reloads(gateway, "changed") == 1, "the count")
    assert gateway.http.get("/v1/models/one").status_code == 404
    assert (len(one.messages), len(other.messages)) == (1, 1)


def test_a_file_written_in_place_is_noticed_too(house: House) -> None:
    path = house.catalog(model("one"))
    gateway = watching(house, path)
    path.write_text(catalog_text([model("other-name")]))
    until(lambda: first(gateway) == "other-name", "the other catalog")


@pytest.mark.parametrize("how", BROKEN)
def test_a_broken_file_never_takes_the_place_of_a_good_one(
    how: str, house: House, caplog: pytest.LogCaptureFixture
) -> None:
    path = house.catalog(model("near", house.upstream().url))
    good_text = path.read_text()
    gateway = watching(house, path)
    if how == "gone":
        path.unlink()
    elif how == "no UTF-8":
        path.write_bytes(b"\xff\xfe\x80")
    else:
        write(path, BROKEN[how] or "")
    until(lambda: state(gateway) == "failing", "the failure")
    until(lambda: reloads(gateway, "failed") >= 1, "the count")
    assert (reloads(gateway, "changed"), first(gateway)) == (0, "near")
    answer = gateway.chat()
    assert (answer.status_code, answer.headers["x-aldo-model"]) == (200, "near")
    errors = [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]
    assert any("the catalog was not replaced" in line for line in errors)
    assert any(str(path) in line for line in errors)
    if how in ("an id twice", "an unknown field"):
        assert any(f"{path}:1:" in line and "error[AL" in line for line in errors), errors
    assert all("\n" not in line for line in errors)
    write(path, good_text)
    until(lambda: state(gateway) == "ok", "the mended file")
    assert first(gateway) == "near"


def test_a_mended_file_with_other_contents_is_served(house: House) -> None:
    path = house.catalog(model("near"))
    gateway = watching(house, path)
    write(path, "models: [")
    until(lambda: state(gateway) == "failing", "the failure")
    write(path, catalog_text([model("mended")]))
    until(lambda: first(gateway) == "mended", "the mended file")
    assert state(gateway) == "ok"


def test_a_broken_file_is_read_once_and_not_at_every_look(house: House, tmp_path: Path) -> None:
    keys = tmp_path / "keys.txt"
    key = add_key(str(keys), "alice")
    path = house.catalog(model("near"))
    gateway = watching(house, path, keys=str(keys))
    gateway.http.headers["authorization"] = f"Bearer {key}"
    write(path, "models: [")
    until(lambda: state(gateway) == "failing", "the failure")
    later = add_key(str(keys), "later")
    until(lambda: enters(gateway, later), "a later look")
    assert reloads(gateway, "failed") == 1


def test_overlays_are_watched_too(house: House, tmp_path: Path) -> None:
    head = {"apiVersion": "aldo/models.v1", "kind": "ModelCatalogOverlay"}
    overlay = write(tmp_path / "overlay.yaml", json.dumps({**head, "override": {"a": {"enabled": False}}}))
    gateway = watching(house, house.catalog(model("a"), model("b")), overlays=(str(overlay),))
    assert first(gateway) == "b"
    write(overlay, json.dumps({**head, "override": {"b": {"enabled": False}}}))
    until(lambda: first(gateway) == "a", "the changed overlay")
    write(overlay, json.dumps({**head, "override": {"nobody": {"enabled": False}}}))
    until(lambda: state(gateway) == "failing", "the broken overlay")
    assert first(gateway) == "a"


def test_a_stream_under_way_ends_on_the_catalog_it_began_with(house: House) -> None:
    gate = Gate()
    slow = house.upstream(
        answering(STREAM_HEAD, delta(content="Hel"), gate, delta(content="lo"), delta("stop"), DONE, STREAM_END)
    )
    path = house.catalog(model("old", slow.url))
    gateway = watching(house, path)
    body = {"model": "fast-draft", "messages": [{"role": "user", "content": "hi"}], "stream": True}
    headers = {"x-aldo-privacy": "public"}
    with (
        httpx.Client(base_url=gateway.url, trust_env=False) as http,
        http.stream("POST", "/v1/chat/completions", json=body, headers=headers) as answer,
    ):
        pieces = answer.iter_text()
        text = ""
        while "Hel" not in text:
            text += next(pieces)
        write(path, catalog_text([model("new", house.upstream().url)]))
        until(lambda: first(gateway) == "new", "the new catalog")
        assert gateway.chat().headers["x-aldo-model"] == "new"
        assert gateway.http.get("/v1/models/old").status_code == 404
        gate.open()
        text += "".join(pieces)
    events = events_of(text)
    assert (text_of(events), events[-1]) == ("Hello", "[DONE]")
    assert {one["model"] for one in events[:-1]} == {"old"}
    assert gateway.chat().status_code == 200


def test_the_log_tells_which_routes_change_with_a_request_that_shows_it(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    path = house.catalog(model("a"), model("b"))
    gateway = watching(house, path)
    write(path, catalog_text([model("b"), model("a", enabled=False)]))
    until(lambda: any("a -> b" in one.getMessage() for one in caplog.records), "the change in the log")
    told = next(one.getMessage() for one in caplog.records if "a -> b" in one.getMessage())
    assert "fast-draft" in told and '"capabilityClass"' in told
    assert first(gateway) == "b"


def test_a_change_that_routes_nothing_differently_is_told_as_such(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    path = house.catalog(model("a", "http://127.0.0.1:1"))
    gateway = watching(house, path)
    write(path, catalog_text([model("a", "http://127.0.0.1:2")]))
    until(lambda: "every request is routed as before" in caplog.text, "the line")
    assert reloads(gateway, "changed") == 1
    write(path, path.read_text() + "\n")
    until(lambda: "nothing in it has changed" in caplog.text, "the line")
    assert (reloads(gateway, "changed"), reloads(gateway, "same")) == (1, 1)


def test_what_is_known_of_a_model_survives_unless_it_has_moved(house: House) -> None:
    bad, moved_to = house.upstream(FAULTS["500"]), house.upstream(good)
    path = house.catalog(model("stays", bad.url), model("moves", bad.url))
    gateway = watching(house, path)
    for name in ("stays", "moves"):
        for _ in range(3):
            assert gateway.chat(name).status_code == 502
        assert gateway.health_of(name)["state"] == "down"
    since = gateway.health_of("stays")["since"]
    write(path, catalog_text([model("stays", bad.url), model("moves", moved_to.url), model("comes", bad.url)]))
    until(lambda: gateway.http.get("/v1/models/comes").status_code == 200, "the new catalog")
    assert (gateway.health_of("stays")["state"], gateway.health_of("stays")["since"]) == ("down", since)
    assert [gateway.health_of(name)["state"] for name in ("moves", "comes")] == ["up", "up"]
    assert gateway.chat("stays").status_code == 503
    assert gateway.chat("moves").status_code == 200


def test_a_model_that_is_gone_is_no_longer_counted_as_down(house: House) -> None:
    path = house.catalog(model("here", house.upstream().url), model("gone", "http://127.0.0.1:1"))
    gateway = watching(house, path, probe_every=60.0)
    assert 'aldo_model_up{gen_ai_request_model="gone"} 0.0' in gateway.http.get("/metrics").text
    write(path, catalog_text([model("here", house.upstream().url)]))
    until(lambda: gateway.http.get("/v1/models/gone").status_code == 404, "the new catalog")
    assert 'aldo_model_up{gen_ai_request_model="gone"}' not in gateway.http.get("/metrics").text


def test_a_change_between_the_first_reading_and_the_start_is_noticed(house: House) -> None:
    path = house.catalog(model("old"))
    app = create_app(Settings(catalog=str(path), probe_every=None, watch_every=LOOK), environ={})
    write(path, catalog_text([model("new")]))
    gateway = house.serve(app)
    until(lambda: first(gateway) == "new", "the new catalog")


# Keys ------------------------------------------------------------------------------------------------------------


def enters(gateway: Gateway, key: str) -> bool:
    status = gateway.http.get("/v1/models", headers={"authorization": f"Bearer {key}"}).status_code
    assert status in (200, 401)
    return status == 200


def test_a_key_whose_line_is_deleted_is_refused_soon_and_a_new_one_let_in(house: House, tmp_path: Path) -> None:
    path = tmp_path / "keys.txt"
    alice, bob = add_key(str(path), "alice"), add_key(str(path), "bob")
    gateway = watching(house, house.catalog(model("near")), keys=str(path))
    assert enters(gateway, alice) and enters(gateway, bob)
    write(path, "".join(line for line in path.read_text().splitlines(True) if not line.startswith("alice")))
    until(lambda: not enters(gateway, alice), "the end of a key")
    assert enters(gateway, bob)
    carol = add_key(str(path), "carol")
    until(lambda: enters(gateway, carol), "the new key")
    assert not enters(gateway, alice)


@pytest.mark.parametrize("content", ["", "# nobody\n", "bob aldo-in-the-clear\n", None])
def test_with_a_broken_file_of_keys_the_old_ones_hold(
    content: str | None, house: House, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "keys.txt"
    alice = add_key(str(path), "alice")
    gateway = watching(house, house.catalog(model("near")), keys=str(path))
    if content is None:
        path.unlink()
    else:
        write(path, content)
    until(lambda: "the keys were not replaced" in caplog.text, "the line")
    assert enters(gateway, alice)
    assert not enters(gateway, "nobody") and not enters(gateway, "aldo-in-the-clear")
    assert str(path) in caplog.text and "in-the-clear" not in caplog.text
    headers = {"authorization": f"Bearer {alice}"}
    assert 'aldo_reloads_total{result="failed"} 1.0' in gateway.http.get("/metrics", headers=headers).text
    path.unlink(missing_ok=True)
    bob = add_key(str(path), "bob")
    until(lambda: enters(gateway, bob), "the mended file")
    assert not enters(gateway, alice)
