"""Which bytes reach which server: judged at the servers' own sockets, and by what this process connected to.

A sensitive request may be pinned, fall back, fail over, meet a catalog that lies, an environment that moves base URLs
or sets proxies, and a DNS that changes its mind: its bytes reach no server that may not see them.
"""

from __future__ import annotations

import errno
import itertools
import json
import random
import socket
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.api.running import Gateway, House, model, sse
from tests.api.upstream import FAULTS, Upstream, failing, good
from tests.support.reference_router import Ask, chain

TIERS = ("public", "internal", "sensitive")
CLASSES = ("fast-draft", "reasoning-small", "embeddings")
SERVERS = 4
PUBLIC_ADDRESS = "93.184.216.34"

# Every server that hears a word of a request must be one that the request may reach ---------------------------


@pytest.fixture(scope="module")
def servers(shared_house: House) -> list[Upstream]:
    return [shared_house.upstream() for _ in range(SERVERS)]


class World:
    """A catalog of one entry a server, drawn at random: honest ones, and ones that claim what they must not."""

    def __init__(self, choose: random.Random, servers: list[Upstream]) -> None:
        self.choose = choose
        self.servers = servers
        self.sensitive = choose.choice((None, None, ["local"], ["local", "on-prem"]))
        self.entries = [self._entry(place) for place in range(SERVERS)]
        self.environ: dict[str, str] = {}
        if choose.random() < 0.4:  # an operator moves a local server to where another one is
            variable = choose.choice(("VLLM_BASE_URL", "LLAMACPP_BASE_URL"))
            self.environ[variable] = choose.choice(servers).url

    def _entry(self, place: int) -> dict[str, Any]:
        choose = self.choose
        kind = choose.choices(CLASSES, (5, 2, 1))[0]
        return model(
            f"m{place}",
            self.servers[place].url,
            provider=choose.choice(("acme", "vllm", "llamacpp")),
            locality=choose.choice(("local", "local", "on-prem", "cloud", "cloud")),
            capabilityClass=kind,
            provides=choose.sample(["streaming", "tool-use", "vision"], choose.randint(1, 3))
            + (["embeddings"] if kind == "embeddings" else []),
            privacyAllowed=choose.sample(TIERS, choose.randint(1, 3)),
            effectiveContextTokens=choose.choice((60, 32768)),
            cost={"usdPerMtokIn": choose.choice((0, 1)), "usdPerMtokOut": choose.choice((0, 2))},
            enabled=choose.random() < 0.9,
        )

    @property
    def routing(self) -> Mapping[str, Any]:
        return {} if self.sensitive is None else {"sensitiveLocalities": self.sensitive}

    def place_of(self, entry: Mapping[str, Any]) -> int:
        """The server that an entry's bytes go to."""
        moved = self.environ.get({"vllm": "VLLM_BASE_URL", "llamacpp": "LLAMACPP_BASE_URL"}.get(entry["provider"], ""))
        urls = [one.url for one in self.servers]
        return urls.index(moved or entry["providerConfig"]["baseUrl"])

    def may_see(self, entry: Mapping[str, Any], tier: str) -> bool:
        """Whether a tier may be sent to an entry. The law, and nothing of the code."""
        if not entry["enabled"] or tier not in entry["privacyAllowed"]:
            return False
        return tier != "sensitive" or entry["locality"] in (self.sensitive or ["local"])


def _ask_of(world: World, call: Mapping[str, Any]) -> Any:
    """The same request for the reference router."""
    names = {entry["id"]: entry for entry in world.entries}
    pinned = names.get(call["model"])
    return Ask(
        capability_class=pinned["capabilityClass"] if pinned else call["model"],
        privacy=call["tier"],
        fallback_classes=tuple(call["fallback"]),
        requires=tuple(call["requires"]),
        tokens_in=call["tokens_in"],
        max_tokens_out=call["max_tokens"],
        pin=call["model"] if pinned else None,
    )


def _drawn_call(world: World, number: int) -> dict[str, Any]:
    choose = world.choose
    return {
        "tier": choose.choice((*TIERS, "sensitive", "sensitive")),
        "model": choose.choice([*CLASSES[:2], *(entry["id"] for entry in world.entries)]),
        "fallback": choose.sample(CLASSES[:2], choose.randint(0, 2)),
        "requires": choose.sample(["streaming", "tool-use", "vision"], choose.choice((0, 0, 1))),
        "max_tokens": choose.choice((8, 100)),
        "stream": choose.random() < 0.5,
        "said": f"zebra-{number % 1000:03d}-secret",
        "tokens_in": 4,  # a quarter of the characters
    }


