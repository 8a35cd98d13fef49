"""`aldo catalog add` and `remove`: whole entries, from options, YAML or JSON."""

from __future__ import annotations

import json

import pytest
import yaml

from tests.cli.catalog_edit.places import BASE, HEAD, HOUSE, MINE, OPTIONS, Place, changed
from tests.support.cli import aldo


def test_add_from_options_yaml_or_json_makes_the_same_entry(place: Place) -> None:
    place.done("add", "house", *OPTIONS, "maxOutputTokens=100", "description=a=b: c")
    wanted = {**HOUSE, "maxOutputTokens": 100, "description": "a=b: c"}
    assert yaml.safe_load(place.text())["add"] == [wanted]
    first = place.text()
    for source, text in (("e.json", json.dumps(wanted)), ("e.yaml", yaml.safe_dump(wanted, sort_keys=False)), ("-", json.dumps([wanted])), ("-", yaml.safe_dump({"models": [wanted]}, sort_keys=False))):  # fmt: skip
        place.write("mine.yaml", MINE)
        if source != "-":
            place.write(source, text)
        place.done("add", "--from", source, stdin=text)
        assert yaml.safe_load(place.text())["add"] == [wanted]
        assert sorted(place.text()) == sorted(first)
    assert changed(MINE, first)[0] == []


def test_add_takes_several_at_once_all_or_none(place: Place) -> None:
    two = [HOUSE, {**HOUSE, "id": "house.2"}]
    place.done("add", "--from", "-", stdin=json.dumps(two))
    assert [entry["id"] for entry in yaml.safe_load(place.text())["add"]] == ["house", "house.2"]
    place.done("remove", "house")
    place.done("remove", "house.2")
    assert place.text() == MINE
    for bad in (
        [HOUSE, HOUSE],
        [HOUSE, {**HOUSE, "id": "x", "locality": "moon"}],
        [HOUSE, 5],
        [],
    ):
        place.refused("add", "--from", "-", stdin=json.dumps(bad))


def test_add_to_a_section_that_is_there_keeps_its_manner(place: Place) -> None:
    entry = yaml.safe_dump([HOUSE], sort_keys=False)
    for section in (
        "add:\n" + entry,
        "add:\n" + "".join(f"    {line}\n" for line in entry.splitlines()) + "# end\n",
        "add: []  # none\n",
        "add:\n# none\n",
        f"add: [{json.dumps(HOUSE)}]\n",
    ):
        place.write("mine.yaml", HEAD + section)
        before = len(yaml.safe_load(section)["add"] or [])
        place.done("add", "house-2", *OPTIONS)
        assert [entry["id"] for entry in yaml.safe_load(place.text())["add"]] == ["house", "house-2"][1 - before :]
        assert place.text().count("#") == section.count("#")


@pytest.mark.parametrize(
    ("arguments", "stdin", "told"),
    [
        (("house",), "", "provider"),
        (("qwen", *OPTIONS), "", "there already"),
        (("house", *OPTIONS, "locality=moon"), "", "AL106"),
        (("house", *OPTIONS, "localty=local"), "", "did you mean"),
        (("house", *OPTIONS, "provides+=vision"), "", "PATH=VALUE"),
        ((), "", "--from"),
        (("--from", "-"), "", "empty"),
        (("--from", "-"), "5", "no entry"),
        (("--from", "-"), "{", "<stdin>"),
        (("--from", "-"), json.dumps({**HOUSE, "id": None}), "id"),
        (("--from", "-"), json.dumps({**HOUSE, "extra": 1}), "extra"),
        (("--from", "nowhere.yaml"), "", "nowhere.yaml"),
    ],
)  # fmt: skip
def test_an_entry_that_cannot_be_added_is_refused(
    place: Place, arguments: tuple[str, ...], stdin: str, told: str
) -> None:
    assert told.lower() in place.refused("add", *arguments, stdin=stdin).lower()


def test_a_source_that_is_no_text_is_refused_by_name(place: Place) -> None:
    place.write("bin.yaml", b"\xff\xfe\x00")
    assert "bin.yaml" in place.refused("add", "--from", "bin.yaml")


def test_remove_takes_with_it_what_the_overlay_says_of_the_entry(place: Place) -> None:
    text = MINE + "expect: { qwen: { latencyP95Ms: 900 }, gpt.4o: { enabled: true } }\nacknowledge: { qwen: because }\n"
    place.write("mine.yaml", text)
    done = place.done("remove", "qwen")
    value = yaml.safe_load(place.text())
    assert value["remove"] == ["qwen"]
    assert value["override"].keys() == {"gpt.4o"}
    assert value["expect"].keys() == {"gpt.4o"}
    assert "qwen" not in value.get("acknowledge", {})
    assert all(word in done.stderr for word in ("override", "expect", "acknowledge"))
    assert "already" in place.refused("remove", "qwen")
    assert "removes 'qwen'" in place.refused("set", "qwen", "enabled=false")
    assert "removes 'qwen'" in place.refused("unset", "qwen", "latencyP95Ms")
    place.refused("add", "qwen", *OPTIONS)
    assert "did you mean 'gpt.4o'" in place.refused("remove", "gpt.4")


def test_the_last_entry_of_a_catalog_is_not_lost_quietly(place: Place) -> None:
    place.write("one.yaml", BASE[: BASE.index("\n  - id: gpt.4o")] + "\n")
    before = place.text("one.yaml")
    done = place.run("remove", "qwen", file="one.yaml")
    after = yaml.safe_load(place.text("one.yaml"))
    assert done.returncode in (0, 2)
    assert (place.text("one.yaml") == before) if done.returncode else after.get("models", []) in ([], None)
    assert aldo("lint", "one.yaml", cwd=place.path).returncode == 0, "what it wrote is a catalog"
