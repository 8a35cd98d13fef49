"""Reading and validating catalogs, positions kept, against libyaml's compose alone."""

from __future__ import annotations

import gc
import tempfile
from collections.abc import Iterator
from pathlib import Path

import yaml

from aldo.catalog import load_catalog, read_catalog
from bench.catalogs import as_yaml
from bench.measure import Row, per_call


def rows() -> Iterator[Row]:
    for number in (1_000, 10_000):
        text = as_yaml(number)
        with tempfile.TemporaryDirectory() as directory:
            path = Path(directory) / "models.yaml"
            path.write_text(text, "utf-8")
            ours = per_call(lambda path=path: load_catalog(path), rounds=3)
            gc.disable()
            try:
                theirs = per_call(lambda text=text: yaml.compose(text, Loader=yaml.CSafeLoader), rounds=3)
            finally:
                gc.enable()
            path.write_text(text.replace("    locality:", "    localty:"), "utf-8")
            broken = per_call(lambda path=path: read_catalog(str(path)).findings, rounds=3)
        yield Row(f"a defect in each of {number} entries", broken, "the same without", ours)
        yield Row(f"load + validate {number} entries", ours, "C compose, collector off", theirs, "<= 3 x")
