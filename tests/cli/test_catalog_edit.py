"""`aldo catalog set`, `unset`, `add`, `remove` and `new`: what they write, what they refuse, and how they say so."""

from __future__ import annotations

import difflib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aldo import AldoError, UsageError, load_catalog
from aldo.catalog import read_document
from aldo.catalog.editing.assignment import assignment, dotted
from aldo.catalog.editing.edits import Below, add_entry, remove_entry, set_values, unset_values
from aldo.catalog.write import replace_text
from tests.support.cases import ROOT
from tests.support.cli import aldo

BASE = """\
apiVersion: aldo/models.v1
kind: ModelCatalog
lock: [privacyAllowed, locality]
models:
  # the box under the desk
  - id: qwen
    provider: ollama
    providerKind: openai-compat
    locality: local
    capabilityClass: local-reasoning
    provides: [streaming, tool-use]   # checked
    privacyAllowed: [public, internal]
    effectiveContextTokens: 32768
    cost: { usdPerMtokIn: 0, usdPerMtokOut: 0 }
    latencyP95Ms: 900
    providerConfig:
      baseUrl: http://localhost:11434
      headers: { x.trace: "on", Plain: a }

  - id: gpt.4o
    provider: openai
    providerKind: openai-compat
    locality: cloud
    capabilityClass: reasoning-large
    provides: [streaming, vision]
    privacyAllowed: [public]
    effectiveContextTokens: 128000
    cost: { usdPerMtokIn: 1.25, usdPerMtokOut: 10 }
    asOf: 2026-11-01
    source: https://openai.example/prices
    providerConfig: { apiKeyEnv: OPENAI_API_KEY }
"""
HEAD = "apiVersion: aldo/models.v1\nkind: ModelCatalogOverlay\n"
MINE = """\
# Ours   # keep
apiVersion: aldo/models.v1
kind: ModelCatalogOverlay

override:
  qwen:   # the box under the desk
    latencyP95Ms: 1200   # measured

  # the cloud one
  gpt.4o:
    $unset: [source]     # gone
    maxOutputTokens: 4096
"""
HOUSE = {
    "id": "house",
    "provider": "ollama",
    "providerKind": "openai-compat",
    "locality": "local",
    "capabilityClass": "local-reasoning",
    "provides": ["streaming", "tool-use"],
    "privacyAllowed": ["public", "internal"],
    "effectiveContextTokens": 32768,
    "cost": {"usdPerMtokIn": 0, "usdPerMtokOut": 0.5},
    "providerConfig": {"baseUrl": "http://localhost:11434"},
}
OPTIONS = (
    *("--provider", "ollama", "--provider-kind", "openai-compat", "--locality", "local", "--class", "local-reasoning"),
    *("--provides", "streaming, tool-use", "--privacy", "public,internal", "--context", "32768"),
    *("--price-in", "0", "--price-out", "0.5", "--base-url", "http://localhost:11434"),
)
KEY = "sk-proj-abcdefghijklmnopqrstuvwxyz0123456789ABCDEF"


