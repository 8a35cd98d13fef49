"""Laws of reading suites, on drawn ones: what is written is read, and whatever is wrong is told at a place."""

from __future__ import annotations

import copy
import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from aldo.catalog.suites import load_suite
from aldo.catalog.suites.csv_rows import BrokenRow, Row, csv_rows
from aldo.catalog.suites.json_rows import MOST_DEPTH, NoJson, json_places, read_json
from aldo.errors import CatalogError
from aldo.schema.suite import Case, Suite
from aldo.validate import LintReport, lint

LETTERS = st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Cn"], include_characters="\n\t\r\u2028")
TEXTS = st.text(LETTERS, min_size=1, max_size=12).filter(str.strip)
TAGS = st.text(LETTERS, min_size=1, max_size=6).map(lambda tag: tag.replace(";", "").strip()).filter(bool)
NAMES = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._:/@+-]{0,5}", fullmatch=True)
TRUTHS = (
    st.none() | TEXTS.filter(lambda text: not text.lstrip().startswith("[")) | st.lists(TEXTS, min_size=1, max_size=3)
)
CASES = st.lists(
    st.fixed_dictionaries(
        {"input": TEXTS},
        optional={
            "id": st.text(LETTERS, min_size=1, max_size=8).filter(
                lambda text: text.strip() and not {*text} & {*"\n\t\r"}
            ),
            "ground_truth": TRUTHS.filter(lambda truth: truth is not None),
            "tags": st.lists(TAGS, min_size=1, max_size=3),
            "source": TEXTS,
        },
    ),
    min_size=1,
    max_size=5,
    unique_by=lambda case: case.get("id", object()),
).filter(lambda cases: not {str(number + 1) for number in range(len(cases))} & {case.get("id") for case in cases})
SCORES = st.floats(0, 1)
BODIES = st.fixed_dictionaries(
    {"name": NAMES},
    optional={
        "description": TEXTS,
        "max_tokens": st.integers(1, 10_000_000),
        "temperature": st.floats(0, 100) | st.integers(0, 100),
        "top_p": SCORES,
        "threshold": st.fixed_dictionaries({"says": SCORES}),
    },
)
EVALUATORS = st.sampled_from(
    [
        {"type": "contains", "ref": ["x", "y"], "match": "all", "ignore_case": True},
        {"type": "exact", "ref": "x"},
        {"type": "regex", "ref": "^x+$"},
        {
            "type": "json-schema",
            "schema": {"type": "object", "properties": {"a": {"$ref": "#/$defs/b"}}, "$defs": {"b": {}}},
        },
        {
            "type": "llm-judge",
            "capability_class": "reasoning-medium",
            "rubric": "r",
            "choices": {"right": 1, "wrong": 0.25},
        },
        {"type": "script", "command": ["./score", "--all"], "timeout": 2.5, "max_output": 10},
    ]
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("suites")


def as_csv(cases: list[dict[str, Any]], quoting: int) -> str:
    out = io.StringIO(newline="")
    writer = csv.writer(out, quoting=quoting)  # type: ignore[arg-type]
    columns = ["input", "tags", "ground_truth", "source", "id"]
    writer.writerow(columns)
    for case in cases:
        truth = case.get("ground_truth", "")
        cells = {
            **case,
            "tags": ";".join(case.get("tags", ())),
            "ground_truth": truth if isinstance(truth, str) else json.dumps(truth),
        }
        writer.writerow([cells.get(name, "") for name in columns])
    return out.getvalue()


@settings(max_examples=80)
@given(BODIES, EVALUATORS, CASES, st.booleans(), st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]))
def test_a_suite_is_read_as_it_was_written_whichever_way(
    folder: Path,
    body: dict[str, Any],
    evaluator: dict[str, Any],
    cases: list[dict[str, Any]],
    ascii_: bool,
    quoting: int,
) -> None:
    """Written out in YAML, in JSONL with escapes or without, and in CSV."""
    body = {**body, "evaluators": [{"name": "says", **evaluator}]}
    (folder / "c.jsonl").write_bytes("\n".join(json.dumps(case, ensure_ascii=ascii_) for case in cases).encode())
    (folder / "c.csv").write_bytes(as_csv(cases, quoting).encode())
    found = []
    for source in ({"cases": cases}, {"cases_dataset": "c.jsonl"}, {"cases_dataset": "c.csv"}):
        value = {"schema": "aldo-ai/eval.v1", "suite": {**body, **source}}
        (folder / "s.yaml").write_bytes(json.dumps(value, ensure_ascii=False).encode())
        loaded = load_suite(folder / "s.yaml")
        assert loaded.body == Suite.model_validate(value).suite
        found.append((loaded.cases, loaded.digest))
    assert found[0] == found[1] == found[2]
    expected = [Case.model_validate({"id": str(number), **case}) for number, case in enumerate(cases, start=1)]
    assert [*found[0][0]] == expected


