"""Text that fits the terminal."""

from __future__ import annotations


def width() -> int:
    """Of the terminal, or of COLUMNS; at most 80, and 80 where nobody knows."""
    import shutil

    return max(20, min(80, shutil.get_terminal_size((80, 24)).columns))


def fold(text: str, *, first: str = "", rest: str = "") -> str:
    """The text in lines of that width, the first begun with `first`, the others with `rest`.

    Names are never broken. Colour what is in it afterwards: escape sequences would count as text.
    """
    import textwrap

    return textwrap.fill(
        text, width(), initial_indent=first, subsequent_indent=rest, break_on_hyphens=False, break_long_words=False
    )
