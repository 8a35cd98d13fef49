"""A rule's documentation: for the terminal, and all of them as the page `docs/reference/rules.md`."""

from __future__ import annotations

import difflib
from collections.abc import Iterator

from aldo.validate.registry import all_rules
from aldo.validate.rule import Rule

FAMILIES = {
    "AL1": "Structure",
    "AL2": "Names and references",
    "AL3": "Privacy and security",
    "AL4": "Cost and limits",
    "AL5": "Routing",
    "AL6": "Overlays",
    "AL7": "Suites and agents",
    "AL9": "Comments that ignore findings",
}
_INTRODUCTION = """\
<!-- Generated from the rule files by `make docs`; do not edit. -->
# Rules of `aldo lint`

Each rule is one file in `aldo/validate/rules/`, and this page is generated from them. `aldo lint --explain CODE`
prints one of them with whole example files. Errors fail a run, warnings only with `--strict`, infos never. A
`# aldo: ignore[CODE] reason` on a line, or above an entry, keeps a finding from being told.
"""


def example_change(rule: Rule) -> str:
    """What tells the bad example from the good one, as a unified diff without its header; the mended lines have +."""
    lines = difflib.unified_diff(rule.bad.splitlines(), rule.good.splitlines(), n=1, lineterm="")
    return "\n".join(line for line in list(lines)[2:] if not line.startswith("@@"))


def rules_page() -> str:
    """The whole page as Markdown."""
    return "\n".join(_page())


def _page() -> Iterator[str]:
    rules = all_rules().values()
    yield _INTRODUCTION
    yield "| code | name | severity | what is wrong |\n| --- | --- | --- | --- |"
    for rule in rules:
        yield f"| [{rule.code}](#{rule.code.lower()}) | {rule.name} | {rule.severity} | {rule.summary} |"
    for prefix, title in FAMILIES.items():
        yield f"\n## {prefix}xx {title}"
        for rule in rules:
            if rule.code.startswith(prefix):
                yield from _section(rule)
    yield ""


def _section(rule: Rule) -> Iterator[str]:
    yield f'\n<a id="{rule.code.lower()}"></a>\n\n### {rule.code} {rule.name} ({rule.severity})\n'
    yield f"{rule.summary}\n\n{rule.explanation.strip()}\n"
    if rule.base:
        yield "An overlay, over the catalog that `aldo lint --explain` prints:\n"
    yield f"```diff\n{example_change(rule)}\n```"
