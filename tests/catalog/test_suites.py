"""Suites and their datasets as they are read: what becomes of them, and where each defect is said to stand."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest

from aldo.catalog import load_catalog
from aldo.catalog.document import Document
from aldo.catalog.suites import SuiteFile, load_suite, read_suite
from aldo.catalog.suites.dataset import MOST_CASES
from aldo.errors import CatalogError, Finding
from aldo.schema.suite import SUITE_SCHEMA
from tests.support.cli import aldo

HEAD = f"schema: {SUITE_SCHEMA}\nsuite:\n  name: s\n"
ANY = "  evaluators: [{ name: a, type: contains, ref: x }]\n"
TRUTH = "  evaluators: [{ name: a, type: contains }]\n"

Told = list[tuple[str, str, int, str]]
"""Code, file, line, and the text that the finding points at."""
Read = Callable[..., SuiteFile]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    def of(dataset: str | bytes, name: str = "cases.jsonl", evaluators: str = ANY) -> SuiteFile:
        (tmp_path / name).write_bytes(dataset.encode() if isinstance(dataset, str) else dataset)
        return written(tmp_path, f"{HEAD}  cases_dataset: {name}\n{evaluators}")

    return of


def written(folder: Path, text: str) -> SuiteFile:
    path = folder / "suite.yaml"
    path.write_text(text, encoding="utf-8")
    return read_suite(str(path))


def inline(folder: Path, *cases: str, evaluators: str = ANY) -> SuiteFile:
    return written(folder, HEAD + "  cases:\n" + "".join(f"    - {case}\n" for case in cases) + evaluators)


def told(file: SuiteFile) -> Told:
    documents = {one.path: one for one in (file.document, *([file.dataset.document] if file.dataset else []))}
    return [
        (f.code, Path(f.path).name, f.span.line if f.span else 0, pointed(documents[f.path], f)) for f in file.findings
    ]


def pointed(document: Document, finding: Finding) -> str:
    assert finding.span is not None
    lines = document.lines[finding.span.line - 1 : finding.span.end_line]
    lines[-1] = lines[-1][: finding.span.end_column - 1]
    return "\n".join(lines)[finding.span.column - 1 :]


def ids(file: SuiteFile) -> list[str]:
    return [case.id for case in file.loaded().cases]


def test_a_case_without_an_id_has_its_number_and_blank_lines_are_no_cases(read: Read) -> None:
    file = read('{"input": "a"}\n\n   \n{"id": "b", "input": "b"}\n{"input": "c"}\n')
    assert ids(file) == ["1", "b", "3"]


def test_a_case_that_cannot_be_read_keeps_its_number(read: Read) -> None:
    """Else mending it would change the ids of those behind it, and what is said of them."""
    file = read('{"input": 1}\n{"input": "b"}\n{"id": "1", "input": "c"}\n')
    assert [one.case.id for one in file.cases] == ["2", "1"]
    assert told(file) == [("AL105", "cases.jsonl", 1, "1")]


def test_a_number_and_an_id_that_is_the_same_are_two_cases_of_one_id(read: Read) -> None:
    assert told(read('{"id": "2", "input": "a"}\n{"input": "b"}\n')) == [("AL705", "cases.jsonl", 2, '{"input": "b"}')]


@pytest.mark.parametrize(
    ("tags", "expected"),
    [(["a", "b"], ("a", "b")), ("a", ("a",)), ([], ())],
)  # fmt: skip
def test_tags_are_one_text_or_a_list(read: Read, tags: Any, expected: tuple[str, ...]) -> None:
    (case,) = read(json.dumps({"input": "q", "tags": tags})).loaded().cases
    assert case.tags == expected


@pytest.mark.parametrize(
    ("cell", "truth", "tags"),
    [
        ("Paris,a;b", "Paris", ("a", "b")),
        ('"[""Paris"", ""paris""]", a ; ;b ', ("Paris", "paris"), ("a", "b")),
        ('"[not, json",', "[not, json", ()),
        (",", None, ()),
        ('"two\nlines",x', "two\nlines", ("x",)),
        ("4,", "4", ()),
        ("{},", "{}", ()),
        (f'"{"[" * 5000}",', "[" * 5000, ()),
    ],
    ids=["texts", "list", "no list", "empty", "lines", "number", "mapping", "deep"],
)
def test_a_csv_cell_is_a_text_but_for_tags_and_lists(
    read: Read, cell: str, truth: object, tags: tuple[str, ...]
) -> None:
    (case,) = read(f"input,ground_truth,tags\nq,{cell}\n", "cases.csv").loaded().cases
    assert (case.input, case.ground_truth, case.tags, case.id) == ("q", truth, tags, "1")


@pytest.mark.parametrize("name", ["cases.jsonl", "cases.ndjson", "cases.JSONL"])
@pytest.mark.parametrize("mark", ["", "\ufeff"], ids=["", "bom"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"], ids=["lf", "crlf", "cr"])
def test_line_ends_and_a_byte_order_mark_change_nothing(read: Read, name: str, mark: str, end: str) -> None:
    lines = ['{"input": "a\u2028b"}', '  {"input": 1}', '{"input": "c", "x": 1}']
    file = read(mark + end.join(lines), name)
    assert told(file) == [("AL105", name, 2, "1"), ("AL103", name, 3, '"x"')]
    assert file.cases[0].case.input == "a\u2028b"
    rows = ["input,id,source", "a,one,", ",two,", 'c,"o\tne",', "d,one,"]
    file = read(mark + end.join(rows), "cases.csv")
    assert told(file) == [
        ("AL104", "cases.csv", 3, ""),
        ("AL106", "cases.csv", 4, '"o\tne"'),
        ("AL705", "cases.csv", 5, "one"),
    ]


JSON_DEFECTS: dict[str, tuple[str, list[tuple[str, str, str]]]] = {
    "no object": ("[1]", [("AL105", "[1]", "mapping")]),
    "null": ("null", [("AL105", "null", "mapping")]),
    "a comma is missing": ('{"input": "q" "id": "x"}', [("AL101", '"', "','")]),
    "a comma too many": ('{"input": "q",}', [("AL101", "}", "property name")]),
    "more behind it": ('{"input": "q"} x', [("AL101", "x", "extra data")]),
    "a quote is missing": ('{"input": "q}', [("AL101", '"', "unterminated string")]),
    "single quotes": ("{'input': 'q'}", [("AL101", "'", "double quotes")]),
    "cut": ('{"input": "q"', [("AL101", "", "','")]),
    "a tab in a text": ('{"input": "a\tb"}', [("AL101", "\t", "control character")]),
    "NaN": ('{"input": "NaN", "ground_truth": [1, NaN]}', [("AL101", "NaN", "NaN")]),
    "minus infinity": ('{"input": "q", "ground_truth": -Infinity}', [("AL101", "-Infinity", "-Infinity")]),
    "too large": ('{"input": "q", "ground_truth": 1e999}', [("AL106", "1e999", "finite")]),
    "digits": ('{"input": "q", "ground_truth": ' + "9" * 5000 + "}", [("AL101", "{", "digits")]),
    "deep": ('{"input": "q", "ground_truth": ' + "[" * 101 + "]" * 101 + "}", [("AL101", "{", "deep")]),
    "very deep": ("[" * 100_000, [("AL101", "[", "deep")]),
    "half a character": ('{"input": "\\ud83d!"}', [("AL101", "\\ud83d", "half")]),
    "the other half": ('{"input": "\\\\ud83d \\ude00"}', [("AL101", "\\ude00", "half")]),
    "key twice": ('{"input": "a", "id": "x", "input": "b"}', [("AL102", '"input"', "'input'")]),
    "key twice, before another defect": ('{"id": "a", "id": ["b"], "input": 1}', [("AL102", '"id"', ""), ("AL105", "1", "")]),
    "key twice, inside": (
        '{"input": "a", "ground_truth": {"x": 1, "\\u0078": 2, "x": 3}}',
        [("AL102", '"\\u0078"', "'x'"), ("AL102", '"x"', "'x'")],
    ),
    "key twice, and more": ('{"id": 1, "id": "x"}', [("AL104", '{"id": 1, "id": "x"}', "'input'"), ("AL105", "1", "'id'"),
                                                    ("AL102", '"id"', "'id'")]),
    "unknown field": ('{"input": "q", "truth": "x"}', [("AL103", '"truth"', "'truth'")]),
    "misspelt field": ('{"inptu": "q"}', [("AL103", '"inptu"', "'inptu'")]),
    "missing field": ('{"id": "x"}', [("AL104", '{"id": "x"}', "'input'")]),
    "empty input": ('{"input": ""}', [("AL106", '""', "empty")]),
    "wrong tag": ('{"input": "q", "tags": ["a", 2]}', [("AL105", "2", "text")]),
    "two defects": ('{"input": 1, "id": 2}', [("AL105", "1", "'input'"), ("AL105", "2", "'id'")]),
    "a pair of escapes beside it": ('{"ground_truth": "\\ud83d\\ude00", "input": 1}', [("AL105", "1", "'input'")]),
    "a slash beside it": ('{"ground_truth": "\\/", "inptu": "x"}', [("AL103", '"inptu"', "'inptu'")]),
    "tight": ('{"a":"\\"","input":[1,{"b":2}]}', [("AL103", '"a"', "'a'"), ("AL105", '[1,{"b":2}]', "'input'")]),
    "what YAML takes for more": ('{"id": "\x85\u2028\x7f", "input": 1}', [("AL106", '"\x85\u2028\x7f"', "'id'"), ("AL105", "1", "")]),
    "a long key": ('{"input": 1, "ground_truth": {"' + "k" * 3000 + '": 1}}', [("AL105", "1", "'input'")]),
}  # fmt: skip


@pytest.mark.parametrize(("line", "defects"), JSON_DEFECTS.values(), ids=JSON_DEFECTS)
def test_every_defect_of_a_json_line_is_told_where_it_stands(
    read: Read, line: str, defects: list[tuple[str, str, str]]
) -> None:
    """On the second line, between two that are fine."""
    file = read(f'{{"input": "q"}}\n{line}\n{{"input": "q"}}\n')
    assert len(file.findings) == len(defects)
    for finding, (code, at, says) in zip(file.findings, defects, strict=True):
        assert (finding.code, finding.severity) == (code, "error")
        assert says in finding.message
        assert not finding.message.endswith((" at", " starting"))
        assert len(finding.message) < 200
        assert finding.span is not None
        assert (finding.span.line, finding.span.end_line) == (2, 2)
        assert finding.span.end_column <= len(line) + 1
        assert line[finding.span.column - 1 : finding.span.end_column - 1].startswith(at)
    assert [one.number for one in file.cases if one.span.line != 2] == [1, 3]


CSV_DEFECTS: dict[str, tuple[str, list[tuple[str, str, str]]]] = {
    "too many cells": ("a,b,c,d,e", [("AL105", "a,b,c,d,e", "5 cells under 4 columns")]),
    "too few cells": ("a,b", [("AL105", "a,b", "2 cells under 4 columns")]),
    "text behind a quote": ('a,"say "yes"",,', [("AL101", "y", "behind the quote")]),
    "no input": ("a,,x,", [("AL104", "", "'input'")]),
    "a quoted nothing": ('a,"",x,', [("AL104", '""', "'input'")]),
    "an id with a tab": ('"a\tb",q,,', [("AL106", '"a\tb"', "'id'")]),
    "two defects": ('"a\tb",,,', [("AL106", '"a\tb"', "'id'"), ("AL104", "", "'input'")]),
    "a tag too long": (f"a,q,,{'x' * 10_001}", [("AL106", "x", "10000")]),
    "twice": ("first,q,,", [("AL705", "first", "'first'")]),
}


@pytest.mark.parametrize(("line", "defects"), CSV_DEFECTS.values(), ids=CSV_DEFECTS)
def test_every_defect_of_a_csv_row_is_told_where_it_stands(
    read: Read, line: str, defects: list[tuple[str, str, str]]
) -> None:
    file = read(f'id,input,ground_truth,tags\nfirst,"q\nr",x,\n{line}\nlast,q,x,\n', "cases.csv")
    assert len(file.findings) == len(defects)
    for finding, (code, at, says) in zip(file.findings, defects, strict=True):
        assert (finding.code, finding.severity) == (code, "error")
        assert says in finding.message
        assert finding.span is not None
        assert (finding.span.line, finding.span.end_line) == (4, 4)
        shown = line[finding.span.column - 1 : finding.span.end_column - 1]
        assert shown.startswith(at)
        assert bool(shown) == bool(at)
    assert file.cases[-1].case.id == "last"


def test_a_quote_that_is_never_closed_is_one_defect_where_it_opens(read: Read) -> None:
    file = read('input,id\nq,"x\n1,2,3\n4,5,6\n', "cases.csv")
    assert told(file) == [("AL101", "cases.csv", 2, '"')]
    assert "never closed" in file.findings[0].message


def test_behind_a_cell_of_several_lines_that_breaks_nothing_is_guessed(read: Read) -> None:
    file = read('input,id\nq,"x\n1,2,3\n4,5,"6"\n1,2,3\n', "cases.csv")
    assert told(file) == [("AL101", "cases.csv", 4, "6")]
    (begins,) = file.findings[0].related
    assert begins.span is not None
    assert (begins.span.line, begins.span.column) == (2, 3)


@pytest.mark.parametrize(
    ("header", "defects", "says"),
    [
        ("id,text,ground_truth", [("AL104", "id,text,ground_truth")], "first line names"),
        ("id;input", [("AL104", "id;input")], "between commas"),
        ("id\tinput", [("AL104", "id\tinput")], "between commas"),
        ("id,Input", [("AL103", "Input")], "did you mean 'input'"),
        ("id, input", [("AL103", " input")], "did you mean 'input'"),
        ("id,input,truth", [("AL103", "truth")], "the columns are id, input, ground_truth, tags, source"),
        ("id,input,tag,sources", [("AL103", "tag"), ("AL103", "sources")], "did you mean 'tags'"),
        ("input,input,id", [("AL102", "input")], "keep one"),
        ('"id"x,input', [("AL101", "x")], "quotes"),
        ("q,a", [("AL104", "q,a")], "first line names"),
    ],
)
def test_what_is_wrong_with_the_columns_is_told_once_and_not_of_each_row(
    read: Read, header: str, defects: list[tuple[str, str]], says: str
) -> None:
    width = header.count(",")
    file = read(header + "\n" + f"x{',x' * width}\n", "cases.csv")
    assert told(file) == [(code, "cases.csv", 1, at) for code, at in defects]
    assert says in file.findings[0].hint


def test_rows_are_read_beside_a_column_that_is_none(read: Read) -> None:
    file = read("input,note\na,1\n,2\nc\n", "cases.csv")
    assert told(file) == [
        ("AL103", "cases.csv", 1, "note"),
        ("AL104", "cases.csv", 3, ""),
        ("AL105", "cases.csv", 4, "c"),
    ]


def test_empty_lines_of_a_spreadsheet_are_no_cases(read: Read) -> None:
    assert ids(read("id,input\na,q\n,\n\n \n,\nb,q\n\n", "cases.csv")) == ["a", "b"]


@pytest.mark.parametrize("name", ["cases.jsonl", "cases.csv"])
def test_a_case_as_long_as_allowed_is_read_and_a_longer_one_told(read: Read, name: str) -> None:
    """Python's own CSV reader ends at 131 072 characters."""
    for size, codes in ((1_000_000, []), (1_000_001, ["AL106"])):
        text = "x" * size
        file = read(json.dumps({"input": text}) if name == "cases.jsonl" else f"input\n{text}\n", name)
        assert [finding.code for finding in file.findings] == codes
        assert [len(one.case.input) for one in file.cases] == [size] * (not codes)


