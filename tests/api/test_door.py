"""Who may come in, how much they may bring, how long they may take, and what happens when they leave."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from aldo.api import Settings
from aldo.api.door.keys import Keys, add_key, read_keys
from aldo.errors import UsageError
from tests.api.running import (
    CHAT,
    DEADLINE,
    STREAMED,
    Gateway,
    House,
    is_closed,
    model,
    posting,
    read_answer,
    until,
)
from tests.api.upstream import (
    DONE,
    HANG,
    STREAM_END,
    STREAM_HEAD,
    Gate,
    Upstream,
    answering,
    completion,
    delta,
    good,
    http,
)

PATHS = [
    ("POST", "/v1/chat/completions"),
    ("POST", "/v1/embeddings"),
    ("POST", "/v1/route"),
    ("GET", "/v1/models"),
    ("GET", "/v1/models/near"),
    ("GET", "/metrics"),
]

# Keys -----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def key_file(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, str]:
    path = tmp_path_factory.mktemp("keys") / "keys.txt"
    return path, add_key(str(path), "alice"), add_key(str(path), "bob")


@pytest.fixture(scope="module")
def keyed(shared_house: House, shared_server: Upstream, key_file: Any) -> Gateway:
    return shared_house.gateway(model("near", shared_server.url), keys=str(key_file[0]))


@pytest.mark.parametrize(("method", "path"), PATHS)
def test_without_a_key_nothing_but_health_is_told(method: str, path: str, keyed: Gateway, key_file: Any) -> None:
    _, alice, _ = key_file
    wrong = [
        {},
        {"authorization": ""},
        {"authorization": "Bearer"},
        {"authorization": "Bearer nobody"},
        {"authorization": f"Basic {alice}"},
        {"authorization": f"Bearer {alice}x"},
        {"authorization": f"Bearer {alice[:-1]}"},
        {"authorization": f"Bearer {alice.upper()}"},
        {"authorization": alice},
        {"x-api-key": alice},
        {"cookie": f"key={alice}"},
    ]
    for headers in wrong:
        answer = keyed.http.request(method, path, headers=headers, json={} if method == "POST" else None)
        assert answer.status_code == 401, headers
        error = answer.json()["error"]
        assert (error["code"], error["type"]) == ("invalid_api_key", "authentication_error")
        assert answer.headers["www-authenticate"].startswith("Bearer")
        assert alice not in answer.text
    answer = keyed.http.request(method, f"{path}?key={alice}", json={} if method == "POST" else None)
    assert answer.status_code == 401


def test_every_key_of_the_file_lets_in(keyed: Gateway, server: Upstream, key_file: Any) -> None:
    for key in key_file[1:]:
        for scheme in ("Bearer", "bearer"):
            assert keyed.chat(headers={"authorization": f"{scheme} {key}"}).status_code == 200
    assert b"aldo-" not in server.raw


def test_health_and_the_document_need_no_key(keyed: Gateway) -> None:
    assert keyed.http.get("/health").status_code == 200
    assert keyed.http.get("/openapi.json").status_code == 200
    assert "near" not in keyed.http.get("/health").text


def test_with_keys_any_host_name_will_do(keyed: Gateway, server: Upstream, key_file: Any) -> None:
    headers = {"authorization": f"Bearer {key_file[1]}", "host": "models.example"}
    assert keyed.chat(headers=headers).status_code == 200


def test_a_key_is_compared_whole_and_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every key of the file is compared, whether or not an earlier one fits, and by the library's own comparison."""
    import hashlib
    import hmac

    compared: list[bytes] = []
    real = hmac.compare_digest

    def noted(one: Any, other: Any) -> bool:
        compared.append(other)
        return real(one, other)

    monkeypatch.setattr(hmac, "compare_digest", noted)
    keys = Keys({name: hashlib.sha256(name.encode()).digest() for name in ("a", "b", "c")})
    for said, owner in ((b"Bearer a", "a"), (b"Bearer c", "c"), (b"Bearer d", None)):
        compared.clear()
        assert keys.owner(said) == owner
        assert len(compared) == 3


