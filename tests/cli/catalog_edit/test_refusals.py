"""What `aldo catalog set` and `unset` refuse, and how they say so; nothing is written then."""

from __future__ import annotations

import json

import pytest

from aldo import AldoError, load_catalog
from aldo.catalog import read_document
from aldo.catalog.editing.assignment import assignment, dotted
from aldo.catalog.editing.edits import add_entry, remove_entry, set_values, unset_values
from aldo.catalog.write import replace_text
from tests.cli.catalog_edit.places import BASE, HEAD, HOUSE, MINE, Place, below

SEVERAL = {
    "locality=clou": ("8:15: error[AL106]", "did you mean 'cloud'?"),
    "maxOutputTokens=many": ("9:22: error[AL105]", "whole number"),
    "description=": ("10:18: error[AL106]", "empty"),
    "enabled=no": ("11:14: error[AL105]", "write false"),
    "asOf=2026-02-30": ("12:11: error[", "2026-02-30"),
    "servedContextTokens=0": ("13:26: error[AL106]", "1"),
    "cost={usdPerMtokIn: 0.0000001}": ("14:11: error[AL104]", "usdPerMtokOut"),
    "providerConfig.baseurl=http://x": ("16:7: error[AL103]", "did you mean 'baseUrl'?"),
}
"""What is set, and where and how it is told."""


def test_what_would_not_validate_is_refused_with_place_code_and_hint_all_at_once(place: Place) -> None:
    said = place.refused("set", "qwen", *SEVERAL).split("mine.yaml:")[1:]
    for where, words in SEVERAL.values():
        assert [line for line in said if line.startswith(where) and words in line], (where, said)
    assert sum("six" in line for line in said) == 1


@pytest.mark.parametrize(
    ("model", "given", "told"),
    [
        ("qwen", "providerConfig.baseUrl=nonsense", ("mine.yaml:9:", "AL208", "http://nonsense")),
        ("qwen", "cost.usdPerMtokIn=-1", ("mine.yaml:8:", "AL106")),
        ("qwen", "cost.usdPerMtokin=1", ("mine.yaml:8:", "AL103", "usdPerMtokIn")),
        ("gpt.4o", "privacyAllowed+=sensitive", ("mine.yaml:13:", "AL606", "acknowledge")),
        ("gpt.4o", "locality=local", ("mine.yaml:13:", "AL606", "acknowledge")),
        ("qwen", "localty=cloud", ("did you mean 'locality'?",)),
        ("qwenn", "enabled=false", ("'qwenn'", "did you mean 'qwen'")),
        ("qwen", "id=other", ("id",)),
        ("qwen", "enabled", ("PATH=VALUE",)),
    ],
)  # fmt: skip
def test_what_breaks_a_rule_or_names_nothing_is_refused_with_a_hint_and_nothing_is_written(
    place: Place, model: str, given: str, told: tuple[str, ...]
) -> None:
    said = place.refused("set", model, given)
    assert all(part in said for part in told), said


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("=5", "no path"),
        ("a..b=5", "no path"),
        ("maxOutputTokens=", "unset"),
        ("provides=[a", "no value"),
        ("locality+=cloud", "locality"),
        ("locality.deep=cloud", "locality"),
        ("effectiveContextTokens-=5", "effectiveContextTokens"),
        ("latencyP95Ms={a: 1}", "latencyP95Ms"),
    ],
)
@pytest.mark.parametrize("name", ["mine.yaml", "base.yaml"])
def test_an_assignment_that_makes_no_sense_is_refused_by_name(place: Place, name: str, text: str, told: str) -> None:
    """By the assignment, by the edit, or by the reading of what comes of it."""
    document = read_document(str(place.path / name))
    with pytest.raises(AldoError) as refusal:
        edited, _ = set_values(document, below(place.path), "qwen", [assignment(text)])
        place.write(name, edited.document.text)
        load_catalog(place.path / "base.yaml", overlays=[place.path / "mine.yaml"])
    assert told in str(refusal.value)