@pytest.mark.parametrize("text", ['[\n  {"input": "a"},\n  {"input": "b"}\n]\n', '{\n  "input": "a"\n}\n'])
def test_json_over_several_lines_is_one_defect(read: Read, text: str) -> None:
    file = read(text)
    assert told(file) == [("AL101", "cases.jsonl", 1, text[0])]
    assert "several lines" in file.findings[0].message


def test_twenty_thousand_cases_are_read(read: Read) -> None:
    file = read(
        "".join(f'{{"id": "c{n}", "input": "q", "ground_truth": ["{n}"]}}\n' for n in range(20_000)), evaluators=TRUTH
    )
    assert len(file.loaded().cases) == 20_000
    rows = "".join(f"c{n},q,{n}\n" for n in range(20_000))
    assert len(read("id,input,ground_truth\n" + rows, "cases.csv").loaded().cases) == 20_000


@pytest.mark.parametrize("row", ['{"input": "q"}', '{"input": 1}'])
def test_the_rows_that_are_read_have_a_bound_and_the_findings_with_them(
    read: Read, monkeypatch: pytest.MonkeyPatch, row: str
) -> None:
    assert MOST_CASES == 100_000
    monkeypatch.setattr("aldo.catalog.suites.dataset.MOST_CASES", 3)
    file = read(f"{row}\n" * 9)
    last = file.findings[-1]
    assert (last.code, last.span and last.span.line) == ("AL106", 4)
    assert file.dataset is not None
    assert len(file.cases) + len(file.findings) == 4


