"""The software bill of materials: what it lists is what is installed, and what is shipped."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from aldo import __version__
from tests.packaging.building import DISTRIBUTION, Built, build_both, files_of
from tests.packaging.environments import Environment, run
from tests.packaging.sbom import check, origin, write

INSTALLED = """
import json
from importlib.metadata import distributions
print(json.dumps({d.metadata["Name"].lower(): d.version for d in distributions()}))
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    return build_both(tmp_path_factory.mktemp("built"))


@pytest.fixture(scope="module")
def text(built: Built, tmp_path_factory: pytest.TempPathFactory) -> str:
    pytest.importorskip("cyclonedx_py")
    file = write(built.wheel, tmp_path_factory.mktemp("bom"))
    assert file.name == f"{DISTRIBUTION}-{__version__}.cdx.json"
    return file.read_text("utf-8")


@pytest.fixture(scope="module")
def bom(text: str) -> dict[str, Any]:
    return json.loads(text)


def test_it_is_said_of_every_shipped_file_where_it_is_from(built: Built) -> None:
    data = [name for name in files_of(built.wheel) if not name.endswith(".py") and ".dist-info/" not in name]
    assert data
    assert [name for name in data if origin(name) is None] == []


@pytest.mark.heavy
def test_it_is_valid_and_names_no_place_of_this_machine(text: str) -> None:
    assert json.loads(text)["bomFormat"] == "CycloneDX"
    assert check(text) is None
    assert check(json.dumps(json.loads(text) | {"bomFormat": "another"})) is not None
    for place in ("file:///", str(Path.home()) + "/", str(Path.cwd())):
        assert place not in text


@pytest.mark.heavy
def test_it_names_aldo_and_exactly_what_is_installed_with_it(bom: dict[str, Any], built: Built, tmp_path: Path) -> None:
    environment = Environment.make(Path(sys.executable), tmp_path)
    environment.pip("install", "--quiet", built.wheel)
    installed = json.loads(run(environment.python, "-c", INSTALLED, cwd=environment.folder))
    root = bom["metadata"]["component"]
    listed = {one["name"].lower(): one["version"] for one in [root, *bom["components"]]}
    assert listed == {name: version for name, version in installed.items() if name not in {"pip", "setuptools"}}
    assert root["name"] == DISTRIBUTION


@pytest.mark.heavy
def test_every_component_has_a_licence_and_an_edge_from_who_needs_it(bom: dict[str, Any]) -> None:
    root = bom["metadata"]["component"]
    components = [root, *bom["components"], *root["components"]]
    assert [one["name"] for one in components if not one.get("licenses")] == []
    needed = {ref for edge in bom["dependencies"] for ref in edge.get("dependsOn", [])}
    assert {one["bom-ref"] for one in bom["components"]} <= needed


@pytest.mark.heavy
def test_it_lists_every_shipped_file_that_is_no_program(bom: dict[str, Any], built: Built) -> None:
    data = {name for name in files_of(built.wheel) if not name.endswith(".py") and ".dist-info/" not in name}
    listed = {one["name"]: one for one in bom["metadata"]["component"]["components"]}
    assert set(listed) == data
    assert len(listed["aldo/models.yaml"]["externalReferences"]) > 5