class Pairs(list[tuple[str, Any]]):
    """A mapping in which a key may stand twice."""


def in_pairs(value: Any) -> Any:
    if isinstance(value, dict):
        return Pairs((key, in_pairs(item)) for key, item in value.items())
    return [in_pairs(item) for item in value] if isinstance(value, list) else value


def flow(value: Any, indent: str = "") -> str:
    """A value as YAML, one key or item a line."""
    inner = indent + "  "
    if isinstance(value, Pairs):
        return (
            "{" + ",".join(f"\n{inner}{json.dumps(key)}: {flow(item, inner)}" for key, item in value) + f"\n{indent}}}"
        )
    if isinstance(value, list):
        return "[" + ",".join(f"\n{inner}{flow(item, inner)}" for item in value) + f"\n{indent}]"
    return json.dumps(value, ensure_ascii=False)


def places(value: Any) -> list[Any]:
    """Every mapping and list of a value that holds something."""
    inner = [item for _, item in value] if isinstance(value, Pairs) else value if isinstance(value, list) else []
    return [*([value] if inner else []), *(place for item in inner for place in places(item))]


OTHERS = st.sampled_from(
    [
        None,
        True,
        0,
        -1,
        2,
        1.5,
        "",
        "x",
        "contains",
        "(?=",
        [],
        ["x"],
        [1],
        Pairs(),
        Pairs([("x", 1)]),
        "c.csv",
        "s.yaml",
    ]
)
RICH = {
    "version": 1,
    "schema": "aldo-ai/eval.v1",
    "suite": {
        "name": "rich",
        "cases": [
            {"id": "a", "input": "q", "ground_truth": ["x", "y"], "tags": ["t"], "source": "s"},
            {"input": "q", "ground_truth": "x", "tags": "u"},
        ],
        "evaluators": [
            {"name": "one", "type": "contains", "tags": ["t"], "match": "any", "ignore_case": False},
            {"name": "two", "type": "regex"},
            {"name": "three", "type": "json-schema", "schema": {"type": "object", "properties": {"a": {"pattern": "x"}}}},
            {"name": "four", "type": "llm-judge", "capability_class": "fast-draft", "rubric": "r", "choices": {"r": 1, "w": 0}},
            {"name": "five", "type": "script", "command": ["x"], "timeout": 1},
        ],
        "threshold": {"one": 0.5, "four": 1},
        "max_tokens": 5,
        "temperature": 0.5,
    },
}  # fmt: skip


def mutated(data: st.DataObject, value: Any) -> None:
    """One key or item is deleted, doubled, renamed, moved or given another value."""
    place = data.draw(st.sampled_from(places(value)))
    at = data.draw(st.integers(0, len(place) - 1))
    match data.draw(st.sampled_from(["delete", "double", "rename", "change"])):
        case "delete":
            del place[at]
        case "double":
            place.insert(data.draw(st.integers(0, len(place))), place[at])
        case "rename" if isinstance(place, Pairs):
            key = place[at][0]
            other = data.draw(
                st.sampled_from([f"{key}s", key[1:], key.upper(), "type", "ref", "id", "cases_dataset", "$ref", "<<"])
            )
            place[at] = (other, place[at][1])
        case _:
            new = copy.deepcopy(data.draw(OTHERS))
            place[at] = (place[at][0], new) if isinstance(place, Pairs) else new


def assert_findings_are_placed_and_decide_over_loading(folder: Path) -> LintReport:
    report = lint(folder / "s.yaml")
    for file in report.files:
        lines = file.document.lines
        for finding in file.findings:
            assert finding.span is not None, finding
            line, column, end_line, end_column = finding.span
            assert (1, 1) <= (line, column) <= (end_line, end_column)
            assert end_line <= len(lines)
            assert column <= len(lines[line - 1]) + 1
            assert end_column <= len(lines[end_line - 1]) + 1
            assert finding.message
    errors = [finding for finding in report.findings if finding.severity == "error"]
    if report.files[0].path.endswith("s.yaml") and not errors:
        load_suite(folder / "s.yaml")
    else:
        with pytest.raises(CatalogError) as raised:
            load_suite(folder / "s.yaml")
        assert raised.value.findings
    return report


