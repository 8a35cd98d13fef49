"""The routing corpus through both doors: the library and the command line give the same answers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from aldo.catalog import load_catalog
from aldo.errors import AldoError
from aldo.router import route
from aldo.schema.request import request_from_value
from tests.support.cases import RouteCase, route_cases
from tests.support.cli import aldo


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory) -> list[RouteCase]:
    return route_cases(tmp_path_factory.mktemp("catalogs"))


def _through_library(case: RouteCase) -> dict[str, Any]:
    try:
        catalog = load_catalog(case.catalog)
        decision = route(catalog, request_from_value(case.request))
    except AldoError as error:
        return {"error": error.to_dict()}
    return {**decision.to_dict(), "provider": catalog.by_id[decision.model].provider}


def test_the_corpus_routes_as_expected_through_the_library(cases: list[RouteCase]) -> None:
    assert len(cases) > 10
    for case in cases:
        case.check(_through_library(case))


def test_the_corpus_routes_as_expected_through_requests_jsonl(cases: list[RouteCase], tmp_path: Path) -> None:
    for catalog in {case.catalog for case in cases}:
        mine = [case for case in cases if case.catalog == catalog]
        log = tmp_path / "requests.jsonl"
        log.write_text("".join(json.dumps(case.request) + "\n" for case in mine), "utf-8")
        done = aldo("route", "--catalog", str(catalog), "--requests", str(log))
        outcomes = [json.loads(line) for line in done.stdout.splitlines()]
        assert len(outcomes) == len(mine)
        for case, outcome in zip(mine, outcomes, strict=True):
            case.check(outcome)


_OPTIONS = {
    "capabilityClass": "--class",
    "privacy": "--privacy",
    "fallbackClasses": "--fallback",
    "requires": "--requires",
    "tokensIn": "--tokens-in",
    "maxTokensOut": "--max-tokens-out",
    "budgetUsd": "--budget-usd",
    "localities": "--locality",
    "pin": "--pin",
    "exclude": "--exclude",
    "down": "--down",
}


def test_the_corpus_routes_as_expected_through_options(cases: list[RouteCase]) -> None:
    for case in cases:
        if set(case.request) - set(_OPTIONS) or "privacy" not in case.request:
            continue  # cannot be said with options: that is the point of the case
        arguments = []
        for field, value in case.request.items():
            for item in value if isinstance(value, list) else [value]:
                arguments += [_OPTIONS[field], str(item)]
        done = aldo("route", "--catalog", str(case.catalog), "--json", *arguments)
        outcome = json.loads(done.stdout)
        case.check(outcome)
        code = outcome.get("error", {}).get("code")
        assert done.returncode == {None: 0, "no_eligible_model": 1}.get(code, 2)
        assert outcome == {**outcome, **json.loads(json.dumps(_through_library(case)))}