UNREADABLE: dict[str, tuple[str, Callable[[Path], object], str]] = {
    "missing": ("no.jsonl", lambda _: None, "no such file"),
    "a directory": ("d.jsonl", lambda folder: (folder / "d.jsonl").mkdir(), "is a directory"),
    "empty": ("e.jsonl", lambda folder: (folder / "e.jsonl").touch(), "holds no cases"),
    "blank": ("b.csv", lambda folder: (folder / "b.csv").write_text("\n \n"), "holds no cases"),
    "no rows": ("h.csv", lambda folder: (folder / "h.csv").write_text("id,input\n"), "holds no cases"),
    "another ending": ("c.json", lambda folder: (folder / "c.json").write_text('{"input": "q"}'), ".json"),
    "no ending": ("cases", lambda folder: (folder / "cases").write_text('{"input": "q"}'), "no ending"),
    "latin-1": ("l.jsonl", lambda folder: (folder / "l.jsonl").write_bytes(b'\n{"input": "\xe9"}'), "not UTF-8"),
    "nul": ('"a\\0.jsonl"', lambda _: None, "null"),
}


@pytest.mark.parametrize(("name", "prepare", "says"), UNREADABLE.values(), ids=UNREADABLE)
def test_a_dataset_that_is_none_is_told_where_the_suite_names_it(
    tmp_path: Path, name: str, prepare: Callable[[Path], object], says: str
) -> None:
    prepare(tmp_path)
    file = written(tmp_path, f"{HEAD}  cases_dataset: {name}\n{TRUTH}")
    assert told(file) == [("AL703", "suite.yaml", 4, name)]
    (finding,) = file.findings
    assert says in finding.message
    assert finding.hint
    assert "YAML" not in finding.hint
    assert "catalog" not in finding.hint
    if name == "l.jsonl":
        assert [(one.path, one.span and one.span.line) for one in finding.related] == [(str(tmp_path / name), 2)]


