"""The attacks on the egress guard against the asynchronous client: chats, streams and embeddings.

The guard of asyncio is code of its own, and asyncio resolves and connects by ways of its own.
"""

from __future__ import annotations

import asyncio
import ipaddress
import json
import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
import httpcore
import pytest

from aldo.errors import EgressRefused, UsageError
from aldo.router import route
from aldo.schema import Decision, RouteRequest
from aldo.transport import AsyncModelClient, AsyncPool, resolve_async, resolver
from aldo.transport.asyncio_pool import AsyncioPool
from aldo.transport.egress import EgressPolicy
from aldo.transport.egress.guard import _AsyncGuardedBackend
from tests.support.bound import COMPLETION, PROMPT, SECRET, entry
from tests.support.bound_async import WAYS, Way, asked, bind_async, decided, good, kept, outcome_async
from tests.support.fake_server import FakeServer, Reply, http

if TYPE_CHECKING:
    from tests.transport.conftest import Connections, Names

PUBLIC, PRIVATE, METADATA = "93.184.216.34", "10.1.2.3", "169.254.169.254"
REFUSED = ("egress_refused", "usage")


@pytest.fixture(autouse=True, params=["httpx", "aiohttp"])
def library(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both ways to ask: the client's own, and the one of the gateway."""
    if request.param == "aiohttp":
        monkeypatch.setattr(resolver, "AsyncPool", lambda http=None: AsyncPool(http) if http else AsyncioPool())
    return str(request.param)


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with FakeServer([good]) as running:
        yield running


def local(url: str, **options: Any) -> AsyncModelClient:
    return bind_async(entry("mlx", {"baseUrl": url}), **options)


def code_of(url: str, way: Way = "chat", **options: Any) -> str:
    """What a sensitive request to a local entry at this URL comes to; a URL that is refused unread counts too."""
    try:
        return outcome_async(local(url, **options), way)
    except UsageError as error:
        return error.code


@pytest.mark.parametrize("way", WAYS)
def test_a_sensitive_request_touches_nothing_but_its_server(
    way: Way, server: FakeServer, connections: Connections
) -> None:
    assert code_of(server.url, way) == "ok"
    body = server.seen[0].json
    assert PROMPT in (body["input"] if way == "embed" else [body["messages"][0]["content"]])
    assert connections.addresses == [("127.0.0.1", server.port)]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("case", [str.upper, str.lower], ids=["upper", "lower"])
@pytest.mark.parametrize("privacy", ["public", "sensitive"])
def test_no_proxy_of_the_environment_sees_it(
    case: Any,
    privacy: str,
    way: Way,
    server: FakeServer,
    connections: Connections,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Also where NO_PROXY would name other hosts only."""
    with FakeServer([good]) as proxy:
        for name in ("http_proxy", "https_proxy", "all_proxy", "ws_proxy", "socks_proxy"):
            monkeypatch.setenv(case(name), proxy.url)
        for no_proxy in ("", "example.test", f"127.0.0.2,{PUBLIC}"):
            monkeypatch.setenv(case("no_proxy"), no_proxy)
            assert code_of(server.url, way, privacy=privacy, environ=dict(os.environ)) == "ok"
            for scheme in ("http", "https"):
                url = f"{scheme}://{PUBLIC}"
                assert code_of(url, way, privacy=privacy, environ=dict(os.environ)) == "egress_refused"
        assert proxy.connections == 0
    assert connections.foreign == []


@pytest.mark.parametrize("way", WAYS)
def test_no_netrc_adds_a_password(
    way: Way, server: FakeServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / ".netrc"
    netrc.write_text("default login user password hunter2\n", encoding="utf-8")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HOME", str(tmp_path))
    for locality in ("local", "on-prem", "cloud"):
        model = entry("mlx", {"baseUrl": server.url}, locality=locality)
        assert outcome_async(bind_async(model, privacy="public", environ=dict(os.environ)), way) == "ok"
    assert [seen.headers.get("authorization") for seen in server.seen] == [None] * 3


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("status", ["301 M", "302 F", "303 S", "307 T", "308 P", "300 C"])
def test_a_redirect_leads_nowhere(status: str, way: Way, connections: Connections, names: Names) -> None:
    names.say("evil.test", [PUBLIC])
    with ExitStack() as stack:
        other = stack.enter_context(FakeServer([good]))
        for target in (f"{other.url}/v1/chat/completions", "http://evil.test/", "//evil.test/", f"http://{PUBLIC}/"):
            first = stack.enter_context(FakeServer([http("", status=status, location=target)]))
            assert code_of(first.url, way) not in ("ok", "egress_refused")
            assert first.connections == 1
        assert other.connections == 0
    assert connections.foreign == []
    assert "evil.test" not in names.asked


LOOPBACK = ["2130706433", "0177.0.0.1", "0x7f000001", "127.1", "0x7f.1", "017700000001", "[::ffff:127.0.0.1]"]
LOOPBACK += ["[::ffff:7f00:1]", "[0:0:0:0:0:0:0:1]", "[::1%25lo]", "[::1%lo]", "127.255.255.254"]
DOTTED = ["LOCALHOST", "LocalHost", "localhost.", "LOCALHOST.", "127。0。0。1", "localhost。"]
FOREIGN = ["8.8.8.8", "134744072", "0x08080808", "010.8.8.8", "8.526344", "0x8.0x8.0x8.0x8", "01002004010", "8.8.2056"]
FOREIGN += ["10.0.0.1", "192.168.0.1", "172.16.0.1", METADATA, "2852039166", "0xa9fea9fe", "0xa9.0xfe.0xa9.0xfe"]
FOREIGN += ["0.0.0.0", "0", "0x0", "00", "[::]", "255.255.255.255", "224.0.0.1", "100.64.0.1", "126.255.255.255"]
FOREIGN += ["[2001:4860:4860::8888]", "[fc00::1]", "[fd00:ec2::254]", "[::ffff:8.8.8.8]", "[::ffff:10.0.0.1]"]
FOREIGN += ["[::ffff:a9fe:a9fe]", "[::8.8.8.8]", "[::127.0.0.1]", "[::ffff:0:127.0.0.1]", "[64:ff9b::7f00:1]"]
FOREIGN += ["[64:ff9b::127.0.0.1]", "[64:ff9b:1::7f00:1]", "[2002:7f00:1::]", "[2002:7f00:1::1]", "[2001:0:7f00:1::]"]
FOREIGN += ["[fe80::1]", "[fe80::1%25lo]", "[fe80::1%lo]", "[::ffff:8.8.8.8%25lo]", "[ff02::1]", "[::2]", "[100::1]"]
FOREIGN += ["8.8.8.8.", "８.８.８.８", "8。8。8。8", "⑧.⑧.⑧.⑧", "٨.٨.٨.٨", "8%2e8%2e8%2e8", "%38.8.8.8"]
TRICKS = ["127.0.0.1@evil.test", "localhost:80@evil.test", "localhost.evil.test", "127.0.0.1.evil.test"]
TRICKS += [
    "evil.test#@127.0.0.1",
    "evil.test?@127.0.0.1",
    "127.0.0.1\\@evil.test",
    "EVIL.test",
    "evil.test.",
    "evil。test",
]
TRICKS += ["[::1]@evil.test", "[::1].evil.test", "[::1]evil.test", "127.0.0.1%2eevil.test", "127.0.0.1%00.evil.test"]
TRICKS += [
    "localhost%23.evil.test",
    "localhost%2f.evil.test",
    "localhost;.evil.test",
    "localhost,evil.test",
    "a@127.0.0.1@evil.test",
]
TRICKS += [
    "127.0.0.1:80:80@evil.test",
    "ⓔvil.test",
    "evil.test:80#@localhost",
    "evil.test\t",
    "\u200bevil.test",
    "ﬀ.evil.test",
]


@pytest.mark.parametrize("host", LOOPBACK + DOTTED)
def test_loopback_in_strange_spelling_is_loopback_or_nothing(
    host: str, server: FakeServer, connections: Connections, names: Names
) -> None:
    names.say("localhost", ["127.0.0.1"])
    assert code_of(f"http://{host}:{server.port}") in ("ok", "egress_refused", "usage", "connection")
    assert connections.foreign == []


@pytest.mark.parametrize("host", ["LOCALHOST", "LocalHost", "localhost.", "127.1", "2130706433"])
def test_the_common_ones_reach_their_server(
    host: str, library: str, server: FakeServer, connections: Connections, names: Names
) -> None:
    if library == "aiohttp" and host[0].isdigit():
        pytest.skip("aiohttp takes no address in an old spelling")
    names.say("localhost", ["127.0.0.1"])
    assert code_of(f"http://{host}:{server.port}") == "ok"
    assert connections.addresses == [("127.0.0.1", server.port)]


@pytest.mark.parametrize("via", ["catalog", "environment"])
@pytest.mark.parametrize("host", FOREIGN)
def test_an_address_elsewhere_is_refused_before_connecting(
    host: str, via: str, connections: Connections, names: Names
) -> None:
    """Among them those that embed a loopback (NAT64, 6to4, Teredo), and 0.0.0.0 and ::, which Linux would connect
    to this machine: none of them is loopback, so none passes."""
    url = f"http://{host}:8081"
    code = code_of(url) if via == "catalog" else code_of("http://127.0.0.1:1", environ={"MLX_BASE_URL": url})
    # What httpx takes for a broken URL, or the resolver for no name, ends before an address exists.
    assert code in (*REFUSED, "connection")
    assert code != "connection" or not _is_plain_address(host)
    assert connections.addresses == []


def _is_plain_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return "%" not in host


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("host", TRICKS)
def test_a_name_dressed_as_this_machine_is_refused(host: str, way: Way, connections: Connections, names: Names) -> None:
    names.answers = _Everywhere()
    assert code_of(f"http://{host}/v1", way) in (*REFUSED, "connection")
    assert connections.addresses == []


class _Everywhere(dict[str, list[list[str]]]):
    """Every name but localhost is a public address."""

    def __contains__(self, name: object) -> bool:
        return name not in ("localhost", "127.0.0.1", "::1")

    def __missing__(self, name: str) -> list[list[str]]:
        return [[PUBLIC]]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", ["evil.test", "localhost", "mlx.local", "model.localhost"])
@pytest.mark.parametrize(
    "address", [PUBLIC, PRIVATE, METADATA, "2001:db8::1", "::ffff:8.8.8.8", "64:ff9b::7f00:1", "0.0.0.0", "::"]
)
def test_a_name_that_resolves_elsewhere_is_refused(
    name: str, address: str, way: Way, connections: Connections, names: Names
) -> None:
    names.say(name, [address])
    assert code_of(f"http://{name}:8081", way) == "egress_refused"
    assert connections.addresses == []


def test_of_several_addresses_only_those_here_are_tried(
    server: FakeServer, connections: Connections, names: Names
) -> None:
    names.say("mixed.test", [PUBLIC, "2001:db8::1", "127.0.0.1", PRIVATE])
    assert code_of(f"http://mixed.test:{server.port}") == "ok"
    assert connections.addresses == [("127.0.0.1", server.port)]


def test_when_the_address_here_is_closed_the_other_is_not_tried(connections: Connections, names: Names) -> None:
    names.say("mixed.test", ["127.0.0.1", PUBLIC, PRIVATE])
    assert code_of("http://mixed.test:1") == "connection"
    assert connections.addresses == [("127.0.0.1", 1)]


@pytest.mark.parametrize("way", WAYS)
def test_a_name_that_changes_its_mind_between_look_ups_gains_nothing(
    way: Way, server: FakeServer, connections: Connections, names: Names
) -> None:
    names.say("flip.test", ["127.0.0.1"], [PUBLIC])

    async def run() -> list[str]:
        async with local(f"http://flip.test:{server.port}") as client:
            codes = [await asked(client, way)]
            assert names.asked.count("flip.test") == 1  # what was checked is what was connected to
            return [*codes, await asked(client, way), await asked(client, way)]

    assert asyncio.run(run()) == ["ok", "egress_refused", "egress_refused"]
    assert connections.addresses == [("127.0.0.1", server.port)]
    assert len(server.seen) == 1


def test_after_a_kept_connection_closed_the_name_is_checked_again(connections: Connections, names: Names) -> None:
    names.say("flip.test", ["127.0.0.1"], [PUBLIC])

    async def run(server: FakeServer) -> list[str]:
        async with local(f"http://flip.test:{server.port}") as client:
            first = await asked(client)
            for thread in server._threads[1:]:  # the server has closed; the client still holds its end
                await asyncio.to_thread(thread.join)
            return [first, await asked(client)]

    with FakeServer([lambda seen: kept(good(seen))]) as server:
        assert asyncio.run(run(server)) == ["ok", "egress_refused"]
        assert len(server.seen) == 1
    assert connections.addresses == [("127.0.0.1", server.port)]


def test_many_at_once_on_a_name_that_flips_reach_only_this_machine(
    server: FakeServer, connections: Connections, names: Names
) -> None:
    names.say("flip.test", *([["127.0.0.1"], [PUBLIC], [PRIVATE]] * 10), [PUBLIC])

    async def run() -> list[str]:
        async with local(f"http://flip.test:{server.port}") as client:
            return await asyncio.gather(*(asked(client) for _ in range(30)))

    codes = asyncio.run(run())
    assert (codes.count("ok"), codes.count("egress_refused")) == (10, 20)
    assert connections.foreign == []


@pytest.mark.parametrize("way", WAYS)
def test_the_environment_moves_a_local_entry_only_within_this_machine(
    way: Way, server: FakeServer, connections: Connections
) -> None:
    assert code_of("http://127.0.0.1:1", way, environ={"MLX_BASE_URL": server.url}) == "ok"
    for address in (PUBLIC, PRIVATE, "0.0.0.0", "[64:ff9b::7f00:1]"):
        assert code_of(server.url, way, environ={"MLX_BASE_URL": f"http://{address}"}) == "egress_refused"
    assert connections.addresses == [("127.0.0.1", server.port)]


def test_ipv6_loopback_is_this_machine(connections: Connections) -> None:
    try:
        server = FakeServer([good], host="::1")
    except OSError:
        pytest.skip("this machine has no IPv6")
    with server:
        assert [code_of(server.url, way) for way in WAYS] == ["ok"] * 3
    assert connections.hosts == ["::1"] * 3


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("privacy", ["public", "internal", "sensitive"])
def test_a_catalog_that_calls_the_cloud_local_gains_nothing(
    privacy: str, way: Way, connections: Connections, names: Names
) -> None:
    names.say("api.test", [PUBLIC])
    assert code_of("https://api.test", way, privacy=privacy) == "egress_refused"
    assert connections.addresses == []


def test_a_decision_from_another_catalog_is_refused() -> None:
    mine, decision = decided([entry("mlx", {"baseUrl": "http://127.0.0.1:1"})])
    theirs, _ = decided([entry("mlx", {"baseUrl": "http://evil.test"})])
    with pytest.raises(UsageError, match="another catalog"):
        resolve_async(theirs, decision)
    assert resolve_async(mine, decision).base_url == "http://127.0.0.1:1/v1"


@pytest.mark.parametrize("change", [{"locality": "cloud"}, {"locality": "on-prem"}, {"privacyAllowed": ["public"]}])
def test_a_forged_decision_for_a_forbidden_entry_is_refused(change: dict[str, Any]) -> None:
    catalog, honest = decided([entry(config={"baseUrl": "http://evil.test"}) | change], "public")
    request = RouteRequest(capability_class="local-reasoning", privacy="sensitive")
    with pytest.raises(EgressRefused):
        resolve_async(catalog, Decision("the-entry", "local-reasoning", request, honest._source))
    assert route(catalog, honest.request).model == "the-entry"


def chain(first: str, second: str, **options: Any) -> AsyncModelClient:
    """Two local entries, asked in this order."""
    models = [entry(id=name, config={"baseUrl": url}) for name, url in (("a", first), ("b", second))]
    return bind_async(*models, failover=True, **options)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "second", [f"http://{PUBLIC}", "http://evil.test", "https://[::ffff:8.8.8.8]", "http://0.0.0.0"]
)
def test_failover_to_an_alternate_elsewhere_is_refused(
    second: str, way: Way, connections: Connections, names: Names
) -> None:
    names.say("evil.test", [PUBLIC])
    with FakeServer([http('{"error": "down"}', status="500 No")]) as broken:
        assert outcome_async(chain(broken.url, second), way) == "egress_refused"
        assert len(broken.seen) == 1
    assert connections.addresses == [("127.0.0.1", broken.port)]


@pytest.mark.parametrize("way", WAYS)
def test_failover_works_where_both_are_here(way: Way, server: FakeServer, connections: Connections) -> None:
    with FakeServer([http('{"error": "down"}', status="500 No")]) as broken:
        assert outcome_async(chain(broken.url, server.url), way) == "ok"
    assert connections.addresses == [("127.0.0.1", broken.port), ("127.0.0.1", server.port)]


@pytest.mark.parametrize("way", WAYS)
def test_a_refusal_ends_the_chain(way: Way, server: FakeServer, connections: Connections) -> None:
    """A setup that points elsewhere is a fault to be told, not one to be worked around."""
    assert outcome_async(chain(f"http://{PUBLIC}", server.url), way) == "egress_refused"
    assert connections.addresses == []


def test_a_sensitive_failover_never_lists_a_cloud_entry(server: FakeServer) -> None:
    cloud = entry(id="c", locality="cloud", config={"baseUrl": f"http://{PUBLIC}"})
    client = bind_async(entry(id="a", config={"baseUrl": server.url}), cloud, failover=True)
    assert [found.id for found in client.entries] == ["a"]


ON_PREM = {"sensitiveLocalities": ["local", "on-prem"]}
HELD = Reply(kept(http(json.dumps(COMPLETION))), after="hang")
"""A right answer on a connection that stays open, and on which nothing more is ever said."""


@pytest.mark.parametrize("first", ["public", "sensitive"])
def test_a_shared_pool_hands_no_unguarded_connection_to_a_sensitive_client(
    first: str, connections: Connections, names: Names
) -> None:
    """The public request goes unguarded to the same origin and its connection is kept: the sensitive one must have
    its own look-up, which by now says another machine."""
    names.say("rack.test", ["127.0.0.1"], [PUBLIC])

    async def run(url: str) -> list[str]:
        pool = AsyncPool()
        model = entry(locality="on-prem", config={"baseUrl": url})
        others = {"public": "sensitive", "sensitive": "public"}
        codes = []
        for privacy in (first, others[first]):
            client = bind_async(model, privacy=privacy, routing=ON_PREM, pool=pool)
            codes.append(await asked(client))
        await pool.aclose()
        return codes

    with FakeServer([HELD]) as server:
        codes = asyncio.run(run(f"http://rack.test:{server.port}"))
        assert server.connections == 1
        assert len(server.seen) == 1
    assert codes == (["ok", "egress_refused"] if first == "public" else ["ok", "connection"])
    # What is unguarded goes where the name says, and only that.
    assert connections.foreign == ([] if first == "public" else [PUBLIC])


def test_a_connection_kept_for_one_catalog_is_not_lent_to_a_narrower_one(
    connections: Connections, names: Names
) -> None:
    names.say("rack.test", ["127.0.0.1"], [PUBLIC])

    async def run(url: str) -> list[str]:
        pool = AsyncPool()
        wide = bind_async(entry(config={"baseUrl": url}), routing={"localNetworks": ["10.0.0.0/8"]}, pool=pool)
        narrow = bind_async(entry(config={"baseUrl": url}), pool=pool)
        codes = [await asked(wide), await asked(narrow)]
        await pool.aclose()
        return codes

    with FakeServer([HELD]) as server:
        assert asyncio.run(run(f"http://rack.test:{server.port}")) == ["ok", "egress_refused"]
        assert len(server.seen) == 1
    assert connections.foreign == []


class Network(httpcore.AsyncNetworkBackend):
    """Answers connects from a table: an address that refuses, or the peer that the socket then has."""

    def __init__(self, peers: dict[str, str | None]) -> None:
        self.peers = peers
        self.tried: list[str] = []
        self.closed = 0

    async def connect_tcp(self, host: str, port: int, *rest: Any, **more: Any) -> httpcore.AsyncNetworkStream:
        self.tried.append(host)
        peer = self.peers[host]
        if peer is None:
            raise httpcore.ConnectError("refused")
        return Stream(self, peer)


class Stream(httpcore.AsyncNetworkStream):
    def __init__(self, network: Network, peer: str) -> None:
        self._network = network
        self._peer = peer

    def get_extra_info(self, info: str) -> Any:
        return (self._peer, 1) if info == "server_addr" and self._peer else None

    async def aclose(self) -> None:
        self._network.closed += 1


def connect(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    infos = [(2, 1, 6, "", (address, 1)) for address in network.peers]

    async def getaddrinfo(*_: Any, **__: Any) -> Any:
        return infos

    monkeypatch.setattr(anyio, "getaddrinfo", getaddrinfo)
    guarded = _AsyncGuardedBackend(EgressPolicy())
    guarded._network = network  # type: ignore[assignment]
    asyncio.run(guarded.connect_tcp("localhost", 1))  # type: ignore[arg-type]


@pytest.mark.parametrize("peer", ["203.0.113.9", "::ffff:8.8.8.8", "64:ff9b::7f00:1", "not an address", ""])
def test_a_socket_whose_peer_is_another_is_closed_and_refused(peer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    network = Network({"127.0.0.1": peer})
    with pytest.raises(EgressRefused):
        connect(network, monkeypatch)
    assert network.closed == 1


def test_the_next_address_of_a_name_is_tried_when_one_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    network = Network({"::1": None, "8.8.8.8": "8.8.8.8", "127.0.0.1": "127.0.0.1"})
    connect(network, monkeypatch)
    assert network.tried == ["::1", "127.0.0.1"]


def test_a_unix_socket_is_refused() -> None:
    with pytest.raises(EgressRefused):
        asyncio.run(_AsyncGuardedBackend(EgressPolicy()).connect_unix_socket("/run/model.sock"))  # type: ignore[arg-type]


def test_a_refusal_names_the_host_and_never_the_prompt(names: Names) -> None:
    names.say("evil.test", [PUBLIC])

    async def run() -> EgressRefused:
        async with local("http://evil.test") as client:
            with pytest.raises(EgressRefused) as caught:
                await client.chat(SECRET)
            return caught.value

    told = json.dumps(asyncio.run(run()).to_dict())
    assert "evil.test" in told
    assert "Zebra-7" not in told
