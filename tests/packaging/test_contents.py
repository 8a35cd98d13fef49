"""What is in the wheel and in the sdist, and what they say of themselves."""

from __future__ import annotations

import json
import re
import tarfile
import tomllib
import zipfile
from email.message import Message
from email.parser import BytesParser
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
import yaml
from markdown_it import MarkdownIt

from aldo import __version__
from tests.packaging.building import DISTRIBUTION, Built, build, build_both, files_of, tracked
from tests.support.cases import ROOT

SETTINGS: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
PROJECT: dict[str, Any] = SETTINGS["project"]
# Files of the tree that are in the wheel at another place: the catalog that ships, and what the demo shows.
PLACED: dict[str, str] = SETTINGS["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
INFO = f"aldo_gateway-{__version__}.dist-info"
VERSION_FILE = "aldo/_version.py"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("built")


@pytest.fixture(scope="module")
def built(place: Path) -> Built:
    return build_both(place)


@pytest.fixture(scope="module")
def metadata(built: Built) -> Message:
    with zipfile.ZipFile(built.wheel) as archive:
        return BytesParser().parsebytes(archive.read(f"{INFO}/METADATA"))


@pytest.fixture(scope="module")
def unpacked(built: Built, place: Path) -> Path:
    """The tree that the sdist makes."""
    with tarfile.open(built.sdist) as archive:
        # Python 3.11 knows filters from 3.11.4 on; the archive is ours.
        archive.extractall(place / "unpacked", **({"filter": "data"} if hasattr(tarfile, "data_filter") else {}))
    (tree,) = (place / "unpacked").iterdir()
    return tree


def test_every_file_of_the_package_that_git_knows_is_in_the_wheel(built: Built) -> None:
    package = {name for name in tracked() if name.startswith("aldo/")}
    assert len(package) > 100
    assert package - set(files_of(built.wheel)) == set()


def test_the_wheel_holds_nothing_else(built: Built) -> None:
    package = {name for name in tracked() if name.startswith("aldo/")}
    added = {name for name in files_of(built.wheel) if name not in package}
    licences = {f"{INFO}/licenses/{name}" for name in PROJECT["license-files"]}
    about = {f"{INFO}/{name}" for name in ("METADATA", "RECORD", "WHEEL", "entry_points.txt")}
    assert added == set(PLACED.values()) | about | licences
    assert not [name for name in added if name.endswith(".py")]


def test_the_wheel_holds_the_data(built: Built) -> None:
    data = {name for name in files_of(built.wheel) if name.startswith("aldo/") and not name.endswith(".py")}
    assert {"aldo/py.typed", "aldo/models.yaml"} <= data
    assert {PurePosixPath(name).suffix for name in data} == {".css", ".js", ".json", ".typed", ".yaml"}
    with zipfile.ZipFile(built.wheel) as archive:
        for here, there in PLACED.items():
            assert archive.read(there) == (ROOT / here).read_bytes()
        for name in data:
            if name.endswith(".json"):
                json.loads(archive.read(name))
        assert yaml.safe_load(archive.read("aldo/models.yaml"))["models"]


def test_the_sdist_holds_what_the_wheel_is_made_of_and_no_tests_benches_or_documents(unpacked: Path) -> None:
    found = {path.relative_to(unpacked).as_posix() for path in unpacked.rglob("*") if path.is_file()}
    expected = {name for name in tracked() if name.startswith("aldo/")}
    expected |= {"pyproject.toml", "PKG-INFO", ".gitignore", "CHANGELOG.md", "README.md"}
    assert found == expected | set(PLACED) | set(PROJECT["license-files"])


def test_the_wheel_of_the_sdist_is_the_wheel_of_the_tree(built: Built, unpacked: Path, place: Path) -> None:
    (wheel,) = build(unpacked, place / "again", "wheel")
    assert files_of(wheel) == files_of(built.wheel)
    assert wheel.read_bytes() == built.wheel.read_bytes()


def test_two_builds_are_the_same_bytes(built: Built, place: Path) -> None:
    (sdist,) = build(place / "source", place / "twice", "sdist")
    (wheel,) = build(place / "source", place / "twice", "wheel")
    assert wheel.read_bytes() == built.wheel.read_bytes()
    assert sdist.read_bytes() == built.sdist.read_bytes()


def test_the_metadata_say_what_the_project_says(metadata: Message) -> None:
    assert metadata["Name"] == PROJECT["name"] == DISTRIBUTION
    assert metadata["Version"] == __version__
    assert metadata["Requires-Python"] == PROJECT["requires-python"]
    assert metadata["License-Expression"] == PROJECT["license"] == "Apache-2.0"
    assert metadata.get_all("License-File") == PROJECT["license-files"]
    assert metadata["Summary"] == PROJECT["description"]
    assert metadata.get_all("Classifier") == PROJECT["classifiers"]
    assert set(metadata.get_all("Provides-Extra") or []) == set(PROJECT["optional-dependencies"])
    urls = {tuple(value.split(", ", 1)) for value in metadata.get_all("Project-URL") or []}
    assert urls == set(PROJECT.get("urls", {}).items())


def test_every_requirement_has_an_extra_that_exists_or_none(metadata: Message) -> None:
    required = metadata.get_all("Requires-Dist") or []
    assert sum("extra ==" not in line for line in required) == len(PROJECT["dependencies"])
    named = {name for line in required for name in re.findall(r"extra == '([\w-]+)'", line)}
    assert named == set(PROJECT["optional-dependencies"])


def test_the_licence_is_in_the_wheel_as_it_is_in_the_tree(built: Built) -> None:
    with zipfile.ZipFile(built.wheel) as archive:
        for name in PROJECT["license-files"]:
            assert archive.read(f"{INFO}/licenses/{name}") == (ROOT / name).read_bytes()


def test_the_description_is_the_readme_and_renders(metadata: Message) -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    assert metadata["Description-Content-Type"] == "text/markdown"
    shown = metadata.get_payload(decode=True)
    assert isinstance(shown, bytes)
    assert shown.decode() == readme
    # A page of an index is GitHub's Markdown with raw HTML cleaned away: there must be none to lose.
    tokens = MarkdownIt("commonmark").enable("table").parse(readme)
    assert tokens[0].tag == "h1"
    assert not [t for t in tokens if t.type == "html_block" and not t.content.startswith("<!-- ")]
    assert not [c for t in tokens for c in t.children or [] if c.type == "html_inline"]


def test_the_commands_and_entry_points_lead_to_something(built: Built) -> None:
    with zipfile.ZipFile(built.wheel) as archive:
        text = archive.read(f"{INFO}/entry_points.txt").decode()
        points = re.findall(r"^[\w-]+ = ([\w.]+)(?::(\w+))?$", text, re.M)
        assert len(points) == len(PROJECT["scripts"]) + sum(map(len, PROJECT["entry-points"].values()))
        for module, name in points:
            source = archive.read(f"{module.replace('.', '/')}.py").decode()
            assert not name or re.search(rf"^(?:def|class) {name}\b", source, re.M)


def test_the_version_is_written_once() -> None:
    assert "version" in PROJECT["dynamic"]
    assert SETTINGS["tool"]["hatch"]["version"]["path"] == VERSION_FILE
    written = re.compile(rf"""["']v?{re.escape(__version__)}["']""")
    programs = [name for name in tracked() if name.startswith("aldo/") and name.endswith(".py")]
    places = [*programs, "pyproject.toml", "Makefile", "action.yml", ".pre-commit-hooks.yaml"]
    assert [name for name in places if written.search((ROOT / name).read_text("utf-8"))] == [VERSION_FILE]


def test_documents_that_name_a_version_of_aldo_name_this_one() -> None:
    naming = re.compile(
        r"(?:/aldo@v|rev: v|^Version |aldo_gateway-|aldo-gateway==|aldo, version )(\d+\.\d+\.\d+)", re.M
    )
    named = {
        (name, version)
        for name in tracked()
        if name.endswith(".md") and name != "CHANGELOG.md"
        for version in naming.findall((ROOT / name).read_text("utf-8"))
    }
    assert named
    assert {version for _, version in named} == {__version__}, named


def test_the_changelog_has_a_heading_for_this_version_or_for_what_comes() -> None:
    headings = re.findall(r"^## \[(.+?)\]", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.M)
    assert headings[0] in {"Unreleased", __version__}
