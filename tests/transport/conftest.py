"""Nothing in these tests reaches beyond the loopback: what tries is noted and refused by a broken network."""

from __future__ import annotations

import errno
import ipaddress
import socket
import sys
from collections.abc import Iterator
from typing import Any

import pytest

PROXY_VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")
BASE_URLS = ("MLX_BASE_URL", "OLLAMA_BASE_URL", "VLLM_BASE_URL", "LLAMACPP_BASE_URL", "LM_STUDIO_BASE_URL")


def is_loopback(host: str) -> bool:
    """Whether an address is this machine's own, also in IPv4-mapped clothes. A name is not: nobody checked it."""
    try:
        address = ipaddress.ip_address(host.split("%")[0])
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return bool((mapped or address).is_loopback)


class Connections:
    """Every address that a socket was told to connect to or send to, in order, as the interpreter's audit saw it."""

    def __init__(self) -> None:
        self.addresses: list[tuple[str, int]] = []

    @property
    def hosts(self) -> list[str]:
        return [host for host, _ in self.addresses]

    @property
    def foreign(self) -> list[str]:
        return [host for host in self.hosts if not is_loopback(host)]


_watching: list[Connections] = []


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    if _watching and event in ("socket.connect", "socket.sendto"):
        address = arguments[1]
        if isinstance(address, tuple):
            _watching[-1].addresses.append((str(address[0]), int(address[1])))


sys.addaudithook(_audit)  # cannot be taken back, so it looks for a watcher first


@pytest.fixture(autouse=True)
def connections(monkeypatch: pytest.MonkeyPatch) -> Iterator[Connections]:
    """What was connected to. Connecting beyond the loopback is noted, but the network is down there."""
    for name in PROXY_VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    for name in BASE_URLS:
        monkeypatch.delenv(name, raising=False)
    seen = Connections()
    real = socket.socket.connect
    real_ex = socket.socket.connect_ex

    def refuse(address: Any) -> None:
        if isinstance(address, tuple) and not is_loopback(address[0]):
            seen.addresses.append((address[0], address[1]))
            raise OSError(errno.ENETUNREACH, "the tests have no network")

    def connect(self: socket.socket, address: Any) -> None:
        refuse(address)
        real(self, address)

    def connect_ex(self: socket.socket, address: Any) -> int:
        try:
            refuse(address)
        except OSError as error:
            return error.errno or errno.ENETUNREACH
        return real_ex(self, address)

    monkeypatch.setattr(socket.socket, "connect", connect)
    monkeypatch.setattr(socket.socket, "connect_ex", connect_ex)
    _watching.append(seen)
    yield seen
    _watching.remove(seen)


class Names:
    """A resolver that the test writes: each look-up of a name takes its next answer, the last one stays."""

    def __init__(self) -> None:
        self.answers: dict[str, list[list[str]]] = {}
        self.asked: list[str] = []

    def say(self, name: str, *answers: list[str]) -> None:
        self.answers[name] = list(answers)


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Names:
    """DNS under the test's control: literals resolve as always, other names only where the test said."""
    book = Names()
    real = socket.getaddrinfo

    def getaddrinfo(host: Any, port: Any, *rest: Any, **named: Any) -> list[Any]:
        name = host.decode() if isinstance(host, bytes) else str(host)
        book.asked.append(name)
        if name.lower().rstrip(".") in book.answers:
            answers = book.answers[name.lower().rstrip(".")]
            found = answers.pop(0) if len(answers) > 1 else answers[0]
            return [_info(address, int(port or 0)) for address in found]
        if not name.strip("0123456789abcdefABCDEFxX.:%") or name == "localhost":
            return real(host, port, *rest, **named)
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return book


def _info(address: str, port: int) -> tuple[Any, ...]:
    if ":" in address:
        return (socket.AF_INET6, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (address, port, 0, 0))
    return (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (address, port))