def _send(gateway: Gateway, call: Mapping[str, Any]) -> Any:
    headers = {}
    if call["fallback"]:
        headers["x-aldo-fallback"] = ",".join(call["fallback"])
    if call["requires"]:
        headers["x-aldo-requires"] = ",".join(call["requires"])
    return gateway.chat(
        call["model"],
        call["tier"],
        headers=headers,
        messages=[{"role": "user", "content": call["said"]}],
        max_tokens=call["max_tokens"],
        stream=call["stream"],
    )


NUMBERS = itertools.count()


@given(seed=st.integers(0, 2**32))
@settings(max_examples=150, deadline=None)
def test_what_a_server_hears_it_may_hear_whatever_fails(
    seed: int, shared_house: House, servers: list[Upstream]
) -> None:
    world = World(random.Random(seed), servers)
    choose = world.choose
    gateway = shared_house.gateway(*world.entries, routing=world.routing, environ=world.environ)
    try:
        for _ in range(6):
            for one in servers:
                one.forget()
                one.script = good if choose.random() < 0.4 else FAULTS[choose.choice(list(FAULTS))]
            call = _drawn_call(world, next(NUMBERS))
            answer = _send(gateway, call)
            assert "internal_error" not in answer.text
            may = {world.place_of(entry) for entry in world.entries if world.may_see(entry, call["tier"])}
            heard = {place for place, one in enumerate(servers) if call["said"].encode() in one.raw}
            assert heard <= may, (call, world.entries, world.environ)
            touched = {place for place, one in enumerate(servers) if one.asked}
            assert touched == heard
    finally:
        shared_house.close(gateway)


@given(seed=st.integers(0, 2**32))
@settings(max_examples=120, deadline=None)
def test_the_servers_that_are_asked_are_the_reference_routers_chain_in_order(
    seed: int, shared_house: House, servers: list[Upstream]
) -> None:
    """Where every server is broken, all of the chain hear it, each once, and nobody else."""
    world = World(random.Random(seed), servers)
    world.environ.clear()
    gateway = shared_house.gateway(*world.entries, routing=world.routing)
    order: list[int] = []

    def noted(place: int) -> Any:
        def script(asked: Any) -> Any:
            order.append(place)
            return failing("500 Internal Server Error")(asked)

        return script

    try:
        for place, one in enumerate(servers):
            one.forget()
            one.script = noted(place)
        for _ in range(3):
            gateway.clock.shift += 1000.0
            order.clear()
            call = _drawn_call(world, next(NUMBERS))
            answer = _send(gateway, call)
            found = chain(world.entries, _ask_of(world, call), tuple(world.sensitive or ("local",)))
            if found and found[0]["capabilityClass"] == "embeddings":
                assert (answer.status_code, order) == (400, [])  # it does not chat
                continue
            wanted = [entry["id"] for entry in found]
            names = [entry["id"] for entry in world.entries]
            assert [names[place] for place in order] == wanted, call
            assert answer.status_code == (502 if wanted else 422)
            if len(wanted) > 1:
                assert [one["model"] for one in answer.json()["error"]["attempts"]] == wanted
    finally:
        shared_house.close(gateway)


# What lies, one by one ------------------------------------------------------------------------------------------


class Connections:
    """Every address that a socket of this process was told to connect to."""

    def __init__(self) -> None:
        self.addresses: list[str] = []

    @property
    def foreign(self) -> list[str]:
        return [one for one in self.addresses if not one.startswith("127.") and one != "::1"]


_watching: list[Connections] = []


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    if _watching and event in ("socket.connect", "socket.sendto") and isinstance(arguments[1], tuple):
        _watching[-1].addresses.append(str(arguments[1][0]))


sys.addaudithook(_audit)


@pytest.fixture
def connections(monkeypatch: pytest.MonkeyPatch) -> Iterator[Connections]:
    """What was connected to; beyond the loopback the network is down."""
    seen = Connections()
    real = socket.socket.connect

    def connect(self: socket.socket, address: Any) -> None:
        if isinstance(address, tuple) and not str(address[0]).startswith("127.") and address[0] != "::1":
            seen.addresses.append(str(address[0]))
            raise OSError(errno.ENETUNREACH, "the tests have no network")
        real(self, address)

    monkeypatch.setattr(socket.socket, "connect", connect)
    _watching.append(seen)
    yield seen
    _watching.remove(seen)


class Names:
    """A DNS that the test writes: each look-up of a name takes its next answer, the last one stays."""

    def __init__(self) -> None:
        self.answers: dict[str, list[list[str]]] = {}
        self.asked: list[str] = []


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Names:
    book = Names()
    real = socket.getaddrinfo

    def getaddrinfo(host: Any, port: Any, *rest: Any, **named: Any) -> list[Any]:
        name = host.decode() if isinstance(host, bytes) else str(host)
        book.asked.append(name)
        if name in book.answers:
            answers = book.answers[name]
            found = answers.pop(0) if len(answers) > 1 else answers[0]
            return [
                (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (address, int(port or 0)))
                for address in found
            ]
        if name == "localhost" or not name.strip("0123456789abcdefx.:%"):
            return real(host, port, *rest, **named)
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return book