def test_a_gateway_that_others_can_reach_needs_keys() -> None:
    for host in ("0.0.0.0", "::", "192.168.1.5", "example.test", "127.0.0.1.example.test"):
        with pytest.raises(UsageError):
            Settings(catalog="x").check_reach(host)
        Settings(catalog="x", keys="file").check_reach(host)
    for host in ("127.0.0.1", "localhost", "::1"):
        Settings(catalog="x").check_reach(host)


# Names ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "host",
    [
        "evil.test",
        "evil.test:2536",
        "127.0.0.1.evil.test",
        "localhost.evil.test",
        "192.168.1.5",
        "0.0.0.0",
        "",
        "[::2]",
        "127.0.0.2",
    ],
)
@pytest.mark.parametrize(("method", "path"), [*PATHS, ("GET", "/health"), ("GET", "/openapi.json"), ("GET", "/x")])
def test_without_keys_a_foreign_host_name_is_refused(
    method: str, path: str, host: str, gateway: Gateway, server: Upstream
) -> None:
    answer = gateway.http.request(method, path, headers={"host": host}, json={} if method == "POST" else None)
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "host_refused")
    assert server.asked == []


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:1", "127.0.0.1", "127.0.0.1:99999", "[::1]:2536", "[::1]"])
def test_every_name_of_this_machine_will_do(host: str, gateway: Gateway) -> None:
    assert gateway.http.get("/v1/models", headers={"host": host}).status_code == 200


def test_the_operator_may_allow_further_names(shared_house: House, server: Upstream) -> None:
    gateway = shared_house.gateway(model("near", server.url), hosts=("models.internal",))
    assert gateway.http.get("/v1/models", headers={"host": "models.internal:2536"}).status_code == 200
    assert gateway.http.get("/v1/models", headers={"host": "evil.internal"}).status_code == 403


def test_a_request_without_a_host_is_refused(gateway: Gateway) -> None:
    with gateway.connect() as connection:
        connection.sendall(b"GET /v1/models HTTP/1.0\r\n\r\n")
        assert read_answer(connection)[0] in (400, 403)


# What a page in a browser could send ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "kind",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "",
        "application/jsonp",
        "text/json",
        None,
    ],
)
@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/embeddings", "/v1/route"])
def test_only_json_is_taken_as_json(path: str, kind: str | None, gateway: Gateway, server: Upstream) -> None:
    headers = {"x-aldo-privacy": "public"} | ({} if kind is None else {"content-type": kind})
    answer = gateway.http.post(path, content=CHAT, headers=headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (415, "unsupported_media")
    assert server.asked == []


@pytest.mark.parametrize("kind", ["application/json", "Application/JSON", "application/json; charset=utf-8"])
def test_json_may_have_parameters(kind: str, gateway: Gateway, server: Upstream) -> None:
    headers = {"x-aldo-privacy": "public", "content-type": kind}
    assert gateway.http.post("/v1/chat/completions", content=CHAT, headers=headers).status_code == 200


def test_no_answer_ever_has_a_cors_header(gateway: Gateway, server: Upstream) -> None:
    origin = {"origin": "https://evil.test"}
    preflight = origin | {
        "access-control-request-method": "POST",
        "access-control-request-headers": "content-type,x-aldo-privacy",
        "access-control-request-private-network": "true",
    }
    answers = [
        gateway.chat(headers=origin),
        gateway.chat(headers=origin, stream=True),
        gateway.chat(headers=origin, privacy=None),
        gateway.http.get("/v1/models", headers=origin),
        gateway.http.get("/health", headers=origin),
        gateway.http.get("/nothing", headers=origin),
        *(gateway.http.options(path, headers=preflight) for _, path in PATHS),
    ]
    assert [name for answer in answers for name in answer.headers if name.startswith("access-control")] == []
    assert {answer.status_code for answer in answers[6:]} == {405}


# Sizes ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def strict(shared_house: House, shared_server: Upstream) -> Gateway:
    """Little is taken, and nobody is waited for."""
    return shared_house.gateway(
        model("near", shared_server.url),
        most_body=2000,
        most_head=1000,
        head_seconds=0.2,
        body_seconds=0.2,
    )


def test_a_body_that_says_it_is_too_large_is_refused_before_it_is_sent(strict: Gateway, server: Upstream) -> None:
    for length in (2001, 10**18):
        with strict.connect() as connection:
            connection.sendall(posting("/v1/chat/completions", b"", length=length))
            status, _, body = read_answer(connection)
            assert (status, json.loads(body)["error"]["code"]) == (413, "request_too_large")
            until(lambda: is_closed(connection), "the end of the connection")
    assert server.asked == []


def test_a_body_that_grows_too_large_is_refused(strict: Gateway, server: Upstream) -> None:
    with strict.connect() as connection:
        head = posting("/v1/chat/completions", b"").replace(b"content-length: 0", b"transfer-encoding: chunked")
        connection.sendall(head + b"".join(b"400\r\n" + b"x" * 1024 + b"\r\n" for _ in range(2)))
        assert read_answer(connection)[0] == 413
    assert server.asked == []


@pytest.mark.parametrize(("size", "status"), [(2000, 200), (2001, 413)])
def test_the_limit_of_a_body_in_chunks_is_the_same(size: int, status: int, strict: Gateway, server: Upstream) -> None:
    body = CHAT + b" " * (size - len(CHAT))
    head = posting("/v1/chat/completions", b"").replace(b"content-length: 0", b"transfer-encoding: chunked")
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(body[at : at + 500]), body[at : at + 500]) for at in range(0, size, 500))
    with strict.connect() as connection:
        connection.sendall(head + chunks + b"0\r\n\r\n")
        assert read_answer(connection)[0] == status


