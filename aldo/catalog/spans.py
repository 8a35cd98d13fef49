"""Where every value of a document stands: JSON pointer to line and column.

Kept as three flat arrays in document order (every key and every value is one node), so that positions
cost twelve bytes a node and are looked up only for a finding or an explanation.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Sequence
from functools import cached_property
from typing import Any

from aldo.errors import Span

PathPart = str | int


class Spans:
    """The nodes of one document in preorder.

    `starts` and `ends` are character offsets, `sizes` the number of nodes of a subtree (itself
    included), `aliases` leads from an alias to the node it stands for.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.starts: array[int] = array("l")
        self.ends: array[int] = array("l")
        self.sizes: array[int] = array("l")
        self.aliases: dict[int, int] = {}
        self._children: dict[int, list[int]] = {}
        self._ordinals: dict[int, dict[Any, int]] = {}

    def locate(self, root: Any, path: Sequence[PathPart], *, key: bool = False) -> Span | None:
        """The span of the value at `path` in the document `root`, or of its key.

        A path that leaves the document stops at the last node that exists, so that a missing field
        is shown at the mapping that misses it.
        """
        node = self.node(root, path, key=key)
        return None if node is None else self.span(node)

    def offsets(self, root: Any, path: Sequence[PathPart], *, key: bool = False) -> tuple[int, int]:
        """The character offsets of what `locate` gives; the document must have been parsed."""
        node = self.node(root, path, key=key)
        assert node is not None
        return self.starts[node], max(self.starts[node], self.ends[node])

    def node(self, root: Any, path: Sequence[PathPart], *, key: bool = False) -> int | None:
        """The node of the value (or of its key) at `path`; None where the document has no nodes."""
        if not self.starts:
            return None
        node, value, key_node = 0, root, None
        for part in path:
            node = self.aliases.get(node, node)
            place = self._ordinal(node, value, part)
            if place is None:
                break
            children = self._children_of(node)
            if not children:  # an alias to something that has no place of its own
                break
            if isinstance(value, dict):
                key_node, node = children[2 * place], children[2 * place + 1]
            else:
                key_node, node = None, children[place]
            value = value[part]
        return key_node if key and key_node is not None else node

    def span(self, node: int) -> Span:
        return self.between(self.starts[node], max(self.starts[node], self.ends[node]))

    def between(self, start: int, end: int) -> Span:
        """The span of two character offsets."""
        line, column = self.line_column(start)
        end_line, end_column = self.line_column(end)
        return Span(line, column, end_line, end_column)

    def line_start(self, line: int) -> int:
        """The offset at which a line begins."""
        return self._line_starts[line - 1]

    def line_column(self, offset: int) -> tuple[int, int]:
        """Line and column, both from 1, of a character offset."""
        line = bisect_right(self._line_starts, offset)
        return line, offset - self._line_starts[line - 1] + 1

    @cached_property
    def _line_starts(self) -> list[int]:
        return _line_starts(self.text)

    def _ordinal(self, node: int, value: Any, part: PathPart) -> int | None:
        """Which of its siblings a child is, or None where there is no such child."""
        if isinstance(value, dict):
            if node not in self._ordinals:
                self._ordinals[node] = {key: ordinal for ordinal, key in enumerate(value)}
            return self._ordinals[node].get(part)
        is_index = isinstance(value, list) and isinstance(part, int) and 0 <= part < len(value)
        return part if is_index and isinstance(part, int) else None

    def _children_of(self, node: int) -> list[int]:
        """The child nodes; of a mapping: key, value, key, value, …"""
        known = self._children.get(node)
        if known is None:
            known = []
            child, end = node + 1, node + self.sizes[node]
            while child < end:
                known.append(child)
                child += self.sizes[child]
            self._children[node] = known
        return known


def _line_starts(text: str) -> list[int]:
    """Offsets at which lines begin; \\n, \\r\\n and \\r end a line, as in editors."""
    starts = [0]
    unified = text.replace("\r\n", " \n").replace("\r", "\n")
    at = unified.find("\n")
    while at >= 0:
        starts.append(at + 1)
        at = unified.find("\n", at + 1)
    return starts


def pointer(path: Sequence[PathPart]) -> str:
    """The JSON pointer (RFC 6901) of a path."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)
