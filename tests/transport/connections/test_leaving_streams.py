"""Who wants no more of a stream hangs up at once, the server sees it, and one row is left."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from contextlib import closing, suppress

import pytest

from aldo.errors import TransportError
from aldo.schema.usage import UsageRow
from aldo.transport import (
    Finished,
    ModelClient,
    TextDelta,
)
from tests.support.bound import ASK
from tests.transport.connections.watched_server import GIVE_UP, TEXTS, WAYS, Enough, Server, blocking, outcomes


def close_it(client: ModelClient) -> None:
    stream = client.stream(ASK)
    assert next(stream) == TextDelta("Hello")
    stream.close()


def leave_closing(client: ModelClient) -> None:
    with suppress(Enough), closing(client.stream(ASK)) as stream:
        for _ in stream:
            raise Enough


def leave_the_loop(client: ModelClient) -> None:
    for _ in client.stream(ASK):
        break


def fail_in_the_loop(client: ModelClient) -> None:
    with suppress(Enough):
        for _ in client.stream(ASK):
            raise Enough


def interrupt_in_the_loop(client: ModelClient) -> None:
    with suppress(KeyboardInterrupt):
        for _ in client.stream(ASK):
            raise KeyboardInterrupt


def interrupt_the_stream(client: ModelClient) -> None:
    stream = client.stream(ASK)
    next(stream)
    with pytest.raises(KeyboardInterrupt):
        stream.throw(KeyboardInterrupt())


@pytest.mark.parametrize(
    "leave",
    [close_it, leave_closing, leave_the_loop, fail_in_the_loop, interrupt_in_the_loop, interrupt_the_stream],
)
def test_who_leaves_a_stream_hangs_up_at_once_and_leaves_one_row(
    leave: Callable[[ModelClient], None], begun: Server
) -> None:
    rows: list[UsageRow] = []
    with blocking(begun, rows) as client:
        leave(client)
        assert begun.gone.acquire(timeout=GIVE_UP)  # the client is still open: it is not its end that hung up
        assert outcomes(rows) == ["cancelled"]
        begun.say = "whole"
        assert client.chat(ASK).text == "hi"
    assert outcomes(rows) == ["cancelled", "ok"]
    assert begun.accepts == 2


def test_an_exception_thrown_into_a_stream_leaves_a_row_too(begun: Server) -> None:
    rows: list[UsageRow] = []
    with blocking(begun, rows) as client:
        stream = client.stream(ASK)
        next(stream)
        with pytest.raises(Enough):
            stream.throw(Enough())
        assert begun.gone.acquire(timeout=GIVE_UP)
    assert len(rows) == 1


def test_a_stream_that_was_never_begun_asks_nobody_and_leaves_no_row(begun: Server) -> None:
    rows: list[UsageRow] = []
    with blocking(begun, rows) as client:
        client.stream(ASK).close()
    assert (begun.accepts, rows) == (0, [])


def test_a_row_of_a_cancelled_stream_says_what_is_known(begun: Server) -> None:
    rows: list[UsageRow] = []
    with blocking(begun, rows) as client:
        close_it(client)
    (row,) = rows
    assert (row.outcome, row.returned_model, row.finish_reason, row.tokens_in) == ("cancelled", "served", None, None)
    assert row.ttft_ms is not None
    assert row.latency_ms is not None
    assert row.latency_ms >= row.ttft_ms


def test_closing_the_client_under_a_stream_hangs_up_and_the_stream_ends_in_our_error(begun: Server) -> None:
    rows: list[UsageRow] = []
    with blocking(begun, rows) as client:
        stream = client.stream(ASK)
        next(stream)
    assert begun.gone.acquire(timeout=GIVE_UP)
    with pytest.raises(TransportError):
        next(stream)
    assert len(rows) == 1


def test_leaving_the_clients_block_with_a_stream_in_hand_leaves_one_cancelled_row(begun: Server) -> None:
    rows: list[UsageRow] = []
    with blocking(begun, rows) as client:
        stream = client.stream(ASK)
        next(stream)
    assert begun.gone.acquire(timeout=GIVE_UP)
    stream.close()
    assert outcomes(rows) == ["cancelled"]


def test_after_a_stream_was_closed_a_second_close_does_nothing(begun: Server) -> None:
    rows: list[UsageRow] = []
    with blocking(begun, rows) as client:
        stream = client.stream(ASK)
        next(stream)
        stream.close()
        stream.close()
        assert list(stream) == []
    assert outcomes(rows) == ["cancelled"]


def test_a_stream_that_ended_leaves_no_second_row_when_it_is_closed() -> None:
    rows: list[UsageRow] = []
    with Server("whole") as server, blocking(server, rows) as client:
        stream = client.stream(ASK)
        while not isinstance(next(stream), Finished):
            pass
        stream.close()
    assert outcomes(rows) == ["ok"]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("say", ["silence", "head", "comment"])
def test_an_interruption_while_waiting_hangs_up_and_leaves_one_row(say: str, way: str) -> None:
    """Ctrl-C: the signal arrives while the client waits for the server, which has read the whole request."""
    if threading.current_thread() is not threading.main_thread():
        pytest.skip("signals arrive in the main thread")
    rows: list[UsageRow] = []
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with Server(say) as server, blocking(server, rows) as client:

            def interrupt() -> None:
                assert server.asked.acquire(timeout=GIVE_UP)
                assert server.said.wait(GIVE_UP)
                signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

            thread = threading.Thread(target=interrupt)
            thread.start()
            with pytest.raises(KeyboardInterrupt):
                list(client.stream(ASK)) if way == "stream" else getattr(client, way)(TEXTS if way == "embed" else ASK)
            thread.join(GIVE_UP)
            assert server.gone.acquire(timeout=GIVE_UP)
            assert outcomes(rows) == ["cancelled"]
    finally:
        signal.signal(signal.SIGINT, before)
