"""Which rules a run applies: `select` and `ignore` name codes or the beginnings of codes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from aldo.errors import UsageError
from aldo.validate.registry import all_rules


def selected(select: Iterable[str] = (), ignore: Iterable[str] = ()) -> frozenset[str]:
    """The codes of the rules to apply: all, or those selected, without those ignored.

    Where both speak of a rule the longer beginning decides, and `ignore` where they are equally long.
    Raises `UsageError` for a beginning that no code has.
    """
    chosen, ignored = tuple(known_prefixes(select, "select")), tuple(known_prefixes(ignore, "ignore"))
    return frozenset(
        code for code in all_rules() if _longest(code, chosen, 0 if not chosen else -1) > _longest(code, ignored, -1)
    )


def known_prefixes(prefixes: Iterable[str], option: str) -> Iterator[str]:
    """The beginnings in capitals. Raises `UsageError`, which names the option, for one that no code has."""
    for prefix in prefixes:
        wanted = prefix.strip().upper()
        if not wanted or not any(code.startswith(wanted) for code in all_rules()):
            families = sorted({code[:3] for code in all_rules()})
            raise UsageError(
                f"{option}: no rule's code begins with {prefix!r}; the families are {', '.join(families)}, "
                "and aldo lint --explain all lists the rules"
            )
        yield wanted


def _longest(code: str, prefixes: Iterable[str], default: int) -> int:
    return max((len(prefix) for prefix in prefixes if code.startswith(prefix)), default=default)
