"""Single edits of a YAML text: replace a value, insert a pair or an item, delete one.

Everything else stays: comments, order, quoting, indentation, line ends. Each edit is read again, and where the result
is not the value that was asked for (an anchor that others repeat, an unusual layout) it is refused, not guessed.
"""

from __future__ import annotations

from collections.abc import Iterator
from difflib import SequenceMatcher
from typing import Any

from aldo._lazy import lazy_pattern
from aldo.catalog import written
from aldo.catalog.document import Document
from aldo.catalog.edit import apply, line_after, line_end_of, line_start_of
from aldo.catalog.editing.places import Places
from aldo.catalog.editing.values import as_json, is_json, with_changed, with_item, without
from aldo.catalog.layers.steps import ABSENT, Path, same, value_at
from aldo.catalog.reader import parse_text
from aldo.catalog.spans import pointer
from aldo.errors import Edit, UsageError

_BLANK_TO_COMMA = lazy_pattern(r",[ \t]*")
_OWN_COMMA = lazy_pattern(r"[ \t]*,")


class Text(Places):
    """A document under edit. Each operation gives another one; the first is never changed."""

    def __init__(self, document: Document) -> None:
        super().__init__(document)
        self._end = line_end_of(document.text)
        self._flow = as_json if is_json(document.text) else written.flow

    # What a caller asks for.

    def set(self, path: Path, value: Any) -> Text:
        """With a value at a path; maps on the way that are not there are made."""
        old = value_at(self.value, path)
        if old is ABSENT:
            return self._inserted(path, value)
        if same(old, value, as_written=True):
            return self
        if old is None:
            return self._made([self._instead_of_nothing(path, value)], with_changed(self.value, path, value), path)
        if isinstance(old, dict) and isinstance(value, dict) and old and value:
            return self._map_set(path, old, value)
        if isinstance(old, list) and isinstance(value, list) and old and value:
            return self._list_set(path, old, value)
        start, end = self._content(self._node(path))
        return self._made([self._replacement(start, end, old, value)], with_changed(self.value, path, value), path)

    def delete(self, path: Path) -> Text:
        """Without the pair or item at a path, and without the maps and lists that hold nothing then.

        A map in tight braces, `{a: 1}`, stays as `{}`: it was there before something was put into it.
        """
        parent = value_at(self.value, path[:-1])
        if value_at(self.value, path) is ABSENT or not path:
            raise UsageError(f"{self.document.path}: {pointer(path)} is not there to be deleted")
        if len(parent) == 1 and len(path) > 1:
            node = self._container(path[:-1])
            if not self._is_flow(node):
                return self._with_its_key(path) or self.delete(path[:-1])
            start, end = self._bounds(node)
            made_here = isinstance(parent, list) if len(path) > 2 else False
            if made_here or (isinstance(parent, dict) and self._text[end - 2 : end - 1] in " \t\r\n"):
                return self.delete(path[:-1])
            opening = start + 1
            first, _ = self._pair(path)
            kept = self._text[opening:first]
            return self._made([Edit(opening, end - 1, kept)], without(self.value, path), path)
        return self._made(list(self._deletion(path)), without(self.value, path), path)

    def append(self, path: Path, item: Any) -> Text:
        """With one more item at the end of the list at a path; a list that is not there is made."""
        old = value_at(self.value, path)
        if old is ABSENT or old is None:
            return self.set(path, [item])
        if not isinstance(old, list):
            raise UsageError(f"{self.document.path}: {pointer(path)} is no list")
        has_comment = "#" in self._text[slice(*self._bounds(self._container(path)))]
        if not old and isinstance(item, dict) and path and not has_comment and not self._is_inside_flow(path):
            return self._replaced_empty(path).set(path, [item])
        return self._item_inserted(path, len(old), item)

    def _with_its_key(self, path: Path) -> Text | None:
        """Without the only pair of a block map, and without the key above it; comments between the two stay.

        None where the two do not stand on lines of their own.
        """
        start, end = self._pair(path)
        lines = [self._lines_of(start, end)]
        kept: list[Edit] = []
        parts = path
        while (
            len(parts) > 1 and len(value_at(self.value, parts[:-1])) == 1 and not self._is_flow(self._node(parts[:-1]))
        ):
            parts = parts[:-1]
            key = self.document.spans.node(self.value, parts, key=True)
            if key is None or key == self._node(parts):  # an item of a list
                return None
            at = self.document.spans.starts[key]
            line = (line_start_of(self._text, at), line_after(self._text, at))
            if self._text[line[0] : at].strip() or line[1] > lines[-1][0]:
                return None
            comment = self._text.find("#", self.document.spans.ends[key], line[1])
            if comment >= 0:  # of the key's line the comment stays
                kept.append(Edit(at, comment, ""))
            else:
                lines.append(line)
        return self._made([*kept, *self._without_lines(lines)], without(self.value, parts), path)

    def _lines_of(self, start: int, end: int) -> tuple[int, int]:
        """The whole lines from one character to another."""
        after = end if end and self._text[end - 1] in "\r\n" else line_after(self._text, end)
        return line_start_of(self._text, start), after

    def _without_lines(self, lines: list[tuple[int, int]]) -> list[Edit]:
        """Without whole lines. A file whose last line has no end keeps that."""
        runs: list[tuple[int, int]] = []
        for start, end in sorted(lines):
            if runs and runs[-1][1] == start:
                runs[-1] = (runs[-1][0], end)
            else:
                runs.append((start, end))
        start, end = runs[-1]
        if end == len(self._text) and start and self._text[end - 1] not in "\r\n":
            runs[-1] = (start - (2 if self._text[start - 2 : start] == "\r\n" else 1), end)
        return [Edit(start, end, "") for start, end in runs]

    # Lists and maps, part by part.

    def _map_set(self, path: Path, old: dict[str, Any], new: dict[str, Any]) -> Text:
        text = self
        for key in new:
            text = text.set((*path, key), new[key])
        for key in old:
            if key not in new:
                text = text.delete((*path, key))
        return text

    def _list_set(self, path: Path, old: list[Any], new: list[Any]) -> Text:
        """Only the items that differ, so that the others keep their comments."""
        text = self
        before, after = ([written.flow(item) for item in items] for items in (old, new))
        changes = SequenceMatcher(None, before, after, autojunk=False).get_opcodes()
        for kind, first, last, start, end in reversed(changes):
            if kind == "equal":
                continue
            for item in new[start:end]:  # before what goes: a list must not be empty in between
                text = text._item_inserted(path, last, item)
                last += 1
            for place in reversed(range(first, last - (end - start))):
                text = text.delete((*path, place))
        return text

    def _item_inserted(self, path: Path, place: int, item: Any) -> Text:
        node = self._container(path)
        items = value_at(self.value, path)
        children = self._children(node)
        value = with_item(self.value, path, place, item)
        if self._is_flow(node):
            if not items:
                return self._made([self._first_inside(node, self._flow(item))], value, path)
            if place:
                at = self._content(children[place - 1])[1]
                return self._made([Edit(at, at, f", {self._flow(item)}")], value, path)
            at = self._bounds(children[0])[0]
            return self._made([Edit(at, at, f"{self._flow(item)}, ")], value, path)
        indent = " " * (self._column(self._bounds(node)[0]))
        lines = list(written.listed(item, indent)) if isinstance(item, dict) and item else None
        lines = lines or [f"{indent}- {written.flow(item)}"]
        if place < len(children):
            at = line_start_of(self._text, self._dash(children[place]))
            return self._made([Edit(at, at, "".join(f"{line}{self._end}" for line in lines))], value, path)
        return self._made([self._below(self._content(children[-1])[1], lines)], value, path)

    # Inserting.

    def _inserted(self, path: Path, value: Any) -> Text:
        """A new pair in the innermost map that is there."""
        depth = len(path) - 1
        while not isinstance(value_at(self.value, path[:depth]), (dict, type(None))):
            if value_at(self.value, path[:depth]) is not ABSENT:
                raise UsageError(f"{self.document.path}: {pointer(path[:depth])} is no map")
            depth -= 1
        around, key = path[:depth], path[depth]
        for part in reversed(path[depth + 1 :]):
            value = {part: value}
        new = with_changed(self.value, (*around, key), value)
        parent = value_at(self.value, around)
        if parent is None:
            return self._made([self._instead_of_nothing(around, {key: value})], new, path)
        node = self._container(around)
        if not self._is_flow(node):
            return self._made([self._block_pair(node, {key: value})], new, path)
        pair = f"{self._flow(key)}: {self._flow(value)}"
        if parent:
            at = self._content(self._children(node)[-1])[1]
            return self._made([Edit(at, at, f", {pair}")], new, path)
        return self._made([self._first_inside(node, pair)], new, path)

    def _first_inside(self, node: int, text: str) -> Edit:
        """The first pair or item inside empty braces or brackets, whose blanks stand before it then."""
        _, end = self._bounds(node)
        return Edit(end - 1, end - 1, text)

    def _block_pair(self, node: int, pair: dict[Any, Any]) -> Edit:
        children = self._children(node)
        indent = " " * self._column(self._bounds(node)[0])
        return self._below(self._content(children[-1])[1], list(self._lines(pair, indent)))

    def _instead_of_nothing(self, path: Path, value: Any) -> Edit:
        """A value for a key, or an item, that has none yet: a null, written out or not."""
        key = self.document.spans.node(self.value, path, key=True)
        node = self._node(path)
        start, end = self._bounds(node)
        is_pair = key is not None and key != node
        if start < end:
            return Edit(start, end, self._flow(value))
        in_lines = isinstance(value, dict) or (isinstance(value, list) and all(isinstance(one, dict) for one in value))
        if is_pair and in_lines and value and not self._is_inside_flow(path):
            assert key is not None
            column = self._column(self._bounds(key)[0])
            _, *lines = self._lines({"": value}, " " * column)
            return self._below(self._bounds(key)[1], lines)
        colon = ":" if is_pair and self._text[:start].rstrip()[-1:] != ":" else ""
        return Edit(start, start, f"{colon} {self._flow(value)}")

    def _lines(self, value: dict[Any, Any], indent: str) -> Iterator[str]:
        return written.block(value, indent, " " * self._step())

    def _below(self, at: int, lines: list[str]) -> Edit:
        """Lines below the one on which a character stands."""
        after = at if at and self._text[at - 1] in "\r\n" else line_after(self._text, at)
        text = self._end.join(lines)
        if after and self._text[after - 1] not in "\r\n":  # the last line has no end, and shall have none
            return Edit(after, after, self._end + text)
        return Edit(after, after, text + self._end)

    def _replaced_empty(self, path: Path) -> Text:
        """An empty list gives way to nothing, so that its items can stand on lines of their own."""
        node = self._node(path)
        start, end = self._bounds(node)
        line_end = line_after(self._text, end)
        blank = len(self._text[:start]) - len(self._text[:start].rstrip(" \t"))
        rest = self._text[end:line_end]
        from_ = start - blank if not rest.strip() else start
        return self._made([Edit(from_, end, "")], with_changed(self.value, path, None), path)

    # Deleting.

    def _deletion(self, path: Path) -> Iterator[Edit]:
        parent = value_at(self.value, path[:-1])
        node = self._container(path[:-1])
        keys = list(parent) if isinstance(parent, dict) else list(range(len(parent)))
        place = keys.index(path[-1])
        start, end = self._pair(path)
        if self._is_flow(node):
            yield from self._flow_deletion(path, keys, place, start, end)
            return
        if isinstance(parent, list):
            start = self._dash(self._node(path))
        if self._text[line_start_of(self._text, start) : start].strip():  # the first key of an item, behind its dash
            if place + 1 >= len(keys):
                raise self._refused(path)
            following = self._pair((*path[:-1], keys[place + 1]))[0]
            if "#" in self._text[end:following]:
                raise self._refused(path)
            yield Edit(start, following, "")
        else:
            yield from self._without_lines([self._lines_of(start, end)])

    def _flow_deletion(self, path: Path, keys: list[Any], place: int, start: int, end: int) -> Iterator[Edit]:
        if place + 1 < len(keys):
            following = self._pair((*path[:-1], keys[place + 1]))[0]
            if not self._text[end:following].replace(",", "", 1).strip():
                yield Edit(start, following, "")
                return
            comma = _BLANK_TO_COMMA.match(self._text, end)
            yield Edit(start, comma.end() if comma else end, "")
            return
        before = self._pair((*path[:-1], keys[place - 1]))[1]
        between = self._text[before:start]
        if not between.replace(",", "", 1).strip():
            yield Edit(before, end, "")
            return
        own_comma = _OWN_COMMA.match(self._text, end)
        end = own_comma.end() if own_comma else end
        line = self._lines_of(start, end)
        alone = not self._text[line[0] : start].strip() and not self._text[end : line[1]].strip()
        yield Edit(*line, "") if alone else Edit(start, end, "")  # YAML allows a comma behind the last

    def _replacement(self, start: int, end: int, old: Any, value: Any) -> Edit:
        text = self._text
        quote = text[start : start + 1]
        if isinstance(value, str) and quote == "'" and value.isprintable():
            return Edit(start, end, "'" + value.replace("'", "''") + "'")
        new = self._flow(value)
        if quote in ("|", ">"):  # its header may have a comment, and its last line has an end
            header = text[start:end].splitlines()[0]
            end = start + len(text[start:end].rstrip())
            return Edit(start, end, f"{new} {header[header.index('#') :]}" if "#" in header else new)
        if isinstance(value, str) and quote == '"' and not new.startswith('"'):
            new = f'"{new}"'.replace("\\", "\\\\") if "\\" in new else f'"{new}"'
        if isinstance(old, (dict, list)) and old and text[start : start + 1] not in ("{", "["):
            raise UsageError(f"{self.document.path}: what stands there takes several lines; edit it by hand")
        return Edit(start, end, new)

    # The end of every edit.

    def _made(self, edits: list[Edit], wanted: Any, path: Path) -> Text:
        """The text with the edits made, if it then says what is wanted and nothing else."""
        document = parse_text(self.document.path, apply(self._text, tuple(edits)))
        document.byte_order_mark = self.document.byte_order_mark
        is_wanted = document.value is not None and same(document.value, wanted, as_written=True)
        if not is_wanted or _errors(document) > _errors(self.document):
            raise self._refused(path)
        return Text(document)


def _errors(document: Document) -> int:
    return sum(finding.severity == "error" for finding in document.findings)
