"""YAML 1.2 core schema: what a plain scalar means (https://yaml.org/spec/1.2.2/#103-core-schema).

PyYAML follows YAML 1.1, where NO is false, 22:30 is 1350 and 017 is 15. Here they are a text, a text
and 17, as in ruamel.yaml and in every YAML 1.2 reader.
"""

from __future__ import annotations

import datetime
import re
from decimal import Decimal
from math import isfinite
from typing import Any

import yaml

from aldo.schema.decimals import WrittenFloat

_WORDS: dict[str, Any] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_INT = re.compile(r"[-+]?[0-9]+")
_OCTAL = re.compile(r"0o[0-7]+")
_HEX = re.compile(r"0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_INFINITE = re.compile(r"[-+]?\.(inf|Inf|INF)")
_NAN = re.compile(r"\.(nan|NaN|NAN)")
_NUMBER_STARTS = frozenset("0123456789+-.")
_LONGEST_NUMBER = 400  # digits; int() and float() stay quick and below their own limits

TAG = "tag:yaml.org,2002:"


class UnreadableScalar(ValueError):
    """A scalar that its own notation or tag makes unreadable; the text says why."""


def plain(text: str) -> Any:
    """The value of a plain (unquoted, untagged) scalar.

    Raises `UnreadableScalar` for a number of more than 400 characters.
    """
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _NUMBER_STARTS:
        return text
    return _number(text)


def _number(text: str) -> Any:
    for pattern, read in _READERS:
        if pattern.fullmatch(text):
            if len(text) > _LONGEST_NUMBER:
                raise UnreadableScalar(f"a number of {len(text)} characters; at most {_LONGEST_NUMBER} are read")
            return read(text)
    return text


_READERS: tuple[tuple[re.Pattern[str], Any], ...] = (
    (_INT, int),
    (_OCTAL, lambda text: int(text[2:], 8)),
    (_HEX, lambda text: int(text[2:], 16)),
    (_FLOAT, WrittenFloat),
    (_INFINITE, lambda text: float("-inf") if text[0] == "-" else float("inf")),
    (_NAN, lambda _: float("nan")),
)


def tagged(tag: str, text: str) -> Any:
    """The value of a scalar with an explicit tag. Raises `UnreadableScalar` for a tag outside the core schema."""
    if tag in ("!", TAG + "str"):
        return text
    kinds: dict[str, tuple[type, ...]] = {
        TAG + "int": (int,),
        TAG + "float": (float, int),
        TAG + "bool": (bool,),
        TAG + "null": (type(None),),
    }
    if tag not in kinds:
        raise UnreadableScalar(f"the tag {short_tag(tag)} is not one of YAML's core schema")
    value = plain(text)
    if not isinstance(value, kinds[tag]) or (isinstance(value, bool) and bool not in kinds[tag]):
        raise UnreadableScalar(f"{text!r} is no {short_tag(tag)}")
    return WrittenFloat(text) if tag == TAG + "float" and isinstance(value, int) else value


def short_tag(tag: str) -> str:
    """`!!int` for `tag:yaml.org,2002:int`."""
    return tag.replace(TAG, "!!")


_TRUTH_OF_1_1 = frozenset(
    word for base in ("yes", "no", "on", "off") for word in (base, base.capitalize(), base.upper())
)
_SAME_IN_BOTH = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?|[0-9]{4}-[0-9]{2}-[0-9]{2}")
_NUMBER_IN_1_1 = re.compile(r"[-+.]?[0-9][0-9a-fA-FxobOB_.:eE+-]*")


def otherwise_in_1_1(text: str) -> Any:
    """What a YAML 1.1 reader makes of a plain scalar, or `ALIKE` where that is what we make of it.

    Dates are left out: `asOf` takes both the text and the date.
    """
    if text in _TRUTH_OF_1_1:
        return text.lower() in ("yes", "on")
    if _SAME_IN_BOTH.fullmatch(text) or not _NUMBER_IN_1_1.fullmatch(text) or len(text) > _LONGEST_NUMBER:
        return ALIKE
    try:
        theirs = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError):
        return ALIKE
    ours = plain(text)
    if isinstance(theirs, (datetime.date, dict)) or (
        theirs == ours and isinstance(theirs, str) == isinstance(ours, str)
    ):
        return ALIKE
    return theirs


ALIKE: Any = object()


def written_out(number: float) -> str:
    """A number in the notation that every YAML reader takes for the same: no exponent, no leading zeros.

    A float stays one: some servers refuse a whole number where they want a float.
    """
    if not isinstance(number, float) or not isfinite(number):
        return str(number)
    text = f"{Decimal(number.text if isinstance(number, WrittenFloat) else repr(number)):f}"
    return text if "." in text else f"{text}.0"
