"""How the command line behaves around its commands."""

from __future__ import annotations

import subprocess
import sys

from aldo import __version__
from tests.support.cases import ROOT
from tests.support.cli import aldo


def test_version_and_help() -> None:
    assert aldo("--version").stdout.strip().endswith(__version__)
    assert aldo("-h").returncode == 0
    for command in ("lint", "route", "chat", "models", "schema"):
        assert aldo(command, "--help").returncode == 0
        assert command in aldo("--help").stdout


def test_a_mistyped_command_or_class_gets_a_suggestion() -> None:
    done = aldo("ruote")
    assert (done.returncode, "Did you mean 'route'?" in done.stderr) == (2, True)
    done = aldo("models", "list", "--class", "fast-drafts", cwd=ROOT)
    assert (done.returncode, "did you mean 'fast-draft'?" in done.stderr) == (2, True)


def test_a_pipe_closed_early_is_no_error() -> None:
    command = f"{sys.executable} -m aldo.cli.main schema catalog | head -n 1"
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    assert done.stdout == "{\n"
    assert done.returncode == 0


def test_a_catalog_with_defects_stops_every_command_with_places_and_exit_2(tmp_path: object) -> None:
    bad = ROOT / "tests" / "cases" / "catalogs" / "ten-defects.yaml"
    for arguments in (
        ("route", "--class", "fast-draft", "--privacy", "public"),
        ("models", "list"),
        ("chat", "--class", "fast-draft", "--privacy", "public", "hello"),
    ):
        done = aldo(*arguments, "--catalog", str(bad))
        assert done.returncode == 2
        assert done.stdout == ""
        assert done.stderr.count("error[AL") >= 10
        assert "Traceback" not in done.stderr


def test_control_characters_of_a_catalog_never_reach_the_terminal() -> None:
    entry = 'kind: ModelCatalog\napiVersion: aldo/models.v1\nmodels:\n  - id: "a\\e[31mred\\a"\n    "x\\e[2J": 1\n'
    for form in ("text", "json"):
        done = aldo("lint", "--format", form, "-", stdin=entry)
        assert done.returncode == 1
        assert "\x1b" not in done.stdout
        assert "\x07" not in done.stdout
