"""The command line tells nothing of what was sent."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.bound import entry
from tests.support.cli import aldo
from tests.support.fake_server import FakeServer
from tests.transport.no_secret.echoes import ALL
from tests.transport.no_secret.leaks import PLAIN, SECRET, Material, leaks

CHAT = ("chat", "--class", "local-reasoning", "--privacy", "sensitive", "--retries", "0")


@pytest.mark.parametrize(
    ("place", "more"),
    [
        ("the message", ()),
        ("a list of details", ("--json",)),
        ("a header that is none", ()),
        ("a tool call that cannot be read", ("--json",)),
    ],
)
def test_the_command_line_tells_nothing_of_it(place: str, more: tuple[str, ...], tmp_path: Path) -> None:
    """Neither on standard output nor beside it, nor in the usage log."""
    catalog, usage = tmp_path / "models.json", tmp_path / "usage.jsonl"
    sent = Material(PLAIN.prompt, PLAIN.system, PLAIN.prompt, PLAIN.key, PLAIN.header)
    with FakeServer([ALL[place](sent.all)]) as server:
        config = {"baseUrl": server.url, "apiKeyEnv": "THE_KEY", "headers": {"X-Tenant": PLAIN.header}}
        head = {"apiVersion": "aldo/models.v1", "kind": "ModelCatalog"}
        catalog.write_text(json.dumps(head | {"models": [entry(config=config)]}), encoding="utf-8")
        arguments = ("--catalog", str(catalog), "--usage", str(usage), "--system", PLAIN.system, *more)
        done = aldo(*CHAT, *arguments, PLAIN.prompt, THE_KEY=PLAIN.key)
        assert PLAIN.key in server.seen[0].headers["authorization"]
    assert done.returncode == 3
    assert bool(done.stdout.strip()) == bool(more)
    if more:
        assert set(json.loads(done.stdout)) == {"error"}
    rows = usage.read_text(encoding="utf-8")
    assert rows.count("\n") == 1
    assert sent.found_in(done.stdout + done.stderr + rows) == []


def test_a_prompt_without_quotes_is_not_told_as_bad_usage() -> None:
    done = aldo(*CHAT, "--json", *SECRET.split())
    assert leaks(done.stdout + done.stderr, (SECRET,)) == []
