"""Attacks on the egress guard: what is bound to this machine reaches no other, whatever anybody says.

Names resolve as the test says, connecting beyond the loopback is noted and fails, and every address that
a socket was pointed at is known from the interpreter's own audit events.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from aldo.errors import AldoError, EgressRefused, UsageError
from aldo.transport import ModelClient
from aldo.transport.egress import EgressPolicy
from tests.support.bound import COMPLETION, SECRET, STREAM, bind, entry
from tests.support.fake_server import FakeServer, http, sse

if TYPE_CHECKING:
    from tests.transport.conftest import Connections, Names

PUBLIC, PRIVATE = "93.184.216.34", "10.1.2.3"
GOOD = http(json.dumps(COMPLETION))
SENSITIVE: dict[str, Any] = {"privacy": "sensitive"}


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with FakeServer([lambda seen: sse(STREAM) if seen.json.get("stream") else GOOD]) as running:
        yield running


def local(url: str, **options: Any) -> ModelClient:
    return bind(entry("mlx", {"baseUrl": url}), **(SENSITIVE | options))


def code_of(client: ModelClient) -> str:
    """`ok`, or the code of the error."""
    with client:
        try:
            client.chat(SECRET)
        except AldoError as error:
            return error.code
    return "ok"


def test_a_sensitive_chat_touches_nothing_but_its_server(server: FakeServer, connections: Connections) -> None:
    with local(server.url) as client:
        assert client.chat(SECRET).text == "Hello"
        assert list(client.stream(SECRET))
    assert len(server.seen) == 2
    assert set(connections.addresses) == {("127.0.0.1", server.port)}


@pytest.mark.parametrize("case", [str.upper, str.lower], ids=["upper", "lower"])
@pytest.mark.parametrize("privacy", ["public", "sensitive"])
def test_no_proxy_of_the_environment_sees_a_local_chat(
    case: Any, privacy: str, server: FakeServer, connections: Connections, monkeypatch: pytest.MonkeyPatch
) -> None:
    with FakeServer([GOOD]) as proxy:
        for name in ("http_proxy", "https_proxy", "all_proxy"):
            monkeypatch.setenv(case(name), proxy.url)
        assert code_of(local(server.url, privacy=privacy, environ=dict(os.environ))) == "ok"
        assert code_of(local(f"http://{PUBLIC}", privacy=privacy, environ=dict(os.environ))) == "egress_refused"
        assert proxy.connections == 0
    assert connections.foreign == []


@pytest.mark.parametrize("locality", ["local", "on-prem", "cloud"])
def test_no_netrc_adds_a_password(
    locality: str, server: FakeServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A key comes from the variable that the entry names, and from nowhere else."""
    netrc = tmp_path / "netrc"
    netrc.write_text("default login user password hunter2\n", encoding="utf-8")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HOME", str(tmp_path))
    model = entry("mlx", {"baseUrl": server.url}, locality=locality)
    assert code_of(bind(model, privacy="public", environ=dict(os.environ))) == "ok"
    assert "authorization" not in server.seen[0].headers


@pytest.mark.parametrize("status", ["301 M", "302 F", "303 S", "307 T", "308 P"])
@pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
def test_a_redirect_leads_nowhere(status: str, stream: bool, connections: Connections, names: Names) -> None:
    names.say("evil.test", [PUBLIC])
    with ExitStack() as stack:
        other = stack.enter_context(FakeServer([GOOD]))
        for target in (f"{other.url}/v1/chat/completions", "http://evil.test/", "//evil.test/"):
            first = stack.enter_context(FakeServer([http("", status=status, location=target)]))
            with local(first.url) as client, pytest.raises(AldoError):
                list(client.stream(SECRET)) if stream else client.chat(SECRET)
            assert first.connections == 1
        assert other.connections == 0
    assert connections.foreign == []
    assert "evil.test" not in names.asked


