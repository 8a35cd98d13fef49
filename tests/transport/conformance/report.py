"""The table as Markdown, and the page that holds it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tests.support.cases import ROOT
from tests.transport.conformance.checks import CHECKS, WORKS
from tests.transport.conformance.clients import CLIENTS, Way
from tests.transport.conformance.expectations import EXPECTED, everything, known
from tests.transport.conformance.servers import SUBJECTS, Started

PAGE: Path = ROOT / "docs" / "reference" / "servers.md"
BEGIN, END = "<!-- written by python -m tests.transport.conformance --write -->", "<!-- end of what was written -->"

Row = Mapping[Way, str]
Table = Mapping[str, Mapping[str, Row]]


def observed(started: Started, server: str) -> dict[str, dict[Way, str]]:
    """What comes of every check of one server. Raises `AssertionError` where the two clients do not agree."""
    subject = started[server]
    found: dict[str, dict[Way, str]] = {}
    for name, check in CHECKS.items():
        found[name] = {}
        for way in check.ways:
            seen = {check.observe(subject, client, way).outcome for client in CLIENTS}
            assert len(seen) == 1, f"the clients do not agree on {server}, {name}, {way}: {seen}"
            found[name][way] = seen.pop()
    return found


def _cell(row: Row) -> str:
    shown = {way: "yes" if outcome == WORKS else outcome.replace(" ", "\u00a0") for way, outcome in row.items()}
    if len(set(shown.values())) == 1:
        return next(iter(shown.values()))
    return "; ".join(f"{way}: {outcome}" for way, outcome in shown.items())


def markdown(table: Table) -> str:
    """Server × check. Servers that were not run are left out."""
    servers = [name for name in SUBJECTS if name in table]
    lines = [
        f"| | {' | '.join(SUBJECTS[name].title for name in servers)} |",
        f"| --- |{' --- |' * len(servers)}",
    ]
    for name, check in CHECKS.items():
        lines.append(f"| {check.title} | {' | '.join(_cell(table[server][name]) for server in servers)} |")
    return "\n".join(lines) + "\n"


def reasons() -> str:
    """Why, for each server: a list of what does not work."""
    parts = []
    for server in EXPECTED:
        lines = [f"### {SUBJECTS[server].title}", ""]
        for name, check in CHECKS.items():
            found = known(server, name)
            if found is not None:
                lines.append(f"- {check.title}: {found.why}{' This is ours to mend.' if found.ours else ''}")
        parts.append("\n".join(lines))
    return "\n\n".join(parts) + "\n"


def written(table: Table) -> str:
    """What stands between the two marks of the page."""
    return f"{BEGIN}\n\n{markdown(table)}\n## Why\n\n{reasons()}\n{END}"


def page(text: str, table: Table) -> str:
    """The page with a table in the place of its old one."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{written(table)}{after}"


def expected_page(text: str) -> str:
    """The page as it is to be."""
    return page(text, everything())
