"""More attacks on the egress guard: embeddings, failover, shared connections, probes, and every address there is."""

from __future__ import annotations

import ipaddress
import json
import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aldo.errors import EgressRefused, UsageError
from aldo.schema import Catalog
from aldo.transport import EmbeddingRequest, ModelClient, Pool, Retry, Timeouts, resolve
from aldo.transport.egress import EgressPolicy, GuardedTransport
from aldo.transport.pool import Reach
from aldo.transport.probes import availability, discover
from tests.support.bound import COMPLETION, PROMPT, entry
from tests.support.bound_async import WAYS, Way, asked_blocking, bind_chain, decided, good, kept, outcome
from tests.support.fake_server import FakeServer, Reply, http

if TYPE_CHECKING:
    from tests.transport.conftest import Connections, Names

PUBLIC, PRIVATE, METADATA = "93.184.216.34", "10.1.2.3", "169.254.169.254"
DOWN = http('{"error": "down"}', status="500 No")


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with FakeServer([good]) as running:
        yield running


def local(url: str, **options: Any) -> ModelClient:
    return bind_chain(entry("mlx", {"baseUrl": url}), **options)


def code_of(url: str, way: Way = "embed", **options: Any) -> str:
    try:
        return outcome(local(url, **options), way)
    except UsageError as error:
        return error.code


def test_a_sensitive_embedding_touches_nothing_but_its_server(server: FakeServer, connections: Connections) -> None:
    assert code_of(server.url) == "ok"
    assert server.seen[0].json["input"][0] == PROMPT
    assert connections.addresses == [("127.0.0.1", server.port)]


@pytest.mark.parametrize("case", [str.upper, str.lower], ids=["upper", "lower"])
@pytest.mark.parametrize("no_proxy", ["", "example.test", "127.0.0.2"])
def test_no_proxy_of_the_environment_sees_an_embedding(
    case: Any, no_proxy: str, server: FakeServer, connections: Connections, monkeypatch: pytest.MonkeyPatch
) -> None:
    with FakeServer([good]) as proxy:
        for name in ("http_proxy", "https_proxy", "all_proxy"):
            monkeypatch.setenv(case(name), proxy.url)
        monkeypatch.setenv(case("no_proxy"), no_proxy)
        assert code_of(server.url, environ=dict(os.environ)) == "ok"
        for url in (f"http://{PUBLIC}", f"https://{PUBLIC}"):
            assert code_of(url, environ=dict(os.environ)) == "egress_refused"
        assert proxy.connections == 0
    assert connections.foreign == []


@pytest.mark.parametrize("status", ["301 M", "302 F", "303 S", "307 T", "308 P"])
def test_a_redirect_of_an_embedding_leads_nowhere(status: str, connections: Connections, names: Names) -> None:
    names.say("evil.test", [PUBLIC])
    with ExitStack() as stack:
        other = stack.enter_context(FakeServer([good]))
        for target in (f"{other.url}/v1/embeddings", "http://evil.test/", "//evil.test/"):
            first = stack.enter_context(FakeServer([http("", status=status, location=target)]))
            assert code_of(first.url) not in ("ok", "egress_refused")
            assert first.connections == 1
        assert other.connections == 0
    assert connections.foreign == []
    assert "evil.test" not in names.asked


ELSEWHERE = [
    PUBLIC,
    PRIVATE,
    METADATA,
    "134744072",
    "0x08080808",
    "0.0.0.0",
    "[::]",
    "[::ffff:8.8.8.8]",
    "[fe80::1%lo]",
]
ELSEWHERE += [
    "[64:ff9b::7f00:1]",
    "[2002:7f00:1::]",
    "127.0.0.1@evil.test",
    "evil.test",
    "EVIL.TEST.",
    "localhost.evil.test",
]


@pytest.mark.parametrize("via", ["catalog", "environment"])
@pytest.mark.parametrize("host", ELSEWHERE)
def test_an_embedding_for_elsewhere_is_refused(host: str, via: str, connections: Connections, names: Names) -> None:
    for name in ("evil.test", "localhost.evil.test"):
        names.say(name, [PUBLIC])
    url = f"http://{host}:8081"
    code = code_of(url) if via == "catalog" else code_of("http://127.0.0.1:1", environ={"MLX_BASE_URL": url})
    # On a machine without IPv6 a scoped address has no meaning, and so no address.
    assert code in ("egress_refused", "connection" if "%" in host else "egress_refused")
    assert connections.addresses == []


