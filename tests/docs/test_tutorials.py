"""What the tutorials show as the content of a file is what stands in examples/tutorial/."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.cases import ROOT
from tests.support.cli import aldo

FILES = ROOT / "examples" / "tutorial"
PAGES = sorted((ROOT / "docs" / "tutorials").glob("*.md"))
LINK = re.compile(r"\]\(\.\./\.\./examples/tutorial/([^)]+)\)")
FENCE = re.compile(r"^```yaml[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
BY_OTHER_WORDS = {"broken.yaml"}  # it has errors on purpose; the page shows what lint says of it


def _shown(page: Path) -> Iterator[tuple[str, str]]:
    """Each file that a page shows: the name in the last link before the fence, and the fence."""
    text = page.read_text("utf-8")
    for fence in FENCE.finditer(text):
        yield LINK.findall(text, 0, fence.start())[-1], fence[1]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_tutorial_shows_the_files_as_they_are(page: Path) -> None:
    for name, text in _shown(page):
        assert (FILES / name).read_text("utf-8") == text, name


def test_every_file_is_shown_once() -> None:
    shown = [name for page in PAGES for name, _ in _shown(page)]
    assert sorted(shown) == sorted({path.name for path in FILES.iterdir()} - BY_OTHER_WORDS)


def test_the_broken_catalog_mended_is_the_good_one(tmp_path: Path) -> None:
    mended = tmp_path / "models.yaml"
    mended.write_bytes((FILES / "broken.yaml").read_bytes())
    aldo("lint", "--fix", "--unsafe", str(mended))
    assert mended.read_bytes() == (FILES / "models.yaml").read_bytes()
