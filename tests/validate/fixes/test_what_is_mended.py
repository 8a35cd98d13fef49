"""What is mended: scalars that readers take differently, headers, keys given twice, idle comments."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from aldo.catalog import load_catalog, parse_text
from aldo.router import compile_catalog
from aldo.validate import lint
from aldo.validate.example import WITH_CLOUD
from tests.support.mutations import SHIPPED
from tests.validate.fixes.mending import BARE, COMMENTS, TODAY, codes, fixed, mended

SCALARS = (
    ("description: NO", 'description: "NO"'),
    ("description: 22:30", 'description: "22:30"'),
    ("description: &a off", 'description: &a "off"'),
    ("description: !!str NO", None),
    ("description: 'NO'", None),
    ('description: "22:30"', None),
    ("{ description: Yes, enabled: true }", '{ description: "Yes", enabled: true }'),
    ("maxOutputTokens: 017", "maxOutputTokens: 17"),
    ("maxOutputTokens: &most 0x10", None),
    ("maxOutputTokens: &most 0o17", "maxOutputTokens: &most 15"),
    ("maxOutputTokens: +017", "maxOutputTokens: 17"),
    ("latencyP95Ms: !!int 010", None),
    ("providerConfig: { extra: { minP: 1e-1 } }", "providerConfig: { extra: { minP: 0.1 } }"),
    ("providerConfig: { extra: { chatTemplateKwargs: { NO: 1 } } }", 'chatTemplateKwargs: { "NO": 1 }'),
    ("providerConfig: { extra: { chatTemplateKwargs: [NO, 22:30] } }", '["NO", "22:30"]'),
    ("providerConfig: { extra: { chatTemplateKwargs: { a: NO,b: off} } }", '{ a: "NO",b: "off"}'),
    ("providerConfig: { extra: { chatTemplateKwargs: {? on : 017} } }", '{? "on" : 17}'),
    ("description: NO# x", None),
    ("description: on # on", 'description: "on" # on'),
)


@pytest.mark.parametrize(("line", "wanted"), SCALARS, ids=[line for line, _ in SCALARS])
def test_an_ambiguous_scalar_is_written_as_every_reader_takes_it(line: str, wanted: str | None) -> None:
    entry = line.strip("{} ").replace(", ", "\n    ") if line.startswith("{") else line
    text = WITH_CLOUD.replace("    provider: mlx\n", f"    provider: mlx\n    {entry}\n", 1)
    done = fixed(text)
    if wanted is None:
        assert done.text == text
        return
    expected = wanted.strip("{} ").replace(", ", "\n    ") if line.startswith("{") else wanted
    assert expected in done.text
    assert "AL113" not in codes(done.report)
    assert yaml.safe_load(done.text)["models"] == parse_text("x", done.text).value["models"]


@pytest.mark.parametrize("word", ["NO", "yes", "On", "017", "1e3", "22:30", "0o17", "1_000", "+1", "007.50", "1:2:3"])
@pytest.mark.parametrize(
    "frame", ["{}", "&a {}", "[{}]", "[a, {},b]", "{{ k: {} }}", "{{ {}: 1 }}", "{{k: {}, l: {}}}"]
)
def test_what_is_mended_reads_alike_in_yaml_1_1_and_1_2(word: str, frame: str) -> None:
    """PyYAML reads YAML 1.1; what is left to differ is told, and nothing that we read changes."""
    value = frame.format(word, word)
    text = WITH_CLOUD + f"    providerConfig2: {value}\n"
    done = fixed(text)
    ours, after = parse_text("x", text).value, parse_text("x", done.text).value
    assert after == ours
    if not {"AL113", "AL105"} & set(codes(done.report)):  # what is wrong anyway is not told to be ambiguous too
        theirs = yaml.safe_load(done.text)["models"][-1]["providerConfig2"]
        assert theirs == after["models"][-1]["providerConfig2"]


BARE_LISTS = {
    "block": BARE,
    "indented block": WITH_CLOUD.partition("models:\n")[2],
    "comment first": "# ours\n\n" + BARE,
    "flow": "[" + ",\n ".join(str(entry) for entry in yaml.safe_load(WITH_CLOUD)["models"]) + "]\n",
    "flow on one line": "[" + ", ".join(str(entry) for entry in yaml.safe_load(WITH_CLOUD)["models"]) + "]",
    "after a document mark": "---\n" + BARE,
    "crlf": BARE.replace("\n", "\r\n"),
    "no last line end": BARE.rstrip("\n"),
    "ends with dots": BARE + "...\n",
    "flow with a comment": "# ours\n[ # all\n"
    + ", ".join(str(e) for e in yaml.safe_load(WITH_CLOUD)["models"])
    + "]\n",
}


@pytest.mark.parametrize("name", BARE_LISTS)
def test_a_bare_list_gets_the_header_and_keeps_its_routing(name: str, tmp_path: Path) -> None:
    file = tmp_path / "models.yaml"
    file.write_text(BARE_LISTS[name], "utf-8", newline="")
    before = load_catalog(file)
    assert "AL114" in codes(lint([file], today=TODAY))
    done = mended(file)
    assert codes(lint([file], today=TODAY, select=["AL1"])) == []
    assert compile_catalog(load_catalog(file)).routing_digest == compile_catalog(before).routing_digest
    kept = [line.strip() for line in BARE_LISTS[name].splitlines()]
    after = [line.strip() for line in done.text.splitlines()]
    assert after[len(after) - len(kept[2:]) :] == kept[2:]


@pytest.mark.parametrize("missing", ["apiVersion: aldo/models.v1\n", "kind: ModelCatalog\n", "both"])
@pytest.mark.parametrize("lead", ["", "# ours\n\n", "---\n", "%YAML 1.2\n---\n"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_a_missing_header_is_written_and_routing_stays(missing: str, lead: str, line_end: str) -> None:
    text = WITH_CLOUD
    for line in ("apiVersion: aldo/models.v1\n", "kind: ModelCatalog\n"):
        text = text.replace(line, "") if missing in (line, "both") else text
    text = (lead + text).replace("\n", line_end)
    done = fixed(text)
    assert codes(done.report) == []
    assert done.text.startswith(lead.replace("\n", line_end))
    assert done.text.endswith(text.partition("models:")[2])
    assert done.text.count("\n") == done.text.count(line_end)


def test_a_missing_header_is_written_in_flow_style_too() -> None:
    text = "{ models: " + str(yaml.safe_load(WITH_CLOUD)["models"]) + " }\n"
    done = fixed(text)
    assert codes(done.report) == []
    assert done.text.endswith(text[2:])


DOUBLES = (
    ("    provider: mlx\n    provider: mlx\n", "    provider: mlx\n", "safe"),
    ("    provider: mlx\n    provider: mlx   # why\n", None, "a comment would go with it"),
    ("    provider: mlx   # first\n    provider: mlx\n", "    provider: mlx   # first\n", "safe"),
    ("    provider: mlx\n    cost: { usdPerMtokIn: 0, usdPerMtokOut: 0 }\n", "    provider: mlx\n", "behind"),
    (
        "    provider: mlx\n    latencyP95Ms: 5\n    latencyP95Ms: 5\n",
        "    provider: mlx\n    latencyP95Ms: 5\n",
        "number",
    ),
)


@pytest.mark.parametrize(("lines", "wanted", "_why"), DOUBLES, ids=[why for *_, why in DOUBLES])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_a_key_given_twice_with_the_same_value_is_given_once(
    lines: str, wanted: str | None, _why: str, line_end: str
) -> None:
    text = WITH_CLOUD.replace("    provider: mlx\n", lines, 1).replace("\n", line_end)
    assert "AL102" in codes(fixed(text).before)
    done = fixed(text)
    if wanted is None:
        assert done.text == text or "# why" in done.text
    else:
        assert "AL102" not in codes(done.report)
        if "cost" not in lines:
            assert done.text == WITH_CLOUD.replace("    provider: mlx\n", wanted, 1).replace("\n", line_end)


@pytest.mark.parametrize(
    ("twice", "once"),
    [
        ("{ usdPerMtokIn: 0, usdPerMtokOut: 0, usdPerMtokIn: 0 }", "{ usdPerMtokIn: 0, usdPerMtokOut: 0 }"),
        ("{ usdPerMtokIn: 0, usdPerMtokIn: 0, usdPerMtokOut: 0 }", "{ usdPerMtokIn: 0, usdPerMtokOut: 0 }"),
        ("{usdPerMtokIn: 0,usdPerMtokIn: 0,usdPerMtokOut: 0}", "{usdPerMtokIn: 0,usdPerMtokOut: 0}"),
        (
            "{ usdPerMtokIn: 0, usdPerMtokIn: 0, usdPerMtokIn: 0, usdPerMtokOut: 0 }",
            "{ usdPerMtokIn: 0, usdPerMtokOut: 0 }",
        ),
    ],
)
def test_a_key_given_twice_in_flow_style_is_given_once(twice: str, once: str) -> None:
    text = WITH_CLOUD.replace("{ usdPerMtokIn: 0, usdPerMtokOut: 0 }", twice, 1)
    assert fixed(text).text == WITH_CLOUD.replace("{ usdPerMtokIn: 0, usdPerMtokOut: 0 }", once, 1)


def test_a_key_given_twice_with_two_values_is_left_to_the_author_unless_unsafe() -> None:
    text = WITH_CLOUD.replace("    provider: mlx\n", "    provider: mlx\n    provider: ollama\n", 1)
    assert fixed(text).text == text
    assert fixed(text, unsafe=True).text == WITH_CLOUD


@pytest.mark.parametrize(("lines", "wanted"), COMMENTS)
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_an_idle_suppression_goes_and_its_neighbours_stay(lines: str, wanted: str | None, line_end: str) -> None:
    text = WITH_CLOUD.replace("  - id: qwen\n", lines, 1).replace("\n", line_end)
    expected = text if wanted is None else WITH_CLOUD.replace("  - id: qwen\n", wanted, 1).replace("\n", line_end)
    assert fixed(text).text == expected


@pytest.mark.parametrize("order", ["AL301, AL206", "AL206,AL301", "AL301,  AL206,AL305", "AL206 , AL301"])
def test_of_a_suppression_only_the_idle_codes_go(order: str) -> None:
    text = SHIPPED.replace("ignore[AL206]", f"ignore[{order}]")
    assert fixed(text).text == SHIPPED


def test_a_comment_above_the_first_entry_of_a_bare_list_stays_with_it() -> None:
    text = "# aldo: ignore[AL403] really so\n" + BARE.replace(
        "usdPerMtokIn: 0, usdPerMtokOut: 0", "usdPerMtokIn: 2, usdPerMtokOut: 1", 1
    )
    done = fixed(text)
    assert [finding.code for finding in done.made] == ["AL114"]
    assert done.text.endswith(f"models:\n{text}")
    assert [finding.code for finding in done.report.ignored] == ["AL403"]
