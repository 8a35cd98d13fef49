"""Tool calls from fragments, as five servers send them.

Fragments are keyed by index; another non-empty id at the same index is another call if it has a name; without an index
the id decides, else the last open call. Names are set, not appended (llama.cpp sends the whole name
again), unless they come as further pieces. Two calls are never merged because they look alike.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from aldo.errors import ToolCallUnparsable
from aldo.transport.chat import ToolCall
from aldo.transport.wire.read import mapping, text


class _Open:
    """A call whose pieces are still coming."""

    def __init__(self, index: int | None) -> None:
        self.index = index
        self.id = ""
        self.name = ""
        self.pieces: list[str] = []
        self.whole: Any = None


class ToolCallBuffer:
    """Takes the `tool_calls` items of deltas and of whole messages, in order."""

    def __init__(self) -> None:
        self._open: list[_Open] = []

    def __len__(self) -> int:
        return len(self._open)

    def fragment(self, fragment: Mapping[str, Any]) -> None:
        call = self._call_for(fragment)
        call.id = call.id or str(fragment.get("id") or "")
        function = mapping(fragment.get("function"), "the function of a tool call")
        name = text(function.get("name"))
        if name and name != call.name:
            call.name = name if name.startswith(call.name) else call.name + name
        arguments = function.get("arguments")
        if isinstance(arguments, str):
            call.pieces.append(arguments)
        elif arguments is not None:
            call.whole = arguments

    def _call_for(self, fragment: Mapping[str, Any]) -> _Open:
        index, identity = fragment.get("index"), str(fragment.get("id") or "")
        named = bool(text(mapping(fragment.get("function"), "the function of a tool call").get("name")))
        for call in reversed(self._open):
            # A call that begins says its name: without one, a new id is only LM Studio's id for each fragment.
            same_id = not identity or not call.id or identity == call.id or not named
            if index is not None and call.index == index and same_id:
                return call
            if index is None and (identity == call.id if identity else True):
                return call
        self._open.append(_Open(index if isinstance(index, int) else None))
        return self._open[-1]

    def calls(self) -> tuple[ToolCall, ...]:
        """The calls in the order in which they began. Raises `ToolCallUnparsable` for arguments that are no JSON."""
        return tuple(self._finished(number, call) for number, call in enumerate(self._open))

    def _finished(self, number: int, call: _Open) -> ToolCall:
        if not call.name:
            raise ToolCallUnparsable("a tool call came without a name")
        arguments = _parsed(call) if call.whole is None else call.whole
        if not isinstance(arguments, Mapping):
            raise ToolCallUnparsable("the arguments of a tool call are no JSON object", said=call.name)
        return ToolCall(call.id or f"call_{number}", call.name, arguments)


def _parsed(call: _Open) -> Any:
    pieces = "".join(call.pieces).strip()
    try:
        return json.loads(pieces) if pieces else {}
    except (ValueError, RecursionError):
        return None
