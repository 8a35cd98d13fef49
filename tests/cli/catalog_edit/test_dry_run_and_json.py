"""A dry run and its diff, JSON, and what neither may show."""

from __future__ import annotations

import difflib
import json

import pytest

from tests.cli.catalog_edit.places import HEAD, KEY, MINE, Place, names


def test_a_dry_run_writes_nothing_and_shows_a_diff_that_makes_the_file_that_is_then_written(place: Place) -> None:
    done = place.done("set", "qwen", "maxOutputTokens=7", "provides+=vision", "--dry-run")
    assert place.text() == MINE
    assert names(place.path) == ["base.yaml", "mine.yaml"]
    assert done.stdout.startswith("--- mine.yaml\n+++ mine.yaml\n@@ ")
    assert "+    maxOutputTokens: 7\n" in done.stdout
    assert " # Ours   # keep" not in done.stdout, "three lines around"
    place.done("set", "qwen", "maxOutputTokens=7", "provides+=vision")
    before, after = (text.splitlines(keepends=True) for text in (MINE, place.text()))
    assert done.stdout == "".join(difflib.unified_diff(before, after, "mine.yaml", "mine.yaml"))


def test_a_dry_run_of_what_would_be_refused_is_refused(place: Place) -> None:
    assert "AL106" in place.refused("set", "qwen", "locality=clou", "--dry-run")


@pytest.mark.parametrize("form", [(), ("--json",)])
def test_a_secret_is_shown_in_no_diff_and_no_message(place: Place, form: tuple[str, ...]) -> None:
    place.write(
        "mine.yaml",
        HEAD
        + f"override:\n  qwen:\n    providerConfig:\n      headers: {{ Authorization: Bearer {KEY} }}\n    latencyP95Ms: 1\n",
    )
    done = place.run("set", "qwen", "latencyP95Ms=2", "--dry-run", *form)
    assert done.returncode == 0, done.stderr
    assert "latencyP95Ms: 2" in done.stdout
    assert "headers" in done.stdout
    assert KEY not in done.stdout + done.stderr
    for pair in (
        f"providerConfig.apiKeyEnv={KEY}",
        f"description={KEY}",
        f"providerConfig.headers.X={KEY}",
        f"maxOutputTokens={KEY}",
    ):
        done = place.run("set", "gpt.4o", pair, "--dry-run", *form)
        assert KEY not in done.stdout + done.stderr, pair


def test_json_says_file_change_diff_and_notes(place: Place) -> None:
    told = json.loads(place.done("set", "qwen", "cost.usdPerMtokIn=1", "--json").stdout)
    assert told.keys() == {"version", "file", "changed", "diff", "notes"}
    assert (told["version"], told["file"], told["changed"]) == (1, "mine.yaml", True)
    assert "+    cost: { usdPerMtokIn: 1, usdPerMtokOut: 0 }" in told["diff"].splitlines()
    assert len(told["notes"]) == 1
    again = json.loads(place.done("set", "qwen", "cost.usdPerMtokIn=1", "--json").stdout)
    assert (again["changed"], again["diff"]) == (False, "")
    dry = json.loads(place.done("remove", "gpt.4o", "--dry-run", "--json").stdout)
    assert dry["changed"] is True
    assert "+remove: [gpt.4o]" in dry["diff"].splitlines()
    assert "remove" not in place.text()


def test_control_characters_of_a_file_never_reach_the_terminal(place: Place) -> None:
    place.write("mine.yaml", MINE.replace("# measured", "# \u202e red"))
    for form in ((), ("--json",)):
        done = place.done("set", "qwen", "latencyP95Ms=7", "--dry-run", *form)
        assert "\u202e" not in done.stdout + done.stderr
        assert "latencyP95Ms: 7" in done.stdout
