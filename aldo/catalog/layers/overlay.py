"""Reading an overlay: the structure of the layer alone, whatever it is laid over."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from aldo.catalog import codes
from aldo.catalog.document import Document
from aldo.catalog.layers.near import nearest
from aldo.catalog.layers.steps import Path
from aldo.catalog.spans import pointer
from aldo.errors import Finding, Related
from aldo.schema.vocabulary import API_VERSION, CATALOG_KIND, OVERLAY_KIND

if TYPE_CHECKING:
    from pydantic import BaseModel

ADD, REMOVE, UNSET = "$add", "$remove", "$unset"
MERGING = frozenset(
    (
        codes.ABSENT_ID,
        codes.EXISTING_ID,
        codes.ABSENT_PATH,
        codes.TYPE_CHANGE,
        codes.STALE_EXPECT,
        codes.LOCKED_FIELD,
        codes.CONTRADICTION,
    )
)
"""The errors of what a layer does, not of its structure."""
_HEADER = {"apiVersion": API_VERSION, "kind": OVERLAY_KIND}
_BEGINS = f"an overlay begins with `apiVersion: {API_VERSION}` and `kind: {OVERLAY_KIND}`"


class OverlayFile:
    """An overlay as read: its plain value where it can be used, and all that is wrong with its structure."""

    def __init__(self, document: Document, value: dict[str, Any] | None = None) -> None:
        self.document = document
        self.value = value
        self.undecided: frozenset[str] = frozenset()
        """JSON pointers of what is malformed, or says two things at once. It is not done; all else is."""

    @property
    def findings(self) -> tuple[Finding, ...]:
        return self.document.sorted_findings()

    @property
    def well_formed(self) -> bool:
        """Whether nothing is wrong with its structure."""
        return self.value is not None and not any(
            finding.severity == "error" and finding.code not in MERGING for finding in self.document.findings
        )

    @property
    def entries(self) -> Iterator[tuple[Path, Any]]:
        """What it says of single entries, each with its path: parts of those that are there, and whole ones."""
        value = self.document.value if isinstance(self.document.value, dict) else {}
        override, add = value.get("override"), value.get("add")
        for model, part in override.items() if isinstance(override, dict) else ():
            yield ("override", model), part
        for index, entry in enumerate(add if isinstance(add, list) else ()):
            yield ("add", index), entry


def overlay_of(document: Document) -> OverlayFile:
    """The overlay in a document that was read; its findings are added to those of the document."""
    if not document.readable or not _has_header(document):
        if document.value is None:  # an empty file is told how a catalog begins
            document.findings[:] = [
                f._replace(hint=_BEGINS) if f.message == "is empty" else f for f in document.findings
            ]
        return OverlayFile(document)
    from aldo.catalog.structure import check  # loads pydantic
    from aldo.schema.overlay import CatalogOverlay

    value: dict[str, Any] = document.value
    check(document, CatalogOverlay, {**value, **_HEADER})
    file = OverlayFile(document, value)
    alone = _Alone(document, value)
    alone.check()
    errors = (finding.pointer for finding in document.findings if finding.severity == "error")
    file.undecided = frozenset({*errors, *map(pointer, alone.undecided)})
    return file


def _has_header(document: Document) -> bool:
    value = document.value
    if not isinstance(value, dict):
        document.report_at(codes.WRONG_KIND, "is no overlay", (), hint=_BEGINS)
        return False
    if value.get("kind") == CATALOG_KIND or ("kind" not in value and "models" in value):
        hint = "a layer is an overlay; a catalog is named with --catalog"
        document.report_at(codes.WRONG_KIND, "is a catalog, not an overlay", ("kind",), hint=hint)
        return False
    for key, expected in _HEADER.items():
        if key not in value:
            document.report_at(codes.MISSING_FIELD, f"the field {key!r} is missing", (), hint=_BEGINS)
        elif value[key] != expected:
            near = isinstance(value[key], str) and get_close_matches(value[key], [expected], cutoff=0.8)
            hint = f"did you mean {expected!r}?" if near else _BEGINS
            shown = value[key][:60] if isinstance(value[key], str) else type(value[key]).__name__
            document.report_at(codes.WRONG_KIND, f"{key} is {shown}, not {expected}", (key,), hint=hint)
            return False
    return True


class _Alone:
    """What must hold inside one overlay. What has not the right shape has been told, and is passed over."""

    def __init__(self, document: Document, value: dict[str, Any]) -> None:
        self._document = document
        self.undecided: set[Path] = set()
        override, add, remove = (value.get(section) for section in ("override", "add", "remove"))
        self._override = override if isinstance(override, dict) else {}
        self._add = add if isinstance(add, list) else []
        self._remove = remove if isinstance(remove, list) else []

    def check(self) -> None:
        self._one_section_each()
        for model, part in self._override.items():
            if isinstance(part, dict):
                self._unset_once(("override", model), part)
                self._edits(("override", model), part)
        for number, entry in enumerate(self._add):
            config = entry.get("providerConfig") if isinstance(entry, dict) else None
            extra = config.get("extra") if isinstance(config, dict) else None
            self._no_operations(("add", number, "providerConfig", "extra"), extra)
        for section in ("routing", "vocabulary"):
            self._edits((section,), self._document.value.get(section, {}))

    def _one_section_each(self) -> None:
        """An id is overridden, added or removed, once."""
        first: dict[str, Path] = {model: ("override", model) for model in self._override}
        added = (entry.get("id") if isinstance(entry, dict) else None for entry in self._add)
        rest: list[tuple[Any, Path]] = [(model, ("add", n, "id")) for n, model in enumerate(added)]
        rest += [(model, ("remove", n)) for n, model in enumerate(self._remove)]
        for model, path in rest:
            if not isinstance(model, str):
                continue
            there = first.setdefault(model, path)
            if there == path:
                continue
            if there[0] == path[0]:
                self._report(codes.DUPLICATE_ID, f"{model!r} stands twice", path, "remove one of the two", there)
            else:
                told = f"{model!r} stands under {there[0]} and under {path[0]}"
                self._report(codes.CONTRADICTION, told, path, "decide for one; layers that differ are files", there)

    def _unset_once(self, at: Path, part: dict[str, Any]) -> None:
        paths = part.get(UNSET, [])
        said: dict[Path, Path] = {}
        for number, text in enumerate(paths if isinstance(paths, list) else ()):
            if not isinstance(text, str) or not text:
                continue
            here = (*at, UNSET, number)
            problem = _never_unset(text)
            if problem is not None:
                code, hint = problem
                self._report(code, f"{text!r} cannot be unset", here, hint)
                continue
            parts: Path = tuple(text.split("."))
            there = next((said[other] for other in said if _overlap(other, parts)), None)
            set_at = _set_within(part, parts)
            if there is not None:
                self._report(codes.CONTRADICTION, f"{text!r} is unset twice", here, "once is enough", there)
            elif set_at is not None:
                hint = "take one of the two away"
                self._report(codes.CONTRADICTION, f"{text!r} is set and unset at once", here, hint, (*at, *set_at))
            said.setdefault(parts, here)

    def _no_operations(self, at: Path, value: Any) -> None:
        """What is whole has nothing to add to: in it an operation would be taken for data."""
        for key, inner in (
            value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        ):
            if key in (ADD, REMOVE, UNSET):
                hint = "operations change what is there already; write the value itself"
                self._report(codes.UNKNOWN_FIELD, f"{key} has nothing to change here", (*at, key), hint, key=True)
            else:
                self._no_operations((*at, key), inner)

    def _edits(self, at: Path, value: Any) -> None:
        """`$add` and `$remove`, wherever they stand: no item in both; and in a knob, which has no type here, what
        such a type would say."""
        if not isinstance(value, dict):
            return
        operations = [key for key in value if isinstance(key, str) and key.startswith("$")]
        if at[2:4] == ("providerConfig", "extra"):
            for key in operations:
                self._operation(at, value, key, alone=len(operations) == len(value))
        self._add_or_remove(at, value)
        for key, inner in value.items():
            if isinstance(inner, list) and at[2:4] == ("providerConfig", "extra"):
                self._no_operations((*at, key), inner)
            elif key not in operations:
                self._edits((*at, key), inner)

    def _operation(self, at: Path, value: dict[str, Any], key: str, *, alone: bool) -> None:
        if key not in (ADD, REMOVE):
            hint = f"write `{UNSET}: [{'.'.join(map(str, at[2:]))}. …]` beside the fields of the entry"
            near = hint if key == UNSET else "the operations are $add, $remove and $unset"
            self._report(codes.UNKNOWN_FIELD, f"unknown operation {key!r}", (*at, key), near, key=True)
        elif not alone:
            self._report(codes.CONTRADICTION, f"{key} beside other keys", (*at, key), "it stands alone", key=True)
        elif not isinstance(value[key], list):
            self._report(codes.WRONG_TYPE, f"{key!r} must be a list", (*at, key), "write [item, …]")

    def _add_or_remove(self, at: Path, value: dict[str, Any]) -> None:
        add, remove = value.get(ADD), value.get(REMOVE)
        if not isinstance(add, list) or not isinstance(remove, list):
            return
        for number, item in enumerate(remove):
            if item in add:
                told, there = f"{item!r} is added and removed at once", (*at, ADD, add.index(item))
                self._report(codes.CONTRADICTION, told, (*at, REMOVE, number), "take one of the two away", there)

    def _report(
        self, code: str, message: str, path: Path, hint: str, there: Path | None = None, *, key: bool = False
    ) -> None:
        document = self._document
        if code == codes.CONTRADICTION:
            self.undecided |= {path} | ({there} if there else set())
        related = () if there is None else (Related(document.path, document.locate(there), "the other one"),)
        document.report_at(code, message, path, hint=hint, related=related, key=key)


def _never_unset(text: str) -> tuple[str, str] | None:
    """Why no overlay can unset that path: code and hint. None where it can."""
    from aldo.schema.entry import Deprecation, ModelEntry, ProviderConfig

    fields = {field.alias or name: field for name, field in ModelEntry.model_fields.items()}
    first, _, rest = text.partition(".")
    if first not in fields:
        near = nearest(first, fields)
        return codes.UNKNOWN_FIELD, f"did you mean {near!r}?" if near else "an entry has no such field"
    if first == "cost" and rest:
        return codes.WRONG_VALUE, "prices belong together: write the whole cost anew, without that price"
    if fields[first].is_required():
        return codes.WRONG_VALUE, "every entry has it: give it another value, or remove the entry"
    if not rest:
        return None
    models: dict[str, type[BaseModel]] = {"providerConfig": ProviderConfig, "deprecation": Deprecation}
    inner = models.get(first)
    if inner is None:
        return codes.UNKNOWN_FIELD, f"{first!r} has no fields inside it"
    known = {field.alias or name: field for name, field in inner.model_fields.items()}
    name = rest.partition(".")[0]
    if name not in known:
        near = nearest(name, known)
        return codes.UNKNOWN_FIELD, f"did you mean '{first}.{near}'?" if near else f"{first} has no such field"
    if known[name].is_required():
        return codes.WRONG_VALUE, f"{first} needs it: unset the whole of {first}"
    return None


def _overlap(one: Path, other: Path) -> bool:
    length = min(len(one), len(other))
    return one[:length] == other[:length]


def _set_within(part: Any, path: Path) -> Path | None:
    """The path at which a map sets what `path` names, or something around or inside it that is no map."""
    done: Path = ()
    for key in path:
        if not isinstance(part, dict):
            return done
        if key not in part:
            return None
        part, done = part[key], (*done, key)
    return done
