"""Whatever JSON a server sends, the outcome is events, a result, or one of our errors."""

from __future__ import annotations

import json
from typing import Any

import httpx
from hypothesis import given
from hypothesis import strategies as st

from aldo.errors import TransportError
from aldo.transport import ChatResult, Finished, ToolCallReady
from aldo.transport.wire.accumulate import ChatAccumulator
from tests.support.bound import SECRET, Wire, bind, entry

anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-9, 9)
    | st.floats(allow_nan=False)
    | st.sampled_from(["", "x", "stop", "{}"]),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["a", "message", "code"]), inner, max_size=2)
    ),
    max_leaves=4,
)


def _or_anything(usual: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(usual, usual, usual, anything)


function = _or_anything(st.fixed_dictionaries({}, optional={"name": _or_anything(st.just("f")), "arguments": anything}))
call = _or_anything(st.fixed_dictionaries({}, optional={"index": anything, "id": anything, "function": function}))
delta = _or_anything(
    st.fixed_dictionaries({}, optional={
        "content": anything, "reasoning": anything, "tool_calls": _or_anything(st.lists(call, max_size=2)),
    })
)  # fmt: skip
choice = _or_anything(
    st.fixed_dictionaries(
        {}, optional={"delta": delta, "message": delta, "finish_reason": _or_anything(st.just("stop"))}
    )
)
usage = _or_anything(
    st.fixed_dictionaries({}, optional={
        "prompt_tokens": anything, "completion_tokens": anything, "prompt_tokens_details": anything,
    })
)  # fmt: skip
chunks = _or_anything(
    st.fixed_dictionaries({}, optional={
        "choices": _or_anything(st.lists(choice, max_size=2)), "usage": usage, "model": anything, "error": anything,
    })
)  # fmt: skip


@given(st.lists(chunks, max_size=4))
def test_any_chunks_give_events_or_one_of_our_errors(stream: list[Any]) -> None:
    accumulator = ChatAccumulator()
    try:
        events = [event for chunk in stream for event in accumulator.chunk(chunk)]
        events += accumulator.end()
    except TransportError:
        return
    assert isinstance(events[-1], Finished)
    for event in events:
        if isinstance(event, ToolCallReady):
            assert isinstance(event.call.arguments, dict)
    counts = events[-1].result.usage.to_dict().values()
    assert all(count is None or (type(count) is int and count >= 0) for count in counts)


@given(st.integers(100, 599), chunks | st.just({"error": "x"}), st.booleans())
def test_any_body_with_any_status_gives_a_result_or_one_of_our_errors(status: int, body: Any, plain: bool) -> None:
    data = b"[" * 100_000 if plain else json.dumps(body).encode()
    with bind(
        entry(config={"baseUrl": "http://x"}), http=Wire(lambda request: httpx.Response(status, content=data))
    ) as client:
        try:
            assert isinstance(client.chat(SECRET), ChatResult)
        except TransportError as error:
            assert error.code != "error"
