"""Nothing of httpx or httpcore leaves the room: every exception class of both is mapped, and real breakages too."""

from __future__ import annotations

import inspect
import json
import socket
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import httpcore
import httpx
import pytest

from aldo.errors import AldoError, TransportError
from aldo.transport import Finished, ModelClient, TextDelta, Timeouts
from tests.support.bound import ASK, COMPLETION, QUICK, STREAM, Pieces, Wire, bind, entry
from tests.support.fake_server import FakeServer, Reply, Script, chunked, http, sse

BROKEN_CODES = ("connection", "protocol", "stream_cut", "server_error")


def plain(client: ModelClient) -> Any:
    return client.chat(ASK)


def streamed(client: ModelClient) -> Any:
    return list(client.stream(ASK))


WAYS = [pytest.param(plain, id="plain"), pytest.param(streamed, id="streamed")]


def made(kind: type[Exception]) -> Exception:
    """An instance, whatever its constructor asks for."""
    request = httpx.Request("POST", "http://x")
    offers: dict[str, Any] = {"message": "made up", "request": request, "response": httpx.Response(500)}
    if kind.__module__.startswith("httpcore"):
        return kind("made up")
    names = list(inspect.signature(kind).parameters)
    return kind(**{name: offers[name] for name in names})


def exceptions(module: ModuleType) -> Iterator[Any]:
    for name in sorted(vars(module)):
        value = getattr(module, name)
        if inspect.isclass(value) and issubclass(value, Exception):
            yield pytest.param(made(value), id=f"{module.__name__}.{name}")


FOREIGN = [*exceptions(httpx), *exceptions(httpcore)]


def test_both_libraries_have_exceptions_to_map() -> None:
    assert len(FOREIGN) >= 40


def expected(error: Exception) -> tuple[str, ...]:
    name = type(error).__name__
    if isinstance(error, (httpx.TimeoutException, httpcore.TimeoutException)):
        return ("timeout",)
    return ("connection",) if name == "ConnectError" else BROKEN_CODES


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("error", FOREIGN)
def test_an_exception_of_the_network_becomes_ours(error: Exception, way: Callable[[ModelClient], Any]) -> None:
    def fail(request: httpx.Request) -> httpx.Response:
        raise error

    with (
        bind(entry(config={"baseUrl": "http://x"}), http=Wire(fail)) as client,
        pytest.raises(TransportError) as caught,
    ):
        way(client)
    assert caught.value.code in expected(error)


@pytest.mark.parametrize("error", FOREIGN)
def test_an_exception_in_mid_stream_becomes_ours_after_what_was_said(error: Exception) -> None:
    pieces = Pieces([STREAM[:100]], error)  # the first event whole, the second cut
    response = httpx.Response(200, headers={"content-type": "text/event-stream"}, stream=pieces)
    seen: list[Any] = []
    wire = Wire(lambda request: response)
    with bind(entry(config={"baseUrl": "http://x"}), http=wire) as client, pytest.raises(TransportError) as caught:
        seen.extend(client.stream(ASK))
    assert seen == [TextDelta("Hello")]
    assert caught.value.code in expected(error)
    if type(error).__name__ in ("ReadError", "RemoteProtocolError", "CloseError"):  # what really happens there
        assert caught.value.code == "stream_cut"
    assert pieces.closed


def outcome(script: Script, way: Callable[[ModelClient], Any], timeouts: Timeouts = QUICK) -> str:
    """The code of the failure against a real server that answers with this script."""
    with FakeServer([script]) as server:
        with (
            bind(entry(config={"baseUrl": server.url}), timeouts=timeouts) as client,
            pytest.raises(TransportError) as caught,
        ):
            way(client)
        assert server.connections == 1
        assert not server.ran_dry  # who waits for content gives up before the keepalives do
    assert caught.value.exit_code == 3
    return caught.value.code


