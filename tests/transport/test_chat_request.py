"""What a chat is asked with: lists are copied, one stop is a stop, and what makes no sense is refused before it is sent."""

from __future__ import annotations

from typing import Any

import pytest

import aldo

HELLO = [{"role": "user", "content": "Hello"}]
TOOL = {"type": "function", "function": {"name": "f"}}


def test_one_text_to_stop_at_is_one_and_not_its_letters() -> None:
    assert aldo.ChatRequest(messages=HELLO, stop="END").stop == ("END",)
    assert aldo.ChatRequest(messages=HELLO, stop=["a", "b"]).stop == ("a", "b")


def test_a_list_that_changes_later_changes_no_request() -> None:
    messages: list[Any] = list(HELLO)
    tools: list[Any] = [TOOL]
    request = aldo.ChatRequest(messages=messages, tools=tools)
    messages.append(HELLO[0])
    tools.append(TOOL)
    assert (len(request.messages), len(request.tools)) == (1, 1)


@pytest.mark.parametrize(
    "fields",
    [{"max_tokens": 0}, {"max_tokens": -1}, {"tools": TOOL}, {"tools": "weather"}, {"messages": "Hello"},
     {"messages": HELLO[0]}, {"temperature": float("nan")}],
)  # fmt: skip
def test_what_makes_no_sense_is_a_usage_error(fields: dict[str, Any]) -> None:
    with pytest.raises(aldo.UsageError):
        aldo.ChatRequest(**{"messages": HELLO, **fields})
