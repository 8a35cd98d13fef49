"""Reading and validating catalogs, positions kept, against libyaml's compose alone."""

from __future__ import annotations

import gc
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import yaml

from aldo.catalog import catalog_of, load_catalog, read_catalog, read_document
from aldo.catalog.events import without_garbage_collector
from aldo.catalog.layers.layered import Layered
from aldo.catalog.layers.overlay import overlay_of
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


def layer_rows() -> Iterator[Row]:
    """Three layers over 10 000 entries: each a cost, a URL and the tiers of some entries, or of all."""
    number = 10_000
    for name, every in (("of every tenth entry", 10), ("of every entry", 1)):
        with tempfile.TemporaryDirectory() as directory:
            base = Path(directory) / "models.yaml"
            base.write_text(as_yaml(number), "utf-8")
            layers = [Path(directory) / f"{layer}.yaml" for layer in range(3)]
            for layer, path in enumerate(layers):
                path.write_text(_overlay(layer, range(layer, number, every)), "utf-8")
            alone = per_call(lambda path=base: load_catalog(path), rounds=3)
            together = per_call(lambda path=base, over=layers: load_catalog(path, over), rounds=3)
            merging = min(_merging(base, layers) for _ in range(3))
        yield Row(f"merging 3 layers, {name}", merging, f"loading {number} entries", alone, "<= 0.5 x")
        yield Row("  read, checked and merged", together - alone, f"loading {number} entries", alone)


def _merging(base: Path, layers: list[Path]) -> float:
    """Seconds of the merge alone, of documents that were read."""
    read = catalog_of(read_document(str(base)))
    overlays = tuple(overlay_of(read_document(str(path))) for path in layers)
    gc.collect()
    started = time.perf_counter()
    with without_garbage_collector():
        merged = Layered(read, overlays)
    taken = time.perf_counter() - started
    assert merged.file is not None
    return taken


def _overlay(layer: int, numbers: range) -> str:
    lines = ["apiVersion: aldo/models.v1", "kind: ModelCatalogOverlay", "override:"]
    for number in numbers:
        lines += [
            f"  model-{number}:",
            f"    cost: {{ usdPerMtokIn: {layer}.5, usdPerMtokOut: {layer + 1}.25 }}",
            f"    providerConfig: {{ baseUrl: https://layer-{layer}.example/v1 }}",
            f"    privacyAllowed: [{'public, internal' if layer % 2 else 'public'}]",
        ]
    return "\n".join(lines) + "\n"