@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_whatever_becomes_of_a_suite_it_is_valid_or_its_defects_have_places(folder: Path, data: st.DataObject) -> None:
    """And it loads exactly where lint finds no error."""
    value = in_pairs(RICH)
    for _ in range(data.draw(st.integers(1, 3))):
        mutated(data, value)
    (folder / "s.yaml").write_text(flow(value), encoding="utf-8")
    (folder / "c.csv").write_text("input\nq\n")
    assert_findings_are_placed_and_decide_over_loading(folder)


LINES = [json.dumps(case) for case in RICH["suite"]["cases"]] * 2  # type: ignore[index]
ROWS = 'id,input,ground_truth,tags\na,q,"[""x"", ""y""]",t\nb,"q, ""r""\ns",x,u;t\nc,q,x,t\n'
JUNK = st.sampled_from(
    [
        '"',
        ",",
        "\n",
        "\r",
        "\\",
        "[",
        "{",
        "}",
        ":",
        "\\ud800",
        "\x00",
        "\ufeff",
        "é",
        "NaN",
        "1e999",
        "\t",
        "{}",
        '"id"',
        ";",
    ]
)


@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_whatever_becomes_of_a_dataset_it_is_valid_or_its_defects_have_places(
    folder: Path, data: st.DataObject
) -> None:
    name, text = data.draw(st.sampled_from([("c.jsonl", "\n".join(LINES)), ("c.csv", ROWS)]))
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(text)))
        end = start + data.draw(st.integers(0, 3))
        text = text[:start] + data.draw(JUNK | st.just("")) + text[end:]
    (folder / name).write_bytes(text.encode())
    value = {"schema": "aldo-ai/eval.v1", "suite": {"name": "s", "cases_dataset": name, "evaluators": [
        {"name": "a", "type": "contains"}, {"name": "b", "type": "regex", "tags": ["t"]}]}}  # fmt: skip
    (folder / "s.yaml").write_text(json.dumps(value))
    assert_findings_are_placed_and_decide_over_loading(folder)


@given(st.text(st.sampled_from('",\n\r ab;é\x00'), max_size=30))
@example('"a""b",c\r\n"d\re",\n')
def test_rows_of_csv_are_those_of_another_reader(text: str) -> None:
    """Python's, but for a quote that is left open at the end, which it takes for closed or not by its place."""
    rows = [*csv_rows(text)]
    try:
        theirs = [row for row in csv.reader(io.StringIO(text, newline=""), strict=True) if any(map(str.strip, row))]
    except csv.Error:
        assert any(isinstance(row, BrokenRow) for row in rows)
        return
    ours = [row for row in rows if isinstance(row, Row)]
    assert [[cell.text for cell in row.cells] for row in ours] == theirs
    assert len(ours) == len(rows)
    for row in ours:
        for cell in row.cells:
            assert text[cell.start : cell.end] in (cell.text, '"' + cell.text.replace('"', '""') + '"')


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)


@given(JSON_VALUES, st.booleans(), st.sampled_from([(",", ":"), (", ", ": "), (" ,\t", " :\n")]))
@example({'"}': [{"[": ","}, "\\"], "\\": {"": []}}, True, (",", ":"))
def test_every_value_of_a_json_text_is_where_it_is_said_to_be(
    value: Any, ascii_: bool, separators: tuple[str, str]
) -> None:
    text = json.dumps(value, ensure_ascii=ascii_, separators=separators)
    try:
        assert read_json(text).value == value
    except NoJson as error:
        assert "half" in str(error)  # of a surrogate
        return
    spans, doubles = json_places(text)
    assert doubles == []

    def check(part: Any, path: tuple[Any, ...]) -> None:
        start, end = spans.offsets(value, path)
        assert json.loads(text[start:end]) == part
        for key, item in part.items() if isinstance(part, dict) else ():
            start, end = spans.offsets(value, (*path, key), key=True)
            assert json.loads(text[start:end]) == key
            check(item, (*path, key))
        for number, item in enumerate(part if isinstance(part, list) else ()):
            check(item, (*path, number))

    check(value, ())


def test_depth_counts_brackets_and_not_texts() -> None:
    assert read_json("[" * MOST_DEPTH + "]" * MOST_DEPTH).has_doubles is False
    assert read_json(json.dumps("[" * 1000)).value == "[" * 1000
    assert read_json(json.dumps([[]] * 1000)).value == [[]] * 1000
    with pytest.raises(NoJson, match="deep"):
        read_json("[" * (MOST_DEPTH + 1) + "]" * (MOST_DEPTH + 1))