def test_a_refusal_as_json_carries_its_findings(place: Place) -> None:
    done = place.run("set", "qwen", "locality=clou", "maxOutputTokens=many", "--json")
    error = json.loads(done.stdout)["error"]
    assert done.returncode == 2
    assert error["code"] == "invalid_catalog"
    assert {(finding["code"], finding["path"], finding["pointer"]) for finding in error["findings"]} == {
        ("AL106", "mine.yaml", "/override/qwen/locality"),
        ("AL105", "mine.yaml", "/override/qwen/maxOutputTokens"),
    }
    done = place.run("set", "qwenn", "enabled=false", "--json")
    error = json.loads(done.stdout)["error"]
    assert (done.returncode, error["code"], error["suggestions"][0]) == (2, "unknown_model", "qwen")
    assert place.text() == MINE


def test_a_locked_field_is_widened_once_it_is_acknowledged(place: Place) -> None:
    place.write("mine.yaml", MINE + 'acknowledge: { gpt.4o: "our contract" }\n')
    place.done("set", "gpt.4o", "privacyAllowed+=internal")
    assert place.merged("gpt.4o")["privacyAllowed"] == ["public", "internal"]


def test_of_several_assignments_one_bad_one_writes_none(place: Place) -> None:
    place.refused("set", "qwen", "enabled=false", "locality=nowhere")
    place.refused("unset", "qwen", "latencyP95Ms", "locality")


@pytest.mark.parametrize("path", ["locality", "cost", "cost.usdPerMtokIn"])
def test_what_every_entry_must_have_is_not_unset(place: Place, path: str) -> None:
    assert path.split(".")[-1] in place.refused("unset", "gpt.4o", path)
    assert path.split(".")[-1] in place.refused("unset", "gpt.4o", path, file="base.yaml")


@pytest.mark.parametrize(
    ("path", "near"),
    [("latencyP95M", "latencyP95Ms"), ("providerConfig.headers.plain", "Plain"), ("description", "description")],
)
def test_what_no_layer_sets_is_not_unset(place: Place, path: str, near: str) -> None:
    assert near in place.refused("unset", "qwen", path)
    assert near in place.refused("unset", "qwen", path, file="base.yaml")


def test_an_error_that_was_there_before_is_no_obstacle_and_a_new_one_beside_it_is(place: Place) -> None:
    bad = BASE.replace("effectiveContextTokens: 128000", "effectiveContextTokens: lots")
    place.write("bad.yaml", bad)
    place.done("set", "qwen", "latencyP95Ms=1", file="bad.yaml")
    assert place.text("bad.yaml") == bad.replace("latencyP95Ms: 900", "latencyP95Ms: 1")
    assert "AL105" in place.refused("set", "qwen", "maxOutputTokens=many", file="bad.yaml")
    assert "AL105" in place.refused("set", "qwen", "effectiveContextTokens=lots", file="bad.yaml")
    place.done("set", "gpt.4o", "effectiveContextTokens=128000", file="bad.yaml")


def test_an_error_of_a_later_entry_is_no_obstacle_to_the_removal_of_an_earlier_one(place: Place) -> None:
    place.write("bad.yaml", BASE.replace("effectiveContextTokens: 128000", "effectiveContextTokens: lots"))
    place.done("remove", "qwen", file="bad.yaml")
    assert "qwen" not in place.text("bad.yaml")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, "no such file"),
        (b"\x00\xff\xfe\x00", "not UTF-8"),
        (b"a: [\n", "AL101"),
        (b"", "is empty"),
        (b"--- {}\n--- {}\n", "second document"),
    ],
)
def test_a_file_that_cannot_be_read_is_named_with_what_is_wrong(place: Place, content: bytes | None, told: str) -> None:
    if content is not None:
        place.write("odd.yaml", content)
    said = place.refused("set", "qwen", "enabled=false", file="odd.yaml")
    assert told in said
    assert "odd.yaml" in said


@pytest.mark.parametrize("text", ["hello\n", "a: 1\n", "models: 5\n"])
def test_a_file_that_is_neither_catalog_nor_overlay_is_refused_by_name(place: Place, text: str) -> None:
    place.write("odd.yaml", text)
    said = place.refused("set", "qwen", "enabled=false", file="odd.yaml")
    assert "odd.yaml" in said, said


