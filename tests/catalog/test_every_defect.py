"""One defect, one finding, at its line and pointer; and no defect hides another."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from aldo.catalog import load_catalog, read_catalog
from aldo.errors import CatalogError, Finding
from tests.support.defects import FIELDS, IDS, STRUCTURE, SYNTAX, UNFINISHED, Defect, catalog, line_of

MOON = next(defect for defect in STRUCTURE if defect.line == "locality: moon")
Expected = tuple[str, int, int, str]
"""Code, line, column, pointer."""


def findings_of(path: Path, text: str) -> tuple[Finding, ...]:
    """The errors; that a list is bare is told too, once, and does not stop a load."""
    path.write_text(text, encoding="utf-8")
    found = read_catalog(str(path)).findings
    assert [finding.code for finding in found if finding.severity != "error"] in ([], ["AL114"])
    return tuple(finding for finding in found if finding.severity == "error")


def expected(text: str, number: int, defect: Defect, *, bare: bool) -> Expected:
    pointer = f"{'' if bare else '/models'}/{number}{defect.pointer}"
    line = line_of(number, defect.field, bare=bare)
    if defect.at == "entry":  # where the entry's first key stands
        return (
            defect.code,
            line_of(number, "provider" if defect.field == "id" else "id", bare=bare),
            3 if bare else 5,
            pointer,
        )
    written = text.splitlines()[line - 1]
    if not defect.at:  # an empty value stands right behind its colon
        return defect.code, line, written.index(":", written.index(pointer.rsplit("/", 1)[1])) + 2, pointer
    start = 0 if defect.at == defect.line[: len(defect.at)] else defect.line.index(":")
    return defect.code, line, written.index(defect.at, written.index(defect.line) + start) + 1, pointer


def seen(finding: Finding) -> Expected:
    assert finding.span is not None
    assert finding.severity == "error"
    assert finding.message
    return finding.code, finding.span.line, finding.span.column, finding.pointer


def entry_of(line: int, *, bare: bool = False) -> int:
    return (line - line_of(0, "id", bare=bare)) // len(FIELDS)


@pytest.mark.parametrize("bare", [False, True], ids=["headed", "bare"])
def test_the_catalog_without_a_defect_loads(tmp_path: Path, bare: bool) -> None:
    assert findings_of(tmp_path / "m.yaml", catalog({}, bare=bare)) == ()
    assert [model.id for model in load_catalog(tmp_path / "m.yaml").models] == list(IDS)


@pytest.mark.parametrize("bare", [False, True], ids=["headed", "bare"])
@pytest.mark.parametrize("defect", STRUCTURE, ids=lambda defect: defect.name)
def test_a_defect_is_told_once_where_it_stands(tmp_path: Path, defect: Defect, bare: bool) -> None:
    for number in range(len(IDS)):
        text = catalog({number: (defect,)}, bare=bare)
        found = findings_of(tmp_path / "m.yaml", text)
        assert [seen(finding) for finding in found] == [expected(text, number, defect, bare=bare)]
        assert not found[0].unreadable
        with pytest.raises(CatalogError) as raised:
            load_catalog(tmp_path / "m.yaml")
        assert raised.value.findings == found


@pytest.mark.parametrize("bare", [False, True], ids=["headed", "bare"])
@pytest.mark.parametrize("number", range(len(IDS)))
@pytest.mark.parametrize("defect", SYNTAX, ids=lambda defect: defect.name)
def test_a_syntax_error_is_told_once_at_its_line_or_the_next(
    tmp_path: Path, defect: Defect, number: int, bare: bool
) -> None:
    (finding,) = findings_of(tmp_path / "m.yaml", catalog({number: (defect,)}, bare=bare))
    assert (finding.code, finding.unreadable) == ("AL101", True)
    assert finding.span is not None
    assert finding.span.line - line_of(number, defect.field, bare=bare) in (0, 1)


@pytest.mark.parametrize("bare", [False, True], ids=["headed", "bare"])
@pytest.mark.parametrize("number", range(len(IDS)))
def test_a_quote_left_open_is_told_once_with_the_entry_that_opened_it(tmp_path: Path, number: int, bare: bool) -> None:
    (finding,) = findings_of(tmp_path / "m.yaml", catalog({number: (UNFINISHED,)}, bare=bare))
    lines = [span.line for span in (finding.span, *(related.span for related in finding.related)) if span]
    assert finding.code == "AL101"
    assert number in [entry_of(line, bare=bare) for line in lines]


@pytest.mark.parametrize(("first", "again"), [(0, 1), (0, 2), (1, 2)])
@pytest.mark.parametrize("bare", [False, True], ids=["headed", "bare"])
def test_an_id_given_again_is_told_at_the_later_one(tmp_path: Path, first: int, again: int, bare: bool) -> None:
    text = catalog({}, bare=bare).replace(f"id: {IDS[again]}\n", f"id: {IDS[first]}\n")
    (finding,) = findings_of(tmp_path / "m.yaml", text)
    prefix = "" if bare else "/models"
    assert seen(finding) == ("AL107", line_of(again, "id", bare=bare), 7 if bare else 9, f"{prefix}/{again}/id")
    assert [related.span and related.span.line for related in finding.related] == [line_of(first, "id", bare=bare)]


def test_an_id_given_three_times_is_told_twice(tmp_path: Path) -> None:
    text = catalog({}).replace("id: two\n", "id: one\n").replace("id: three\n", "id: 'one'\n")
    found = [seen(finding) for finding in findings_of(tmp_path / "m.yaml", text)]
    assert [(code, line) for code, line, _, _ in found] == [("AL107", line_of(1, "id")), ("AL107", line_of(2, "id"))]


def test_an_id_of_an_invalid_entry_still_counts(tmp_path: Path) -> None:
    text = catalog({}).replace("id: two\n", "id: one\n").replace("locality: local", "locality: moon", 1)
    found = [seen(finding)[:2] for finding in findings_of(tmp_path / "m.yaml", text)]
    assert found == [("AL106", line_of(0, "locality")), ("AL107", line_of(1, "id"))]


PLACED = st.tuples(st.sampled_from(range(len(IDS))), st.sampled_from(STRUCTURE))
DISTINCT_LINES = st.lists(PLACED, min_size=2, max_size=5, unique_by=lambda placed: (placed[0], placed[1].field))


def grouped(placed: list[tuple[int, Defect]]) -> dict[int, tuple[Defect, ...]]:
    return {number: tuple(defect for at, defect in placed if at == number) for number in range(len(IDS))}


def interferes(one: tuple[int, Defect], other: tuple[int, Defect]) -> bool:
    """Two defects that touch: an entry's line gone or repeated, or the same wrong id in two entries."""
    if one[0] == other[0]:
        return one != other and one[1].line in ("# gone", "provider: again")
    return one[1].field == other[1].field == "id" and one[1].line == other[1].line