def test_what_is_wrong_with_a_ground_truth_is_told_in_its_cell_or_of_its_row(read: Read) -> None:
    """Once, however many evaluators want it."""
    evaluators = "  evaluators:\n    - { name: a, type: contains }\n    - { name: b, type: regex }\n    - { name: c, type: regex }\n"
    file = read("input,ground_truth\na,x\nb,[1]\nc,\nd,(\n", "cases.csv", evaluators)
    assert told(file) == [
        ("AL708", "cases.csv", 3, "[1]"),
        ("AL708", "cases.csv", 4, "c,"),
        ("AL707", "cases.csv", 5, "("),
    ]
    assert "for 'a' and 'b' and 'c' to compare" in file.findings[0].message


@pytest.mark.parametrize("rows", ["a\nb\n", "a\n"])
def test_an_evaluator_for_which_no_case_has_a_ground_truth_is_one_defect(read: Read, rows: str) -> None:
    """What is missing is its `ref`. Of a single case it may as well be the ground truth."""
    file = read(f"input\n{rows}", "cases.csv", TRUTH)
    place = ("suite.yaml", 5, "{ name: a, type: contains }") if rows == "a\nb\n" else ("cases.csv", 2, "a")
    assert told(file) == [("AL708", *place)]


def test_an_evaluator_that_an_installed_package_brings_is_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "  evaluators: [{ name: a, type: of-the-house, options: { b: 1 } }]\n"
    assert told(inline(tmp_path, "{ input: q }", evaluators=text)) == [("AL701", "suite.yaml", 6, "of-the-house")]
    point = EntryPoint("of-the-house", "x:y", "aldo.evaluators")
    monkeypatch.setattr(
        "aldo.catalog.suites.checks.entry_points", lambda group: [point] if group == point.group else []
    )
    assert inline(tmp_path, "{ input: q }", evaluators=text).findings == ()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_dataset_that_may_not_be_read_says_so(read: Read, tmp_path: Path) -> None:
    read('{"input": "q"}\n')
    (tmp_path / "cases.jsonl").chmod(stat.S_IWUSR)
    (finding,) = read_suite(str(tmp_path / "suite.yaml")).findings
    assert (finding.code, "denied" in finding.message) == ("AL703", True)


