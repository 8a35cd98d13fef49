"""`aldo replay`: the summary, the JSON, the exit codes."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.replay.logs import write_log
from tests.replay.odd import FINE, ODD_ROWS
from tests.support.cases import MODELS
from tests.support.cli import aldo

CATALOG = ("--catalog", str(MODELS))


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return write_log(tmp_path / "log.parquet", [*ODD_ROWS, *({**FINE, "tokensIn": n} for n in range(1000))])


@pytest.fixture
def dearer(tmp_path: Path) -> Path:
    """The shipped catalog without the two local drafts, so that drafts go to the cloud."""
    text = MODELS.read_text("utf-8").replace(
        "capabilityClass: fast-draft", "capabilityClass: fast-draft\n    enabled: false", 2
    )
    file = tmp_path / "dearer.yaml"
    file.write_text(text, "utf-8")
    return file


def test_the_summary_fits_the_terminal_and_says_what_changes(log: Path, dearer: Path) -> None:
    done = aldo("replay", str(log), *CATALOG, "--against", str(dearer))
    assert done.returncode == 0, done.stderr
    assert max(map(len, done.stdout.splitlines())) <= 80
    for words in (
        f"{len(ODD_ROWS) + 1000:,} requests",
        "routed",
        "invalid_request",
        "unknown_class",
        "against the other catalog",
        "moves",
    ):
        assert words in done.stdout
    assert "USD" in done.stdout


def test_the_json_is_versioned_and_the_same_every_time(log: Path, dearer: Path, tmp_path: Path) -> None:
    arguments = ("replay", str(log), *CATALOG, "--against", str(dearer), "--json")
    done = aldo(*arguments)
    report = json.loads(done.stdout)
    assert report["version"] == 1
    assert report["rows"] == report["routed"] + report["refused"] + report["invalid"] == len(ODD_ROWS) + 1000
    assert sum(report["errors"].values()) == report["refused"] + report["invalid"]
    changes = report["against"]
    assert changes["same"] + changes["rerouted"] + changes["unroutable"] + changes["routable"] == report["rows"]
    assert changes["reroutes"][0]["rows"] == max(move["rows"] for move in changes["reroutes"])
    assert aldo(*arguments, "-o", str(tmp_path / "out.parquet")).stdout == done.stdout
    rows = pq.read_table(tmp_path / "out.parquet").to_pylist()
    assert sum(row["change"] == "rerouted" for row in rows) == changes["rerouted"] > 0
    assert json.loads(aldo("replay", str(log), *CATALOG, "--json").stdout)["against"] is None


def test_an_export_names_what_it_wrote(tmp_path: Path) -> None:
    done = aldo("replay", "--export", str(tmp_path / "there"), *CATALOG, "--dialect", "spark", "--json")
    assert done.returncode == 0, done.stderr
    written = {Path(name).name for name in json.loads(done.stdout)["written"]}
    assert written == {path.name for path in (tmp_path / "there").iterdir()}
    assert written >= {"replay.sql", "README.md", "aldo_candidates.parquet"}
    assert "named_struct(" in (tmp_path / "there" / "replay.sql").read_text("utf-8")


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("LOG", "--dialect", "spark"),
        ("LOG", "--export", "there"),
        ("--export", "there", "-o", "out.parquet"),
        ("--export", "there", "--dialect", "oracle"),
        ("LOG", "--against", "nowhere.yaml"),
        ("LOG", "-o", "LOG"),
        ("nowhere.parquet",),
    ],
    ids=" ".join,
)
def test_bad_usage_ends_with_2_and_writes_nothing(log: Path, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    before = sorted(tmp_path.iterdir()), log.read_bytes()
    given = [str(log) if argument == "LOG" else argument for argument in arguments]
    done = aldo("replay", *given, *CATALOG, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr
    assert (sorted(tmp_path.iterdir()), log.read_bytes()) == before


def test_without_the_extra_it_says_how_to_get_it(log: Path, tmp_path: Path) -> None:
    hidden = tmp_path / "hidden"
    hidden.mkdir()
    (hidden / "duckdb.py").write_text("raise ImportError\n")
    done = aldo("replay", str(log), *CATALOG, PYTHONPATH=f"{hidden}:{':'.join(sys.path)}")
    assert (done.returncode, done.stderr) == (
        2,
        "error: aldo replay needs the extra: pip install 'aldo-gateway[replay]'\n",
    )
    done = aldo("replay", "--export", str(tmp_path / "there"), *CATALOG, PYTHONPATH=f"{hidden}:{':'.join(sys.path)}")
    assert done.returncode == 2
    assert not (tmp_path / "there").exists()