def test_a_body_of_just_the_limit_is_taken(strict: Gateway, server: Upstream) -> None:
    body = json.dumps({"model": "near", "messages": [{"role": "user", "content": "@"}]}).encode()
    whole = body.replace(b"@", b"x" * (2000 - len(body) + 1))
    assert len(whole) == 2000
    headers = {"content-type": "application/json", "x-aldo-privacy": "public"}
    assert strict.http.post("/v1/chat/completions", content=whole, headers=headers).status_code == 200
    larger = whole.replace(b"xx", b"xxx", 1)
    assert strict.http.post("/v1/chat/completions", content=larger, headers=headers).status_code == 413


@pytest.mark.parametrize(
    "raw",
    [
        b"GET /health HTTP/1.1\r\nhost: localhost\r\nx: " + b"a" * 2000 + b"\r\n\r\n",
        b"GET /health HTTP/1.1\r\nhost: localhost\r\nx: " + b"a" * 2000,
        b"GET /" + b"a" * 2000 + b" HTTP/1.1\r\nhost: localhost\r\n\r\n",
        b"GET /health HTTP/1.1\r\nhost: localhost\r\n" + b"a: b\r\n" * 300 + b"\r\n",
        b"G" * 2000,
    ],
)
def test_a_head_that_is_too_large_is_refused(raw: bytes, strict: Gateway) -> None:
    with strict.connect() as connection:
        connection.sendall(raw)
        status, _, body = read_answer(connection)
        assert (status, json.loads(body)["error"]["code"]) == (431, "headers_too_large")
        if not raw.endswith(b"\r\n\r\n"):  # else it is plain where the next request begins
            until(lambda: is_closed(connection), "the end of the connection")


def test_a_head_that_comes_in_pieces_is_measured_as_a_whole(strict: Gateway) -> None:
    with strict.connect() as connection:
        connection.sendall(b"GET /health HTTP/1.1\r\nhost: localhost\r\n")
        assert not is_closed(connection)
        for _ in range(4):
            connection.sendall(b"a: " + b"b" * 300 + b"\r\n")
            strict.http.get("/health")
        assert read_answer(connection)[0] == 431


def test_the_head_of_a_later_request_is_measured_too(strict: Gateway) -> None:
    with strict.connect() as connection:
        connection.sendall(b"GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n")
        assert read_answer(connection)[0] == 200
        connection.sendall(b"GET /health HTTP/1.1\r\nhost: localhost\r\nx: " + b"a" * 2000 + b"\r\n\r\n")
        assert read_answer(connection)[0] == 431


