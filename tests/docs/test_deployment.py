"""The files of the deployment page are those of examples/deploy, and what they call exists."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import click
import pytest

from aldo.cli.serve import PORT
from aldo.cli.serve import command as serve
from tests.support.cases import ROOT

FOLDER = ROOT / "examples" / "deploy"
FILES = ["Containerfile", "aldo.service", "nginx.conf"]


@pytest.mark.parametrize("name", FILES)
def test_the_page_shows_the_file_as_it_is(name: str) -> None:
    assert f"\n{(FOLDER / name).read_text('utf-8')}```" in (ROOT / "docs" / "how-to" / "deploy.md").read_text("utf-8")


def _takes(arguments: list[str]) -> None:
    """Whether `aldo serve` takes these arguments. Nothing is served."""
    with click.Context(serve) as context:
        serve.parse_args(context, arguments)


def test_the_command_of_the_container_is_one() -> None:
    text = (FOLDER / "Containerfile").read_text("utf-8")
    program, word, *arguments = json.loads(re.search(r"^ENTRYPOINT (.*)$", text, re.MULTILINE)[1])  # type: ignore[index]
    assert (program, word) == ("aldo", "serve")
    _takes(arguments)
    assert f"EXPOSE {PORT}" in text
    assert f"127.0.0.1:{PORT}/health" in text
    assert "aldo-gateway[serve]" in text


def test_the_command_of_the_unit_is_one() -> None:
    text = (FOLDER / "aldo.service").read_text("utf-8")
    program, word, *arguments = shlex.split(re.search(r"^ExecStart=(.*)$", text, re.MULTILINE)[1])  # type: ignore[index]
    assert (Path(program).name, word) == ("aldo", "serve")
    _takes(arguments)


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
def test_systemd_reads_the_unit(tmp_path: Path) -> None:
    unit = tmp_path / "aldo.service"
    unit.write_text((FOLDER / "aldo.service").read_text("utf-8").replace("/opt/aldo/bin/aldo", "/bin/true"), "utf-8")
    done = subprocess.run(["systemd-analyze", "verify", str(unit)], capture_output=True, text=True, check=False)
    assert "aldo.service:" not in done.stderr, done.stderr
