"""Which rules are applied, which rule is meant by a code, and which files are looked at."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aldo.errors import UsageError
from aldo.validate import all_rules
from aldo.validate.files import expanded
from aldo.validate.registry import rule
from aldo.validate.select import known_prefixes, selected

CODES = sorted(all_rules())
PREFIXES = st.sampled_from(CODES).flatmap(lambda code: st.sampled_from([code[:n] for n in range(1, len(code) + 1)]))
FAMILIES = "AL1, AL2, AL3, AL4, AL5, AL6, AL7, AL9"


def decides(code: str, prefixes: list[str]) -> int:
    """The length of the longest beginning that speaks of a code; 0 for none."""
    return max((len(prefix) for prefix in prefixes if code.startswith(prefix)), default=0)


@settings(max_examples=300)
@given(st.lists(PREFIXES, max_size=4), st.lists(PREFIXES, max_size=4))
def test_the_longer_beginning_decides_and_ignore_where_both_are_as_long(select: list[str], ignore: list[str]) -> None:
    kept = {
        code
        for code in CODES
        if (decides(code, select) > 0 or not select)
        and (decides(code, ignore) == 0 or decides(code, select) > decides(code, ignore))
    }
    assert selected(select, ignore) == kept


@given(st.lists(PREFIXES, max_size=4), st.lists(PREFIXES, max_size=4))
def test_case_and_space_around_a_beginning_make_no_difference(select: list[str], ignore: list[str]) -> None:
    shouted = selected([f" {one.lower()} " for one in select], [f"\t{one.title()}" for one in ignore])
    assert shouted == selected(select, ignore)
    assert list(known_prefixes([f" {one.lower()}" for one in select], "select")) == select


@pytest.mark.parametrize("wrong", ["", " ", "AL8", "XL1", "AL1011"])
def test_a_beginning_that_no_code_has_is_told_with_its_option_and_the_families(wrong: str) -> None:
    said = f"no rule's code begins with {wrong!r}; the families are {FAMILIES}, and aldo lint --explain all lists the rules"
    with pytest.raises(UsageError, match=re.escape(f"select: {said}")):
        selected([wrong], [])
    with pytest.raises(UsageError, match=re.escape(f"ignore: {said}")):
        selected([], [wrong])
    with pytest.raises(UsageError, match=re.escape(f"--fix-only: {said}")):
        list(known_prefixes(["AL1", wrong], "--fix-only"))


@pytest.mark.parametrize("code", CODES)
def test_a_rule_is_found_by_its_code_in_any_case(code: str) -> None:
    assert rule(code) is rule(code.lower()) is all_rules()[code]
    assert rule(code).code == code


@pytest.mark.parametrize(
    ("code", "hint"),
    [("AL1O1", True), ("al3055", True), ("zz", False), ("", False)],
)
def test_a_code_that_no_rule_has_is_told_with_up_to_three_that_are_near(code: str, hint: bool) -> None:
    with pytest.raises(UsageError) as raised:
        rule(code)
    said = str(raised.value)
    assert said.startswith(f"no rule {code!r}; ")
    assert said.endswith("aldo lint --explain all lists them")
    found = re.fullmatch(r"no rule '.*'; did you mean (.*)\? aldo lint .*", said)
    assert bool(found) == hint
    if found:
        near = found[1].split(" or ")
        assert 1 <= len(near) <= 3
        assert set(near) <= set(CODES)
    else:
        assert said == f"no rule {code!r}; aldo lint --explain all lists them"


def files(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("", "utf-8")


def test_patterns_give_files_in_order_and_each_file_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files(tmp_path, "b.yaml", "a.yaml", "deep/er/c.yaml", "d.json")
    (tmp_path / "folder.yaml").mkdir()
    monkeypatch.chdir(tmp_path)
    assert expanded(["*.yaml"]) == ["a.yaml", "b.yaml"]
    assert expanded(["b.yaml", "*.yaml"]) == ["b.yaml", "a.yaml"]
    assert expanded(["**/*.yaml"]) == ["a.yaml", "b.yaml", "deep/er/c.yaml"]
    assert expanded(["?.json", Path("d.json"), "./d.json"]) == ["d.json"]
    assert expanded(["[ab].yaml"]) == ["a.yaml", "b.yaml"]
    assert expanded([str(tmp_path / "*.json")]) == [str(tmp_path / "d.json")]
    assert expanded([]) == []


def test_what_matches_nothing_stays_and_standard_input_is_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files(tmp_path, "a.yaml", "-", "x[1].yaml", "x1.yaml")
    monkeypatch.chdir(tmp_path)
    assert expanded(["no*.yaml", "no.yaml", "-", "a\0b", "*\0"]) == ["no*.yaml", "no.yaml", "-", "a\0b", "*\0"]
    assert expanded(["-", "./-"]) == ["-", "./-"]
    assert expanded(["x[1].yaml"]) == ["x[1].yaml"], "a file of that name comes before the pattern"
    long = "x" * 5000 + "*"
    assert expanded([long]) == [long]


def test_two_names_of_one_file_are_one_by_the_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files(tmp_path, "a.yaml")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "link.yaml").symlink_to("a.yaml")
    assert expanded(["link.yaml", "a.yaml"]) == ["link.yaml"]
    assert expanded([os.fspath(tmp_path / "a.yaml"), "a.yaml"]) == [os.fspath(tmp_path / "a.yaml")]