def test_a_body_larger_than_a_head_may_be_is_no_head(shared_house: House, server: Upstream) -> None:
    """However the packets were cut: here within the blank line between the two."""
    gateway = shared_house.gateway(model("near", server.url), most_head=1000)
    body = json.dumps({"model": "near", "messages": [{"role": "user", "content": "x" * 5000}]}).encode()
    whole = posting("/v1/chat/completions", body)
    head = whole.index(b"\r\n\r\n")
    for cut in (head + 4, head + 3, head + 2, head + 1, head):
        with gateway.connect() as connection:
            connection.sendall(whole[:cut])
            assert gateway.http.get("/health").status_code == 200  # by now the first packet has been read
            connection.sendall(whole[cut:])
            status, _, answer = read_answer(connection)
            assert status == 200, (cut - head, answer)


def test_the_head_of_a_request_that_comes_before_the_last_answer_is_measured_too(
    shared_house: House,
) -> None:
    gate = Gate()
    slow = shared_house.upstream(answering(gate, *http(completion())))
    gateway = shared_house.gateway(model("near", slow.url), most_head=1000)
    with gateway.connect() as connection:
        connection.sendall(posting("/v1/chat/completions", CHAT))
        until(lambda: gate.reached, "the first request")
        connection.sendall(b"GET /health HTTP/1.1\r\nhost: localhost\r\nx: " + b"a" * 100_000 + b"\r\n\r\n")
        gateway.http.get("/health")
        gate.open()
        try:
            statuses = [read_answer(connection)[0] for _ in range(2)]
        except ConnectionError:
            statuses = []  # closed: as good
        assert 200 not in statuses[1:]


# Times ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "begun", [b"GET /health HTTP/1.1\r\nhost: loc", b"G", b"GET /health HTTP/1.1\r\nhost: localhost\r\n"]
)
def test_a_head_that_takes_too_long_is_refused(begun: bytes, strict: Gateway) -> None:
    with strict.connect() as connection:
        connection.sendall(begun)
        status, _, body = read_answer(connection)
        assert (status, json.loads(body)["error"]["code"]) == (408, "request_timeout")
        until(lambda: is_closed(connection), "the end of the connection")


def test_a_connection_that_never_asks_is_ended(strict: Gateway) -> None:
    with strict.connect() as connection:
        until(lambda: is_closed(connection), "the end of the connection")


def test_the_head_of_a_later_request_has_no_more_time(strict: Gateway) -> None:
    with strict.connect() as connection:
        connection.sendall(b"GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n")
        assert read_answer(connection)[0] == 200
        connection.sendall(b"GET /health HTTP/1.1\r\n")
        assert read_answer(connection)[0] == 408


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/embeddings", "/v1/route"])
def test_a_body_that_takes_too_long_is_refused(path: str, strict: Gateway, server: Upstream) -> None:
    with strict.connect() as connection:
        connection.sendall(posting(path, b'{"model"', length=100))
        status, _, body = read_answer(connection)
        assert (status, json.loads(body)["error"]["code"]) == (408, "request_timeout")
        until(lambda: is_closed(connection), "the end of the connection")
    assert server.asked == []
    until(lambda: not strict.inner.calls, "the end of the call")


def test_a_body_that_trickles_in_has_no_more_time_than_one_that_stops(strict: Gateway) -> None:
    over = threading.Event()
    with strict.connect() as connection:
        connection.sendall(posting("/v1/chat/completions", b"{", length=1500))

        def trickle() -> None:
            try:
                while not over.wait(0.02):
                    connection.sendall(b" ")
            except OSError:
                pass

        trickling = threading.Thread(target=trickle)
        trickling.start()
        try:
            assert read_answer(connection)[0] == 408
        finally:
            over.set()
            trickling.join()


# The crowd ------------------------------------------------------------------------------------------------------


