"""`aldo catalog set` and `unset`: what they write of values, items, texts, maps and paths."""

from __future__ import annotations

import pytest

from aldo import UsageError, load_catalog
from aldo.catalog import read_document
from aldo.catalog.editing.assignment import assignment, dotted
from aldo.catalog.editing.edits import set_values
from tests.cli.catalog_edit.places import HEAD, MINE, Place, below, changed


def test_a_set_is_one_line_more_and_render_shows_it(place: Place) -> None:
    place.done("set", "qwen", "cost.usdPerMtokIn=0.20", "providerConfig.baseUrl=http://localhost:9000")
    gone, made = changed(MINE, place.text())
    assert gone == []
    assert made[0] == "    cost: { usdPerMtokIn: 0.20, usdPerMtokOut: 0 }"
    assert made[1:] in (
        ["    providerConfig:", "      baseUrl: http://localhost:9000"],
        ["    providerConfig: { baseUrl: http://localhost:9000 }"],
    )
    entry = place.merged("qwen")
    assert float(entry["cost"]["usdPerMtokIn"]) == 0.2
    assert float(entry["cost"]["usdPerMtokOut"]) == 0
    assert entry["providerConfig"] == {"baseUrl": "http://localhost:9000", "headers": {"x.trace": "on", "Plain": "a"}}


def test_an_overlay_says_a_cost_whole_and_takes_one_price_back_alone(place: Place) -> None:
    done = place.done("set", "gpt.4o", "cost.usdPerMtokIn=2")
    assert "    cost: { usdPerMtokIn: 2, usdPerMtokOut: 10 }" in place.text().splitlines()
    assert "whole" in done.stderr
    place.done("set", "gpt.4o", "cost.usdPerMtokOut=20")
    place.done("unset", "gpt.4o", "cost.usdPerMtokIn")
    assert "    cost: { usdPerMtokIn: 1.25, usdPerMtokOut: 20 }" in place.text().splitlines()
    place.done("unset", "gpt.4o", "cost.usdPerMtokOut")
    assert place.text() == MINE


def test_items_go_into_lists_and_out_of_them(place: Place) -> None:
    place.done("set", "qwen", "provides+=vision,json-mode", "provides-=tool-use")
    assert place.merged("qwen")["provides"] == ["streaming", "vision", "json-mode"]
    place.done("set", "qwen", "provides-=vision", "provides+=tool-use")
    assert sorted(place.merged("qwen")["provides"]) == ["json-mode", "streaming", "tool-use"]
    assert "$remove" not in place.text()
    place.done("set", "qwen", "provides=[streaming]")
    assert place.merged("qwen")["provides"] == ["streaming"]
    place.done("set", "qwen", "provides+=[vision]")
    assert place.merged("qwen")["provides"] == ["streaming", "vision"]


def test_an_item_that_is_there_already_is_told_and_one_that_is_not_there_cannot_be_taken_out(place: Place) -> None:
    done = place.done("set", "qwen", "provides+=streaming")
    assert "streaming" in done.stderr or place.text() == MINE
    said = place.refused("set", "qwen", "provides-=vision")
    assert "AL603" in said
    assert "vision" in said


def test_a_path_that_the_overlay_unsets_is_unset_no_more_once_it_is_set(place: Place) -> None:
    place.done("set", "gpt.4o", "source=https://a.example/x")
    gone, made = changed(MINE, place.text())
    assert gone == ["    $unset: [source]     # gone"]
    assert made == ["    source: https://a.example/x"]
    assert place.merged("gpt.4o")["source"] == "https://a.example/x"


def test_the_only_word_about_an_entry_is_replaced_where_it_stands(place: Place) -> None:
    text = (
        HEAD
        + "override:\n  # the cloud one\n  gpt.4o:\n    $unset: [source]\n  # the box\n  qwen:\n    latencyP95Ms: 5\n"
    )
    place.write("mine.yaml", text)
    place.done("set", "gpt.4o", "source=https://a.example/x")
    assert place.text() == text.replace("$unset: [source]", "source: https://a.example/x")