def test_a_name_that_flips_between_the_batches_of_one_embedding_stops_it(
    server: FakeServer, connections: Connections, names: Names
) -> None:
    names.say("flip.test", ["127.0.0.1"], [PUBLIC])
    texts = EmbeddingRequest((PROMPT, "b", "c", "d"), batch_size=2)
    with local(f"http://flip.test:{server.port}") as client, pytest.raises(EgressRefused) as caught:
        client.embed(texts)
    assert len(server.seen) == 1
    assert [code for _, code in caught.value.attempts] == ["ok", "egress_refused"]
    assert connections.addresses == [("127.0.0.1", server.port)]


@pytest.mark.parametrize("way", WAYS)
def test_a_retry_looks_the_name_up_again_and_is_refused(way: Way, connections: Connections, names: Names) -> None:
    names.say("flip.test", ["127.0.0.1"], [PUBLIC])
    with FakeServer([http("{}", status="503 No", retry_after="0")]) as busy:
        catalog, decision = decided([entry(config={"baseUrl": f"http://flip.test:{busy.port}"})])
        client = resolve(catalog, decision, environ={}, retry=Retry(times=3), timeouts=Timeouts(connect=5, read=5))
        assert outcome(client, way) == "egress_refused"
        assert len(busy.seen) == 1
    assert connections.addresses == [("127.0.0.1", busy.port)]


def test_after_a_kept_connection_closed_the_name_is_checked_again(connections: Connections, names: Names) -> None:
    names.say("flip.test", ["127.0.0.1"], [PUBLIC])
    with (
        FakeServer([lambda seen: kept(good(seen))]) as server,
        local(f"http://flip.test:{server.port}") as client,
    ):
        assert asked_blocking(client, "chat") == "ok"
        for thread in server._threads[1:]:  # the server has closed; the client still holds its end
            thread.join()
        assert asked_blocking(client, "chat") == "egress_refused"
        assert len(server.seen) == 1
    assert connections.addresses == [("127.0.0.1", server.port)]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("privacy", ["public", "internal", "sensitive"])
def test_a_catalog_that_calls_the_cloud_local_gains_nothing(
    privacy: str, way: Way, connections: Connections, names: Names
) -> None:
    names.say("api.test", [PUBLIC])
    assert code_of("https://api.test", way, privacy=privacy) == "egress_refused"
    assert connections.addresses == []


def chain(first: str, second: str, **options: Any) -> ModelClient:
    """Two local entries, asked in this order."""
    models = [entry(id=name, config={"baseUrl": url}) for name, url in (("a", first), ("b", second))]
    return bind_chain(*models, failover=True, **options)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "second", [f"http://{PUBLIC}", "http://evil.test", "https://[::ffff:8.8.8.8]", "http://0.0.0.0"]
)
def test_failover_to_an_alternate_elsewhere_is_refused(
    second: str, way: Way, connections: Connections, names: Names
) -> None:
    names.say("evil.test", [PUBLIC])
    with FakeServer([DOWN]) as broken:
        assert outcome(chain(broken.url, second), way) == "egress_refused"
        assert len(broken.seen) == 1
    assert connections.addresses == [("127.0.0.1", broken.port)]


@pytest.mark.parametrize("way", WAYS)
def test_failover_works_where_both_are_here(way: Way, server: FakeServer, connections: Connections) -> None:
    with FakeServer([DOWN]) as broken:
        assert outcome(chain(broken.url, server.url), way) == "ok"
    assert connections.addresses == [("127.0.0.1", broken.port), ("127.0.0.1", server.port)]


@pytest.mark.parametrize("way", WAYS)
def test_a_refusal_ends_the_chain(way: Way, server: FakeServer, connections: Connections) -> None:
    assert outcome(chain(f"http://{PUBLIC}", server.url), way) == "egress_refused"
    assert connections.addresses == []


def test_a_sensitive_failover_reaches_no_cloud_entry(connections: Connections, names: Names) -> None:
    """Whatever it claims: its locality keeps it out of the alternates."""
    names.say("api.test", [PUBLIC])
    cloud = entry(id="b", locality="cloud", config={"baseUrl": "https://api.test"})
    with FakeServer([DOWN]) as broken:
        client = bind_chain(entry(id="a", config={"baseUrl": broken.url}), cloud, failover=True)
        assert [found.id for found in client.entries] == ["a"]
        assert outcome(client, "chat") == "server_error"
    assert connections.addresses == [("127.0.0.1", broken.port)]
    assert names.asked.count("api.test") == 0


