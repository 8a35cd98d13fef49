"""`[tool.aldo.lint]` in pyproject.toml: found from below, obeyed, outdone by the command line, and strict about itself."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from aldo.validate import all_rules
from aldo.validate.example import ENTRY, MINIMAL, SECOND, changed
from tests.cli.test_lint_options import Run, run

BROKEN = changed("locality: local", "locality: lcal")
MISTAGGED = changed("[streaming, tool-use]", "[streeming, tool-use]")
DATED = changed("    provider: mlx\n", "    provider: mlx\n    asOf: 2026-10-13\n")


def project(folder: Path, table: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "pyproject.toml").write_text(f'[project]\nname = "x"\n\n[tool.aldo.lint]\n{table}\n', "utf-8")
    for name, text in {"ok": MINIMAL, "bad": BROKEN, "warn": MISTAGGED, "bare": ENTRY + SECOND, "dated": DATED}.items():
        (folder / f"{name}.yaml").write_text(text, "utf-8")
    return folder


def codes(done: Run) -> list[str]:
    return [finding["code"] for finding in json.loads(done.stdout)["findings"]]


def checked(done: Run) -> dict[str, int]:
    counts: dict[str, int] = json.loads(done.stdout)["checked"]
    return counts


@pytest.mark.parametrize("below", ["", "sub", "sub/deep"])
def test_files_and_outputs_count_from_the_directory_of_pyproject(tmp_path: Path, below: str) -> None:
    here = project(tmp_path / "p", 'files = ["b*.yaml", "ok.yaml"]\noutput = ["sarif=out.sarif", "text=-"]')
    (here / below).mkdir(parents=True, exist_ok=True)
    done = run(here / below)
    assert done.returncode == 1
    assert "(3 files, 6 entries" in done.stdout
    assert json.loads((here / "out.sarif").read_text("utf-8"))["version"] == "2.1.0"


def test_the_directory_of_pyproject_is_no_pattern(tmp_path: Path) -> None:
    here = project(tmp_path / "a[1]", 'files = ["*.yaml"]')
    (here / "sub").mkdir()
    for arguments, cwd in (((), here), ((), here / "sub"), (("--config", "a[1]/pyproject.toml"), tmp_path)):
        assert checked(run(cwd, "--json", *arguments))["files"] == 5


def test_a_pattern_from_a_subdirectory_finds_what_it_finds_from_its_own(tmp_path: Path) -> None:
    here = project(tmp_path / "p", 'files = ["**/*.yaml"]')
    project(here / "sub", "").joinpath("pyproject.toml").unlink()
    assert checked(run(here, "--json")) == checked(run(here / "sub", "--json")) == {"files": 10, "entries": 20, "rules": len(all_rules())}  # fmt: skip


def test_the_nearest_pyproject_that_has_the_table_counts(tmp_path: Path) -> None:
    here = project(tmp_path / "p", 'ignore = ["AL2"]')
    inner = here / "inner"
    inner.mkdir()
    (inner / "pyproject.toml").write_text("[tool.other]\nx = 1\n", "utf-8")
    assert codes(run(inner, "--json", "../warn.yaml")) == []
    (inner / "pyproject.toml").write_text("[tool.aldo.lint]\n", "utf-8")
    assert codes(run(inner, "--json", "../warn.yaml")) == ["AL201"]


@pytest.mark.parametrize(
    ("table", "arguments", "code", "found"),
    [
        ('select = ["AL1"]', ["warn.yaml"], 0, []),
        ('select = ["AL1"]', ["--select", "AL2", "warn.yaml"], 0, ["AL201"]),
        ('ignore = ["AL2"]', ["warn.yaml"], 0, []),
        ('ignore = ["AL2"]', ["--ignore", "AL1", "warn.yaml"], 0, ["AL201"]),
        ('ignore = ["AL201"]', ["--select", "AL201", "warn.yaml"], 0, ["AL201"]),
        ("strict = true", ["warn.yaml"], 1, ["AL201"]),
        ("strict = true", ["--no-strict", "warn.yaml"], 0, ["AL201"]),
        ("strict = false", ["--strict", "warn.yaml"], 1, ["AL201"]),
        ("max-age = 10", ["dated.yaml"], 0, ["AL407"]),
        ("max-age = 10", ["--max-age", "100", "dated.yaml"], 0, []),
        ("max-age = 100", ["--max-age", "0", "dated.yaml"], 0, ["AL407"]),
        ('files = ["bad.yaml"]', [], 1, ["AL106"]),
        ('files = ["bad.yaml"]', ["ok.yaml"], 0, []),
        ('files = ["none*.yaml"]', [], 2, ["AL108"]),
    ],
)  # fmt: skip
def test_every_setting_is_obeyed_and_the_command_line_takes_its_place(
    tmp_path: Path, table: str, arguments: list[str], code: int, found: list[str]
) -> None:
    done = run(project(tmp_path, table), "--json", *arguments)
    assert (done.returncode, codes(done)) == (code, found)


def test_an_output_of_the_command_line_takes_the_place_of_those_of_the_file(tmp_path: Path) -> None:
    here = project(tmp_path, 'output = ["json=file.json"]')
    run(here, "--output", "junit=line.xml", "ok.yaml")
    assert (here / "line.xml").exists()
    assert not (here / "file.json").exists()


WRONG = {
    'fils = ["a"]': "did you mean 'files'?",
    'selct = ["a"]': "did you mean 'select'?",
    "max_age = 3": "did you mean 'max-age'?",
    "maxAge = 3": "did you mean 'max-age'?",
    "zzz = 1": "files, select, ignore, strict, max-age, output",
    'files = "a.yaml"': "files must be a list of texts",
    "select = [1]": "select must be a list of texts",
    'ignore = "AL1"': "ignore must be a list of texts",
    "strict = 1": "strict must be true or false",
    'strict = "yes"': "strict must be true or false",
    'max-age = "3"': "max-age must be a whole number",
    "max-age = true": "max-age must be a whole number",
    "max-age = 1.5": "max-age must be a whole number",
    "max-age = -3": "max-age must",
    'output = "json=a"': "output must be a list of texts",
    'output = ["json"]': "FORMAT=FILE",
    'output = ["xml=a"]': "FORMAT=FILE",
    'select = ["AL77"]': "'AL77'",
    "broken =": "cannot be read",
}


@pytest.mark.parametrize("table", list(WRONG))
def test_a_wrong_setting_is_bad_usage_that_names_the_file_and_what_would_be_right(tmp_path: Path, table: str) -> None:
    done = run(project(tmp_path, table), "ok.yaml", COLUMNS="80")
    said = " ".join(done.stderr.split())
    assert (done.returncode, done.stdout) == (2, "")
    assert WRONG[table] in said
    assert "pyproject.toml" in said


@pytest.mark.parametrize(
    "content",
    ["[tool.aldo]\nlnt = {}\n", "[tool.aldo]\nstrict = true\n", "[tool]\naldo = 3\n", "[tool.aldo]\nlint = 3\n"],
)
def test_a_table_of_another_name_is_not_passed_over(tmp_path: Path, content: str) -> None:
    project(tmp_path, "")
    (tmp_path / "pyproject.toml").write_text(content, "utf-8")
    done = run(tmp_path, "ok.yaml")
    assert done.returncode == 2
    assert "[tool.aldo.lint]" in " ".join(done.stderr.split())


@pytest.mark.parametrize(("data", "says"), [(b"# aldo \xff", "cannot be read"), (b"# aldo\na = ", "cannot be read")])
def test_a_pyproject_that_is_no_toml_is_bad_usage(tmp_path: Path, data: bytes, says: str) -> None:
    project(tmp_path, "")
    (tmp_path / "pyproject.toml").write_bytes(data)
    done = run(tmp_path, "ok.yaml")
    assert done.returncode == 2
    assert says in " ".join(done.stderr.split())


def test_config_names_the_file_instead_of_looking_for_one(tmp_path: Path) -> None:
    here = project(tmp_path / "p", 'ignore = ["AL2"]')
    (here / "other.toml").write_text('[tool.aldo.lint]\nfiles = ["bad.yaml"]\n', "utf-8")
    assert codes(run(here, "--json", "--config", "other.toml")) == ["AL106"]
    assert codes(run(tmp_path, "--json", "--config", "p/other.toml")) == ["AL106"]
    (here / "empty.toml").write_text("", "utf-8")
    done = run(here, "--config", "empty.toml", "ok.yaml")
    assert done.returncode == 2
    assert "[tool.aldo.lint]" in done.stderr


@pytest.mark.parametrize(("given", "says"), [("none.toml", "none.toml"), (".", "directory"), ("", "--config")])
def test_a_config_that_is_no_file_is_bad_usage_that_says_so(tmp_path: Path, given: str, says: str) -> None:
    done = run(project(tmp_path, ""), "--config", given, "ok.yaml")
    assert done.returncode == 2
    assert says in done.stderr


def test_documentation_and_help_need_no_readable_settings(tmp_path: Path) -> None:
    here = project(tmp_path, "broken =")
    assert run(here, "--explain", "all").returncode == 0
    assert run(here, "--help").returncode == 0


def test_standard_input_in_the_settings_is_standard_input_wherever_one_stands(tmp_path: Path) -> None:
    here = project(tmp_path / "p", 'files = ["-"]')
    (here / "sub").mkdir()
    for cwd in (here, here / "sub"):
        assert codes(run(cwd, "--json", stdin=BROKEN)) == ["AL106"]
