"""The corpus of overlays through both doors: the library and the command line say the same."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

import aldo as library
from aldo.catalog.layers import read_layers, trace
from aldo.schema.request import request_from_value
from tests.support.cli import aldo
from tests.support.overlay_cases import OverlayCase, overlay_cases


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory) -> list[OverlayCase]:
    return overlay_cases(tmp_path_factory.mktemp("overlays"))


def test_the_corpus_finds_what_it_says_through_the_library(cases: list[OverlayCase]) -> None:
    for case in cases:
        found = library.lint(case.base, overlays=case.layers, select=["AL1", "AL6"]).findings
        assert [f"{case.place(f.path, f.span.line, f.span.column)} {f.code}" for f in found if f.span] == case.findings


def test_the_corpus_finds_what_it_says_through_lint(cases: list[OverlayCase]) -> None:
    for case in cases:
        overlays = case.options[2:]
        done = aldo("lint", str(case.base), *overlays, "--json", "--select", "AL1,AL6")
        report = json.loads(done.stdout)
        places = [f"{case.place(f['path'], f['line'], f['column'])} {f['code']}" for f in report["findings"]]
        assert places == case.findings
        assert done.returncode == any(f["severity"] == "error" for f in report["findings"])
        assert report["checked"]["files"] == 1 + len(case.layers)


def test_the_corpus_merges_and_routes_as_expected_through_the_library(cases: list[OverlayCase]) -> None:
    loadable = [case for case in cases if case.routes]
    assert loadable
    for case in loadable:
        catalog = library.load_catalog(case.base, overlays=case.layers)
        for model, fields in case.models.items():
            entry = catalog.by_id[model].model_dump(mode="json", exclude_none=True, exclude_defaults=True)
            assert {name: entry[name] for name in fields} == fields
        for request, model in case.routes:
            try:
                assert library.route(catalog, request_from_value(request)).model == model
            except library.NoEligibleModelError:
                assert model is None


def test_the_corpus_merges_and_routes_as_expected_through_the_command_line(
    cases: list[OverlayCase], tmp_path: Path
) -> None:
    for case in (case for case in cases if case.routes):
        rendered = json.loads(aldo("catalog", "render", "--json", *case.options).stdout)
        entries = {entry["id"]: entry for entry in rendered["models"]}
        for model, fields in case.models.items():
            assert {name: entries[model][name] for name in fields} == fields
        log = tmp_path / f"{case.name}.jsonl"
        log.write_text("".join(json.dumps(request) + "\n" for request, _ in case.routes), "utf-8")
        environment = {"ALDO_OVERLAYS": os.pathsep.join(map(str, case.layers))}
        done = aldo("route", "--requests", str(log), "--catalog", str(case.base), **environment)
        outcomes = [json.loads(line).get("model") for line in done.stdout.splitlines()]
        assert outcomes == [model for _, model in case.routes]


def test_the_corpus_explains_its_values_through_the_library(cases: list[OverlayCase]) -> None:
    for case in cases:
        for what, chain in case.explain.items():
            model, _, path = what.partition(".")
            (one,) = trace(read_layers(str(case.base), case.layers), model, path)
            places = [case.place(link.file, link.span.line, link.span.column) for link in one.chain if link.span]
            assert [f"{at} {link.operation}" for at, link in zip(places, one.chain, strict=True)] == chain, what


def test_the_corpus_explains_its_values_through_the_command_line(cases: list[OverlayCase]) -> None:
    for case in cases:
        for what, chain in list(case.explain.items())[:2]:
            done = aldo("catalog", "explain", what, *case.options, "--json")
            (field,) = json.loads(done.stdout)["fields"]
            links = field["chain"]
            assert [f"{case.place(k['file'], k['line'], k['column'])} {k['operation']}" for k in links] == chain, what
            text = aldo("catalog", "explain", what, *case.options).stdout.splitlines()
            assert len(text) == 1 + len(chain)
            assert all(f"{link['file']}:{link['line']}:" in line for link, line in zip(links, text[1:], strict=True))


def test_what_cannot_be_loaded_ends_every_command_with_its_findings(cases: list[OverlayCase]) -> None:
    (case,) = (case for case in cases if case.name == "every-defect")
    for command in (["route", "--class", "fast-draft", "--privacy", "public"], ["prove"], ["models", "list"]):
        done = aldo(*command, *case.options)
        assert done.returncode == 2
        assert all(code in done.stderr for code in ("AL601", "AL604", "AL606", "AL603", "AL605", "AL602"))
        assert "AL608" not in done.stderr
        assert f"{case.layers[0]}:4:3" in done.stderr