ON_PREM = {"sensitiveLocalities": ["local", "on-prem"]}
HELD = Reply(kept(http(json.dumps(COMPLETION))), after="hang")
"""A right answer on a connection that stays open, and on which nothing more is ever said."""


@pytest.mark.parametrize("first", ["public", "sensitive"])
def test_a_shared_pool_hands_no_unguarded_connection_to_a_sensitive_client(
    first: str, connections: Connections, names: Names
) -> None:
    names.say("rack.test", ["127.0.0.1"], [PUBLIC])
    pool, other = Pool(), {"public": "sensitive", "sensitive": "public"}[first]
    with FakeServer([HELD]) as server:
        model = entry(locality="on-prem", config={"baseUrl": f"http://rack.test:{server.port}"})
        codes = [
            asked_blocking(bind_chain(model, privacy=privacy, routing=ON_PREM, pool=pool), "chat")
            for privacy in (first, other)
        ]
        assert len(server.seen) == server.connections == 1
        pool.close()
    assert codes == (["ok", "egress_refused"] if first == "public" else ["ok", "connection"])
    assert connections.foreign == ([] if first == "public" else [PUBLIC])


def test_a_connection_kept_for_one_catalog_is_not_lent_to_a_narrower_one(
    connections: Connections, names: Names
) -> None:
    names.say("rack.test", ["127.0.0.1"], [PUBLIC])
    pool = Pool()
    with FakeServer([HELD]) as server:
        model = entry(config={"baseUrl": f"http://rack.test:{server.port}"})
        wide = bind_chain(model, routing={"localNetworks": ["10.0.0.0/8"]}, pool=pool)
        assert asked_blocking(wide, "chat") == "ok"
        assert asked_blocking(bind_chain(model, pool=pool), "chat") == "egress_refused"
        assert len(server.seen) == 1
        pool.close()
    assert connections.foreign == []


def test_every_guarded_reach_has_a_guard_of_its_own_and_no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    reaches = [
        Reach(guarded=True, networks=networks, private=private)
        for networks in ((), ("10.0.0.0/8",), ("gpu.test",))
        for private in (False, True)
    ]
    pool = Pool()
    clients = [pool.client(reach) for reach in (*reaches, Reach(guarded=False), Reach(guarded=False, proxies=True))]
    assert len(set(map(id, clients))) == len(clients)
    assert all(isinstance(client._transport, GuardedTransport) for client in clients[:-2])
    assert [bool(client._mounts) for client in clients] == [False] * 7 + [True]
    assert not any(client.trust_env for client in clients[:-1])
    pool.close()


def test_what_a_server_was_told_does_not_travel_on_in_a_cookie(connections: Connections) -> None:
    """Cookies know no ports: what the server of sensitive requests writes into one is sent to the next local server,
    which may be one that forwards public requests to the cloud."""
    pool = Pool()
    cookie = "echo=launch-code-0042; path=/"
    with (
        FakeServer([lambda seen: http(json.dumps(COMPLETION), set_cookie=cookie)]) as private,
        FakeServer([good]) as forwarding,
    ):
        models = [
            entry(id="private", config={"baseUrl": private.url}),
            entry(id="forwarding", config={"baseUrl": forwarding.url}, privacyAllowed=["public"]),
        ]
        codes = [
            asked_blocking(bind_chain(model, privacy=privacy, pool=pool), "chat")
            for model, privacy in zip(models, ("sensitive", "public"), strict=True)
        ]
        pool.close()
    if codes != ["ok", "ok"]:
        pytest.fail(f"the attack itself does not run: {codes}")
    assert forwarding.seen[0].headers.get("cookie") is None


BROKEN_VARIABLES = {"SSL_CERT_FILE": "FILE", "SSL_CERT_DIR": "FILE", "HTTPS_PROXY": "garbage://127.0.0.1:9"}


