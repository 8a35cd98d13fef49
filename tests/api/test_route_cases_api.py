"""The routing corpus through the third door: a dry run of the gateway says what the library says."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from aldo.catalog import load_catalog
from aldo.errors import AldoError
from aldo.router import route
from aldo.schema.request import request_from_value
from tests.api.running import Gateway, House
from tests.support.cases import RouteCase, route_cases


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory) -> list[RouteCase]:
    return route_cases(tmp_path_factory.mktemp("catalogs"))


@pytest.fixture(scope="module")
def gateways(cases: list[RouteCase], shared_house: House) -> Iterator[dict[Path, Gateway]]:
    yield {path: shared_house.gateway(path=path) for path in {case.catalog for case in cases}}


def through_library(case: RouteCase) -> dict[str, Any]:
    try:
        decision = route(load_catalog(case.catalog), request_from_value(case.request))
    except AldoError as error:
        return {"error": error.to_dict()}
    return decision.to_dict()


def through_api(case: RouteCase, gateways: dict[Path, Gateway]) -> Any:
    return gateways[case.catalog].http.post("/v1/route", json=case.request)


STATUS = {"no_eligible_model": 422, "unknown_class": 404, "unknown_capability": 400}


def test_the_corpus_routes_as_expected_through_the_gateway(
    cases: list[RouteCase], gateways: dict[Path, Gateway]
) -> None:
    assert len(cases) > 10
    for case in cases:
        answer = through_api(case, gateways)
        found, expected = answer.json(), through_library(case)
        if "error" not in expected:
            assert answer.status_code == 200, (case.name, found)
            provider = gateways[case.catalog].http.get(f"/v1/models/{found['model']}").json()["owned_by"]
            case.check({**found, "provider": provider})
            shared = {name: found[name] for name in expected}
            assert shared == json.loads(json.dumps(expected)), case.name
            assert found["health"] == {}
            continue
        code = expected["error"]["code"]
        if "privacy" not in case.request:
            assert (answer.status_code, found["error"]["code"]) == (400, "privacy_missing"), case.name
            continue
        case.check(found)
        assert found["error"]["code"] == code, case.name
        outage = code == "no_eligible_model" and any(stage["code"] == "DOWN" for stage in expected["error"]["stages"])
        assert answer.status_code == (503 if outage else STATUS.get(code, 400)), case.name
        for name in ("stages", "relaxations", "suggestions"):
            assert found["error"].get(name) == json.loads(json.dumps(expected["error"].get(name))), case.name


def test_the_corpus_routes_the_same_with_the_tier_in_the_header(
    cases: list[RouteCase], gateways: dict[Path, Gateway]
) -> None:
    for case in cases:
        if case.request.get("privacy") not in ("public", "internal", "sensitive"):
            continue
        rest = {name: value for name, value in case.request.items() if name != "privacy"}
        headers = {"x-aldo-privacy": case.request["privacy"]}
        answer = gateways[case.catalog].http.post("/v1/route", json=rest, headers=headers)
        assert answer.json() == through_api(case, gateways).json(), case.name