def test_names_are_relative_to_the_suite_and_not_to_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    suites, elsewhere = tmp_path / "suites", tmp_path / "elsewhere"
    for folder in (suites / "data", elsewhere):
        folder.mkdir(parents=True)
    (suites / "data" / "c.jsonl").write_text('{"input": "q"}')
    (suites / "data" / "s.json").write_text('{"type": "object"}')
    text = HEAD + "  cases_dataset: data/c.jsonl\n  evaluators: [{ name: a, type: json-schema, ref: data/s.json }]\n"
    (suites / "s.yaml").write_text(text)
    monkeypatch.chdir(elsewhere)
    loaded = load_suite(Path("..") / "suites" / "s.yaml")
    assert ([case.input for case in loaded.cases], dict(loaded.schemas)) == (["q"], {"a": {"type": "object"}})
    assert aldo("lint", "-", stdin=text, cwd=suites).returncode == 0
    assert aldo("lint", "-", stdin=text, cwd=elsewhere).stdout.count("AL703") > 0
    absolute = written(elsewhere, text.replace("data/", f"{suites}/data/"))
    assert absolute.findings == ()


def test_a_dataset_is_never_standard_input(tmp_path: Path) -> None:
    """From there comes the suite; and a suite in a file must not wait for what nobody types."""
    for field in ('cases_dataset: "-"', "cases: [{ input: q }]"):
        text = f"{HEAD}  {field}\n  evaluators: [{{ name: a, type: json-schema, ref: '-' }}]\n"
        (tmp_path / "suite.yaml").write_text(text)
        run = aldo("lint", "suite.yaml", stdin='{"input": "q"}\n', cwd=tmp_path)
        assert "./- cannot be read: no such file" in run.stdout


