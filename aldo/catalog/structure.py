"""The structure of a document against a type of `schema`: pydantic's errors as findings with places.

One defect, one finding: a misspelt key is an unknown field with a suggestion, and not a missing one too.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, TypeVar, get_args, get_origin

from pydantic import BaseModel, Tag, ValidationError
from pydantic_core import ErrorDetails

from aldo._lazy import lazy_pattern
from aldo.catalog import codes, edit
from aldo.catalog.document import Document
from aldo.catalog.spans import PathPart
from aldo.errors import Fix, Span
from aldo.schema.secrets import masked

Model = TypeVar("Model", bound=BaseModel)
Path = tuple[PathPart, ...]

_TYPES: dict[str, str] = {
    "string_type": "must be a text",
    "float_type": "must be a number",
    "int_type": "must be a whole number",
    "bool_type": "must be true or false",
    "tuple_type": "must be a list",
    "list_type": "must be a list",
    "dict_type": "must be a mapping",
    "mapping_type": "must be a mapping",
    "model_type": "must be a mapping",
    "model_attributes_type": "must be a mapping",
}
_VALUES: dict[str, str] = {
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "too_short": "must not be empty",
    "string_too_short": "must not be empty",
    "string_too_long": "must have at most {max_length} characters",
    "finite_number": "must be a finite number",
}
_PATTERN_WORDS = "must begin with a letter or digit and hold only letters, digits and . _ : / @ + -"


def check(document: Document, model: type[Model], value: Any, prefix: Path = ()) -> Model | None:
    """The value as a `model`, or None with the findings added to the document.

    `prefix` is what the value's paths have in front of those of the document (a bare list is the
    `models` of a catalog).
    """
    for span in document.odd_keys:
        document.report(codes.WRONG_TYPE, "a key must be a text", span=span, hint="put it in quotes, or correct it")
    try:
        return model.model_validate(value, by_alias=True, by_name=False, context={"file": True})
    except ValidationError as error:
        _report(document, model, error.errors(include_url=False), prefix)
        return None


def _report(document: Document, model: type[BaseModel], errors: list[ErrorDetails], prefix: Path) -> None:
    missing: dict[Path, list[str]] = {}  # the mapping that lacks them -> its missing fields
    for error in errors:
        if error["type"] == "missing":
            missing.setdefault(tuple(error["loc"][:-1]), []).append(str(error["loc"][-1]))
    for error in errors:
        if error["type"] == "extra_forbidden":
            _report_unknown(document, model, tuple(error["loc"]), prefix, missing)
    told = sorted(f.span for f in document.findings if f.code in (codes.SCALAR, codes.ALIAS) and f.span)
    for error in errors:
        loc = tuple(error["loc"])
        path = _without_tags(loc)[len(prefix) :]
        if error["type"] in ("extra_forbidden", "duplicate_id") or _was_skipped(document, path) or _is_echo(error):
            continue
        if error["type"] != "missing":
            if not _holds_any(document.locate(path), told):
                _report_value(document, error, path)
        elif loc[-1] in missing[loc[:-1]]:
            message = f"the field {str(loc[-1])!r} is missing"
            document.report_at(codes.MISSING_FIELD, message, path[:-1], hint=_missing_hint(loc))


def _holds_any(span: Span | None, inner: list[Span]) -> bool:
    """Whether a value that is told to be unreadable is this one or stands inside it."""
    if span is None:
        return False
    first = bisect_left(inner, Span(span.line, span.column, 0, 0))  # `inner` is sorted, and spans nest or are apart
    return first < len(inner) and (inner[first].line, inner[first].column) <= (span.end_line, span.end_column)


def _report_unknown(
    document: Document, model: type[BaseModel], loc: Path, prefix: Path, missing: dict[Path, list[str]]
) -> None:
    """Report an unknown key. Where it means a field that is missing, that one is no longer missing."""
    name = str(loc[-1])
    allowed = fields_at(model, loc[:-1])
    path = _without_tags(loc)[len(prefix) :]
    absent = missing.get(loc[:-1], [])
    meant = _nearest(name, absent) or _nearest(name, allowed)
    if name == "<<":
        hint = "merge keys are YAML 1.1 and not part of a catalog; write the values out"
    elif name.startswith("$") and "$unset" not in allowed:
        hint = "$unset stands beside the fields of an entry, with paths; $add and $remove stand in place of a list"
    elif name == "id" and "$unset" in allowed:
        hint = "an id cannot change: remove the entry and add another"
    elif meant:
        hint = f"did you mean {meant!r}?"
    else:
        hint = "the fields here are " + ", ".join(allowed)
    fix = None
    if meant and meant != "apiKeyEnv" and name != "<<" and not _stands_beside(document, path, meant):
        fix = Fix(f"rename it to {meant}", (edit.scalar(document.text, *document.offsets(path, key=True), meant),))
    document.report_at(codes.UNKNOWN_FIELD, f"unknown field {name!r}", path, key=True, hint=hint, fix=fix)
    if meant in absent:
        absent.remove(meant)


def _without_tags(loc: Path) -> Path:
    """The path in the document: pydantic adds the tag of the variant that it chose, which begins with <."""
    return tuple(part for part in loc if not (isinstance(part, str) and part.startswith("<") and part != "<<"))


def _stands_beside(document: Document, path: Path, name: str) -> bool:
    around = _value_at(document.value, path[:-1])
    return isinstance(around, Mapping) and name in around


def _report_value(document: Document, error: ErrorDetails, path: Path) -> None:
    kind, context = error["type"], error.get("ctx", {})
    is_null_in_overlay = error["input"] is None and path[:1] == ("override",) and len(path) > 2
    path = _existing(document.value, path)
    found = _words(error["input"])
    hint, meant = "", None
    if kind == "literal_error":
        code = codes.WRONG_VALUE
        message, meant = _literal(error["input"], str(context["expected"]))
        hint = f"did you mean {meant!r}?" if meant else ""
    elif kind in _TYPES:
        code, message = codes.WRONG_TYPE, f"{_TYPES[kind]}, not {found}"
        meant = _meant_by(kind, error["input"])
        hint = f"write {meant}" if meant else ""
        if is_null_in_overlay:
            hint = f"a null takes nothing away: write `$unset: [{'.'.join(map(str, path[2:]))}]`"
    elif kind in _VALUES:
        code, message = codes.WRONG_VALUE, _VALUES[kind].format(**context)
    elif kind == "string_pattern_mismatch":
        url = str(context["pattern"]).startswith("^http")
        code, message = codes.WRONG_VALUE, "must be an http or https URL" if url else _PATTERN_WORDS
    elif kind == "decimal_type" and isinstance(error["input"], str) and _QUOTED_NUMBER.fullmatch(error["input"]):
        code, message, meant = codes.WRONG_TYPE, f"{error['msg']}, not {found}", error["input"]
        hint = "write it without quotes"
    elif kind == "decimal_type" or (kind == "whole_number" and not isinstance(error["input"], float)):
        code, message = codes.WRONG_TYPE, f"{error['msg']}, not {found}"
    else:
        code, message = codes.WRONG_VALUE, error["msg"]
    field = next((part for part in reversed(path) if isinstance(part, str)), "")
    name = f"{field!r} " if path and path[-1] == field else f"an item of {field!r} " if field and path[:-1] else ""
    fix = None
    if meant:
        start, end = document.offsets(path)
        written = edit.scalar if kind == "literal_error" else edit.plain
        fix = Fix(f"write {meant}", (written(document.text, start, end, meant),))
    document.report_at(code, name + message, path, hint=hint, fix=fix)


def _meant_by(kind: str, value: Any) -> str | None:
    """What to write instead: true and false for the words that YAML 1.1 took for them."""
    return _WORDS_OF_YAML_1_1.get(value.lower()) if kind == "bool_type" and isinstance(value, str) else None


_QUOTED_NUMBER = lazy_pattern(r"(0|[1-9][0-9]*)(\.[0-9]+)?")
_WORDS_OF_YAML_1_1 = {"yes": "true", "on": "true", "y": "true", "no": "false", "off": "false", "n": "false"}


def _is_echo(error: ErrorDetails) -> bool:
    """What is told already: keys that are no texts, and lists "too short" because no item is valid."""
    about_key = error["type"] == "invalid_key" or error["loc"][-1:] == ("[key]",)
    return about_key or (error["type"] == "too_short" and bool(error["input"]))


def _literal(value: Any, expected: str) -> tuple[str, str | None]:
    allowed = [word.strip("' ") for word in expected.replace(" or ", ", ").split(",")]
    near = _nearest(value, allowed) if isinstance(value, str) else None
    message = f"must be one of {', '.join(allowed)}" if len(allowed) > 1 else f"must be {allowed[0]}"
    shown = repr(value) if isinstance(value, str) else _words(value)
    return f"{message}, not {shown}", near


def _missing_hint(loc: Path) -> str:
    if loc[-1] in ("usdPerMtokIn", "usdPerMtokOut"):
        return "a price that is not known is not 0; write 0 only where it is free"
    return ""


def _words(value: Any) -> str:
    match value:
        case None:
            return "nothing"
        case bool():
            return str(value).lower()
        case int() | float():
            return f"the number {value}"
        case str():
            return f"the text {masked(value)[:60]!r}"
        case Mapping():
            return "a mapping"
        case _:
            return "a list"


def _was_skipped(document: Document, path: Path) -> bool:
    """Whether the path names an entry that a syntax error made unreadable: a null stands in its place."""
    if not document.skipped or _value_at(document.value, path) is not None:
        return False
    place = document.locate(path)
    return place is not None and place.line in document.skipped


def _value_at(value: Any, path: Path) -> Any:
    for part in _existing(value, path):
        value = value[part]
    return value


def _existing(value: Any, path: Path) -> Path:
    """The part of a path that leads through the document (pydantic appends tags of its own)."""
    for length, part in enumerate(path):
        is_index = isinstance(value, list) and isinstance(part, int) and part < len(value)
        if not is_index and not (isinstance(value, Mapping) and part in value):
            return path[:length]
        value = value[part]
    return path


def _nearest(name: str, known: list[str]) -> str | None:
    folded = {other.replace("_", "").replace("-", "").lower(): other for other in known}
    near = get_close_matches(name.replace("_", "").replace("-", "").lower(), folded, n=1, cutoff=0.7)
    return folded[near[0]] if near else None


def fields_at(model: type[BaseModel], loc: Path) -> list[str]:
    """The fields, as files spell them, of the type at a place inside a model."""
    here: Any = model
    for part in loc:
        if isinstance(part, int) or here is None:
            continue
        if isinstance(part, str) and part.startswith("<"):  # the variant that was chosen
            here = _variant(here, part) or here
            continue
        if get_origin(here) in _MAPPINGS:
            here = get_args(here)[1]
            continue
        one = _model_in(here)
        fields = one.model_fields.items() if one else ()
        field = next((field for name, field in fields if (field.alias or name) == part), None)
        here = field.annotation if field else None
    found = _model_in(here) if get_origin(here) not in _MAPPINGS else None
    return [field.alias or name for name, field in found.model_fields.items()] if found else []


def _variant(annotation: Any, tag: str) -> Any:
    """The part of a union that has a tag; None where none says so."""
    for part in get_args(annotation):
        if any(isinstance(mark, Tag) and mark.tag == tag for mark in get_args(part)[1:]):
            return get_args(part)[0]
        found = _variant(part, tag)
        if found is not None:
            return found
    return None


_MAPPINGS = (Mapping, dict)


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := _model_in(part))), None)