@pytest.mark.parametrize("way", WAYS)
class TestARealServer:
    def test_that_closes_without_a_word(self, way: Callable[[ModelClient], Any]) -> None:
        assert outcome(b"", way) in BROKEN_CODES

    def test_that_resets_without_a_word(self, way: Callable[[ModelClient], Any]) -> None:
        assert outcome(Reply(b"", after="reset"), way) in BROKEN_CODES

    def test_that_speaks_no_http(self, way: Callable[[ModelClient], Any]) -> None:
        assert outcome(b"220 smtp.example ESMTP\r\n", way) in ("protocol", "connection")

    def test_that_stops_within_the_headers(self, way: Callable[[ModelClient], Any]) -> None:
        assert outcome(b"HTTP/1.1 200 OK\r\ncontent-type: appl", way) in BROKEN_CODES

    def test_that_never_answers(self, way: Callable[[ModelClient], Any]) -> None:
        assert outcome(Reply(b"", after="hang"), way, Timeouts(connect=5, read=0.2, no_content=5)) == "timeout"

    def test_that_goes_silent_within_the_body(self, way: Callable[[ModelClient], Any]) -> None:
        script = Reply(http("{" * 5).replace(b"length: 5", b"length: 500"), after="hang")
        assert outcome(script, way, Timeouts(connect=5, read=0.2, no_content=5)) == "timeout"

    def test_that_promises_more_than_it_sends(self, way: Callable[[ModelClient], Any]) -> None:
        script = http('{"choices": [').replace(b"length: 13", b"length: 500")
        assert outcome(script, way) in BROKEN_CODES

    def test_whose_compression_is_broken(self, way: Callable[[ModelClient], Any]) -> None:
        assert outcome(http(b"not gzip at all", content_encoding="gzip"), way) in ("protocol", "stream_cut")

    def test_that_redirects_to_another(self, way: Callable[[ModelClient], Any]) -> None:
        with FakeServer([http("")]) as other:
            script = http("", status="307 Temporary Redirect", location=f"{other.url}/v1/chat/completions")
            assert outcome(script, way)
            assert other.connections == 0

    def test_that_is_not_there(self, way: Callable[[ModelClient], Any]) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
        model = entry("mlx", {"baseUrl": f"http://127.0.0.1:{port}"})
        with bind(model) as client, pytest.raises(TransportError) as caught:
            way(client)
        assert caught.value.code == "connection"

    def test_whose_name_does_not_resolve(self, way: Callable[[ModelClient], Any], names: Any) -> None:
        for host in ("nowhere.invalid", "a..b", "x" * 64 + ".invalid"):
            with bind(entry("mlx", {"baseUrl": f"http://{host}:1"})) as client, pytest.raises(TransportError) as caught:
                way(client)
            assert caught.value.code == "connection"


@pytest.mark.parametrize("where", ["http://127.0.0.1:99999", "http://127.0.0.1:0", "http://[::1", "http://x y:1", "http://1.2.3.4.5:1"])  # fmt: skip
def test_an_impossible_address_is_our_error(where: str, names: Any) -> None:
    with pytest.raises(AldoError), bind(entry("mlx", {"baseUrl": where})) as client:
        client.chat(ASK)


@pytest.mark.parametrize("after", ["close", "reset"])
def test_a_stream_that_breaks_is_cut(after: Any) -> None:
    assert outcome(Reply(chunked(STREAM[:100], 40, whole=False), after=after), streamed) == "stream_cut"
    assert outcome(Reply(sse(STREAM[:100]), after=after), streamed) == "stream_cut"


@pytest.mark.parametrize("drip", [b": keepalive\n\n", b"\n", b"event: ping\n\n"])
def test_keepalives_alone_run_into_the_no_content_timer(drip: bytes) -> None:
    script = Reply(sse(b": keepalive\n\n"), after="drip", drip=drip)
    assert outcome(script, streamed, Timeouts(connect=5, read=5, no_content=0.3)) == "timeout"


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("drip", [b"\n", b" ", b"\r\n"])
def test_white_space_alone_runs_into_it_as_well(drip: bytes, way: Callable[[ModelClient], Any]) -> None:
    """Proxies keep a slow answer alive with it, before streams and before plain JSON."""
    assert (
        outcome(Reply(sse(b""), after="drip", drip=drip), way, Timeouts(connect=5, read=5, no_content=0.3)) == "timeout"
    )


def test_closing_the_iterator_closes_the_connection() -> None:
    pieces = Pieces([STREAM[:100], STREAM[100:]])
    response = httpx.Response(200, headers={"content-type": "text/event-stream"}, stream=pieces)
    with bind(entry(config={"baseUrl": "http://x"}), http=Wire(lambda request: response)) as client:
        stream = client.stream(ASK)
        assert next(stream) == TextDelta("Hello")
        assert not pieces.closed
        stream.close()  # type: ignore[attr-defined]
        assert pieces.closed


def test_keepalives_after_the_first_words_run_into_it_too() -> None:
    script = Reply(sse(STREAM[: STREAM.index(b"\n\n") + 2]), after="drip")
    assert outcome(script, streamed, Timeouts(connect=5, read=5, no_content=0.3)) == "timeout"


def test_a_client_outlives_its_failures() -> None:
    good = http(json.dumps(COMPLETION))
    scripts: list[Script] = [b"", http("", status="500 Oops"), Reply(sse(STREAM[:100])), good, sse(STREAM)]
    with FakeServer(scripts) as server, bind(entry("mlx", {"baseUrl": server.url})) as client:
        for way in (plain, plain, streamed):
            with pytest.raises(TransportError):
                way(client)
        assert client.chat(ASK).text == "Hello"
        assert isinstance(streamed(client)[-1], Finished)
