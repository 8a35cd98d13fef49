"""Where no catalog is named, the library takes the one that every command takes."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

import aldo
from aldo.catalog.chosen import chosen_name, shipped_catalog
from tests.support.cases import MODELS, ROOT

COMPANY = ROOT / "examples" / "company.yaml"


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ALDO_CATALOG", raising=False)
    monkeypatch.delenv("ALDO_OVERLAYS", raising=False)
    return tmp_path


def test_it_is_the_one_that_ships_with_aldo() -> None:
    assert aldo.load_catalog() == aldo.load_catalog(MODELS)
    assert Path(shipped_catalog()) == MODELS


def test_one_in_the_working_directory_comes_first_and_the_environment_before_it(
    elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = elsewhere / "models.yaml"
    mine.write_text(MODELS.read_text("utf-8").replace("lmstudio-gemma-3-4b", "mine"), "utf-8")
    assert "mine" in aldo.load_catalog().by_id
    monkeypatch.setenv("ALDO_CATALOG", str(MODELS))
    assert "mine" not in aldo.load_catalog().by_id


def test_overlays_are_those_given_or_those_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    layered = aldo.load_catalog(MODELS, [COMPANY])
    assert aldo.load_catalog(overlays=[COMPANY]) == layered != aldo.load_catalog()
    monkeypatch.setenv("ALDO_OVERLAYS", str(COMPANY))
    assert aldo.load_catalog() == layered
    assert aldo.load_catalog(MODELS) != layered, "a path that is given is taken alone"


def test_it_is_named_as_people_would_name_it() -> None:
    assert chosen_name(None, ()) == "the catalog that ships with aldo"
    assert chosen_name("a.yaml", ("b.yaml", "c.yaml")) == "a.yaml + b.yaml + c.yaml"


def test_a_copy_of_a_request_is_checked_as_a_new_one_is() -> None:
    request = aldo.RouteRequest(capability_class="fast-draft", privacy="public", tokens_in=9)
    down = request.model_copy(update={"down": ["x"]})
    assert down == aldo.RouteRequest(capability_class="fast-draft", privacy="public", tokens_in=9, down=("x",))
    assert aldo.route(aldo.load_catalog(), down)
    for wrong in ({"privacy": "sensitiv"}, {"tokens_in": "9"}, {"budget_usd": -1}, {"nope": 1}):
        with pytest.raises(ValidationError):
            request.model_copy(update=wrong)
