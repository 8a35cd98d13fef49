"""The files that the demo works on: those of the documents, laid into one folder."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from aldo.catalog.chosen import shipped_catalog
from aldo.errors import UsageError

_IN_CHECKOUT: Mapping[str, str] = {
    "policy.yaml": "policy.yaml",
    "routes.test.yaml": "routes.test.yaml",
    "company.yaml": "examples/company.yaml",
    "mine.yaml": "examples/mine.yaml",
    "broken.yaml": "examples/tutorial/broken.yaml",
    "city.schema.json": "examples/city.schema.json",
    "code-reviewer.yaml": "agency/agents/code-reviewer.yaml",
    "smoke.yaml": "suites/smoke.yaml",
}
"""Each lives once: in a checkout where it says; a wheel has them under `files/` (force-include in pyproject.toml)."""


def lay_out(folder: Path) -> None:
    """Copy them into the folder, which is made. Raises `UsageError` for one that has something in it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise UsageError(f"{folder} is not empty; the demo writes its files into a new folder")
        shutil.copyfile(shipped_catalog(), folder / "models.yaml")
        for name in _IN_CHECKOUT:
            shutil.copyfile(_source(name), folder / name)
    except OSError as error:
        raise UsageError(f"the files of the demo cannot be written to {folder}: {error.strerror}") from None


def _source(name: str) -> Path:
    here = Path(__file__).resolve()
    installed = here.parent / "files" / name
    return installed if installed.is_file() else here.parents[3] / _IN_CHECKOUT[name]
