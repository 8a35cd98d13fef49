"""Readable files with hostile or odd content: all of it told, nothing obeyed, nothing leaked to the terminal."""

from __future__ import annotations

import json
import os
import subprocess
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from aldo.catalog import load_catalog, read_catalog
from aldo.errors import Finding
from tests.support.lint_process import COMMAND, SECONDS, lint

HEAD = "apiVersion: aldo/models.v1\nkind: ModelCatalog\nmodels:\n"
ENTRY = """  - id: {id}
    provider: p
    providerKind: openai-compat
    locality: local
    capabilityClass: fast-draft
    provides: [streaming]
    privacyAllowed: [public]
    effectiveContextTokens: 100
    cost: {{ usdPerMtokIn: {price}, usdPerMtokOut: 0.25 }}
"""


def entry(name: str = "a", price: str = "0", more: str = "") -> str:
    return ENTRY.format(id=name, price=price) + (f"    {more}\n" if more else "")


def findings_of(tmp_path: Path, text: str) -> tuple[Finding, ...]:
    path = tmp_path / "models.yaml"
    path.write_text(text, encoding="utf-8", newline="")
    return read_catalog(str(path)).findings


def as_json(**changes: Any) -> dict[str, Any]:
    return {
        "id": "a",
        "provider": "p",
        "providerKind": "openai-compat",
        "locality": "local",
        "capabilityClass": "fast-draft",
        "provides": ["streaming"],
        "privacyAllowed": ["public"],
        "effectiveContextTokens": 100,
        "cost": {"usdPerMtokIn": 0.000001, "usdPerMtokOut": 2.5},
        **changes,
    }


@pytest.mark.parametrize("indent", [None, 2, "\t"], ids=repr)
@pytest.mark.parametrize("bare", [False, True])
def test_a_json_catalog_loads(tmp_path: Path, indent: int | str | None, bare: bool) -> None:
    models = [as_json(description='é \u2028 / "q" \t'), as_json(id="b", latencyP95Ms=None)]
    value = models if bare else {"apiVersion": "aldo/models.v1", "kind": "ModelCatalog", "models": models}
    path = tmp_path / "models.json"
    path.write_text(json.dumps(value, indent=indent, ensure_ascii=indent is None), encoding="utf-8")
    catalog = load_catalog(path)
    assert [model.id for model in catalog.models] == ["a", "b"]
    assert catalog.models[0].cost.usd_per_mtok_in == Decimal("0.000001")
    assert catalog.models[0].description == 'é \u2028 / "q" \t'


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"], ids=repr)
@pytest.mark.parametrize("mark", ["", "\ufeff"], ids=ascii)
def test_a_bare_list_loads_with_any_line_end_and_with_a_byte_order_mark(
    tmp_path: Path, line_end: str, mark: str
) -> None:
    path = tmp_path / "models.yaml"
    path.write_bytes((mark + (entry("a") + entry("b"))).replace("\n", line_end).encode())
    assert [model.id for model in load_catalog(path).models] == ["a", "b"]