def test_what_is_more_than_the_crowd_is_told_to_come_again(house: House) -> None:
    gate = Gate()
    server = house.upstream(answering(gate, *http(completion())))
    gateway = house.gateway(model("near", server.url), most_requests=3)
    with ExitStack() as stack:
        for _ in range(3):
            stack.enter_context(connection := gateway.connect())
            connection.sendall(posting("/v1/chat/completions", CHAT))
        until(lambda: gate.reached == 3, "three requests under way")
        assert gateway.metric("aldo_requests_in_flight") == 3
        for answer in (gateway.chat(), gateway.chat(stream=True), gateway.embed("x")):
            assert (answer.status_code, answer.json()["error"]["code"]) == (429, "too_many_requests")
            assert int(answer.headers["retry-after"]) >= 1
        for path in ("/health", "/metrics", "/v1/models"):
            assert gateway.http.get(path).status_code == 200
        assert gateway.route(capabilityClass="fast-draft", privacy="public").status_code == 200
        assert len(server.asked) == 3
        gate.open()
        until(lambda: not gateway.inner.calls, "the end of the calls")
    server.script = good
    assert gateway.chat().status_code == 200


def test_a_place_in_the_crowd_is_free_again_whatever_ended_the_request(house: House) -> None:
    server = house.upstream(answering(HANG))
    gateway = house.gateway(model("near", server.url), most_requests=1)
    for stream in (CHAT, STREAMED):
        with gateway.connect() as connection:
            connection.sendall(posting("/v1/chat/completions", stream))
            until(lambda: gateway.inner.calls, "a request under way")
            assert gateway.chat().status_code == 429
        until(lambda: not gateway.inner.calls, "the end of the call")
    for bad in ({"n": 2}, {"privacy": None}, {"model": "x"}):
        assert gateway.chat(**bad).status_code in (400, 404)  # type: ignore[arg-type]
    server.script = good
    assert gateway.chat().status_code == 200


# Leaving --------------------------------------------------------------------------------------------------------


BEGUN: dict[str, Any] = {
    "before the head of an answer": [HANG],
    "before its first piece": [STREAM_HEAD, HANG],
    "in the middle of a stream": [STREAM_HEAD, delta(content="Hel"), HANG],
}


@pytest.mark.parametrize("body", [CHAT, STREAMED], ids=["whole", "stream"])
@pytest.mark.parametrize("place", BEGUN)
def test_a_client_that_hangs_up_ends_the_connection_to_the_server(
    place: str, body: bytes, house: House, tmp_path: Path
) -> None:
    server, usage = house.upstream(answering(*BEGUN[place])), tmp_path / "usage.jsonl"
    other = house.upstream()
    gateway = house.gateway(model("a", server.url), model("b", other.url), usage=str(usage), retries=3)
    with gateway.connect() as connection:
        connection.sendall(posting("/v1/chat/completions", body))
        until(lambda: server.asked, "the request to the server")
        if place.startswith("in") and body == STREAMED:
            assert connection.recv(65536).startswith(b"HTTP/1.1 200")
    until(lambda: server.closed == 1, "the end of the connection to the server")
    (row,) = until(lambda: [json.loads(line) for line in usage.read_text().splitlines()], "the usage row")
    assert (row["model"], row["outcome"]) == ("a", "cancelled")
    until(lambda: not gateway.inner.calls, "the end of the call")
    assert (len(server.asked), other.asked) == (1, [])
    assert gateway.health_of("a")["state"] == "up"


def test_clients_that_hang_up_put_no_model_down(house: House) -> None:
    server = house.upstream(answering(HANG))
    gateway = house.gateway(model("near", server.url))
    for number in range(4):
        with gateway.connect() as connection:
            connection.sendall(posting("/v1/chat/completions", CHAT))
            until(lambda: len(server.asked) == number + 1, "the request to the server")  # noqa: B023
        until(lambda: not gateway.inner.calls, "the end of the call")
    assert gateway.health_of("near")["state"] == "up"


ENDLESS = b"x" * 200_000


@pytest.fixture
def unread(house: House) -> Iterator[tuple[Gateway, Upstream]]:
    """A stream without an end, and a gateway that waits for nobody."""
    server = house.upstream(
        answering(STREAM_HEAD, *[delta(content="x" * 100_000)] * 400, delta("stop"), DONE, STREAM_END)
    )
    yield house.gateway(model("near", server.url), write_seconds=0.2), server