@pytest.fixture(params=BROKEN_VARIABLES)
def broken_variable(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A variable of the environment that makes no sense to httpx."""
    (tmp_path / "file").write_text("no certificate\n", encoding="utf-8")
    name: str = request.param
    monkeypatch.setenv(name, BROKEN_VARIABLES[name].replace("FILE", str(tmp_path / "file")))
    return name


def test_a_broken_variable_is_nothing_to_a_sensitive_request(broken_variable: str, server: FakeServer) -> None:
    assert [code_of(server.url, way, environ=dict(os.environ)) for way in WAYS] == ["ok"] * 3


def test_a_broken_variable_is_our_error_for_a_public_request(broken_variable: str, names: Names) -> None:
    names.say("api.test", [PUBLIC])
    model = entry(locality="cloud", config={"baseUrl": "https://api.test"})
    assert outcome(bind_chain(model, privacy="public", environ=dict(os.environ)), "chat") == "connection"


ADDRESSES = st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6))
EMBEDDED = st.builds(
    lambda prefix, low: ipaddress.IPv6Address(int(ipaddress.IPv6Address(prefix)) | low),
    st.sampled_from(["::", "::ffff:0:0", "64:ff9b::", "::ffff:0:0:0", "fe80::", "64:ff9b:1::"]),
    st.one_of(st.integers(0, 2**32 - 1), st.integers(0x7F000000, 0x7FFFFFFF), st.just(1)),
)


def _is_ours(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """127/8, ::1 and ::ffff:127/104, told from the number alone."""
    number = int(address)
    if address.version == 4:
        return number >> 24 == 127
    return number == 1 or number >> 24 == 0xFFFF7F


@given(ADDRESSES | EMBEDDED, st.sampled_from(["localhost", "127.0.0.1", "gpu.test", "evil.test", ""]))
def test_the_policy_admits_exactly_the_loopback(address: Any, host: str) -> None:
    policy = EgressPolicy()
    assert policy.admits(host, str(address)) == _is_ours(address)
    if address.version == 6:
        assert policy.admits(host, f"{address}%lo") == _is_ours(address)
    listed = EgressPolicy(["gpu.test"])
    assert listed.admits("evil.test", str(address)) == _is_ours(address)
    assert listed.admits("gpu.test", str(address)) <= (_is_ours(address) or _is_private(address))


def _is_private(address: Any) -> bool:
    mapped = getattr(address, "ipv4_mapped", None) or address
    ranges = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")
    return any(mapped in ipaddress.ip_network(text) for text in ranges)


VARIABLES = ("MLX_BASE_URL", "OLLAMA_BASE_URL", "VLLM_BASE_URL", "LLAMACPP_BASE_URL", "LM_STUDIO_BASE_URL")


@pytest.mark.parametrize("host", [PUBLIC, PRIVATE, METADATA, "0.0.0.0", "evil.test", "[::ffff:8.8.8.8]"])
def test_the_probes_of_this_machine_reach_no_other(
    host: str, connections: Connections, names: Names, monkeypatch: pytest.MonkeyPatch
) -> None:
    names.say("evil.test", [PUBLIC])
    names.say("localhost", [PUBLIC])
    with FakeServer([good]) as proxy:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        environ = dict(os.environ) | dict.fromkeys(VARIABLES, f"http://{host}")
        models = [entry(id="a", config={"baseUrl": f"http://{host}"}), entry("mlx", id="b")]
        found = availability(Catalog.model_validate({"models": models}), environ=environ)
        assert [found[name].live for name in ("a", "b")] == [False, False]
        assert {one.state for one in discover(environ=environ).found} == {"down"}
        assert {one.state for one in discover(environ=dict(os.environ)).found} == {"down"}  # localhost lies
        assert proxy.connections == 0
    assert connections.addresses == []


@pytest.mark.parametrize("status", ["302 F", "307 T"])
def test_a_redirect_of_a_probe_leads_nowhere(status: str, connections: Connections, names: Names) -> None:
    names.say("evil.test", [PUBLIC])
    with FakeServer([http("", status=status, location="http://evil.test/v1/models")]) as server:
        environ = dict.fromkeys(VARIABLES, server.url)
        assert "up" not in {one.state for one in discover(environ=environ).found}
        catalog = Catalog.model_validate({"models": [entry("mlx", {"baseUrl": server.url})]})
        assert availability(catalog, environ={})["the-entry"].live is False
        assert server.connections > 0
    assert set(connections.hosts) == {"127.0.0.1"}
    assert "evil.test" not in names.asked
