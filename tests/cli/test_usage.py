"""`aldo usage`: sums of logs as a table and as JSON, and lines that are no rows."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from aldo.cli.main import cli
from tests.support.bound import COMPLETION, entry
from tests.support.cli import aldo as process
from tests.support.fake_server import FakeServer, http

ROW: dict[str, Any] = {
    "at": "2026-01-02T03:04:05.678Z", "provider": "p", "model": "m", "upstreamModel": "u", "returnedModel": None,
    "capabilityClass": "c", "privacy": "public", "tokensIn": 10, "tokensOut": 2, "cacheReadTokens": 1, "usd": "0.5",
    "latencyMs": 1.5, "ttftMs": None, "finishReason": "stop", "outcome": "ok", "routingDigest": "d",
}  # fmt: skip


def log(path: Path, rows: Iterable[dict[str, Any] | str]) -> str:
    path.write_text("".join((row if isinstance(row, str) else json.dumps(ROW | row)) + "\n" for row in rows), "utf-8")
    return str(path)


def usage(*arguments: str) -> Result:
    result = CliRunner().invoke(cli, ["usage", *arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def table(result: Result) -> list[list[str]]:
    return [[cell for cell in line.split("  ") if cell.strip()] for line in result.stdout.splitlines()]


def cells(result: Result) -> list[list[str]]:
    return [[cell.strip() for cell in line] for line in table(result)]


def test_the_table_has_a_line_a_group_and_a_total(tmp_path: Path) -> None:
    rows = [
        {},
        {"usd": "0.000000000001"},
        {"model": "n", "outcome": "timeout", "usd": None, "tokensIn": None},
        {"at": "2026-01-03T00:00:00Z"},
    ]
    result = usage(log(tmp_path / "u.jsonl", rows))
    assert (result.exit_code, result.stderr) == (0, "")
    assert cells(result) == [
        ["model", "class", "day", "requests", "failed", "tokens in", "cached", "tokens out", "USD"],
        ["m", "c", "2026-01-02", "2", "0", "20", "2", "4", "0.500000000001"],
        ["m", "c", "2026-01-03", "1", "0", "10", "1", "2", "0.5"],
        ["n", "c", "2026-01-02", "1", "1", "0", "1", "2", "0"],
        ["total", "4", "1", "30", "4", "8", "1.000000000001"],
    ]


def test_json_has_the_groups_the_total_and_the_bad_lines(tmp_path: Path) -> None:
    rows = [{}, {"privacy": "sensitive", "usd": None}]
    result = usage(log(tmp_path / "u.jsonl", rows), "--by", "privacy,provider", "--json")
    assert json.loads(result.stdout) == {
        "version": 1,
        "groups": [
            {"provider": "p", "privacy": "public", "requests": 1, "failed": 0, "tokensIn": 10, "tokensOut": 2, "cacheReadTokens": 1, "usd": "0.5", "unpriced": 0},
            {"provider": "p", "privacy": "sensitive", "requests": 1, "failed": 0, "tokensIn": 10, "tokensOut": 2, "cacheReadTokens": 1, "usd": "0", "unpriced": 1},
        ],
        "total": {"requests": 2, "failed": 0, "tokensIn": 20, "tokensOut": 4, "cacheReadTokens": 2, "usd": "0.5", "unpriced": 1},
        "badLines": 0,
        "bad": [],
    }  # fmt: skip
    assert result.exit_code == 0


def test_a_sum_that_lacks_something_has_a_star_and_says_why(tmp_path: Path) -> None:
    result = usage(log(tmp_path / "u.jsonl", [{}, {"usd": None}]), "--by", "model")
    assert cells(result)[1][-1] == "0.5*"
    assert "at least" in result.stdout
    assert "*" not in usage(log(tmp_path / "v.jsonl", [{}, {"usd": None, "outcome": "timeout"}])).stdout


@pytest.mark.parametrize("by", ["model,day", " day , model ", "day,model,day", "model,,day"])
def test_keys_may_be_said_in_any_order_with_any_spaces(by: str, tmp_path: Path) -> None:
    result = usage(log(tmp_path / "u.jsonl", [{}]), "--by", by)
    assert cells(result)[0][:3] == ["model", "day", "requests"]


def test_without_keys_there_is_one_sum(tmp_path: Path) -> None:
    result = usage(log(tmp_path / "u.jsonl", [{}, {"model": "n"}]), "--by", "")
    assert cells(result) == [
        ["requests", "failed", "tokens in", "cached", "tokens out", "USD"],
        ["2", "0", "20", "2", "4", "1"],
    ]


@pytest.mark.parametrize("as_json", [(), ("--json",)])
@pytest.mark.parametrize("arguments", [("--by", "modell"), ("--by", "model,Class")])
def test_an_unknown_key_is_bad_usage_and_the_known_ones_are_named(
    arguments: tuple[str, ...], as_json: tuple[str, ...], tmp_path: Path
) -> None:
    result = usage(log(tmp_path / "u.jsonl", [{}]), *arguments, *as_json)
    assert result.exit_code == 2
    told = json.loads(result.stdout)["error"]["message"] if as_json else " ".join(result.stderr.split())
    for word in ("model", "class", "day", "provider", "privacy", "outcome"):
        assert word in told


@pytest.mark.parametrize("as_json", [(), ("--json",)])
def test_a_file_that_cannot_be_read_is_bad_usage(as_json: tuple[str, ...], tmp_path: Path) -> None:
    good = log(tmp_path / "u.jsonl", [{}])
    for bad in (tmp_path / "nowhere.jsonl", tmp_path):
        result = usage(good, str(bad), *as_json)
        assert result.exit_code == 2
        told = json.loads(result.stdout)["error"]["message"] if as_json else "".join(result.stderr.split())
        assert "".join(str(bad).split()) in "".join(told.split())
        assert not as_json or json.loads(result.stdout)["error"]["code"] == "usage"


def test_at_least_one_file_is_named() -> None:
    assert usage().exit_code == 2


def test_bad_lines_are_named_and_end_with_1_and_the_rest_is_summed(tmp_path: Path) -> None:
    file = log(tmp_path / "u.jsonl", [{}, "no", {}, "{}", ""])
    result = usage(file, "--by", "model")
    assert (result.exit_code, cells(result)[1][1]) == (1, "2")
    assert result.stderr.splitlines() == [f"{file}:{line}: not a usage row; it does not count" for line in (2, 4)]
    found = usage(file, "--json")
    assert (found.exit_code, found.stderr) == (1, "")
    data = json.loads(found.stdout)
    assert (data["badLines"], data["bad"]) == (2, [{"file": file, "line": 2}, {"file": file, "line": 4}])
    assert data["total"]["requests"] == 2


def test_of_very_many_bad_lines_the_number_is_told(tmp_path: Path) -> None:
    result = usage(log(tmp_path / "u.jsonl", ["x"] * 33))
    assert len(result.stderr.splitlines()) == 21
    assert "13 more" in result.stderr


@pytest.mark.parametrize("content", ["", "\n\n", json.dumps(ROW)])
def test_a_log_without_a_whole_row_is_no_requests_and_no_error(content: str, tmp_path: Path) -> None:
    (tmp_path / "u.jsonl").write_text(content)
    result = usage(str(tmp_path / "u.jsonl"))
    assert (result.exit_code, result.stdout, result.stderr) == (0, "No requests.\n", "")
    found = json.loads(usage(str(tmp_path / "u.jsonl"), "--json").stdout)
    assert (found["groups"], found["total"]["requests"], found["total"]["usd"]) == ([], 0, "0")


def test_what_is_in_a_log_cannot_steer_the_terminal(tmp_path: Path) -> None:
    file = log(tmp_path / "u\x1b[2J.jsonl", [{"model": "a\x1b[2Jb\rc", "provider": "\u202e"}, "x"])
    for more in (("--by", "model,provider"), ("--by", "model,provider", "--json")):
        result = usage(file, *more)
        assert all(line.isprintable() for line in (result.stdout + result.stderr).split("\n"))
    assert json.loads(result.stdout)["groups"][0]["model"] == "a\x1b[2Jb\rc"


def test_huge_sums_are_written_out_to_the_last_digit(tmp_path: Path) -> None:
    rows = [{"usd": "999999999999.999999999999", "tokensIn": 10**15}] * 3 + [{"usd": "0.000000000001"}]
    total = json.loads(usage(log(tmp_path / "u.jsonl", rows), "--json").stdout)["total"]
    assert (total["usd"], total["tokensIn"]) == ("2999999999999.999999999998", 3 * 10**15 + 10)


def test_what_aldo_chat_logs_aldo_usage_sums(tmp_path: Path) -> None:
    """Through the command line from end to end, in processes of their own."""
    with FakeServer([http(json.dumps(COMPLETION))]) as server:
        model = entry(config={"baseUrl": server.url}, cost={"usdPerMtokIn": 1, "usdPerMtokOut": 2.5})
        catalog = {"apiVersion": "aldo/models.v1", "kind": "ModelCatalog", "models": [model]}
        (tmp_path / "models.yaml").write_text(json.dumps(catalog))
        arguments = ("chat", "--class", "local-reasoning", "--privacy", "public", "--json", "hello")
        done = process(*arguments, cwd=tmp_path, ALDO_USAGE_LOG="usage.jsonl")
    assert done.returncode == 0, done.stderr
    done = process("usage", "usage.jsonl", "--by", "model,outcome", "--json", cwd=tmp_path)
    (group,) = json.loads(done.stdout)["groups"]
    assert (group["model"], group["outcome"], group["requests"], group["tokensIn"]) == ("the-entry", "ok", 1, 3)
    assert group["usd"] == "0.0000055"
