"""The file that is edited: a catalog, a list, JSON, a link, an overlay among others, a new one, by many at once."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import yaml

from tests.cli.catalog_edit.places import BASE, HEAD, HOUSE, MINE, OPTIONS, Place, changed, names
from tests.support.cases import ROOT
from tests.support.cli import aldo


def test_a_catalog_itself_is_edited_in_its_entry(place: Place) -> None:
    place.done(
        "set",
        "qwen",
        "latencyP95Ms=1",
        "cost.usdPerMtokIn=0.1",
        "providerConfig.headers.x.trace=off",
        "provides+=vision",
        file="base.yaml",
    )
    gone, made = changed(BASE, place.text("base.yaml"))
    assert len(gone) == len(made) == 4
    assert "    provides: [streaming, tool-use, vision]   # checked" in made
    assert '      headers: { x.trace: "off", Plain: a }' in made
    place.done("unset", "qwen", "latencyP95Ms", file="base.yaml")
    assert "latencyP95Ms" not in place.text("base.yaml")
    place.done("remove", "qwen", file="base.yaml")
    assert [entry["id"] for entry in yaml.safe_load(place.text("base.yaml"))["models"]] == ["gpt.4o"]
    assert place.text("base.yaml").endswith(BASE[BASE.index("  - id: gpt.4o") :])


def test_a_bare_list_of_entries_is_a_catalog_too(place: Place) -> None:
    place.write("bare.yaml", "".join(f"{line[2:]}\n" for line in BASE[BASE.index("  - id: qwen") :].splitlines()))
    before = place.text("bare.yaml")
    place.done("set", "qwen", "latencyP95Ms=1", file="bare.yaml")
    assert place.text("bare.yaml") == before.replace("latencyP95Ms: 900", "latencyP95Ms: 1")
    place.done("add", "house", *OPTIONS, file="bare.yaml")
    assert [entry["id"] for entry in yaml.safe_load(place.text("bare.yaml"))] == ["qwen", "gpt.4o", "house"]
    place.done("remove", "house", file="bare.yaml")
    assert place.text("bare.yaml") == before.replace("latencyP95Ms: 900", "latencyP95Ms: 1")


def test_a_json_overlay_stays_json(place: Place) -> None:
    text = json.dumps(
        {"apiVersion": "aldo/models.v1", "kind": "ModelCatalogOverlay", "override": {"qwen": {"latencyP95Ms": 5}}},
        indent=2,
    )
    place.write("mine.json", text)
    place.done("set", "qwen", "description=ü: #", "provides+=vision", "cost.usdPerMtokIn=0.2", file="mine.json")
    place.done("set", "gpt.4o", "enabled=false", file="mine.json")
    value = json.loads(place.text("mine.json"))
    assert value["override"]["qwen"]["cost"] == {"usdPerMtokIn": 0.2, "usdPerMtokOut": 0}
    assert value["override"]["gpt.4o"] == {"enabled": False}
    place.done("unset", "gpt.4o", "enabled", file="mine.json")
    place.done("unset", "qwen", "cost", "provides", "description", file="mine.json")
    assert place.text("mine.json") == text


def test_mode_links_and_line_ends_of_an_edited_file_stay(place: Place) -> None:
    real = place.write("real.yaml", b"\xef\xbb\xbf" + MINE.replace("\n", "\r\n").encode())
    real.chmod(0o604)
    (place.path / "mine.yaml").unlink()
    (place.path / "mine.yaml").symlink_to("real.yaml")
    place.done("set", "qwen", "maxOutputTokens=7")
    assert (place.path / "mine.yaml").is_symlink()
    assert real.stat().st_mode & 0o777 == 0o604
    data = real.read_bytes()
    assert data.startswith(b"\xef\xbb\xbf#")
    assert data.count(b"\n") == data.count(b"\r\n") == MINE.count("\n") + 1


def test_what_stands_there_already_is_not_written_again(place: Place) -> None:
    before = (place.path / "mine.yaml").stat()
    done = place.done("set", "qwen", "latencyP95Ms=1200")
    after = (place.path / "mine.yaml").stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)
    assert "already" in done.stderr


def test_a_file_among_the_overlays_is_judged_at_its_place(place: Place) -> None:
    place.write(
        "first.yaml",
        HEAD + "add:\n" + "".join(f"  {line}\n" for line in yaml.safe_dump([HOUSE], sort_keys=False).splitlines()),
    )
    place.write("second.yaml", HEAD + "override:\n  house:\n    enabled: false\n")
    layers = ("--overlay", "first.yaml", "--overlay", "second.yaml")
    said = place.refused("remove", "house", *layers, file="first.yaml")
    assert "second.yaml:4" in said
    assert "house" in said
    said = place.refused(
        "remove", "house", file="first.yaml", ALDO_OVERLAYS=os.pathsep.join(("first.yaml", "second.yaml"))
    )
    assert "second.yaml:4" in said
    place.done("set", "house", "maxOutputTokens=9", *layers, file="./first.yaml")
    assert "    maxOutputTokens: 9" in place.text("first.yaml").splitlines()
    place.done("set", "house", "maxOutputTokens=5", *layers, file="second.yaml")
    assert place.merged("house", "first.yaml", "second.yaml")["maxOutputTokens"] == 5
    assert "unknown model 'house'" in place.refused("set", "house", "enabled=true", file="second.yaml")


def test_a_file_that_no_option_names_lies_over_all_overlays(place: Place) -> None:
    place.write("first.yaml", HEAD + "override:\n  qwen:\n    cost: { usdPerMtokIn: 7, usdPerMtokOut: 8 }\n")
    place.done("set", "qwen", "cost.usdPerMtokIn=1", "--overlay", "first.yaml")
    assert "    cost: { usdPerMtokIn: 1, usdPerMtokOut: 8 }" in place.text().splitlines()
    place.done("unset", "qwen", "cost.usdPerMtokIn", ALDO_OVERLAYS="first.yaml")
    assert place.text() == MINE


def test_layers_below_that_cannot_be_used_are_named(place: Place) -> None:
    place.write("broken.yaml", HEAD + "remove: [nobody]\n")
    assert "broken.yaml:3" in place.refused("set", "qwen", "enabled=false", "--overlay", "broken.yaml")
    assert "nowhere.yaml" in place.refused("set", "qwen", "enabled=false", "--overlay", "nowhere.yaml")
    assert "nowhere.yaml" in place.refused("set", "qwen", "enabled=false", "--catalog", "nowhere.yaml")


def test_an_entry_that_the_overlay_adds_is_edited_where_it_is_added(place: Place) -> None:
    place.done("add", "house", *OPTIONS)
    place.done("set", "house", "cost.usdPerMtokIn=0.25", "provides+=vision")
    assert "    cost: { usdPerMtokIn: 0.25, usdPerMtokOut: 0.5 }" in place.text().splitlines()
    assert "house" not in yaml.safe_load(place.text())["override"]
    place.done("set", "house", "provides-=vision", "cost.usdPerMtokIn=0")
    assert "AL104" in place.refused("unset", "house", "provides")
    place.done("remove", "house")
    assert place.text() == MINE


def test_a_new_overlay_is_valid_empty_and_made_once(place: Place) -> None:
    done = place.run("new", "new.yaml", file=None)
    assert done.returncode == 0
    assert place.text("new.yaml").startswith("# yaml-language-server: $schema=")
    assert yaml.safe_load(place.text("new.yaml")) == {"apiVersion": "aldo/models.v1", "kind": "ModelCatalogOverlay"}
    assert aldo("lint", "new.yaml", cwd=place.path).returncode == 0
    place.done("set", "qwen", "enabled=false", file="new.yaml")
    assert place.merged("qwen", "new.yaml")["enabled"] is False
    before = place.text("new.yaml")
    for name in ("new.yaml", ".", "no/such/place.yaml"):
        done = place.run("new", name, file=None)
        assert done.returncode == 2
        assert done.stderr
    assert (place.text("new.yaml"), place.text("mine.yaml"), place.text("base.yaml")) == (before, MINE, BASE)


def test_of_commands_at_once_each_succeeds_or_says_that_the_file_changed(place: Place) -> None:
    environment = {**os.environ, "ALDO_CATALOG": "base.yaml", "ALDO_TODAY": "2026-11-22", "PYTHONPATH": str(ROOT)}

    fields = (
        "maxOutputTokens=1",
        "servedContextTokens=2",
        "enabled=false",
        "description=d",
        "asOf=2026-01-01",
        "provides+=vision",
    )
    running = [
        subprocess.Popen([sys.executable, "-m", "aldo.cli.main", "catalog", "set", "qwen", field, "--in", "mine.yaml"], cwd=place.path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for field in fields
    ]  # fmt: skip
    outcomes = [
        (field, *process.communicate(timeout=60), process.returncode)
        for field, process in zip(fields, running, strict=True)
    ]
    said = yaml.safe_load(place.text())["override"]["qwen"]
    for field, _, stderr, code in outcomes:
        name = field.split("=")[0].removesuffix("+")
        assert (name in said) == (code == 0), field
        assert code == 0 or "changed meanwhile" in stderr
    assert any(code == 0 for *_, code in outcomes)
    assert names(place.path) == ["base.yaml", "mine.yaml"]
