"""What a rule is: a code, a severity, its documentation, a good and a bad example that are its tests, and a check."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Literal, NamedTuple

from aldo.catalog.spans import PathPart
from aldo.errors import RULES_PAGE, Fix, Severity

if TYPE_CHECKING:
    from aldo.validate.subject import Subject

Path = tuple[PathPart, ...]


class Defect(NamedTuple):
    """What a check found: where in the document, and in words. The rule and the document make a finding of it."""

    path: Path
    """Of the value; the finding stands at its key with `key`."""
    message: str
    hint: str = ""
    key: bool = False
    fix: Fix | None = None
    severity: Severity | None = None
    """Another one than the rule's."""
    related: tuple[tuple[Path, str], ...] = ()
    place: tuple[int, int] | None = None
    """Characters of the text, for what has no path: a comment."""


Need = Literal["entries", "routing", "vocabulary"]

Scope = Literal["catalog", "value", "text"]
"""What a check looks at: the catalog, with its overlays merged; each value by itself, so that an overlay can be
checked alone, too; or the text of a file, whatever it comes to."""

Check = Callable[["Subject"], Iterator[Defect]]


class Rule(NamedTuple):
    """One kind of defect. The examples are whole files; `bad` must yield exactly this code, `good` nothing."""

    code: str
    name: str
    severity: Severity
    summary: str
    """One sentence: what is wrong."""
    explanation: str
    """Why it matters and what to do."""
    bad: str
    good: str
    check: Check | None = None
    """None for what is found while a file is read, and for what is said of suppressions."""
    base: str = ""
    """The catalog under the examples, where those are overlays."""
    above: str = ""
    """An overlay over them."""
    scope: Scope = "catalog"
    needs: tuple[Need, ...] = ()
    """What must be readable as a whole, or the check is left out: it would take what it misses for a defect."""

    @property
    def url(self) -> str:
        """Its section of the rule page."""
        return f"{RULES_PAGE}#{self.code.lower()}"