def apart(placed: list[tuple[int, Defect]]) -> bool:
    return not any(interferes(one, other) for one in placed for other in placed)


@settings(deadline=None, max_examples=300)
@given(DISTINCT_LINES.filter(apart), st.booleans())
def test_defects_put_together_are_all_told(
    tmp_path_factory: pytest.TempPathFactory, placed: list[tuple[int, Defect]], bare: bool
) -> None:
    text = catalog(grouped(placed), bare=bare)
    found = findings_of(tmp_path_factory.getbasetemp() / "together.yaml", text)
    assert sorted(map(seen, found)) == sorted(expected(text, number, defect, bare=bare) for number, defect in placed)
    assert [finding.span for finding in found] == sorted(finding.span for finding in found if finding.span)


@pytest.mark.parametrize("bare", [False, True], ids=["headed", "bare"])
@pytest.mark.parametrize("number", range(len(IDS)))
@pytest.mark.parametrize("syntax", SYNTAX, ids=lambda defect: defect.name)
def test_the_entries_around_a_syntax_error_are_checked(tmp_path: Path, syntax: Defect, number: int, bare: bool) -> None:
    others = [other for other in range(len(IDS)) if other != number]
    text = catalog({number: (syntax,), **dict.fromkeys(others, (MOON,))}, bare=bare)
    found = [seen(finding) for finding in findings_of(tmp_path / "m.yaml", text)]
    assert [finding for finding in found if finding[0] != "AL101"] == [
        expected(text, other, MOON, bare=bare) for other in others
    ]