NUMERALS = ["2130706433", "0177.0.0.1", "0x7f000001", "127.1", "0x7f.1", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]"]
FOREIGN = ["8.8.8.8", "134744072", "0x08080808", "010.8.8.8", "8.526344", "10.0.0.1", "192.168.0.1", "169.254.169.254"]
FOREIGN += ["0.0.0.0", "0", "[::]", "255.255.255.255", "224.0.0.1", "100.64.0.1", "[2001:4860:4860::8888]", "[fc00::1]"]
FOREIGN += ["[::ffff:8.8.8.8]", "[::ffff:10.0.0.1]", "[::8.8.8.8]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "[fe80::1]"]
TRICKS = ["127.0.0.1@evil.test", "localhost:80@evil.test", "localhost.evil.test", "127.0.0.1.evil.test"]
TRICKS += ["evil.test#@127.0.0.1", "evil.test?@127.0.0.1", "127.0.0.1\\@evil.test", "EVIL.test", "evil.test."]


@pytest.mark.parametrize("host", NUMERALS)
def test_loopback_in_strange_spelling_is_loopback_or_refused(
    host: str, server: FakeServer, connections: Connections, names: Names
) -> None:
    assert code_of(local(f"http://{host}:{server.port}")) in ("ok", "egress_refused", "usage", "connection")
    assert connections.foreign == []


@pytest.mark.parametrize("via", ["catalog", "environment"])
@pytest.mark.parametrize("host", FOREIGN)
def test_an_address_elsewhere_is_refused_before_connecting(
    host: str, via: str, connections: Connections, names: Names
) -> None:
    url = f"http://{host}:8081"
    client = local(url) if via == "catalog" else local("http://127.0.0.1:1", environ={"MLX_BASE_URL": url})
    no_url = ("connection",) if host.startswith("010") else ()  # httpx takes octal digits for a broken URL
    assert code_of(client) in ("egress_refused", "usage", *no_url)
    assert connections.addresses == []


@pytest.mark.parametrize("host", TRICKS)
def test_a_name_dressed_as_this_machine_is_refused(host: str, connections: Connections, names: Names) -> None:
    for name in ("evil.test", "localhost.evil.test", "127.0.0.1.evil.test"):
        names.say(name, [PUBLIC])
    try:
        code = code_of(local(f"http://{host}/v1"))
    except UsageError as error:  # a URL with a query or a fragment is refused when it is read
        code = error.code
    assert code in ("egress_refused", "usage")
    assert connections.addresses == []


@pytest.mark.parametrize("name", ["evil.test", "localhost", "mlx.local"])
@pytest.mark.parametrize("address", [PUBLIC, PRIVATE, "2001:db8::1", "::ffff:8.8.8.8", "0.0.0.0"])
def test_a_name_that_resolves_elsewhere_is_refused(
    name: str, address: str, connections: Connections, names: Names
) -> None:
    names.say(name, [address])
    assert code_of(local(f"http://{name}:8081")) == "egress_refused"
    assert connections.addresses == []


def test_a_local_entry_is_guarded_for_every_tier(connections: Connections, names: Names) -> None:
    names.say("evil.test", [PUBLIC])
    for privacy in ("public", "internal", "sensitive"):
        assert code_of(local("http://evil.test", privacy=privacy)) == "egress_refused"
    assert connections.addresses == []


def test_of_several_addresses_only_those_here_are_tried(
    server: FakeServer, connections: Connections, names: Names
) -> None:
    names.say("mixed.test", [PUBLIC, "127.0.0.1", PRIVATE])
    assert code_of(local(f"http://mixed.test:{server.port}")) in ("ok", "egress_refused")
    assert connections.foreign == []


def test_a_name_that_changes_its_mind_between_look_ups_gains_nothing(
    server: FakeServer, connections: Connections, names: Names
) -> None:
    names.say("flip.test", ["127.0.0.1"], [PUBLIC])
    with local(f"http://flip.test:{server.port}") as client:
        assert client.chat(SECRET).text == "Hello"
        assert names.asked.count("flip.test") == 1  # what was checked is what was connected to
        for _ in range(2):
            with pytest.raises(EgressRefused):
                client.chat(SECRET)
    assert connections.foreign == []
    assert len(server.seen) == 1


def test_the_environment_moves_a_local_entry_only_within_this_machine(
    server: FakeServer, connections: Connections
) -> None:
    assert code_of(local("http://127.0.0.1:1", environ={"MLX_BASE_URL": server.url})) == "ok"
    assert connections.foreign == []
    for address in (PUBLIC, PRIVATE):
        assert code_of(local(server.url, environ={"MLX_BASE_URL": f"http://{address}"})) == "egress_refused"
    assert set(connections.addresses) == {("127.0.0.1", server.port)}


def test_ipv6_loopback_is_this_machine(connections: Connections) -> None:
    try:
        server = FakeServer([GOOD], host="::1")
    except OSError:
        pytest.skip("this machine has no IPv6")
    with server:
        assert code_of(local(server.url)) == "ok"
    assert connections.hosts == ["::1"]


def test_a_refusal_names_the_host_and_never_the_prompt(names: Names) -> None:
    names.say("evil.test", [PUBLIC])
    with local("http://evil.test") as client, pytest.raises(EgressRefused) as caught:
        client.chat(SECRET)
    told = json.dumps(caught.value.to_dict())
    assert "evil.test" in told
    assert "Zebra-7" not in told
    assert caught.value.exit_code == 3


ADMITTED = ["127.0.0.1", "127.0.0.53", "127.255.255.255", "::1", "::ffff:127.0.0.1"]
NOT_ADMITTED = ["8.8.8.8", PRIVATE, "0.0.0.0", "::", "::ffff:8.8.8.8", "::ffff:10.0.0.1", "fe80::1", "fc00::1", "", "x"]
NOT_ADMITTED += ["64:ff9b::7f00:1", "2002:7f00:1::", "::127.0.0.1", "128.0.0.1", "126.255.255.255", "169.254.169.254"]


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "evil.test"])
def test_the_policy_looks_at_the_address_and_not_at_the_name(host: str) -> None:
    policy = EgressPolicy()
    assert [address for address in ADMITTED if not policy.admits(host, address)] == []
    assert [address for address in NOT_ADMITTED if policy.admits(host, address)] == []
