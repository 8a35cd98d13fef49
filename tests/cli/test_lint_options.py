"""The options of `aldo lint`, one law or table each, and what a user reads."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import unicodedata
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aldo.cli.main import main
from aldo.errors import UsageError
from aldo.validate import FORMATS, all_rules, lint, render
from aldo.validate.example import ENTRY, HEADER, MINIMAL, SECOND, changed, configured
from aldo.validate.select import selected

DAY = "2026-11-22"
BROKEN = changed("locality: local", "locality: lcal")
MISTAGGED = changed("[streaming, tool-use]", "[streeming, tool-use]")
BARE = ENTRY + SECOND
DATED = changed("    provider: mlx\n", "    provider: mlx\n    asOf: 2026-10-13\n")  # 40 days before DAY
FILES = {"ok.yaml": MINIMAL, "bad.yaml": BROKEN, "warn.yaml": MISTAGGED, "bare.yaml": BARE, "dated.yaml": DATED}


class Run(NamedTuple):
    returncode: int
    stdout: str
    stderr: str
    raw: bytes


@pytest.fixture
def here(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).write_text(text, "utf-8")
    return tmp_path


def run(here: Path, *arguments: str, stdin: str | bytes = b"", **environment: str) -> Run:
    """`aldo lint` in this process, which is ten times faster than in one of its own."""
    data = stdin.encode() if isinstance(stdin, str) else stdin
    out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", newline="", write_through=True) for _ in range(2))
    with pytest.MonkeyPatch.context() as patch, contextlib.chdir(here):
        for name in [name for name in os.environ if name.startswith("ALDO_")]:
            patch.delenv(name)
        for name, value in {"ALDO_TODAY": DAY, "COLUMNS": "80", "GITHUB_ACTIONS": "", **environment}.items():
            patch.setenv(name, value)
        patch.setattr("sys.argv", ["aldo", "lint", *arguments])
        patch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(data), "utf-8"))
        patch.setattr("sys.stdout", out)
        patch.setattr("sys.stderr", err)
        with pytest.raises(SystemExit) as ended:
            main()
    raw = out.buffer.getvalue(), err.buffer.getvalue()
    return Run(int(ended.value.code or 0), raw[0].decode("utf-8", "replace"), raw[1].decode("utf-8", "replace"), raw[0])


def told(done: Run) -> list[tuple[str, str]]:
    """Code and file of each finding of a JSON report."""
    return [(finding["code"], finding["path"]) for finding in json.loads(done.stdout)["findings"]]


# Which rules


@given(
    st.lists(st.sampled_from(["AL", "AL1", "AL3", "AL30", "AL304", "AL5", "AL50", "AL501"]), max_size=4),
    st.lists(st.sampled_from(["AL", "AL1", "AL3", "AL30", "AL304", "AL5", "AL50", "AL501"]), max_size=4),
)
def test_the_longest_beginning_decides_whether_a_rule_is_applied(select: list[str], ignore: list[str]) -> None:
    def longest(code: str, prefixes: list[str]) -> int:
        return max([len(prefix) for prefix in prefixes if code.startswith(prefix)], default=-1)

    for code in all_rules():
        wanted = longest(code, select) if select else 0
        assert (code in selected(select, ignore)) == (wanted >= 0 and wanted > longest(code, ignore)), code


@given(st.sampled_from(list(all_rules())), st.integers(3, 5))
def test_a_code_is_the_same_in_small_letters_and_with_blanks(code: str, length: int) -> None:
    assert selected([f" {code[:length].lower()} "]) == selected([code[:length]])


@pytest.mark.parametrize("wrong", ["AL999", "XX", "AL1x", "", "304"])
def test_an_unknown_code_is_bad_usage_that_names_it_and_the_families(wrong: str) -> None:
    for options in ({"select": [wrong]}, {"ignore": [wrong]}):
        with pytest.raises(UsageError, match=re.escape(repr(wrong))) as caught:
            selected(**options)
        assert "AL1, AL2" in str(caught.value)


def test_select_and_ignore_take_repeats_and_commas(here: Path) -> None:
    options = ("--json", "--select", "AL1,al2", "--select", "AL3", "--ignore", "AL106")
    done = run(here, *options, "bad.yaml", "warn.yaml")
    # What stops a load is told in any case: a file that cannot be used must not pass.
    assert told(done) == [("AL106", "bad.yaml"), ("AL201", "warn.yaml")]
    known = [code for code in all_rules() if code[2] in "123" and code != "AL106"]
    assert json.loads(done.stdout)["checked"]["rules"] == len(known)
    assert run(here, "--select", "AL999", "ok.yaml").returncode == 2


# Exit codes


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["ok.yaml"], 0),
        (["warn.yaml"], 0),
        (["--strict", "warn.yaml"], 1),
        (["--strict", "bare.yaml"], 0),  # an info is no warning
        (["bad.yaml"], 1),
        (["bad.yaml", "ok.yaml"], 1),
        (["missing.yaml", "bad.yaml"], 2),
        (["."], 2),
        (["nothing/**/*.yaml"], 2),
        (["--strict", "--no-strict", "warn.yaml"], 0),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_the_exit_code_is_0_without_errors_1_with_errors_2_for_what_cannot_be_read(
    here: Path, arguments: list[str], code: int
) -> None:
    done = run(here, *arguments)
    assert (done.returncode, done.stderr) == (code, "")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--output", "json", "ok.yaml"], "FORMAT=FILE"),
        (["--output", "xml=a.xml", "ok.yaml"], "sarif"),
        (["--output", "json=", "ok.yaml"], "FORMAT=FILE"),
        (["--output", "json=no/such/folder/a.json", "ok.yaml"], "cannot be written: No such file"),
        (["--output", "json=.", "ok.yaml"], "cannot be written: Is a directory"),
        (["--unsafe", "ok.yaml"], "--unsafe goes with --fix or --diff"),
        (["--json", "--format", "text", "ok.yaml"], "two formats"),
        (["--format", "xml", "ok.yaml"], "junit"),
        (["--today", "2026-13-01", "ok.yaml"], "2026-13-01"),
        (["--today", "soon", "ok.yaml"], "soon"),
        (["--max-age", "-1", "ok.yaml"], "--max-age"),
        (["--explain", "AL999"], "--explain all"),
        (["--explain", "nothing"], "--explain all"),
        (["--config", "none.toml", "ok.yaml"], "none.toml"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_bad_usage_ends_with_2_and_says_what_would_be_right(here: Path, arguments: list[str], says: str) -> None:
    done = run(here, *arguments)
    assert done.returncode == 2
    assert says in " ".join((done.stderr + done.stdout).split())


def test_an_unwritable_report_does_not_hide_the_findings(here: Path) -> None:
    done = run(here, "--output", "json=no/such/a.json", "--output", "sarif=there.sarif", "bad.yaml")
    assert done.returncode == 2
    assert "cannot be written" in done.stderr
    assert "AL106" in done.stdout
    assert (here / "there.sarif").exists()


def test_a_report_is_never_written_over_a_file_that_is_checked(here: Path) -> None:
    done = run(here, "--output", "json=ok.yaml", "ok.yaml")
    assert done.returncode == 2
    assert (here / "ok.yaml").read_text("utf-8") == MINIMAL


# Formats


def test_several_reports_are_written_in_one_run_and_each_is_what_its_format_prints(here: Path) -> None:
    outputs = [option for form in FORMATS for option in ("--output", f"{form}=out.{form}")]
    done = run(here, *outputs, "bad.yaml")
    assert done.returncode == 1
    for form in FORMATS:
        assert (here / f"out.{form}").read_text("utf-8") == run(here, "--format", form, "bad.yaml").stdout
    assert done.stdout == (here / "out.text").read_text("utf-8")


def test_a_report_for_standard_output_is_printed(here: Path) -> None:
    """And nothing else: what is read from there is one report."""
    done = run(here, "--output", "junit=-", "--format", "json", "ok.yaml")
    assert ElementTree.fromstring(done.stdout).get("failures") == "0"


def test_under_github_actions_the_format_is_github_unless_one_is_named(here: Path) -> None:
    assert run(here, "bad.yaml", GITHUB_ACTIONS="true").stdout.startswith("::error file=bad.yaml,line=7,")
    assert run(here, "--format", "text", "bad.yaml", GITHUB_ACTIONS="true").stdout.startswith("error[AL106]")
    assert run(here, "--json", "bad.yaml", GITHUB_ACTIONS="true").stdout.startswith("{")
    assert run(here, "bad.yaml", GITHUB_ACTIONS="false").stdout.startswith("error[AL106]")


def test_json_errors_are_json_however_json_was_asked_for(here: Path) -> None:
    for options in (("--json",), ("--format", "json"), ("--format=json",)):
        done = run(here, *options, "--select", "AL999", "ok.yaml")
        assert done.returncode == 2
        assert json.loads(done.stdout)["error"]["code"] == "usage", options


def test_statistics_count_each_rule_and_agree_with_the_findings(here: Path) -> None:
    files = ("bad.yaml", "warn.yaml", "bare.yaml")
    findings = [code for code, _ in told(run(here, "--json", *files))]
    table = re.findall(r"^ *(\d+)  (AL\d{3})  \S+$", run(here, "--statistics", *files).stdout, re.MULTILINE)
    counted = json.loads(run(here, "--statistics", "--json", *files).stdout)
    assert {code: int(count) for count, code in table} == {code: findings.count(code) for code in findings}
    assert [(one["code"], one["count"]) for one in counted["statistics"]] == [(code, int(n)) for n, code in table]
    assert counted["checked"] == {"files": 3, "entries": 6, "rules": len(all_rules())}


# Documentation


def test_all_rules_are_listed_one_a_line_and_each_explains_itself(here: Path) -> None:
    lines = run(here, "--explain", "all").stdout.splitlines()
    assert [line[:5] for line in lines] == list(all_rules())
    done = run(here, "--explain", "al304")
    assert done.returncode == 0
    found = all_rules()["AL304"]
    assert all(
        part in done.stdout for part in (found.name, found.severity, found.summary, found.bad.rstrip(), found.url)
    )
    assert "Bad:" in done.stdout
    assert "Good:" in done.stdout


def test_help_names_every_option_and_fits_80_columns(here: Path) -> None:
    text = run(here, "--help").stdout
    for option in ("--format", "--output", "--select", "--ignore", "--strict", "--fix", "--unsafe", "--diff", "--statistics", "--today", "--max-age", "--config", "--explain"):  # fmt: skip
        assert f" {option}" in text
    assert max(map(len, text.splitlines())) <= 80


# Files


def test_standard_input_is_linted_under_its_name_and_once(here: Path) -> None:
    done = run(here, "--json", "-", "ok.yaml", "-", stdin=BROKEN)
    assert told(done) == [("AL106", "<stdin>")]
    assert json.loads(done.stdout)["checked"]["files"] == 2


def test_standard_input_is_mended_to_standard_output_and_the_report_goes_aside(here: Path) -> None:
    text = changed("provider: mlx", "provider: NO")
    done = run(here, "--fix", "-", stdin=text)
    assert (done.returncode, done.stdout) == (0, text.replace("provider: NO", 'provider: "NO"'))
    assert "AL113" in done.stderr
    assert "No findings" in done.stderr
    done = run(here, "--fix", "-", stdin=MINIMAL)
    assert done.stdout == MINIMAL
    done = run(here, "--diff", "-", stdin=text)
    assert done.returncode == 1
    assert '-    provider: NO\n+    provider: "NO"\n' in done.stdout


@pytest.mark.parametrize(
    "data", [b"a: [", b"", b"\xef\xbb\xbf" + MINIMAL.encode(), MINIMAL.replace("\n", "\r\n").encode()]
)
def test_standard_input_that_needs_no_mending_comes_out_byte_for_byte(here: Path, data: bytes) -> None:
    assert run(here, "--fix", "-", stdin=data).raw == data


def test_quoted_patterns_are_expanded_in_order_and_each_file_is_checked_once(here: Path) -> None:
    (here / "deep" / "er").mkdir(parents=True)
    for name in ("deep/b.yaml", "deep/er/a.yaml", "deep/.hidden.yaml", "deep/note.txt"):
        (here / name).write_text(BROKEN, "utf-8")
    done = run(here, "--json", "deep/**/*.yaml", "deep/*.yaml", "deep/b.yaml")
    assert told(done) == [("AL106", "deep/b.yaml"), ("AL106", "deep/er/a.yaml")]


def test_a_file_whose_name_is_a_pattern_is_that_file(here: Path) -> None:
    (here / "a[1].yaml").write_text(BROKEN, "utf-8")
    (here / "a1.yaml").write_text(BROKEN, "utf-8")
    assert told(run(here, "--json", "a[1].yaml")) == [("AL106", "a[1].yaml")]


def test_a_pattern_that_matches_nothing_is_told_by_its_name(here: Path) -> None:
    done = run(here, "none/**/*.yaml", "ok.yaml")
    assert done.returncode == 2
    assert "none/**/*.yaml" in done.stdout
    assert "matches no file" in done.stdout


def test_one_file_under_several_names_is_checked_once(here: Path) -> None:
    done = run(here, "--json", "bad.yaml", "./bad.yaml", str(here / "bad.yaml"))
    assert json.loads(done.stdout)["checked"]["files"] == 1
    assert len(told(done)) == 1


def test_findings_come_in_the_order_of_the_files_named_and_of_their_places(here: Path) -> None:
    many = configured("{ baseURL: x }").replace("locality: local", "locality: lcal").replace("[streaming]", "[]")
    (here / "many.yaml").write_text(many, "utf-8")
    findings = json.loads(run(here, "--json", "many.yaml", "bad.yaml", "bare.yaml").stdout)["findings"]
    names = [finding["path"] for finding in findings]
    assert list(dict.fromkeys(names)) == ["many.yaml", "bad.yaml", "bare.yaml"]
    keys = [(["many.yaml", "bad.yaml", "bare.yaml"].index(f["path"]), f["line"], f["column"]) for f in findings]
    assert keys == sorted(keys)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_is_told_and_does_not_hide_the_others(here: Path) -> None:
    (here / "ok.yaml").chmod(0)
    done = run(here, "ok.yaml", "bad.yaml")
    assert done.returncode == 2
    assert "cannot be read: Permission denied" in done.stdout
    assert "AL106" in done.stdout


def test_diff_writes_nothing_and_fix_writes_what_diff_showed(here: Path) -> None:
    done = run(here, "--diff", "--unsafe", "bad.yaml", "ok.yaml")
    assert done.returncode == 1
    assert "-    locality: lcal\n+    locality: local\n" in done.stdout
    assert (here / "bad.yaml").read_text("utf-8") == BROKEN
    assert run(here, "--fix", "bad.yaml").returncode == 1
    assert (here / "bad.yaml").read_text("utf-8") == BROKEN
    done = run(here, "--fix", "--unsafe", "bad.yaml")
    assert done.returncode == 0
    assert "bad.yaml:7:15: AL106" in done.stderr
    assert (here / "bad.yaml").read_text("utf-8") == MINIMAL
    assert run(here, "--diff", "--unsafe", "bad.yaml").stdout == ""


def test_what_the_summary_says_can_be_mended_is_mended(here: Path) -> None:
    before = run(here, "bare.yaml").stdout
    assert "Can be mended: 1 with --fix" in before
    done = run(here, "--fix", "bare.yaml")
    assert "No findings" in done.stdout
    assert (here / "bare.yaml").read_text("utf-8") == HEADER + BARE


@pytest.mark.parametrize(
    "extra", [["--json"], ["--format", "sarif"], ["--output", "json=out.json"], ["--statistics"]], ids=" ".join
)
def test_an_option_that_goes_not_with_diff_is_refused_or_obeyed_but_never_passed_over(
    here: Path, extra: list[str]
) -> None:
    done = run(here, "--diff", *extra, "bad.yaml")
    obeyed = done.stdout.startswith(("{", "[")) or "AL106" in done.stdout or (here / "out.json").exists()
    assert done.returncode == 2 or obeyed


# Days


@pytest.mark.parametrize(
    ("arguments", "today", "stale"),
    [
        ([], "2026-11-22", False),
        (["--max-age", "40"], "2026-11-22", False),
        (["--max-age", "39"], "2026-11-22", True),
        (["--max-age", "0"], "2026-11-22", True),
        ([], "2027-11-22", True),
        (["--today", "2026-11-22"], "2027-11-22", False),
        (["--today", "2027-11-22"], "2026-11-22", True),
    ],
)
def test_age_counts_from_today_or_the_day_that_is_named(
    here: Path, arguments: list[str], today: str, stale: bool
) -> None:
    done = run(here, "--json", *arguments, "dated.yaml", ALDO_TODAY=today)
    assert ("AL407", "dated.yaml") in told(done) or not stale
    assert (("AL407", "dated.yaml") in told(done)) == stale


def test_a_day_of_the_environment_that_is_none_is_bad_usage_that_names_the_variable(here: Path) -> None:
    done = run(here, "ok.yaml", ALDO_TODAY="yesterday")
    assert done.returncode == 2
    assert "yesterday" in done.stderr
    assert "ALDO_TODAY" in done.stderr


# The text


def test_the_summary_counts_findings_files_entries_and_rules(here: Path) -> None:
    done = run(here, "bad.yaml", "warn.yaml", "ok.yaml")
    rules = len(all_rules())
    assert f"1 error, 1 warning (3 files, 6 entries, {rules} rules checked)\n" in done.stdout
    assert f"No findings (1 file, 2 entries, {rules} rules checked)\n" in run(here, "ok.yaml").stdout


def columns(text: str) -> int:
    """How many columns of a terminal the text takes."""
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


@pytest.mark.parametrize(
    "before",
    ["b", "a", "\t", "a\tb", "名前", "名\t前", "e\u0301", "\u202e", "\x85", "\u200b", "é", "🦊", "x" * 49, "x" * 120, "名" * 60, "\t" * 120, "\u2028" * 3],
    ids=lambda text: ascii(text)[:24],
)  # fmt: skip
def test_the_caret_stands_under_what_is_wrong(tmp_path: Path, before: str) -> None:
    config = f'{{ headers: {{ a: "{before}" }}, baseURL: x, model: "{"y" * 80}" }}'
    shown = []
    for ending in ("\n", "\r\n"):
        (tmp_path / "frame.yaml").write_text(configured(config).replace("\n", ending), "utf-8", newline="")
        shown.append(render("text", lint([tmp_path / "frame.yaml"], select=["AL103"])))
    text = shown[0]
    assert shown[1] == text
    _, source, carets = (line.partition(" | ")[2] for line in re.findall(r"^ +\d* \|.*$", text, re.MULTILINE))
    assert set(carets) == {" ", "^"}
    assert carets.count("^") == len("baseURL")
    left = columns(carets[: carets.index("^")])
    assert left == columns(source.partition("baseURL")[0])


@pytest.mark.parametrize("at", [0, 30, 99, 150, 400])
def test_a_long_line_is_cut_around_what_is_wrong(tmp_path: Path, at: int) -> None:
    text = changed(
        "cost: { usdPerMtokIn: 0, usdPerMtokOut: 0 }", f"cost: {{ usdPerMtokIn: 0, {' ' * at}usdPerMtokOut: -1 }}"
    )
    (tmp_path / "long.yaml").write_text(text, "utf-8")
    shown = render("text", lint([tmp_path / "long.yaml"], select=["AL1"]))
    assert max(map(len, (line for line in shown.splitlines() if " | " in line))) <= 120
    assert re.search(r"usdPerMtokOut: -1.*\n.*\^\^\n", shown)