def test_unset_takes_back_what_the_file_says_and_else_unsets_what_the_layers_below_say(place: Place) -> None:
    done = place.done("unset", "qwen", "latencyP95Ms")
    assert place.merged("qwen")["latencyP95Ms"] == 900
    assert "# the box under the desk" in place.text()
    assert "holds again" in done.stderr
    done = place.done("unset", "qwen", "latencyP95Ms")
    assert "latencyP95Ms" not in {key for key, value in place.merged("qwen").items() if value is not None}
    assert "$unset: [latencyP95Ms]" in place.text()
    assert "unset" in done.stderr
    assert "already" in place.refused("unset", "qwen", "latencyP95Ms")


def test_headers_and_their_names_with_dots_are_set_and_unset(place: Place) -> None:
    place.done(
        "set",
        "qwen",
        "providerConfig.headers.x.trace=off",
        'providerConfig.headers."q.r"=s=t',
        "providerConfig.headers.Empty.Of.Dots=1",
    )
    headers = place.merged("qwen")["providerConfig"]["headers"]
    assert headers == {"x.trace": "off", "Plain": "a", "q.r": "s=t", "Empty.Of.Dots": "1"}
    place.done("unset", "qwen", "providerConfig.headers.x.trace")
    assert place.merged("qwen")["providerConfig"]["headers"]["x.trace"] == "on"
    place.done("unset", "qwen", "providerConfig.headers.x.trace")
    assert place.merged("qwen")["providerConfig"]["headers"] == {"Plain": "a", "q.r": "s=t", "Empty.Of.Dots": "1"}


@pytest.mark.parametrize(
    "value",
    [
        "a=b",
        "=",
        "x+=y",
        "a: b",
        "# no",
        "- x",
        "null",
        "true",
        "12",
        "{a}",
        "'q",
        "two\nlines",
        "  led",
        "é😀",
        "*a",
        "<<",
        '"quoted"',
    ],
)
def test_a_text_arrives_as_it_was_typed(place: Place, value: str) -> None:
    """In one process, for their number."""
    mine = place.path / "mine.yaml"
    text, _ = set_values(read_document(str(mine)), below(place.path), "qwen", [assignment(f"description={value}")])
    mine.write_bytes(text.document.text.encode())
    merged = load_catalog(place.path / "base.yaml", overlays=[mine]).by_id["qwen"]
    assert merged.description == ("quoted" if value == '"quoted"' else value)


def test_a_value_has_the_type_of_its_field(place: Place) -> None:
    place.done(
        "set",
        "qwen",
        "maxOutputTokens=4096",
        "enabled=false",
        "asOf=2026-10-01",
        "provides=vision",
        "latencyP95Ms=1.5",
        "providerConfig.extra={seed: 5, deep: {a: [1]}}",
    )
    entry = place.merged("qwen")
    assert entry["maxOutputTokens"] == 4096
    assert entry["enabled"] is False
    assert entry["asOf"] == "2026-10-01"
    assert entry["provides"] == ["vision"]
    assert entry["latencyP95Ms"] == 1.5
    assert entry["providerConfig"]["extra"] == {"seed": 5, "deep": {"a": [1]}}


def test_a_map_that_is_set_to_nothing_holds_nothing_or_the_command_says_that_maps_merge(place: Place) -> None:
    done = place.run("set", "qwen", "providerConfig.headers={}")
    if done.returncode == 0 and "merge" not in done.stderr:
        assert not place.merged("qwen")["providerConfig"].get("headers")
    place.write("mine.yaml", MINE)
    place.done("set", "qwen", "providerConfig.headers={New: b}")
    assert place.merged("qwen")["providerConfig"]["headers"] == {"x.trace": "on", "Plain": "a", "New": "b"}


def test_a_text_that_names_no_path_is_refused() -> None:
    for text in ("", ".", "a.", ".a", "cost..x", 'providerConfig."a', 'providerConfig."a"b', "nope"):
        with pytest.raises(UsageError):
            dotted(text)
    assert dotted('providerConfig."a.b"."c\\"d"') == ("providerConfig", "a.b", 'c"d')
    assert dotted("providerConfig.headers.x.y") == ("providerConfig", "headers", "x.y")
