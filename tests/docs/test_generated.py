"""Pages that are made from the code have not drifted from it, and the site of all pages builds without a warning."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from publish.pages import PAGES
from tests.support.cases import ROOT


@pytest.mark.parametrize("name", PAGES)
def test_a_generated_page_is_what_is_generated_now(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in [one for one in os.environ if one.startswith("ALDO_")]:
        monkeypatch.delenv(variable)
    assert (ROOT / name).read_text("utf-8") == PAGES[name](), "run: make docs"


def test_every_command_is_in_the_reference() -> None:
    said = (ROOT / "docs" / "reference" / "cli.md").read_text("utf-8")
    for command in ("aldo lint", "aldo catalog set", "aldo models audit", "aldo eval run", "aldo completion"):
        assert f"`{command}`\n" in said


def test_the_site_builds_without_a_warning_and_loads_nothing_from_elsewhere(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path / "site")],
        cwd=ROOT, env={**os.environ, "NO_MKDOCS_2_WARNING": "1"}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    for page in (tmp_path / "site").rglob("*.html"):
        text = page.read_text("utf-8")
        assert 'src="http' not in text
        assert 'rel="stylesheet" href="http' not in text
    rules = (tmp_path / "site" / "reference" / "rules" / "index.html").read_text("utf-8")
    assert 'id="al103"' in rules, "where findings lead"
    assert "<code>" in (tmp_path / "site" / "how-to" / "prove" / "index.html").read_text("utf-8")


def test_the_picture_of_the_terminal_loads_nothing() -> None:
    drawn = (ROOT / "docs" / "pictures" / "terminal.svg").read_text("utf-8")
    assert "url(http" not in drawn
    assert "5 proven" in drawn.replace("&#160;", " ")
