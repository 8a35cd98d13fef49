"""Base URLs and hosts: what lint says of an address is what the egress guard does with it."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from aldo.schema.catalog import Routing
from aldo.schema.places import LocalNetworks, canonical_host, split_base_url
from aldo.transport.egress import EgressPolicy

NEAR_LOOPBACK = st.integers(int(ipaddress.IPv4Address("126.255.255.250")), int(ipaddress.IPv4Address("128.0.0.5")))
ANY_FOUR = st.one_of(NEAR_LOOPBACK.map(ipaddress.IPv4Address), st.ip_addresses(v=4))
ANY_SIX = st.one_of(
    st.ip_addresses(v=6),
    st.integers(0, 3).map(ipaddress.IPv6Address),
    ANY_FOUR.map(lambda four: ipaddress.IPv6Address((0xFFFF << 32) + int(four))),
    ANY_FOUR.map(lambda four: ipaddress.IPv6Address(int(four))),
    st.sampled_from(["fd00::1", "fe80::1", "fc00::7", "64:ff9b::7f00:1", "2002:7f00:1::"]).map(ipaddress.IPv6Address),
)
ANY = st.one_of(ANY_FOUR, ANY_SIX)
SPELLED = st.one_of(
    ANY.map(str),
    ANY_SIX.map(lambda six: six.exploded.upper()),
    ANY_SIX.map(lambda six: f"{six}%eth0"),
    st.sampled_from(["127.0.0.1", "::1", "10.1.2.3", "8.8.8.8", "::ffff:10.1.2.3", "fd00:1::5", "0.0.0.0", "::"]),
)


def a_range(text: str, length: int) -> str:
    return f"{text.partition('%')[0]}/{length}"


NAMES = st.one_of(
    SPELLED,
    st.builds(a_range, ANY_FOUR.map(str), st.integers(0, 32)),
    st.builds(a_range, ANY_SIX.map(str), st.integers(0, 128)),
    st.sampled_from(
        ["10.0.0.0/8", "10.1.2.3/16", "192.168.0.0/16", "fd00::/8", "fe80::/10", "::ffff:10.0.0.0/104", "gpu.test", "Gpu.Test.",
         "localhost", "10.1.2.3.", "8.8.8.8.", "fd00:1::5.", "127.1", "2130706433", "10.0.0.0/33", "[fd00:1::5]"]
    ),
)  # fmt: skip


def allowed(name: str) -> bool:
    """Whether a catalog may name it at all."""
    try:
        Routing(local_networks=(name,))
    except ValidationError:
        return False
    return True


@settings(max_examples=1500)
@given(SPELLED, st.lists(NAMES.filter(allowed), max_size=3))
def test_an_address_is_this_machine_exactly_where_the_guard_admits_it(address: str, networks: list[str]) -> None:
    """Otherwise lint would pass what cannot work, or refuse what can."""
    assert LocalNetworks(networks).hold(address) == EgressPolicy(networks).admits(address, address)


@settings(max_examples=300)
@given(SPELLED)
def test_without_networks_only_loopback_is_this_machine(address: str) -> None:
    parsed = ipaddress.ip_address(address.partition("%")[0])
    four = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else parsed
    loopback = int(four) >> 24 == 127 if four is not None else int(parsed) == 1
    assert LocalNetworks().hold(address) == loopback


@settings(max_examples=300)
@given(ANY, st.data())
def test_a_range_holds_its_addresses_and_no_others(address: ipaddress.IPv4Address, data: st.DataObject) -> None:
    length = data.draw(st.integers(0, address.max_prefixlen))
    network = ipaddress.ip_network(f"{address}/{length}", strict=False)
    other = data.draw(st.one_of(st.just(address), ANY))
    mapped = other.ipv4_mapped if isinstance(other, ipaddress.IPv6Address) else None
    seen = mapped or other
    inside = seen.version == network.version and seen in network
    assert LocalNetworks([str(network)]).hold(str(other)) == (inside or seen.is_loopback)


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST", "localhost.", "app.localhost", "A.B.LocalHost.", "127.0.0.1", "::1"]
)
def test_names_of_this_machine(host: str) -> None:
    assert LocalNetworks().hold(host)


@pytest.mark.parametrize(
    "host",
    ["localhost.evil.test", "notlocalhost", "127.0.0.1.evil.test", "local", "", ".", "0.0.0.0", "::", "127", "example.com",
     "host.docker.internal", "lo", "localhost@evil.test", "[::1]", "0x7f000001", "127.1", "128.0.0.1", "10.0.0.1"],
)  # fmt: skip
def test_names_of_others(host: str) -> None:
    """Odd spellings of an address too: what they mean is the resolver's business, so the guard decides."""
    assert not LocalNetworks().hold(host)


@pytest.mark.parametrize("name", ["gpu.test", "GPU.Test", "gpu.test."])
@pytest.mark.parametrize("host", ["gpu.test", "gpu.TEST", "GPU.test."])
def test_a_named_host_is_held_in_any_case_and_with_a_final_dot(name: str, host: str) -> None:
    assert LocalNetworks([name]).hold(host)
    assert canonical_host(name) == canonical_host(host)
    assert EgressPolicy([name]).admits(host, "10.1.2.3")


@pytest.mark.parametrize("host", ["xgpu.test", "a.gpu.test", "gpu.test.evil", "gpu", "gpu-test"])
def test_a_named_host_holds_no_other(host: str) -> None:
    assert not LocalNetworks(["gpu.test"]).hold(host)


@pytest.mark.parametrize(
    "url",
    ["http://localhost:8081", "https://api.openai.com/v1", "HTTP://LOCALHOST", "http://[::1]:80/v1", "http://10.0.0.1/",
     "http://user:password@host", "http://host:", " http://host ", "https://host:65535/a/b"],
)  # fmt: skip
def test_base_urls(url: str) -> None:
    parts = split_base_url(url)
    assert parts is not None
    assert parts.scheme in ("http", "https")
    assert parts.hostname


@pytest.mark.parametrize(
    "url",
    ["", "localhost", "localhost:8081", "//host", "host/v1", "ftp://host", "http://", "http:///v1", "http://:80", "http://@",
     "http:host", "http:/host", "http://host:0", "http://host:65536", "http://host:x", "http://[::1", "http://[zz]",
     "http://host?x=1", "http://host/v1#top", "http://a b", "http://a\u00a0b", "http://host:80:90", "file:///etc/passwd"],
)  # fmt: skip
def test_what_is_no_base_url(url: str) -> None:
    assert split_base_url(url) is None


@pytest.mark.parametrize(
    "url", ["http://lo\tcalhost", "http://lo\ncalhost", "\x00http://host", "http://ho\x00st", "http://[::1]x"]
)
def test_a_base_url_holds_no_control_characters_and_nothing_behind_its_bracket(url: str) -> None:
    """`urlsplit` drops or passes them; the host that is shown would not be the one that is written."""
    assert split_base_url(url) is None


@settings(max_examples=500)
@given(st.text(max_size=30).map(lambda text: f"http://{text}") | st.text(max_size=30))
def test_no_text_makes_it_raise(text: str) -> None:
    parts = split_base_url(text)
    assert parts is None or LocalNetworks(["10.0.0.0/8"]).hold(parts.hostname or "") in (True, False)