@pytest.mark.parametrize(
    "body",
    [
        *("override: 5\n", "override: []\n", "override: {qwen: 5}\n", "override: {qwen: [1]}\n", "override: {qwen: {cost: 5}}\n"),
        *("override: {qwen: {$unset: 5}}\n", "override: {qwen: {provides: 5}}\n", "override: {qwen: {provides: {$add: 5}}}\n"),
        *("remove: 5\n", "remove: qwen\n", "remove: {a: 1}\n", "remove: [[qwen], {a: 1}]\n", "remove:\n", "override:\n", "add:\n", "expect:\n"),
        *("add: 5\n", "add: [{id: [1]}, 5, null]\n", "add: {id: qwen}\n", "expect: 5\n", "acknowledge: [1]\n", "5: 6\n"),
        *("override: {qwen: null}\n", "override: {qwen: &a {enabled: false}, gpt.4o: *a}\n", "override: {qwen: {cost: null}}\n"),
        *("override: {1: {a: 1}, true: 2}\n", "override: {qwen: {providerConfig: 5}}\n", "override: {qwen: {provides: null}}\n"),
    ],
)  # fmt: skip
def test_whatever_an_overlay_holds_an_edit_ends_well_or_is_refused_without_a_traceback(place: Place, body: str) -> None:
    """In one process, for their number; what the command adds to it is tested beside this."""
    others = below(place.path)
    place.write("mine.yaml", HEAD + body)
    for edit in (
        lambda document: set_values(document, others, "qwen", [assignment("enabled=false")]),
        lambda document: set_values(document, others, "gpt.4o", [assignment("cost.usdPerMtokIn=1")]),
        lambda document: set_values(document, others, "qwen", [assignment("cost.usdPerMtokIn=1")]),
        lambda document: set_values(document, others, "qwen", [assignment("provides+=vision")]),
        lambda document: set_values(document, others, "qwen", [assignment("provides-=streaming")]),
        lambda document: set_values(document, others, "gpt.4o", [assignment("providerConfig.headers.A=b")]),
        lambda document: unset_values(document, others, "qwen", [dotted("latencyP95Ms")]),
        lambda document: unset_values(document, others, "qwen", [dotted("cost")]),
        lambda document: unset_values(document, others, "qwen", [dotted("cost.usdPerMtokIn")]),
        lambda document: remove_entry(document, others, "qwen"),
        lambda document: remove_entry(document, others, "house"),
        lambda document: add_entry(document, others, HOUSE),
    ):
        document = read_document(str(place.path / "mine.yaml"))
        try:
            text, _ = edit(document)
        except AldoError:
            continue
        replace_text(document, text.document.text)
        assert read_document(str(place.path / "mine.yaml")).value == text.value
        place.write("mine.yaml", HEAD + body)


def test_the_command_ends_without_a_traceback_where_a_section_has_the_wrong_type(place: Place) -> None:
    for body in ("remove: 5\n", "add: {a: 1}\n"):
        for arguments in (("set", "qwen", "enabled=false"), ("remove", "qwen")):
            place.write("mine.yaml", HEAD + body)
            done = place.run(*arguments)
            assert done.returncode in (0, 2)
            assert (done.returncode == 2) == (place.text() == HEAD + body)


def test_standard_input_a_directory_and_a_read_only_file_are_no_files_to_edit(place: Place) -> None:
    assert "standard input" in place.refused("set", "qwen", "enabled=false", file="-", stdin=MINE)
    assert "directory" in place.refused("set", "qwen", "enabled=false", file=".")
    place.refused("set", "qwen", "enabled=false", file="")
    (place.path / "mine.yaml").chmod(0o444)
    assert "read-only" in place.refused("set", "qwen", "enabled=false")
    assert place.run("set", "qwen", "enabled=false", "--dry-run").returncode == 0
    assert (place.path / "mine.yaml").stat().st_mode & 0o777 == 0o444


def test_a_call_without_a_file_an_id_or_an_assignment_is_bad_usage(place: Place) -> None:
    for arguments in (("set", "qwen", "a=b"), ("add", "house")):
        done = place.run(*arguments, file=None)
        assert done.returncode == 2
        assert "--in" in done.stderr
    assert place.run("set", "qwen").returncode == 2
    assert place.run("remove").returncode == 2
    assert place.text() == MINE