class Place:
    """A directory with a base catalog and one overlay."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.write("base.yaml", BASE)
        self.write("mine.yaml", MINE)

    def write(self, name: str, text: str | bytes) -> Path:
        (self.path / name).write_bytes(text if isinstance(text, bytes) else text.encode())
        return self.path / name

    def text(self, name: str = "mine.yaml") -> str:
        return (self.path / name).read_bytes().decode()

    def run(
        self, command: str, *arguments: str, file: str | None = "mine.yaml", **options: Any
    ) -> subprocess.CompletedProcess[str]:
        named = () if file is None else ("--in", file)
        environment = {"ALDO_CATALOG": "base.yaml", **options}
        done = aldo("catalog", command, *arguments, *named, cwd=self.path, **environment)
        assert "Traceback" not in done.stdout + done.stderr, done.stderr
        return done

    def done(self, command: str, *arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
        """A run that succeeds."""
        done = self.run(command, *arguments, **options)
        assert done.returncode == 0, done.stderr + done.stdout
        return done

    def refused(self, command: str, *arguments: str, file: str = "mine.yaml", **options: Any) -> str:
        """What a run says that is refused, on one line; it has written nothing anywhere."""
        before = {path.name: path.read_bytes() for path in self.path.iterdir() if path.is_file()}
        done = self.run(command, *arguments, file=file, **options)
        assert done.returncode == 2, (done.returncode, done.stdout, done.stderr)
        assert done.stdout == "" or "--json" in arguments
        assert {path.name: path.read_bytes() for path in self.path.iterdir() if path.is_file()} == before
        return " ".join((done.stderr + done.stdout).split())

    def merged(self, model: str, *overlays: str) -> dict[str, Any]:
        """The entry as `render` prints it."""
        layers = [part for overlay in overlays or ("mine.yaml",) for part in ("--overlay", overlay)]
        done = aldo("catalog", "render", "--json", "--catalog", "base.yaml", *layers, cwd=self.path)
        assert done.returncode == 0, done.stderr
        value = json.loads(done.stdout)
        return next(entry for entry in value.get("catalog", value)["models"] if entry["id"] == model)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def names(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


def below(directory: Path) -> Below:
    """The layers below an overlay that lies on the base alone."""
    return Below({entry["id"]: entry for entry in read_document(str(directory / "base.yaml")).value["models"]})


def changed(before: str, after: str) -> tuple[list[str], list[str]]:
    """Lines gone and lines new, where the order of the others is the same."""
    old, new = before.splitlines(), after.splitlines()
    gone, made = [line for line in old if line not in new], [line for line in new if line not in old]
    assert [line for line in old if line not in gone] == [line for line in new if line not in made]
    return gone, made


# What is written.


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


@pytest.mark.parametrize(
    ("model", "assignments", "paths"),
    [
        ("qwen", ["cost.usdPerMtokIn=0.2"], ["cost.usdPerMtokIn"]),
        (
            "qwen",
            ["cost.usdPerMtokCacheRead=0.02", "cost.usdPerMtokOut=1"],
            ["cost.usdPerMtokOut", "cost.usdPerMtokCacheRead"],
        ),
        ("gpt.4o", ["cost={usdPerMtokIn: 2, usdPerMtokOut: 3}"], ["cost"]),
        ("qwen", ["provides+=vision"], ["provides"]),
        ("qwen", ["provides-=tool-use", "provides+=vision"], ["provides"]),
        (
            "qwen",
            ["providerConfig.headers.a.b=c=d", "description=a: b # c"],
            ["description", "providerConfig.headers.a.b"],
        ),
        ("gpt.4o", ["enabled=false", "deprecation={date: 2027-01-01}"], ["deprecation", "enabled"]),
    ],
)
def test_set_and_then_unset_restores_an_overlay_byte_for_byte(
    place: Place, model: str, assignments: list[str], paths: list[str]
) -> None:
    text = MINE if len(paths) == 1 else "\ufeff" + (HEAD + "# end").replace("\n", "\r\n")
    place.write("mine.yaml", text)
    place.done("set", model, *assignments)
    assert place.text() != text
    place.done("unset", model, *paths)
    assert place.text() == text


@pytest.mark.parametrize(
    ("there", "back"), [("provides+=vision", "provides-=vision"), ("provides-=tool-use", "provides+=tool-use")]
)
def test_an_item_put_in_and_taken_out_again_restores_an_overlay_byte_for_byte(
    place: Place, there: str, back: str
) -> None:
    place.done("set", "qwen", there)
    assert ("vision" in place.merged("qwen")["provides"]) == ("vision" in there)
    place.done("set", "qwen", back)
    assert place.text() == MINE


FIELDS = st.sampled_from(
    [
        ("cost.usdPerMtokIn", "0.25"), ("cost.usdPerMtokCacheWrite", "1.000001"), ("cost", "{usdPerMtokIn: 1, usdPerMtokOut: 2}"),
        ("description", "it's a: b # c"), ("description", "é 😀"), ("maxOutputTokens", "100"), ("provides", "vision,streaming"),
        ("providerConfig.headers.X.Y", "1"), ("providerConfig.model", "a:b"), ("providerConfig.extra.seed", "5"), ("asOf", "2026-10-01"),
        ("deprecation.date", "2027-01-01"), ("servedContextTokens", "8192"), ("enabled", "false"),
    ]
)  # fmt: skip
LINES = st.sampled_from(["", "# c", "  # c", "      # far", "\t"])


@st.composite
def overlays(draw: st.DrawFn) -> str:
    """Overlays of other manners: indentation, comments, brackets, sections that are empty, line ends."""
    step = " " * draw(st.sampled_from((1, 2, 4, 8)))
    note = draw(st.sampled_from(("", " # here", "\t# tab")))
    between = draw(LINES).replace("\t", "")
    section = draw(
        st.sampled_from(
            (
                "", "override: {}\n", "override: { }\n", f"remove: [gpt.4o]{note}\n",
                f"override:{note}\n{step}gpt.4o:{note}\n{step}{step}enabled: false{note}\n{between}\n",
                f"override: {{gpt.4o: {{enabled: false}}}}{note}\n", f"override: {{ gpt.4o: {{ enabled: false }} }}{note}\n",
                f"override:\n{between}\n{step}qwen: {{latencyP95Ms: 5}}{note}\n", f"override:\n{step}qwen: {{ latencyP95Ms: 5 }}{note}\n",
                f"override:\n{step}'qwen':{note}\n{step}{step}\"latencyP95Ms\": 5{note}\n{between}\n",
                f"override:\n{step}qwen:\n{step}{step}$unset: [providerConfig.headers.Plain]{note}\nexpect: {{}}\n",
                f"override:\n{step}qwen:\n{step}{step}latencyP95Ms: 5\n{step}gpt.4o:\n{step}{step}enabled: false\n",
            )
        )
    )  # fmt: skip
    text = HEAD + between + "\n" + section + draw(st.sampled_from(("", "# end\n", "\n\n")))
    text = text.replace("\n", draw(st.sampled_from(("\n", "\r\n"))))
    return text.rstrip("\r\n") if draw(st.booleans()) else text


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=overlays(), field=FIELDS)
def test_set_then_render_shows_the_value_and_unset_restores_the_file(
    tmp_path: Path, text: str, field: tuple[str, str]
) -> None:
    base, mine = tmp_path / "base.yaml", tmp_path / "mine.yaml"
    base.write_text(BASE)
    mine.write_bytes(text.encode())
    path, value = field
    document = read_document(str(mine))
    edit, _ = set_values(document, below(tmp_path), "qwen", [assignment(f"{path}={value}")])
    mine.write_bytes(edit.document.text.encode())
    merged = load_catalog(base, overlays=[mine]).by_id["qwen"].model_dump(mode="json", by_alias=True)
    found: Any = merged
    for part in dotted(path):
        found = found[part]
    given = assignment(f"{path}={value}")[2]
    assert normal(found) == normal(given)
    back, _ = unset_values(read_document(str(mine)), below(tmp_path), "qwen", [dotted(path)])
    assert back.document.text == text


def normal(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: normal(inner) for key, inner in value.items() if inner is not None}
    if isinstance(value, list):
        return [normal(item) for item in value]
    try:
        return float(value)
    except ValueError:
        return value


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


# What is refused.


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


# A dry run, and JSON.


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


# The layers around the file.


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


# Whole entries.


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


# A new overlay.


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


# Many at once.


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


def test_a_text_that_names_no_path_is_refused() -> None:
    for text in ("", ".", "a.", ".a", "cost..x", 'providerConfig."a', 'providerConfig."a"b', "nope"):
        with pytest.raises(UsageError):
            dotted(text)
    assert dotted('providerConfig."a.b"."c\\"d"') == ("providerConfig", "a.b", 'c"d')
    assert dotted("providerConfig.headers.x.y") == ("providerConfig", "headers", "x.y")
