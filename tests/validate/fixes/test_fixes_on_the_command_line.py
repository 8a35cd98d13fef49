"""`aldo lint --fix` and `--diff`: what they print, what they write, and standard input."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import pytest

from aldo.catalog import read_document
from aldo.validate.fix import fix_document, fix_files
from tests.support.cli import aldo
from tests.validate.fixes.mending import AMBIGUOUS, CHECKS, DAY, MENDED, TODAY, odd, spoilt


@pytest.mark.parametrize("unsafe", [False, True])
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("line_end", ["\n", "\r\n"], ids=["lf", "crlf"])
def test_the_diff_writes_nothing_and_is_exactly_what_fix_does(
    tmp_path: Path, seed: int, unsafe: bool, line_end: str
) -> None:
    text = spoilt(random.Random(seed)).replace("tool-use", "tool_use", 1).replace("\n", line_end)
    file = tmp_path / "models.yaml"
    file.write_text(text, "utf-8", newline="")
    done = fix_files([file], unsafe=unsafe, today=TODAY).files[0]
    shown = done.diff()
    assert file.read_bytes() == text.encode()
    assert patched(text, shown) == done.text
    done.write()
    assert file.read_bytes() == done.text.encode()


def patched(text: str, diff: str) -> str:
    """The text with a unified diff applied to it."""
    before, after, at = text.splitlines(keepends=True), [], 0
    for line in diff.splitlines(keepends=True)[2:]:
        if line.startswith("@@"):
            start = int(line.split()[1].split(",")[0].lstrip("-"))
            after += before[at : max(start - 1, 0)]
            at = max(start - 1, 0)
        elif line[0] == "\\":
            after[-1] = after[-1].rstrip("\n")
        elif line[0] == "+":
            after.append(line[1:])
        else:
            assert before[at].rstrip("\r\n") == line[1:].rstrip("\r\n")
            if line[0] == " ":
                after.append(before[at])
            at += 1
    return "".join(after + before[at:])


def test_diff_on_the_command_line_writes_nothing_and_says_so(tmp_path: Path) -> None:
    file = tmp_path / "models.yaml"
    file.write_text(AMBIGUOUS, "utf-8")
    done = aldo("lint", "--diff", str(file), ALDO_TODAY=DAY)
    assert done.returncode == 1
    assert '-    provider: NO\n+    provider: "NO"\n' in done.stdout
    assert "nothing was written" in done.stderr
    assert file.read_text("utf-8") == AMBIGUOUS
    assert aldo("lint", "--fix", str(file), ALDO_TODAY=DAY).returncode == 0
    assert file.read_text("utf-8") == MENDED
    assert aldo("lint", "--diff", str(file), ALDO_TODAY=DAY).returncode == 0


def test_fix_on_standard_input_prints_the_mended_text_alone() -> None:
    done = aldo("lint", "--fix", "-", stdin=AMBIGUOUS, ALDO_TODAY=DAY)
    assert (done.returncode, done.stdout) == (0, MENDED)


def test_fix_of_standard_input_keeps_line_ends_and_mark() -> None:
    """`-` is a filter: what it does not mend it passes on byte for byte."""
    data = odd(AMBIGUOUS, line_end="\r\n", mark=True, last=False)
    done = subprocess.run(
        [sys.executable, "-m", "aldo.cli.main", "lint", "--fix", "--today", "2026-11-22", "-"],
        input=data,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.stdout == odd(MENDED, line_end="\r\n", mark=True, last=False)


def test_an_unreadable_file_among_others_is_told_and_the_others_are_mended(tmp_path: Path) -> None:
    broken, file = tmp_path / "a.yaml", tmp_path / "b.yaml"
    broken.write_bytes(b"\xff\xfe")
    file.write_text(AMBIGUOUS, "utf-8")
    done = aldo("lint", "--fix", str(broken), str(file), ALDO_TODAY=DAY)
    assert done.returncode == 2
    assert file.read_text("utf-8") == MENDED
    assert broken.read_bytes() == b"\xff\xfe"


def test_keys_do_not_show_in_a_diff(tmp_path: Path) -> None:
    key = "sk-proj-Zq81kXw02mVbT5yHc9"
    file = tmp_path / "models.yaml"
    file.write_text(AMBIGUOUS.replace("provider: NO", f"provider: NO   # {key}", 1), "utf-8")
    document = read_document(str(file))
    assert key not in fix_document(document, CHECKS).diff()
    assert key in fix_document(document, CHECKS).text
    done = aldo("lint", "--diff", str(file), ALDO_TODAY=DAY)
    assert key not in done.stdout + done.stderr
    assert "provider" in done.stdout