@settings(deadline=None, max_examples=300)
@given(
    st.permutations(range(len(IDS))),
    st.sampled_from(SYNTAX),
    st.lists(st.sampled_from(STRUCTURE), min_size=1, max_size=2),
    st.booleans(),
)
def test_a_syntax_error_hides_no_defect_of_another_entry(
    tmp_path_factory: pytest.TempPathFactory, order: list[int], syntax: Defect, others: list[Defect], bare: bool
) -> None:
    placed = list(zip(order[1:], others, strict=False))
    assume(apart(placed))
    text = catalog(grouped([(order[0], syntax), *placed]), bare=bare)
    found = [seen(finding) for finding in findings_of(tmp_path_factory.getbasetemp() / "hidden.yaml", text)]
    told = [finding for finding in found if finding[0] != "AL101"]
    assert sorted(told) == sorted(expected(text, number, defect, bare=bare) for number, defect in placed)
    assert [entry_of(line, bare=bare) for code, line, _, _ in found if code == "AL101"] in ([order[0]], [order[0] + 1])


@settings(deadline=None, max_examples=150)
@given(
    st.lists(st.sampled_from(SYNTAX), min_size=3, max_size=3),
    st.sets(st.sampled_from(range(3)), min_size=2),
    st.booleans(),
)
def test_syntax_errors_of_several_entries_are_all_told(
    tmp_path_factory: pytest.TempPathFactory, defects: list[Defect], numbers: set[int], bare: bool
) -> None:
    text = catalog({number: (defects[number],) for number in numbers}, bare=bare)
    found = findings_of(tmp_path_factory.getbasetemp() / "several.yaml", text)
    assert {finding.code for finding in found} == {"AL101"}
    assert len(found) == len(numbers)


@pytest.mark.parametrize("line", ["description: *bold", "description: &a [*a]"])
def test_a_wrong_alias_hides_no_defect_of_another_entry(tmp_path: Path, line: str) -> None:
    wrong = Defect(line, "description", line, "AL111", "*", "/description")
    text = catalog({0: (MOON,), 1: (wrong,), 2: (MOON,)})
    found = [seen(finding)[:2] for finding in findings_of(tmp_path / "m.yaml", text)]
    assert found == [
        ("AL106", line_of(0, "locality")),
        ("AL111", line_of(1, "description")),
        ("AL106", line_of(2, "locality")),
    ]


@settings(deadline=None, max_examples=400)
@given(
    st.sampled_from(range(len(IDS))),
    st.sampled_from(FIELDS[1:]),
    st.integers(min_value=0),
    st.sampled_from("\t[]{}#!|>%@`,?:-&x "),
    st.booleans(),
)
def test_a_letter_too_many_in_a_line_hides_no_defect_of_another_entry(
    tmp_path_factory: pytest.TempPathFactory, number: int, field: str, at: int, letter: str, bare: bool
) -> None:
    others = [other for other in range(len(IDS)) if other != number]
    lines = catalog(dict.fromkeys(others, (MOON,)), bare=bare).split("\n")
    line = line_of(number, field, bare=bare) - 1
    indent = len(lines[line]) - len(lines[line].lstrip(" "))
    at = indent + at % (len(lines[line]) - indent + 1)
    lines[line] = lines[line][:at] + letter + lines[line][at:]
    found = findings_of(tmp_path_factory.getbasetemp() / "letter.yaml", "\n".join(lines))
    told = {finding.span.line for finding in found if finding.code == "AL106" and finding.span}
    assert {line_of(other, "locality", bare=bare) for other in others} <= told


@pytest.mark.parametrize("seed", range(20))
def test_no_defect_is_hidden_in_a_catalog_of_many_copies(tmp_path: Path, seed: int) -> None:
    """Sixty entries, each with one random defect: sixty findings, each in its own entry."""
    rng = random.Random(seed)
    defects = [defect for defect in STRUCTURE if defect.field != "id"]
    text = "".join(
        catalog({number: (rng.choice(defects),) for number in range(3)}, bare=True)
        .replace("id: one\n", f"id: one{copy}\n")
        .replace("id: two\n", f"id: two{copy}\n")
        .replace("id: three\n", f"id: three{copy}\n")
        for copy in range(20)
    )
    found = findings_of(tmp_path / "m.yaml", text)
    assert [entry_of(seen(finding)[1], bare=True) for finding in found] == list(range(60))