@pytest.mark.parametrize(
    ("line", "code", "column", "pointer"),
    [
        ("<<: { description: x }", "AL103", 5, "/models/0/<<"),
        ("description: !secret x", "AL112", 18, "/models/0/description"),
        ("description: !!python/name:os.system x", "AL112", 18, "/models/0/description"),
        ("description: !!binary aGk=", "AL112", 18, "/models/0/description"),
        ("? [a, b]\n    : 1", "AL112", 7, "/models/0"),
        ("? {a: b}\n    : 1", "AL112", 7, "/models/0"),
        ("maxOutputTokens: " + "9" * 100_000, "AL112", 22, "/models/0/maxOutputTokens"),
        ("latencyP95Ms: 0." + "9" * 100_000, "AL112", 19, "/models/0/latencyP95Ms"),
        ("latencyP95Ms: 1e999", "AL106", 19, "/models/0/latencyP95Ms"),
        ("maxOutputTokens: 0x" + "f" * 300, "AL106", 22, "/models/0/maxOutputTokens"),
        ("asOf: 2026-02-30", "AL106", 11, "/models/0/asOf"),
        ("providerConfig: &p { extra: { again: *p } }", "AL111", 42, "/models/0/providerConfig/extra/again"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_an_odd_line_has_one_finding_at_its_place(
    tmp_path: Path, line: str, code: str, column: int, pointer: str
) -> None:
    (finding,) = findings_of(tmp_path, HEAD + entry(more=line))
    assert finding.span is not None
    assert (finding.code, finding.span.line, finding.span.column) == (code, 13, column)
    assert finding.pointer == pointer
    assert len(finding.message) < 300


@pytest.mark.parametrize("key", ["1", "null", "true", "2.5", "~", "1: x\n    true"])
def test_a_key_that_is_no_text_is_told_at_the_key(tmp_path: Path, key: str) -> None:
    """`1` and `true` are two keys, even where Python takes them for one."""
    found = findings_of(tmp_path, HEAD + entry(more=f"{key}: x"))
    assert [(finding.code, finding.span and (finding.span.line, finding.span.column)) for finding in found] == [
        ("AL105", (13 + number, 5)) for number in range(key.count("\n") + 1)
    ]


@pytest.mark.parametrize("line", ["headers: { 1: x }", "extra: { 1: x }", "extra: { a: { 1.5: x } }"])
def test_a_nested_key_that_is_no_text_is_told_at_the_key(tmp_path: Path, line: str) -> None:
    (finding,) = findings_of(tmp_path, HEAD + entry(more=f"providerConfig:\n      {line}"))
    assert finding.span is not None
    assert (finding.code, finding.span.line, finding.span.column) == ("AL105", 14, 7 + line.index("1"))


def test_a_merge_key_merges_nothing(tmp_path: Path) -> None:
    text = "- &a\n" + entry("a").replace("  - id", "    id") + "- <<: *a\n  id: b\n"
    codes = {(finding.code, finding.span and finding.span.line) for finding in findings_of(tmp_path, text)}
    assert ("AL103", 11) in codes
    assert ("AL104", 11) in codes


def test_an_alias_into_a_dropped_duplicate_is_still_checked(tmp_path: Path) -> None:
    text = HEAD + entry(more="enabled: true\n    enabled: &c { usdPerMtokIn: -1, usdPerMtokOut: 1 }") + entry("b")
    text = text[: text.rindex("    cost:")] + "    cost: *c\n"
    found = findings_of(tmp_path, text)
    assert [finding.code for finding in found] == ["AL102", "AL106"]
    assert found[1].pointer == "/models/1/cost/usdPerMtokIn"


def test_an_aliased_defect_is_told_for_each_entry(tmp_path: Path) -> None:
    first = entry("a").replace("cost: { usdPerMtokIn: 0,", "cost: &c { usdPerMtokIn: -1,")
    second = entry("b")[: entry("b").index("    cost:")] + "    cost: *c\n"
    pointers = [finding.pointer for finding in findings_of(tmp_path, HEAD + first + second)]
    assert pointers == ["/models/0/cost/usdPerMtokIn", "/models/1/cost/usdPerMtokIn"]


def test_five_thousand_bad_entries_are_all_told(tmp_path: Path) -> None:
    (tmp_path / "many.yaml").write_text(HEAD + "".join(entry(f"m{n}", "-1") for n in range(5000)))
    run = lint("many.yaml", "--format", "json", cwd=tmp_path)
    found = json.loads(run.out)["findings"]
    assert run.code == 1
    assert [(f["code"], f["line"], f["pointer"]) for f in found] == [
        ("AL106", 12 + 9 * n, f"/models/{n}/cost/usdPerMtokIn") for n in range(5000)
    ]


def test_five_thousand_entries_that_are_no_entries_are_all_told(tmp_path: Path) -> None:
    found = findings_of(tmp_path, HEAD + "  - 1\n" * 5000)
    assert [finding.pointer for finding in found] == [f"/models/{n}" for n in range(5000)]


@pytest.mark.parametrize(
    "broken",
    ["    description: [\n", "\tdescription: x\n", "   description: x\n", "    a: b: c\n"],
)
def test_five_thousand_entries_with_a_syntax_error_each_end_soon(tmp_path: Path, broken: str) -> None:
    (tmp_path / "many.yaml").write_text(HEAD + "".join(entry(f"m{n}") + broken for n in range(5000)))
    run = lint("many.yaml", "--format", "json", cwd=tmp_path)
    assert run.code == 2
    assert json.loads(run.out)["findings"][0]["line"] in (13, 14)


@pytest.mark.parametrize(
    "name", ["a\nb.yaml", "\x1b[31mred.yaml", "a\rb.yaml", "\udcff.yaml", "é😀.yaml", "-.yaml", "a b.yaml"], ids=ascii
)
@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_an_odd_name_is_escaped_on_one_line(tmp_path: Path, name: str, encoding: str) -> None:
    (tmp_path / name).write_text(HEAD + entry(price="-1"))
    for form in ("text", "json"):
        run = lint("--format", form, "--", f"./{name}", cwd=tmp_path, env={"PYTHONIOENCODING": encoding})
        assert run.code == 1
        assert "\x1b[31m" not in run.all
        assert "\r" not in run.all
        assert any(".yaml" in line and ("12" in line or form == "json") for line in run.out.splitlines())
        if form == "json":
            assert json.loads(run.out)["findings"][0]["line"] == 12


@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "latin-1"])
def test_text_of_a_catalog_cannot_drive_the_terminal(tmp_path: Path, encoding: str) -> None:
    text = HEAD + entry(more='"\\e]0;title\\a\\u202e\\u2028😀é": 1') + entry("b", more='"\\n::error::x": 1')
    (tmp_path / "models.yaml").write_text(text, encoding="utf-8")
    run = lint("models.yaml", cwd=tmp_path, env={"PYTHONIOENCODING": encoding})
    assert run.code == 1
    assert not set("\x1b\a\u202e\u2028") & set(run.all)
    assert not [line for line in run.out.splitlines() if line.startswith("::error")]


def test_a_reader_that_goes_away_causes_no_traceback(tmp_path: Path) -> None:
    (tmp_path / "many.yaml").write_text(HEAD + "".join(entry(f"m{n}", "-1") for n in range(5000)))
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [*COMMAND, "many.yaml"], cwd=tmp_path, stdout=writing, stderr=subprocess.PIPE, timeout=SECONDS, check=False
    )
    os.close(writing)
    assert b"Traceback" not in done.stderr
    assert b"Exception ignored" not in done.stderr
