"""The last steps of a guarded connection, and the end of a stream."""

from __future__ import annotations

from typing import Any

import httpcore
import httpx
import pytest

from aldo.errors import EgressRefused, StreamCut
from aldo.transport import Finished
from aldo.transport.egress.guard import _GuardedBackend
from aldo.transport.egress.policy import EgressPolicy
from tests.support.bound import SECRET, Pieces, Wire, bind, entry


class Network(httpcore.NetworkBackend):
    """Answers connects from a table: an address that refuses, or the peer that the socket then has."""

    def __init__(self, peers: dict[str, str | None]) -> None:
        self.peers = peers
        self.tried: list[str] = []
        self.closed = 0

    def connect_tcp(self, host: str, port: int, *rest: Any, **more: Any) -> httpcore.NetworkStream:
        self.tried.append(host)
        peer = self.peers[host]
        if peer is None:
            raise httpcore.ConnectError("refused")
        return Stream(self, peer)


class Stream(httpcore.NetworkStream):
    def __init__(self, network: Network, peer: str) -> None:
        self._network = network
        self._peer = peer

    def get_extra_info(self, info: str) -> Any:
        return (self._peer, 1) if info == "server_addr" else None

    def close(self) -> None:
        self._network.closed += 1


def backend(network: Network, monkeypatch: pytest.MonkeyPatch) -> _GuardedBackend:
    infos = [(2, 1, 6, "", (address, 1)) for address in network.peers]
    monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: infos)
    guarded = _GuardedBackend(EgressPolicy())
    guarded._network = network  # type: ignore[assignment]
    return guarded


def test_a_socket_whose_peer_is_another_than_it_should_be_is_closed_and_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    network = Network({"127.0.0.1": "203.0.113.9"})
    with pytest.raises(EgressRefused):
        backend(network, monkeypatch).connect_tcp("localhost", 1)
    assert network.closed == 1


def test_the_next_address_of_a_name_is_tried_when_one_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    network = Network({"::1": None, "127.0.0.1": "127.0.0.1"})
    backend(network, monkeypatch).connect_tcp("localhost", 1)
    assert network.tried == ["::1", "127.0.0.1"]


def test_when_every_address_refuses_the_error_is_a_refused_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    network = Network({"::1": None, "127.0.0.1": None})
    with pytest.raises(httpcore.ConnectError):
        backend(network, monkeypatch).connect_tcp("localhost", 1)


def frame(choice: str) -> bytes:
    return b'data: {"choices": [' + choice.encode() + b"]}\n\n"


TEXT = frame('{"index": 0, "delta": {"content": "whole"}}')
STOP = frame('{"index": 0, "delta": {}, "finish_reason": "stop"}')


@pytest.mark.parametrize("broken", [httpx.ReadTimeout("silence"), httpx.ReadError("cut")])
def test_what_breaks_after_the_finish_reason_takes_nothing_from_the_answer(broken: Exception) -> None:
    def answer(pieces: list[bytes]) -> list[Any]:
        response = httpx.Response(200, headers={"content-type": "text/event-stream"}, stream=Pieces(pieces, broken))
        with bind(entry(config={"baseUrl": "http://x"}), http=Wire(lambda request: response)) as client:
            return list(client.stream(SECRET))

    last = answer([TEXT, STOP])[-1]
    assert isinstance(last, Finished)
    assert last.result.text == "whole"
    with pytest.raises(Exception, match=r"sent nothing|broke") as caught:
        answer([TEXT])
    assert caught.type.__name__ in ("TransportTimeout", StreamCut.__name__)


def test_a_named_tool_call_that_ends_with_stop_is_a_tool_call() -> None:
    call = '{"index": 0, "id": "c", "function": {"name": "f", "arguments": "{}"}}'
    body = frame('{"index": 0, "delta": {"tool_calls": [' + call + "]}}") + STOP
    with bind(
        entry(config={"baseUrl": "http://x"}), http=Wire(lambda request: httpx.Response(200, content=body))
    ) as client:
        last = list(client.stream(SECRET))[-1]
    assert isinstance(last, Finished)
    assert last.result.finish_reason == "tool_calls"
