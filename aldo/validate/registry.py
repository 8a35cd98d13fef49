"""The rules, discovered by listing `rules/`: one module a rule, each with a `RULE`."""

from __future__ import annotations

import pkgutil
from difflib import get_close_matches
from functools import cache
from importlib import import_module

from aldo.errors import UsageError
from aldo.validate import rules
from aldo.validate.rule import Rule


@cache
def all_rules() -> dict[str, Rule]:
    """Every rule by its code, in the order of the codes."""
    names = sorted(module.name for module in pkgutil.iter_modules(rules.__path__))
    found = [import_module(f"{rules.__name__}.{name}").RULE for name in names]
    return {rule.code: rule for rule in sorted(found, key=lambda rule: rule.code)}


def rule(code: str) -> Rule:
    """The rule with this code. Raises `UsageError` where there is none."""
    known = all_rules()
    if code.upper() not in known:
        near = get_close_matches(code.upper(), known, n=3)
        hint = f"did you mean {' or '.join(near)}? " if near else ""
        raise UsageError(f"no rule {code!r}; {hint}aldo lint --explain all lists them")
    return known[code.upper()]
