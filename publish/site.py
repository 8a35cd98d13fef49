"""Hooks of mkdocs: files of the tree that pages link to become a part of the site."""

from __future__ import annotations

import os
import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[1]
_LINK = re.compile(r"(\]\()(\.\./[^)#\s]+)")
_FENCE = re.compile(r"^(```\w+)[^\n]*$", re.MULTILINE)
_PLACE = "tree"


def on_files(files: Files, *, config: MkDocsConfig) -> Files:
    """Add every file outside of docs/ that a page links to."""
    for page in list(files.documentation_pages()):
        for link in _LINK.findall(Path(page.abs_src_path or "").read_text("utf-8")):
            place = _outside(page.src_uri, link[1])
            if place and files.get_file_from_path(f"{_PLACE}/{place}") is None:
                files.append(File.generated(config, f"{_PLACE}/{place}", abs_src_path=str(ROOT / place)))
    return files


def on_page_markdown(markdown: str, *, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Let the links lead to them."""
    folder = os.path.dirname(page.file.src_uri)

    def led(found: re.Match[str]) -> str:
        place = _outside(page.file.src_uri, found[2])
        return f"{found[1]}{os.path.relpath(f'{_PLACE}/{place}', folder or '.')}" if place else found[0]

    # What stands after a fence's language tells the tests how to run it, and a page nothing.
    return _FENCE.sub(r"\1", _LINK.sub(led, markdown))


def _outside(page: str, link: str) -> str | None:
    """The place in the tree of a link that leaves docs/."""
    place = os.path.normpath(os.path.join("docs", os.path.dirname(page), link))
    return None if place.startswith("docs/") else place
