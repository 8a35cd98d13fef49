"""Where things stand in the text of a document: values with their anchors, pairs, items, dashes, columns."""

from __future__ import annotations

from typing import Any

from aldo._lazy import lazy_pattern
from aldo.catalog.document import Document
from aldo.catalog.edit import line_start_of
from aldo.catalog.layers.steps import Path
from aldo.errors import UsageError

_PROPERTIES = lazy_pattern(r"(?:[&!][^\s,\[\]{}]*[ \t\r\n]+)+")
_LAST_DASH = lazy_pattern(r"-[ \t]*(?:#[^\r\n]*)?(?:[\r\n]+[ \t]*)*\Z")


class Places:
    """The places of one document."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.value: Any = document.value
        self._text = document.text

    def _node(self, path: Path) -> int:
        node = self.document.spans.node(self.value, path)
        assert node is not None
        if self.document.alias_on(path) is not None and node not in self.document.spans.aliases:
            raise self._refused(path)
        return node

    def _container(self, path: Path) -> int:
        """The node of a map or list that is written out here: what an alias repeats stands elsewhere."""
        node = self._node(path)
        if node in self.document.spans.aliases:
            raise self._refused(path)
        return node

    def _pair(self, path: Path) -> tuple[int, int]:
        """Where a pair, or an item, begins and ends."""
        key = self.document.spans.node(self.value, path, key=True)
        node = self._node(path)
        return self.document.spans.starts[node if key is None else key], self._content(node)[1]

    def _bounds(self, node: int) -> tuple[int, int]:
        """Where a node begins, behind its anchor and tag, and where the reader says that it ends."""
        spans = self.document.spans
        start, end = spans.starts[node], max(spans.starts[node], spans.ends[node])
        properties = _PROPERTIES.match(self._text, start, end)
        return (properties.end() if properties else start), end

    def _content(self, node: int) -> tuple[int, int]:
        """The same, without the blanks and comments that follow."""
        start, end = self._bounds(node)
        children = self._children(node)
        if children and not self._is_flow(node):
            return start, self._content(children[-1])[1]
        if self._text[start : start + 1] in ("|", ">") and "+" not in self._text[start : start + 3]:
            end = start + len(self._text[start:end].rstrip())
        return start, end

    def _children(self, node: int) -> list[int]:
        spans = self.document.spans
        found, child, end = [], node + 1, node + spans.sizes[node]
        while child < end:
            found.append(child)
            child += spans.sizes[child]
        return found

    def _is_flow(self, node: int) -> bool:
        start, _ = self._bounds(node)
        return self._text[start : start + 1] in ("{", "[")

    def _is_inside_flow(self, path: Path) -> bool:
        return any(self._is_flow(self._node(path[:length])) for length in range(len(path)))

    def _dash(self, node: int) -> int:
        """The dash of an item of a block list."""
        start = self.document.spans.starts[node]
        found = _LAST_DASH.search(self._text, max(0, start - 10_000), start)
        if found is None:
            raise UsageError(f"{self.document.path}: an item without a dash")
        return found.start()

    def _column(self, at: int) -> int:
        return at - line_start_of(self._text, at)

    def _step(self) -> int:
        """How far this file indents: as the first map in a map does."""
        spans = self.document.spans
        for key, inner in self.value.items() if isinstance(self.value, dict) else ():
            if isinstance(inner, dict) and inner:
                node = spans.node(self.value, (key,))
                if node is not None and not self._is_flow(node):
                    return max(1, self._column(self._bounds(node)[0]))
        return 2

    def _refused(self, path: Path) -> UsageError:
        place = self.document.locate(path)
        where = f"{self.document.path}:{place.line}" if place else self.document.path
        return UsageError(f"{where}: the layout here (an anchor, say) leaves no safe edit; edit it by hand")
