"""Comments that ignore nothing."""

from __future__ import annotations

import random

from tests.support.mutations.mutation import has_comment, mutation, pick
from tests.support.mutations.source import Source


def _commented(source: Source, rng: random.Random, comment: str) -> tuple[str, int]:
    entry = pick(source, rng)
    if rng.random() < 0.5:
        return source.with_line(entry.first, f"  {comment}", source.lines[entry.first - 1]), entry.first
    line = entry.lines[rng.choice(("id", "provider", "cost", "privacyAllowed"))]
    return source.with_line(line, f"{source.lines[line - 1]}   {comment}"), line


@mutation("AL901")
def _comment_for_nothing(source: Source, rng: random.Random) -> tuple[str, int]:
    code = rng.choice(("AL201", "AL301", "AL407", "AL502", "AL503"))
    return _commented(source, rng, f"# aldo: ignore[{code}] it was so once")


@mutation("AL901")
def _reason_gone(source: Source, rng: random.Random) -> tuple[str, int]:
    """The defect that a comment ignores is mended, the comment stays."""
    line = source.line_with(pick(source, rng, has_comment), "kvCacheQuantized: true")
    return source.replaced(line, "true", "false"), line


@mutation("AL902")
def _comment_for_no_rule(source: Source, rng: random.Random) -> tuple[str, int]:
    code = rng.choice(("[AL999]", "[AL1]", "[syntax]", "[AL103]", "[AL107]", " AL304", "", "[]"))
    return _commented(source, rng, f"# aldo: ignore{code} a reason")