def test_a_suite_is_no_catalog_and_a_catalog_no_suite(tmp_path: Path) -> None:
    file = inline(tmp_path, "{ input: q }")
    with pytest.raises(CatalogError, match="AL109"):
        load_catalog(file.document.path)
    (tmp_path / "models.yaml").write_text("apiVersion: aldo/models.v1\nkind: ModelCatalog\nmodels: []\n")
    with pytest.raises(CatalogError, match="is not a suite"):
        load_suite(tmp_path / "models.yaml")
    for name in ("nowhere.yaml", "empty.yaml"):
        (tmp_path / "empty.yaml").touch()
        with pytest.raises(CatalogError, match="AL108"):
            load_suite(tmp_path / name)


def test_loading_carries_every_error_of_suite_and_dataset(read: Read) -> None:
    file = read('{"input": 1}\n{}\n', evaluators=TRUTH + "  threshold: { b: 1 }\n")
    with pytest.raises(CatalogError) as raised:
        file.loaded()
    assert [finding.code for finding in raised.value.findings] == ["AL702", "AL105", "AL104"]


def test_an_evaluator_is_for_the_cases_with_one_of_its_tags(tmp_path: Path) -> None:
    cases = ("{ id: one, input: q, tags: [a, b] }", "{ id: two, input: q, tags: c }", "{ id: three, input: q }")
    evaluators = "  evaluators: [{ name: x, type: exact, ref: y, tags: [b, c] }, { name: all, type: exact, ref: y }]\n"
    suite = inline(tmp_path, *cases, evaluators=evaluators).loaded()
    some, every = suite.body.evaluators
    assert [case.id for case in suite.cases if some.is_for(case)] == ["one", "two"]
    assert all(map(every.is_for, suite.cases))


def test_the_digest_is_of_what_an_answer_depends_on(tmp_path: Path) -> None:
    def digest(text: str, more: str = "") -> str:
        return inline(tmp_path, text, evaluators=ANY + more).loaded().digest

    same = digest("{ input: q }")
    assert same == digest("{ input: q, ground_truth: z, tags: [a] }", "  threshold: { a: 1 }\n")
    assert len({same, digest("{ input: r }"), digest("{ id: x, input: q }"), digest("{ input: q }", "  max_tokens: 9\n"),
                digest("{ input: q }", "  temperature: 0.5\n"), digest("{ input: q }", "  top_p: 0.5\n")}) == 6  # fmt: skip
