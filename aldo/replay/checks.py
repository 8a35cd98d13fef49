"""What is wrong with a shape, in SQL: the codes of the errors that `route` raises, in the order it raises them."""

from __future__ import annotations

from string import ascii_letters, digits

from aldo.replay.dialect import Dialect
from aldo.schema.vocabulary import LOCALITIES, PRIVACY_TIERS

_FIRST = ascii_letters + digits
_LATER = _FIRST + "._:/@+-"
_LONGEST = 200  # of schema.base.Name


def checked(tables: str, dialect: Dialect) -> str:
    """Each shape with its `refusal`: null, `invalid_request` or an unknown name's code."""
    known = "known.classes", "known.capabilities"
    unknown_class = f"NOT array_contains({known[0]}, aldo_class) OR NOT {_within('aldo_fallback', known[0], dialect)}"
    return f"""
SELECT shapes.*, CASE
    WHEN {" OR ".join(_invalid(dialect))} THEN 'invalid_request'
    WHEN {unknown_class} THEN 'unknown_class'
    WHEN NOT {_within("aldo_requires", known[1], dialect)} THEN 'unknown_capability'
    WHEN aldo_pin <> '' AND pinned.model IS NULL THEN 'unknown_model'
  END AS refusal
FROM shapes
CROSS JOIN {tables}_names AS known
LEFT JOIN {tables}_models AS pinned ON pinned.model = shapes.aldo_pin"""


def _within(some: str, all_of: str, dialect: Dialect) -> str:
    return f"({dialect.within(some, all_of)})"


def _invalid(dialect: Dialect) -> list[str]:
    lists = ("aldo_fallback", "aldo_requires", "aldo_exclude", "aldo_down")
    no_name = dialect.function("name", _no_name("name"))
    no_place = dialect.function("name", f"coalesce(name NOT IN ({_quoted(LOCALITIES)}), TRUE)")
    return [
        _no_name("aldo_class"),
        f"aldo_privacy NOT IN ({_quoted(PRIVACY_TIERS)})",
        f"(aldo_pin <> '' AND {_no_name('aldo_pin')})",
        *(f"{dialect.length}({dialect.those}({names}, {no_name})) > 0" for names in lists),
        f"{dialect.length}({dialect.those}(aldo_localities, {no_place})) > 0",
        f"{dialect.length}(aldo_localities) = 0",
    ]


def _no_name(text: str) -> str:
    """Whether a text is no `schema.base.Name`, without a regular expression: engines differ in those."""
    first, rest = f"translate(substr({text}, 1, 1), '{_FIRST}', '')", f"translate({text}, '{_LATER}', '')"
    return f"coalesce({text} = '' OR length({text}) > {_LONGEST} OR {first} <> '' OR {rest} <> '', TRUE)"


def _quoted(words: tuple[str, ...]) -> str:
    return ", ".join(f"'{word}'" for word in words)
