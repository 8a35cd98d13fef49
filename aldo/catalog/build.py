"""From YAML events to plain values and positions, in one pass, without recursion.

Built on the events of PyYAML's C parser (libyaml): they carry offsets, so nothing has to be composed
twice, and neither a deep nor a cyclic document can exhaust the stack.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NoReturn

import yaml

from aldo.catalog import codes, scalars
from aldo.catalog.document import Document
from aldo.catalog.edit import removed_pair
from aldo.catalog.spans import PathPart, Spans
from aldo.errors import Edit, Fix, Related

MOST_DEPTH = 100
MOST_ALIASED = 100_000
"""Values that aliases may add to what is written: enough for honest reuse, too little for a bomb."""

_NOWHERE = -1  # the node of an anchor inside a pair that is not kept
_ABSENT = object()
_OPEN = object()  # marks an anchor whose collection is not finished: an alias to it would be a cycle
_MAPPING_TAGS = (None, "!", scalars.TAG + "map")
_SEQUENCE_TAGS = (None, "!", scalars.TAG + "seq")


def _kind(value: Any) -> str:
    """A scalar in words: the text '22:30', the number 15."""
    if isinstance(value, bool):
        return str(value).lower()
    return f"the text {value!r}" if isinstance(value, str) else f"the number {scalars.written_out(value)}"


class TooMuch(Exception):
    """The document is not worth reading on; a finding says why."""


class _Frame:
    """A collection under construction. What is rarely anything else stands in the class: there are many."""

    anchor: str | None = None
    key: Any = None
    key_node = -1
    expects_value = False
    dropped = False
    """Whether the pair at hand is not kept: its key is no key, or stands twice."""
    aliased = 0

    def __init__(self, value: Any, node: int, *, is_list: bool) -> None:
        self.value = value
        self.node = node
        self.is_list = is_list


class Builder:
    """Takes the events of one document and leaves its value and its spans."""

    def __init__(self, document: Document, restored: Mapping[int, int]) -> None:
        self._restored = restored  # characters that were put in the place of others before parsing
        self.document = document
        self.spans: Spans = Spans(document.text)
        self.value: Any = None
        self._frames: list[_Frame] = []
        self._frame: _Frame | None = None  # the innermost
        self._anchors: dict[str, tuple[Any, int, int]] = {}  # value, node, values it stands for
        self._anchored: list[tuple[int, str]] = []  # anchors by node, in the order of the document
        self._aliased = 0
        self._plain: dict[str, Any] = {}  # the plain scalars that need no second look
        self._ambiguous: dict[str, Any] = {}  # the plain scalars that YAML 1.1 reads otherwise, and how

    def take(self, events: Iterator[Any]) -> Iterator[Any]:
        """Build from the events; gives back those that are no part of a value, such as the start of a document.

        Most events are scalars, and most of those plain keys and values that were met before. They are
        handled here, without a call: it is the innermost loop of reading.
        """
        starts, ends, sizes, plain = self.spans.starts, self.spans.ends, self.spans.sizes, self._plain
        others = {
            yaml.ScalarEvent: self.scalar,
            yaml.AliasEvent: self.alias,
            yaml.MappingStartEvent: self.open,
            yaml.SequenceStartEvent: self.open,
            yaml.MappingEndEvent: self.close,
            yaml.SequenceEndEvent: self.close,
        }
        for event in events:
            kind = type(event)
            if kind is not yaml.ScalarEvent or event.value not in plain or not event.implicit[0] or event.anchor:
                if kind in others:
                    others[kind](event)
                else:
                    yield event
                continue
            value, frame, node = plain[event.value], self._frame, len(starts)
            starts.append(event.start_mark.index)
            ends.append(event.end_mark.index)
            sizes.append(1)
            if frame is None or frame.dropped:
                self._put(value, node)
            elif frame.expects_value:
                frame.value[frame.key] = value
                frame.expects_value = False
            elif frame.is_list:
                frame.value.append(value)
            elif type(value) is str and value not in frame.value:
                frame.value[value] = None
                frame.key, frame.key_node, frame.expects_value = value, node, True
            else:
                self._put(value, node)

    def scalar(self, event: Any) -> None:
        node = self._node(event)
        self.spans.ends[node] = event.end_mark.index
        self._put(self._read_scalar(event, event.value, node), node)

    def _read_scalar(self, event: Any, text: str, node: int) -> Any:
        if self._restored:
            text = text.translate(self._restored)
        value: Any = text
        try:
            if event.tag is not None:
                value = scalars.tagged(event.tag, text)
            elif event.implicit[0]:
                value = self._read_plain(text)
                if text in self._ambiguous:
                    self._report_ambiguous(text, value, node)
        except scalars.UnreadableScalar as problem:
            self._report(codes.SCALAR, str(problem), node)
        if event.anchor is not None:
            self._anchors[event.anchor] = (value, node, 1)
            self._anchored.append((node, event.anchor))
        return value

    def _read_plain(self, text: str) -> Any:
        value = scalars.plain(text)
        theirs = scalars.otherwise_in_1_1(text)
        if theirs is not scalars.ALIKE:
            self._ambiguous[text] = theirs
        elif not self._restored:
            self._plain[text] = value
        return value

    def _report_ambiguous(self, text: str, value: Any, node: int) -> None:
        end = self.spans.ends[node]
        start = end - len(text)  # the node begins with its anchor, if it has one
        plainer = f'"{text}"' if isinstance(value, str) else scalars.written_out(value)
        if not isinstance(value, str) and "extra" not in self._path():  # some knobs have to stay floats
            plainer = plainer.removesuffix(".0")
        self.document.report(
            codes.AMBIGUOUS_SCALAR,
            f"{text} is {_kind(value)} here, but {_kind(self._ambiguous[text])} to a YAML 1.1 reader",
            span=self.spans.span(node),
            path=self._path(),
            hint=f"write {plainer}, which every reader takes for the same",
            severity="warning",
            fix=Fix(f"write {plainer}", (Edit(start, end, plainer),), safe=True),
        )

    def alias(self, event: Any) -> None:
        node = self._node(event)
        self.spans.ends[node] = event.end_mark.index
        value, target, size = self._anchors.get(event.anchor, (_ABSENT, _NOWHERE, 1))
        if value is _ABSENT or value is _OPEN:
            said = "has no anchor before it" if value is _ABSENT else "stands inside what it repeats"
            self._report(codes.ALIAS, f"the alias *{event.anchor} {said}", node, hint="write the values out")
            self._put(None, node)
            return
        self._aliased += size
        if self._aliased > MOST_ALIASED:
            self._stop(
                codes.ALIAS,
                f"aliases add more than {MOST_ALIASED} values to the document",
                node,
                hint="write the values out; nested aliases grow without bound",
            )
        if target != _NOWHERE:
            self.spans.aliases[node] = target
        if self._frame is not None:
            self._frame.aliased += size
        self._put(value, node)

    def open(self, event: Any) -> None:
        if len(self._frames) >= MOST_DEPTH:
            self._stop(codes.SYNTAX, f"nested more than {MOST_DEPTH} levels deep", self._node(event))
        node = self._node(event)
        is_mapping = type(event) is yaml.MappingStartEvent
        if event.tag not in (_MAPPING_TAGS if is_mapping else _SEQUENCE_TAGS):
            said = f"the tag {scalars.short_tag(event.tag)} does not fit what it stands before"
            self._report(codes.SCALAR, said, node)
        self._frame = frame = _Frame({} if is_mapping else [], node, is_list=not is_mapping)
        self._frames.append(frame)
        if event.anchor is not None:
            frame.anchor = event.anchor
            self._anchors[event.anchor] = (_OPEN, node, 0)
            self._anchored.append((node, event.anchor))

    def close(self, event: Any) -> None:
        frame = self._frames.pop()
        node = frame.node
        spans = self.spans
        spans.ends[node] = event.end_mark.index
        spans.sizes[node] = len(spans.starts) - node
        if frame.anchor is not None:
            self._anchors[frame.anchor] = (frame.value, node, spans.sizes[node] + frame.aliased)
        self._frame = self._frames[-1] if self._frames else None
        if self._frame is not None and frame.aliased:
            self._frame.aliased += frame.aliased
        self._put(frame.value, node)

    def _node(self, event: Any) -> int:
        spans = self.spans
        spans.starts.append(event.start_mark.index)
        spans.ends.append(0)
        spans.sizes.append(1)
        return len(spans.starts) - 1

    def _put(self, value: Any, node: int) -> None:
        """Hand a finished value to the collection around it."""
        frame = self._frame
        if frame is None:
            self.value = value
            return
        container = frame.value
        if isinstance(container, list):
            container.append(value)
        elif not frame.expects_value:
            self._begin_pair(frame, container, value, node)
        else:
            if frame.dropped:
                self._report_dropped(frame, container, value, node)
                self._forget(frame)
            else:
                container[frame.key] = value
            frame.expects_value = False

    def _begin_pair(self, frame: _Frame, container: dict[Any, Any], key: Any, node: int) -> None:
        frame.expects_value, frame.key, frame.key_node = True, key, node
        if isinstance(key, (dict, list)):
            frame.dropped = True
            self.document.report(
                codes.SCALAR, "a key must be a scalar", span=self.spans.span(node), path=self._path()[:-1]
            )
            return
        if not isinstance(key, str):
            self.document.odd_keys.append(self.spans.span(node))
        frame.dropped = key in container
        if not frame.dropped:
            container[key] = None

    def _report_dropped(self, frame: _Frame, container: dict[Any, Any], value: Any, node: int) -> None:
        """Tell of a key that stands twice, now that both values are known."""
        key = frame.key
        if isinstance(key, (dict, list)):
            return  # told already
        ordinal, first = next((place, first) for place, first in enumerate(container) if first in (key,))
        if type(first) is not type(key):
            return  # 1 and true are two keys, even where Python takes them for one
        spans, text = self.spans, self.document.text
        same = container[key] == value and type(container[key]) is type(value)
        first_node = self._key_node(frame, ordinal)
        edit = removed_pair(text, spans.starts[frame.key_node], spans.ends[node])
        self.document.report(
            codes.DUPLICATE_KEY,
            f"the key {key!r} stands twice" + (", with the same value" if same else ""),
            span=spans.span(frame.key_node),
            path=self._path(),
            hint="keep one of the two",
            related=(Related(self.document.path, spans.span(first_node), "first given here"),),
            fix=Fix("remove the second", (edit,), safe=same) if edit else None,
        )

    def _key_node(self, frame: _Frame, ordinal: int) -> int:
        """The node of a key of a mapping that is still open; before it stand whole pairs."""
        node = frame.node + 1
        for _ in range(2 * ordinal):
            node += self.spans.sizes[node]
        return node

    def _forget(self, frame: _Frame) -> None:
        """Drop the nodes of a pair that is not kept, so that nodes and values stay in step."""
        for nodes in (self.spans.starts, self.spans.ends, self.spans.sizes):
            del nodes[frame.key_node :]
        while self._anchored and self._anchored[-1][0] >= frame.key_node:
            name = self._anchored.pop()[1]
            value, _, size = self._anchors[name]
            self._anchors[name] = (value, _NOWHERE, size)
        frame.dropped = False

    def _path(self) -> tuple[PathPart, ...]:
        """The path of the collection that is being filled, with the key whose value comes next."""
        path: list[PathPart] = []
        for frame in self._frames:
            if isinstance(frame.value, list):
                path.append(len(frame.value))
            elif frame.expects_value:
                path.append(str(frame.key))
        return tuple(path)

    def _report(self, code: str, message: str, node: int, *, hint: str = "") -> None:
        self.document.report(code, message, span=self.spans.span(node), path=self._path(), hint=hint)

    def _stop(self, code: str, message: str, node: int, *, hint: str = "") -> NoReturn:
        self._report(code, message, node, hint=hint)
        raise TooMuch
