"""Patterns that a file brings. They are matched by RE2, in linear time: no pattern can keep a run from ending."""

from __future__ import annotations

from typing import Any, Protocol

_MOST_MEMORY = 16 * 1024 * 1024


class Pattern(Protocol):
    """What is used of a compiled pattern."""

    def search(self, text: str, /) -> Any: ...


def compile_pattern(text: str, *, ignore_case: bool = False) -> Pattern:
    """A compiled pattern. Raises `ValueError` for one that RE2 does not take, `ImportError` without RE2."""
    import re2

    options = re2.Options()
    options.log_errors = False
    options.max_mem = _MOST_MEMORY
    options.case_sensitive = not ignore_case
    try:
        pattern: Pattern = re2.compile(text, options)
    except re2.error as error:
        said = error.args[0] if error.args else "no pattern"
        raise ValueError(said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)) from None
    return pattern


def pattern_problem(text: str) -> str | None:
    """What is wrong with a pattern; None where nothing is. Without RE2 Python's own engine has to say."""
    try:
        compile_pattern(text)
    except ValueError as error:
        return str(error)
    except ImportError:
        import re

        try:
            re.compile(text)
        except (re.error, RecursionError, OverflowError) as error:
            return str(error)
    return None
