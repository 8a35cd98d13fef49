"""What a log may look like: files, tables, columns; and what is said of one that cannot be read."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest

from aldo import Catalog, UsageError, load_catalog
from aldo.replay import Report, replay
from tests.replay.logs import log_table, one_by_one, outcomes, write_log
from tests.replay.odd import FINE, ODD_ROWS
from tests.replay.replaying import replayed
from tests.support.cases import MODELS, ROOT

CATALOG = load_catalog(MODELS)


def test_odd_rows_have_the_errors_that_route_raises() -> None:
    rows = [dict(row) for row in ODD_ROWS]
    found = outcomes(replayed(log_table(rows), CATALOG))
    assert found == [one_by_one(CATALOG, row) for row in rows]
    assert {row.error for row in found} == {
        *(None, "invalid_request", "no_eligible_model"),
        *("unknown_class", "unknown_capability", "unknown_model"),
    }


def test_a_log_of_two_columns_takes_the_defaults_of_a_request_for_the_others() -> None:
    log = pa.table({"capabilityClass": ["fast-draft", None], "privacy": ["internal"] * 2, "number": [0, 1]})
    row, invalid = replayed(log, CATALOG)
    assert outcomes([row]) == [one_by_one(CATALOG, {"capabilityClass": "fast-draft", "privacy": "internal"})]
    assert invalid["error"] == "invalid_request"


def test_other_columns_pass_through_in_their_places(tmp_path: Path) -> None:
    log = pa.table(
        {
            "when": pa.array([1, None], pa.timestamp("us", tz="UTC")),
            "capabilityClass": pa.array(["fast-draft", "embeddings"]).dictionary_encode(),
            'my team\'s "name"': [{"a": [1, 2]}, None],
            "privacy": ["public", "internal"],
            "tokensOut": [4, 5],
            "maxTokensOut": [40, 50],
            "requires": pa.array([[], None], pa.list_(pa.null())),
            "down": pa.nulls(2),
        }
    )
    replay(log, CATALOG, output=tmp_path / "out.parquet")
    found = pq.read_table(tmp_path / "out.parquet")
    assert found.column_names == [*log.column_names, "model", "classUsed", "estimatedUsd", "error"]
    for name in ("when", 'my team\'s "name"', "tokensOut"):
        assert found[name].to_pylist() == log[name].to_pylist()
    assert found.schema.field("estimatedUsd").type == pa.decimal128(38, 12)
    assert found["error"].to_pylist() == [None, None]


def test_files_patterns_tables_and_datasets_are_the_same_log(tmp_path: Path) -> None:
    rows = [{**FINE, "tokensIn": size} for size in range(100)]
    (tmp_path / "it's a log").mkdir()
    parts = [
        write_log(tmp_path / "it's a log" / f"{part}.parquet", rows[part * 50 :][:50], tokensIn=pa.int32())
        for part in (0, 1)
    ]
    logs: list[Any] = [
        log_table(rows),
        parts,
        [str(part) for part in parts],
        str(tmp_path / "it's a log" / "*.parquet"),
        ds.dataset(parts),
    ]
    reports: set[Report] = {replay(log, CATALOG) for log in logs}
    assert len(reports) == 1
    assert next(iter(reports)).rows == 100


def test_the_order_of_a_log_of_many_row_groups_is_kept(tmp_path: Path) -> None:
    number = pa.array(range(300_000))
    classes = pa.array(["fast-draft", "embeddings", "nope", "reasoning-small"] * 75_000)
    log = pa.table({"number": number, "capabilityClass": classes, "privacy": pa.repeat("public", 300_000)})
    pq.write_table(log, tmp_path / "log.parquet", row_group_size=7_000)
    replay(tmp_path / "log.parquet", CATALOG, CATALOG, tmp_path / "out.parquet")
    out = pq.read_table(tmp_path / "out.parquet")
    assert out["number"].equals(log["number"])
    assert out["classUsed"].slice(0, 4).to_pylist() == ["fast-draft", "embeddings", None, "reasoning-small"]
    assert set(out["change"].to_pylist()) == {"same"}


@pytest.mark.parametrize("part_rows", [1, 7, 33, 50, 100, 101])
def test_parts_of_any_size_make_the_same_output(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part_rows: int
) -> None:
    rows = [{**ODD_ROWS[number % len(ODD_ROWS)], "tokensIn": number} for number in range(100)]
    log = log_table(rows)
    first, second = log.slice(0, 67), log.slice(67)
    (tmp_path / "log [1]").mkdir()
    for name, part in (("a*", first), ("b", second)):
        pq.write_table(part, tmp_path / "log [1]" / f"{name}.parquet", row_group_size=10)
    files = sorted((tmp_path / "log [1]").iterdir())
    replay(log, CATALOG, output=tmp_path / "whole.parquet")
    expected = pq.read_table(tmp_path / "whole.parquet")
    assert outcomes(expected.to_pylist()) == [one_by_one(CATALOG, row) for row in rows]
    monkeypatch.setattr("aldo.replay.sources.PART_ROWS", part_rows)
    for given in (log, files, ds.dataset(files), pa.concat_tables([first, second])):
        replay(given, CATALOG, output=tmp_path / "out.parquet")
        assert pq.read_table(tmp_path / "out.parquet").equals(expected)


def test_an_empty_log_has_an_empty_report(tmp_path: Path) -> None:
    report = replay(log_table([]), CATALOG, CATALOG, tmp_path / "out.parquet")
    assert (report.rows, report.totals.routed, report.changes and report.changes.same) == (0, 0, 0)
    assert pq.read_table(tmp_path / "out.parquet").num_rows == 0


def column(name: str, values: Any) -> pa.Table:
    return pa.table({"capabilityClass": ["fast-draft"], "privacy": ["public"], name: values})


@pytest.mark.parametrize(
    ("log", "said"),
    [
        (column("tokens_in", [1]), "column 'tokens_in' is no field of a request, did you mean 'tokensIn'"),
        (column("TokensIn", [1]), "did you mean 'tokensIn'"),
        (column("maxTokens", [1]), "did you mean 'maxTokensOut'"),
        (column("budget", [1]), "did you mean 'budgetUsd'"),
        (column("fallback", [["a"]]), "did you mean 'fallbackClasses'"),
        (column("exlude", [["a"]]), "did you mean 'exclude'"),
        (column("tokensIn", ["1"]), "column 'tokensIn' is VARCHAR; cast it to BIGINT"),
        (column("tokensIn", [True]), "column 'tokensIn' is BOOLEAN; cast it to BIGINT"),
        (column("budgetUsd", [True]), "is BOOLEAN; cast it to DECIMAL, or to VARCHAR"),
        (column("requires", ["tool-use"]), "column 'requires' is VARCHAR; make it a list of texts"),
        (column("requires", [[1]]), r"column 'requires' is BIGINT\[\]; make it a list of texts"),
        (column("requires", [[["x"]]]), r"is VARCHAR\[\]\[\]; make it a list of texts"),
        (column("pin", [["x"]]), r"column 'pin' is VARCHAR\[\]; cast it to VARCHAR"),
        (column("model", ["x"]), "has a column 'model', which is a name that the replay uses itself; rename it"),
        (column("Error", ["x"]), "has a column 'Error'"),
        (column("aldo_in", ["x"]), "has a column 'aldo_in'"),
        (pa.table({"privacy": ["public"]}), "no column 'capabilityClass'"),
        (pa.table({"capabilityClass": ["fast-draft"]}), "no column 'privacy'"),
        (pa.table({"capabilityClass": ["x"], "privacyTier": ["x"]}), "did you mean 'privacy'"),
        ([], "a log is a Parquet file, a list of them, a pyarrow Table or a Dataset"),
        (7, "a log is a Parquet file"),
        ("nowhere.parquet", "the log cannot be read: there is no file .*nowhere.parquet"),
        (str(ROOT / "README.md"), "the log cannot be read: .*README.md"),
        ("https://127.0.0.1:9/log.parquet", "the log cannot be read"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_log_that_cannot_be_read_is_an_error_that_says_what_to_do(log: object, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        replay(log, CATALOG)


@pytest.mark.parametrize("name", ["tokensOut", "request", "team", "usd", "latencyMs", "class", "id", "modelUsed"])
def test_columns_that_only_resemble_a_field_pass(name: str) -> None:
    log = pa.table({"capabilityClass": ["fast-draft"], "privacy": ["public"], "maxTokensOut": [1], name: [1]})
    assert replay(log, CATALOG).totals.routed == 1


def test_columns_of_the_second_catalog_are_taken_only_where_there_is_one() -> None:
    log = column("change", ["x"])
    assert replay(log, CATALOG).rows == 1
    with pytest.raises(UsageError, match="'change'"):
        replay(log, CATALOG, CATALOG)


def test_names_by_which_duckdb_tells_the_parts_of_a_file_are_refused_rather_than_mistaken(tmp_path: Path) -> None:
    for name in ("filename", "file_row_number"):
        log = column(name, ["x"])
        pq.write_table(log, tmp_path / "log.parquet")
        assert replay(tmp_path / "log.parquet", CATALOG).rows == 1
        with pytest.raises(UsageError, match=f"has a column '{name}'"):
            replay(tmp_path / "log.parquet", CATALOG, output=tmp_path / "out.parquet")
        replay(log, CATALOG, output=tmp_path / "out.parquet")
        assert pq.read_table(tmp_path / "out.parquet")[name].to_pylist() == ["x"]


def test_the_output_replaces_a_file_whole_or_not_at_all(tmp_path: Path) -> None:
    log = write_log(tmp_path / "log.parquet", [FINE])
    output = tmp_path / "out.parquet"
    output.write_text("before")
    broken = tmp_path / "broken.parquet"
    broken.write_bytes(log.read_bytes()[:-200] + b"x" * 200)
    with pytest.raises(UsageError):
        replay(broken, CATALOG, output=output)
    assert output.read_text() == "before"
    replay(log, CATALOG, output=output)
    assert pq.read_table(output)["model"].to_pylist() != [None]
    assert output.stat().st_mode & 0o777 == log.stat().st_mode & 0o777
    assert {path.name for path in tmp_path.iterdir()} == {"log.parquet", "out.parquet", "broken.parquet"}


def test_the_log_itself_is_never_overwritten(tmp_path: Path) -> None:
    log = write_log(tmp_path / "log.parquet", [FINE])
    before = log.read_bytes()
    link = tmp_path / "link.parquet"
    link.symlink_to(log)
    for name, given in ((log, log), (link, [log]), (log, str(tmp_path / "*.parquet"))):
        with pytest.raises(UsageError, match="is the log itself"):
            replay(given, CATALOG, output=name)
    for place in (tmp_path, tmp_path / "no" / "where.parquet"):
        with pytest.raises(UsageError):
            replay(log, CATALOG, output=place)
    assert log.read_bytes() == before


def test_the_engines_are_loaded_only_by_a_replay_and_their_absence_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    code = "import sys, aldo.replay; aldo.replay.replay; aldo.replay.export; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert not {"duckdb", "pyarrow", "click", "yaml"} & {name.partition(".")[0] for name in done.stdout.split()}
    for name in [name for name in sys.modules if name.partition(".")[0] == "duckdb"]:
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(UsageError, match=r"aldo replay needs the extra: pip install 'aldo-gateway\[replay\]'"):
        replay("log.parquet", CATALOG)


def test_no_model_may_be_priced_beyond_what_the_engines_hold() -> None:
    value = CATALOG.model_dump(by_alias=True, exclude_none=True)
    classes = [f"class-{number}" for number in range(40_000)]
    dear = {**value["models"][0], "effectiveContextTokens": 10**12}
    dear["cost"] = {"usdPerMtokIn": 10**9, "usdPerMtokOut": 10**9}
    models = [{**dear, "id": f"m-{number}"} for number in range(30)]
    huge = Catalog.model_validate({"models": models, "vocabulary": {"capabilityClasses": classes}})
    assert replay(column("tokensIn", [10**11]), huge).rows == 1
