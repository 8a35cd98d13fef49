"""What is set and unset again, or put in and taken out, leaves an overlay byte for byte as it was."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aldo import load_catalog
from aldo.catalog import read_document
from aldo.catalog.editing.assignment import assignment, dotted
from aldo.catalog.editing.edits import set_values, unset_values
from tests.cli.catalog_edit.places import BASE, HEAD, MINE, Place, below


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
