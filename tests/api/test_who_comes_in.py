"""Who may come in: keys, host names, and what a page in a browser could send."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from aldo.api import Settings
from aldo.api.door.keys import Keys, add_key, read_keys
from aldo.errors import UsageError
from tests.api.running import (
    CHAT,
    Gateway,
    House,
    model,
    read_answer,
)
from tests.api.upstream import (
    Upstream,
)

PATHS = [
    ("POST", "/v1/chat/completions"),
    ("POST", "/v1/embeddings"),
    ("POST", "/v1/route"),
    ("GET", "/v1/models"),
    ("GET", "/v1/models/near"),
    ("GET", "/metrics"),
]


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