WAYS = ("whole", "stream", "embed")


def asked_in(gateway: Gateway, way: str, tier: str, name: str = "near") -> str:
    """`ok`, or the code of the error."""
    if way == "embed":
        answer = gateway.embed("zebra-7", tier, name)
    else:
        answer = gateway.chat(name, tier, stream=way == "stream", messages=[{"role": "user", "content": "zebra-7"}])
    if answer.status_code != 200:
        return str(answer.json()["error"]["code"])
    last = sse(answer)[-1] if way == "stream" else answer.json()
    return str(last["error"]["code"]) if isinstance(last, dict) and "error" in last else "ok"


def both(id: str, url: str | None, **more: Any) -> dict[str, Any]:
    """An entry that chats and embeds."""
    return model(id, url, provides=["streaming", "embeddings"], **more)


ELSEWHERE = (
    f"http://{PUBLIC_ADDRESS}:8081",
    "http://10.1.2.3",
    "http://169.254.169.254",
    "http://134744072:8081",
    "http://0.0.0.0:8081",
    "http://[::ffff:8.8.8.8]:8081",
    "http://evil.test:8081",
    "http://localhost.evil.test",
    "http://127.0.0.1@evil.test",
    "https://evil.test",
)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("url", ELSEWHERE)
@pytest.mark.parametrize("via", ["catalog", "environment"])
def test_a_local_entry_that_is_elsewhere_is_connected_to_by_nobody(
    via: str, url: str, way: str, house: House, connections: Connections, names: Names
) -> None:
    for name in ("evil.test", "localhost.evil.test"):
        names.answers[name] = [[PUBLIC_ADDRESS]]
    here = house.upstream()
    at = url if via == "catalog" else here.url
    environ = {} if via == "catalog" else {"VLLM_BASE_URL": url}
    gateway = house.gateway(both("near", at, provider="vllm"), environ=environ)
    code = asked_in(gateway, way, "sensitive")
    assert code in ("egress_refused", "usage", "connection", "invalid_catalog"), code
    assert connections.foreign == []
    assert b"zebra-7" not in here.raw


@pytest.mark.parametrize("way", WAYS)
def test_a_name_that_changes_its_mind_is_checked_at_every_connection(
    way: str, house: House, connections: Connections, names: Names
) -> None:
    closing = house.upstream(FAULTS["close"])
    names.answers["flip.test"] = [["127.0.0.1"], [PUBLIC_ADDRESS]]
    gateway = house.gateway(both("near", f"http://flip.test:{closing.port}"), retries=3)
    assert asked_in(gateway, way, "sensitive") == "egress_refused"
    assert len(closing.asked) == 1
    assert connections.foreign == []


def test_of_several_addresses_only_the_ones_of_this_machine_are_tried(
    house: House, connections: Connections, names: Names
) -> None:
    server = house.upstream()
    names.answers["both.test"] = [[PUBLIC_ADDRESS, "127.0.0.1", "10.0.0.1"]]
    gateway = house.gateway(both("near", f"http://both.test:{server.port}"))
    assert asked_in(gateway, "whole", "sensitive") == "ok"
    assert connections.foreign == []


def test_a_connection_that_public_requests_made_is_not_lent_to_sensitive_ones(
    house: House, connections: Connections, names: Names
) -> None:
    server = house.upstream()
    names.answers["rack.test"] = [["127.0.0.1"], [PUBLIC_ADDRESS]]
    rack = both("near", f"http://rack.test:{server.port}", locality="on-prem")
    gateway = house.gateway(rack, routing={"sensitiveLocalities": ["local", "on-prem"]})
    assert asked_in(gateway, "whole", "public") == "ok"
    assert asked_in(gateway, "whole", "sensitive") == "egress_refused"
    assert connections.foreign == []
    assert len(server.asked) == 1


