"""`[tool.aldo.lint]`: where it is found, what it may hold, and what a wrong table is told."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aldo.errors import UsageError
from aldo.validate.settings import Settings, find_settings, read_settings

NAMES = ("files", "select", "ignore", "strict", "max-age", "output")
TABLE = "[tool.aldo.lint]"


def written(folder: Path, *lines: str, head: str = TABLE) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "pyproject.toml"
    file.write_text("\n".join((head, *lines, "")), "utf-8")
    return file


def refused(file: Path) -> str:
    with pytest.raises(UsageError) as raised:
        read_settings(file)
    return str(raised.value)


def test_every_setting_is_read_and_paths_are_those_from_the_file(tmp_path: Path) -> None:
    file = written(
        tmp_path / "p[1]",
        'files = ["models.yaml", "more/*.yaml", "-", "/abs.yaml"]',
        'select = ["AL3", "al4"]',
        'ignore = ["AL301"]',
        "strict = true",
        "max-age = 30",
        'output = ["sarif=out.sarif", "text", "json=-", "junit=a=b.xml"]',
    )
    escaped = f"{tmp_path}/p[[]1]"
    assert read_settings(file) == Settings(
        files=(f"{escaped}/models.yaml", f"{escaped}/more/*.yaml", "-", "/abs.yaml"),
        select=("AL3", "al4"),
        ignore=("AL301",),
        strict=True,
        max_age=30,
        output=(f"sarif={file.parent}/out.sarif", "text", "json=-", f"junit={file.parent}/a=b.xml"),
        source=f"{file}: {TABLE}",
    )


def test_what_is_left_out_is_as_without_a_table_but_for_its_source(tmp_path: Path) -> None:
    file = written(tmp_path)
    assert read_settings(file) == Settings(source=f"{file}: {TABLE}")
    assert Settings() == Settings((), (), (), False, None, (), "")
    assert read_settings(written(tmp_path, "max-age = 0", "strict = false")).max_age == 0


def test_files_stay_as_they_are_written_in_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = written(tmp_path, 'files = ["a.yaml", "-"]')
    monkeypatch.chdir(tmp_path)
    assert read_settings(file).files == ("a.yaml", "-")


def test_the_nearest_file_that_has_the_table_counts(tmp_path: Path) -> None:
    low = tmp_path / "a" / "b" / "c"
    low.mkdir(parents=True)
    top = written(tmp_path, "max-age = 1")
    written(tmp_path / "a", 'name = "aldo"', head="[project]")
    (tmp_path / "a" / "b" / "pyproject.toml").mkdir()
    assert find_settings(low) == read_settings(top)
    near = written(low, "max-age = 3")
    assert find_settings(low) == read_settings(near)
    assert find_settings(low.parent).max_age == 1


def test_no_table_anywhere_is_no_settings(tmp_path: Path) -> None:
    written(tmp_path, 'name = "another"', head="[project]")
    assert find_settings(tmp_path).source in ("", find_settings(tmp_path.parent).source)
    assert find_settings(tmp_path / "none") == find_settings(tmp_path.parent)


def test_a_file_that_speaks_of_other_things_is_not_looked_into(tmp_path: Path) -> None:
    """Not even where it is no TOML at all: only who names aldo is meant."""
    (tmp_path / "pyproject.toml").write_text("[project\nname = ", "utf-8")
    assert find_settings(tmp_path) == find_settings(tmp_path.parent)
    assert refused(tmp_path / "pyproject.toml") == f"{tmp_path}/pyproject.toml has no table {TABLE}"
    (tmp_path / "pyproject.toml").write_text("[tool.aldo\n", "utf-8")
    with pytest.raises(UsageError, match="cannot be read: "):
        find_settings(tmp_path)


def test_a_file_that_is_named_must_be_one_and_have_the_table(tmp_path: Path) -> None:
    assert refused(tmp_path) == f"{tmp_path} is a directory, not a TOML file"
    assert refused(tmp_path / "no.toml") == f"{tmp_path}/no.toml: no such file"
    for head in ("[tool.other]", "[aldo]", "[tool.aldo]", '[tool]\naldo.x = "y"\n[tool.aldo.lint]'):
        file = written(tmp_path, 'name = "aldo"', head=head)
        assert str(file) in refused(file)
    file = written(tmp_path, head='[project]\nname = "aldo"')
    assert refused(file) == f"{file} has no table {TABLE}"
    file.write_text('tool = "aldo"\n', "utf-8")
    assert refused(file) == f"{file} has no table {TABLE}"


def test_bytes_that_are_no_text_are_told_as_such(tmp_path: Path) -> None:
    file = tmp_path / "pyproject.toml"
    file.write_bytes(b'[tool.aldo.lint]\nselect = ["\xff"]\n')
    assert refused(file).startswith(f"{file} cannot be read: 'utf-8' codec can't decode")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[tool.aldo.lnt]\n", "[tool.aldo] holds 'lnt'; what there is is the table [tool.aldo.lint]"),
        (
            "[tool.aldo]\nlint = {}\nother = 1\n",
            "[tool.aldo] holds 'other'; what there is is the table [tool.aldo.lint]",
        ),
        ("[tool]\naldo = 3\n", "[tool.aldo] holds 'aldo'; what there is is the table [tool.aldo.lint]"),
        ("[tool.aldo]\nlint = 3\n", "[tool.aldo.lint] must be a table"),
        ("[tool.aldo]\nlint = []\n", "[tool.aldo.lint] must be a table"),
    ],
)
def test_what_is_not_the_table_is_told_with_the_one_that_there_is(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "pyproject.toml"
    file.write_text(text, "utf-8")
    assert refused(file) == f"{file}: {said}"


WRONG = {"files": "3", "select": '"AL3"', "ignore": '["AL3", 4]', "strict": "1", "max-age": "true", "output": "{}"}
WANTED = {"strict": "true or false", "max-age": "a whole number"}


@pytest.mark.parametrize("name", NAMES)
def test_a_value_of_another_type_is_told_with_what_it_must_be(tmp_path: Path, name: str) -> None:
    file = written(tmp_path, f"{name} = {WRONG[name]}")
    assert refused(file) == f"{file}: {TABLE} {name} must be {WANTED.get(name, 'a list of texts')}"


def test_an_age_is_not_negative_and_no_fraction(tmp_path: Path) -> None:
    file = written(tmp_path, "max-age = -1")
    assert refused(file) == f"{file}: {TABLE} max-age must be 0 or more"
    assert refused(written(tmp_path, "max-age = 1.5")) == f"{file}: {TABLE} max-age must be a whole number"


@pytest.mark.parametrize(
    ("name", "hint"),
    [("selct", "did you mean 'select'?"), ("max_age", "did you mean 'max-age'?"), ("strct", "did you mean 'strict'?")],
)
def test_a_setting_that_does_not_exist_is_told_with_the_one_that_is_near(tmp_path: Path, name: str, hint: str) -> None:
    file = written(tmp_path, f"{name} = 1")
    assert refused(file) == f"{file}: {TABLE} has no setting {name!r}; {hint}"


@settings(max_examples=50)
@given(st.from_regex("[xyz]{5,9}", fullmatch=True))
def test_a_setting_that_is_near_to_none_is_told_with_all(tmp_path_factory: pytest.TempPathFactory, name: str) -> None:
    file = written(tmp_path_factory.mktemp("settings"), f"{name} = 1")
    assert refused(file) == f"{file}: {TABLE} has no setting {name!r}; the settings are {', '.join(NAMES)}"