def test_a_client_that_reads_nothing_of_a_stream_is_dropped(unread: tuple[Gateway, Upstream]) -> None:
    gateway, server = unread
    with gateway.connect() as connection:
        connection.sendall(posting("/v1/chat/completions", STREAMED))
        until(lambda: gateway.inner.calls, "the request")
        until(lambda: not gateway.inner.calls, "that it is dropped")
        until(lambda: server.closed == 1, "the end of the connection to the server")
        until(lambda: not gateway.server.server_state.connections, "the end of its connection")


def test_a_client_that_reads_nothing_of_a_whole_answer_is_dropped(house: House) -> None:
    server = house.upstream(answering(*http(completion("x" * 20_000_000))))
    gateway = house.gateway(model("near", server.url), write_seconds=0.2)
    with gateway.connect() as connection:
        connection.sendall(posting("/v1/chat/completions", CHAT))
        until(lambda: server.asked, "the request")
        until(lambda: not gateway.inner.calls, "the end of the call")
        until(lambda: not gateway.server.server_state.connections, "the end of its connection")


def test_a_client_that_reads_slowly_but_reads_is_not_dropped(house: House) -> None:
    server = house.upstream(
        answering(STREAM_HEAD, *[delta(content="x" * 50_000)] * 60, delta("stop"), DONE, STREAM_END)
    )
    gateway = house.gateway(model("near", server.url), write_seconds=5.0)
    data = b""
    with gateway.connect() as connection:
        connection.sendall(posting("/v1/chat/completions", STREAMED))
        while b"[DONE]" not in data[-200:]:
            data += connection.recv(20_000)
    assert data.count(b"x") >= 3_000_000


def test_the_connection_of_a_client_is_kept_from_one_request_to_the_next(gateway: Gateway, server: Upstream) -> None:
    with gateway.connect() as connection:
        for _ in range(3):
            connection.sendall(posting("/v1/chat/completions", CHAT))
            assert read_answer(connection)[0] == 200
        connection.sendall(posting("/v1/chat/completions", b'{"model": 5}'))
        assert read_answer(connection)[0] == 400
        connection.sendall(posting("/v1/chat/completions", CHAT))
        assert read_answer(connection)[0] == 200


def test_nonsense_instead_of_http_ends_that_connection_alone(gateway: Gateway, server: Upstream) -> None:
    for raw in (b"\x16\x03\x01\x02\x00\x01\x00", b"nonsense\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"\r\n" * 50):
        with gateway.connect() as connection:
            connection.sendall(raw)
            connection.shutdown(1)
            until(lambda: is_closed(connection), "the end of the connection")
    assert gateway.chat().status_code == 200


# Files of keys --------------------------------------------------------------------------------------------------


GOOD_LINE = "alice sha256:" + "0" * 64


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# nobody\n",
        "alice",
        "alice sk-plain-key",
        f"{GOOD_LINE}\n{GOOD_LINE}",
        f"{GOOD_LINE}00",
        "alice sha256:" + "G" * 64,
        "alice md5:" + "0" * 32,
        "al ice sha256:" + "0" * 64,
        f"{GOOD_LINE}\nbob",
        "\ufeff" + GOOD_LINE,
    ],
)
def test_a_file_of_keys_that_makes_no_sense_lets_nobody_start(text: str, tmp_path: Path) -> None:
    path = tmp_path / "keys.txt"
    path.write_text(text, "utf-8")
    with pytest.raises(UsageError) as caught:
        read_keys(path)
    assert "sk-plain-key" not in str(caught.value)


def test_a_file_of_keys_may_have_comments_and_blank_lines(tmp_path: Path) -> None:
    path = tmp_path / "keys.txt"
    path.write_text(f"# team\n\n{GOOD_LINE}  # laptop\n", "utf-8")
    assert read_keys(path).names == ("alice",)


def test_two_gateways_do_not_share_a_crowd(house: House) -> None:
    server = house.upstream(answering(HANG))
    one, other = (house.gateway(model("near", server.url), most_requests=1) for _ in range(2))
    with one.connect() as connection:
        connection.sendall(posting("/v1/chat/completions", CHAT))
        until(lambda: one.inner.calls, "a request under way")
        server.script = good
        with httpx.Client(base_url=other.url, trust_env=False, timeout=DEADLINE) as http_:
            assert http_.get("/health").status_code == 200
        assert other.chat().status_code == 200