@pytest.mark.parametrize("case", [str.upper, str.lower], ids=["upper", "lower"])
@pytest.mark.parametrize("way", WAYS)
def test_no_proxy_of_the_environment_hears_a_request_to_this_machine(
    way: str, case: Any, house: House, connections: Connections, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy, server = house.upstream(), house.upstream()
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(case(name), proxy.url)
    gateway = house.gateway(
        both("near", server.url), both("far", f"http://{PUBLIC_ADDRESS}"), environ={case("http_proxy"): proxy.url}
    )
    for tier in TIERS:
        assert asked_in(gateway, way, tier) == "ok"
        assert asked_in(gateway, way, tier, "far") == "egress_refused"
    assert proxy.connections == 0
    assert connections.foreign == []


@pytest.mark.parametrize("way", WAYS)
def test_a_password_that_lies_around_on_this_machine_is_sent_to_nobody(
    way: str, house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A .netrc is for other programs, and proxies of the environment may know passwords."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password zebra-netrc\ndefault login me password zebra-netrc\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HOME", str(tmp_path))
    servers = [house.upstream() for _ in range(3)]
    gateway = house.gateway(
        *(both(name, one.url, locality=name) for name, one in zip(("local", "on-prem", "cloud"), servers, strict=True))
    )
    for name, one in zip(("local", "on-prem", "cloud"), servers, strict=True):
        assert asked_in(gateway, way, "public", name) == "ok"
        assert [asked.headers.get("authorization") for asked in one.asked] == [None]


@pytest.mark.parametrize("status", ["301 M", "302 F", "303 S", "307 T", "308 P"])
@pytest.mark.parametrize("way", WAYS)
def test_a_redirect_leads_nowhere(way: str, status: str, house: House) -> None:
    other = house.upstream()
    first = house.upstream(failing(status, "", location=f"{other.url}/v1/chat/completions"))
    gateway = house.gateway(both("near", first.url))
    assert asked_in(gateway, way, "sensitive") not in ("ok", "internal_error")
    assert (len(first.asked), other.connections) == (1, 0)


@pytest.mark.parametrize("way", WAYS)
def test_a_cloud_entry_that_claims_sensitive_is_no_alternate_and_cannot_be_pinned(way: str, house: House) -> None:
    broken, cloud = house.upstream(FAULTS["500"]), house.upstream()
    gateway = house.gateway(both("near", broken.url), both("sky", cloud.url, locality="cloud"))
    assert asked_in(gateway, way, "sensitive", "fast-draft") == "server_error"
    assert asked_in(gateway, way, "sensitive", "sky") == "no_eligible_model"
    assert cloud.connections == 0
    assert asked_in(gateway, way, "internal", "fast-draft") == "ok"
    assert len(cloud.asked) == 1


def test_a_sensitive_request_waits_for_nobody_who_is_up_elsewhere(house: House) -> None:
    """Its own model is down: that is no reason to send it to one that may not see it."""
    broken, cloud = house.upstream(FAULTS["500"]), house.upstream()
    gateway = house.gateway(both("near", broken.url), both("sky", cloud.url, locality="cloud"))
    for _ in range(3):
        asked_in(gateway, "whole", "sensitive", "near")
    answer = gateway.chat("fast-draft", "sensitive")
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "no_eligible_model")
    assert cloud.connections == 0
    assert gateway.chat("fast-draft", "public").headers["x-aldo-model"] == "sky"


def test_what_one_client_was_told_does_not_travel_on_in_a_cookie(house: House) -> None:
    def script(asked: Any) -> Any:
        head, *rest = good(asked)
        return [head.replace(b"\r\n", b"\r\nset-cookie: echo=zebra-7; path=/\r\n", 1), *rest]

    private, forwarding = house.upstream(script), house.upstream()
    gateway = house.gateway(model("near", private.url), model("other", forwarding.url, privacyAllowed=["public"]))
    assert gateway.chat("near", "sensitive").status_code == 200
    assert gateway.chat("near", "sensitive").status_code == 200
    assert gateway.chat("other", "public").status_code == 200
    assert b"cookie" not in bytes(forwarding.raw + private.raw).lower()


def test_probes_hold_nothing_of_what_was_asked_and_go_nowhere_else(
    house: House, connections: Connections, names: Names
) -> None:
    names.answers["evil.test"] = [[PUBLIC_ADDRESS]]
    server = house.upstream()
    gateway = house.gateway(
        model("near", server.url, provider="mlx", providerKind="mlx"),
        model("far", "http://evil.test", provider="mlx", providerKind="mlx"),
        probe_every=0.1,
    )
    assert gateway.health_of("far")["state"] == "down"
    assert gateway.chat("near", "sensitive", messages=[{"role": "user", "content": "zebra-7"}]).status_code == 200
    assert connections.foreign == []
    assert [one.target for one in server.asked if b"zebra-7" in one.body] == ["/v1/chat/completions"]


def test_the_default_tier_of_the_operator_binds_the_bytes_too(house: House) -> None:
    cloud = house.upstream()
    gateway = house.gateway(model("sky", cloud.url, locality="cloud"), privacy="sensitive")
    assert gateway.chat(privacy=None).status_code == 422
    assert json.loads(gateway.chat("sky", None).text)["error"]["code"] == "no_eligible_model"
    assert cloud.connections == 0
