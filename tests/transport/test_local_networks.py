"""`routing.localNetworks` widens this machine by what it names and by nothing else; other localities and their guard."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from aldo.errors import AldoError
from aldo.transport import ModelClient
from aldo.transport.egress import EgressPolicy
from tests.support.bound import SECRET, bind, entry

if TYPE_CHECKING:
    from tests.transport.conftest import Connections, Names

PUBLIC, PRIVATE = "93.184.216.34", "10.1.2.3"


def code_of(client: ModelClient) -> str:
    with client, pytest.raises(AldoError) as caught:
        client.chat(SECRET)
    return caught.value.code


def local(url: str, *networks: str) -> ModelClient:
    return bind(entry("mlx", {"baseUrl": url}), privacy="sensitive", routing={"localNetworks": list(networks)})


IN_CIDR = ["10.1.0.0", "10.1.2.3", "10.1.255.255", "::ffff:10.1.2.3", "127.0.0.1", "fd00:1::5"]
OUT_OF_CIDR = ["10.2.0.0", "10.0.255.255", "8.8.8.8", "::ffff:10.2.0.1", "fd00:2::5", "::", "0.0.0.0"]


def test_a_range_admits_its_addresses_under_any_name() -> None:
    policy = EgressPolicy(["10.1.0.0/16", "fd00:1::/32"])
    for host in ("gpu.test", "10.1.2.3"):
        assert [address for address in IN_CIDR if not policy.admits(host, address)] == []
        assert [address for address in OUT_OF_CIDR if policy.admits(host, address)] == []


def test_a_single_address_is_a_range_of_one() -> None:
    policy = EgressPolicy([PRIVATE])
    assert policy.admits("gpu.test", PRIVATE)
    assert not policy.admits("gpu.test", "10.1.2.4")


def test_a_range_written_with_host_bits_still_is_that_range() -> None:
    policy = EgressPolicy(["10.1.2.3/16"])
    assert policy.admits("gpu.test", "10.1.9.9")
    assert not policy.admits("gpu.test", "10.2.9.9")


@pytest.mark.parametrize("host", ["gpu.test", "GPU.test", "gpu.TEST"])
def test_a_host_admits_itself_in_any_case(host: str) -> None:
    assert EgressPolicy(["gpu.test"]).admits(host, PRIVATE)
    assert EgressPolicy(["Gpu.Test"]).admits(host, PRIVATE)


@pytest.mark.parametrize(
    "host", ["other.test", "xgpu.test", "a.gpu.test", "gpu.test.evil.test", "gpu", "test", "", PRIVATE]
)
def test_a_host_admits_no_other(host: str) -> None:
    assert not EgressPolicy(["gpu.test"]).admits(host, PRIVATE)


@pytest.mark.parametrize("networks", [[], [""], ["/"], ["*"], ["."], ["nonsense/33"], ["10.0.0.0/99"]])
def test_nonsense_widens_nothing(networks: list[str]) -> None:
    try:
        policy = EgressPolicy(networks)
    except (AldoError, ValueError):
        return  # refusing to start is as safe
    assert not any(policy.admits(host, PRIVATE) for host in ("gpu.test", "localhost", PRIVATE))


@pytest.mark.parametrize("network", ["10.1.0.0/16", PRIVATE, "gpu.test"])
def test_what_is_named_is_connected_to(network: str, connections: Connections, names: Names) -> None:
    names.say("gpu.test", [PRIVATE])
    assert code_of(local("http://gpu.test:8081", network)) == "connection"  # the tests have no network
    assert connections.addresses == [(PRIVATE, 8081)]


def test_what_is_not_named_is_not(connections: Connections, names: Names) -> None:
    names.say("gpu.test", [PRIVATE])
    names.say("evil.test", [PUBLIC])
    for url in ("http://evil.test", "http://gpu.test.", f"http://{PUBLIC}", "http://10.2.0.1"):
        assert code_of(local(url, "10.1.0.0/24", "other.test")) == "egress_refused"
    assert connections.addresses == []


def elsewhere(locality: str, url: str, privacy: str, **routing: Any) -> ModelClient:
    model = entry("openai-compat", {"baseUrl": url}, locality=locality)
    return bind(model, privacy=privacy, routing=routing)


def test_a_public_chat_may_leave_for_the_cloud(connections: Connections, names: Names) -> None:
    names.say("api.test", [PUBLIC])
    assert code_of(elsewhere("cloud", "http://api.test", "public")) == "connection"
    assert (PUBLIC, 80) in connections.addresses


@pytest.mark.parametrize(("address", "code"), [(PRIVATE, "connection"), ("192.168.7.7", "connection"), ("fc00::7", "connection"),
                                               (PUBLIC, "egress_refused"), ("0.0.0.0", "egress_refused"),
                                               ("169.254.169.254", "egress_refused"), ("2001:4860::8", "egress_refused"),
                                               ("192.0.2.1", "egress_refused"), ("198.18.0.1", "egress_refused"),
                                               ("100.64.0.1", "egress_refused"), ("240.0.0.1", "egress_refused")])  # fmt: skip
def test_a_sensitive_chat_goes_on_prem_only_where_addresses_are_private(
    address: str, code: str, connections: Connections, names: Names
) -> None:
    names.say("rack.test", [address])
    client = elsewhere("on-prem", "http://rack.test", "sensitive", sensitiveLocalities=["local", "on-prem"])
    assert code_of(client) == code
    assert connections.hosts == ([address] if code == "connection" else [])


def test_a_sensitive_chat_on_prem_uses_no_proxy(
    connections: Connections, names: Names, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    names.say("rack.test", [PRIVATE])
    client = elsewhere("on-prem", "http://rack.test", "sensitive", sensitiveLocalities=["local", "on-prem"])
    assert code_of(client) == "connection"
    assert connections.hosts == [PRIVATE]
