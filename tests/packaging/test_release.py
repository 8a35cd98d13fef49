"""The release page: every command and file that it names is there. Nothing of it is run here: it tags and uploads."""

from __future__ import annotations

import importlib.util
import re
import shlex
import tomllib
from pathlib import Path

import click
import pytest

from aldo.cli.main import cli
from tests.support.cases import ROOT

PAGE = (ROOT / "docs" / "how-to" / "release.md").read_text("utf-8")
MAKEFILE = (ROOT / "Makefile").read_text("utf-8")
FENCES = re.compile(r"^```sh (\w+)\n(.*?)^```$", re.M | re.S)


def _commands(word: str) -> list[list[str]]:
    return [shlex.split(line) for kind, text in FENCES.findall(PAGE) if kind == word for line in text.splitlines()]


def test_every_make_target_of_the_page_is_one_and_is_in_the_help() -> None:
    named = {*re.findall(r"`make ([\w-]+)`", PAGE)}
    for command in _commands("make"):
        assert command[0] == "make"
        named.update(command[1:])
    assert {"check", "test", "test-all", "bench", "dist", "sbom", "sizes"} <= named
    targets = set(re.findall(r"^([\w-]+):(?!=)", MAKEFILE, re.M))
    helped = set(re.findall(r"^\t@echo 'make ([\w-]+) ", MAKEFILE, re.M))
    assert named <= targets, named - targets
    assert named <= helped, named - helped


def test_every_other_command_of_the_page_exists() -> None:
    modules = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["dependency-groups"]["release"]
    brought = {re.split(r"[><=]", one)[0] for one in modules if isinstance(one, str)} | {"venv", "pip"}
    commands = _commands("release")
    assert commands
    for program, *arguments in commands:
        name = Path(program).name
        if name == "python":
            assert arguments[0] == "-m"
            assert arguments[1] in brought
            assert importlib.util.find_spec(arguments[1]) or arguments[1] == "twine"
        elif name == "aldo":
            assert arguments == ["--version"] or cli.get_command(click.Context(cli), arguments[0])
        else:
            assert name in {"git", "pip"}


@pytest.mark.parametrize("name", sorted(set(re.findall(r"`([\w/.-]+\.(?:py|md|yaml|toml))`", PAGE))))
def test_every_file_of_the_page_is_there(name: str) -> None:
    assert (ROOT / name).is_file()
