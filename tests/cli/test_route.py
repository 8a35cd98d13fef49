"""`aldo route`: options, agent files, explanations, exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from aldo.schema.published import json_schema
from tests.support.cases import MODELS, ROOT
from tests.support.cli import aldo

AGENT = str(ROOT / "agency/agents/code-reviewer.yaml")
LOCAL = ("--class", "local-reasoning", "--privacy", "sensitive")


def test_json_of_a_decision_matches_its_published_schema_with_and_without_trace() -> None:
    for extra in ((), ("--explain",)):
        done = aldo("route", *LOCAL, "--json", *extra, cwd=ROOT)
        assert done.returncode == 0, done.stderr
        record = json.loads(done.stdout)
        jsonschema.validate(record, json_schema("decision"))
        assert ("trace" in record) == bool(extra)
        assert list(record)[:7] == [
            "model",
            "provider",
            "classUsed",
            "estimatedUsd",
            "alternates",
            "catalogDigest",
            "routingDigest",
        ]


def test_the_same_command_prints_the_same_bytes() -> None:
    first, second = (aldo("route", *LOCAL, "--json", "--explain", cwd=ROOT) for _ in range(2))
    assert first.stdout == second.stdout


def test_an_agent_file_gives_class_fallback_and_tier_and_options_take_precedence() -> None:
    record = json.loads(aldo("route", "--agent", AGENT, "--json", cwd=ROOT).stdout)
    assert record["request"]["capabilityClass"] == "local-reasoning"
    assert record["request"]["fallbackClasses"] == ["coding-frontier", "reasoning-medium"]
    assert record["request"]["privacy"] == "sensitive"
    record = json.loads(aldo("route", "--agent", AGENT, "--privacy", "public", "--json", cwd=ROOT).stdout)
    assert record["request"]["privacy"] == "public"


def test_a_broken_agent_file_says_where(tmp_path: Path) -> None:
    agent = tmp_path / "agent.yaml"
    agent.write_text(
        "schema: aldo-ai/agent.v1\nidentity: {name: x}\nprivacy_teir: public\n"
        "model_policy: {capability_class: fast-draft}\n"
    )
    done = aldo("route", "--agent", str(agent), cwd=ROOT)
    assert done.returncode == 2
    assert f"{agent}:3:1" in done.stderr
    assert "privacy_tier" in done.stderr


def test_a_refusal_goes_to_stdout_as_json_with_exit_1() -> None:
    done = aldo("route", *LOCAL, "--requires", "audio-out", "--json", cwd=ROOT)
    assert done.returncode == 1
    error = json.loads(done.stdout)["error"]
    assert set(error) == {"code", "message", "stages", "relaxations"}
    assert error["stages"] == [{"capabilityClass": "local-reasoning", "code": "CAPABILITY_MISSING", "entries": 3}]
    assert error["relaxations"][0]["changes"] == [{"field": "requires", "from": ["audio-out"], "to": []}]


def test_a_refusal_for_a_person_says_what_would_help() -> None:
    done = aldo("route", *LOCAL, "--requires", "audio-out", cwd=ROOT)
    assert done.returncode == 1
    assert done.stdout == ""
    assert 'requires ["audio-out"] -> none' in " ".join(done.stderr.split())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--privacy", "public"), "--class"),
        (("--class", "fast-draft"), "--privacy"),
        (("--class", "fast-draft", "--privacy", "secret"), "sensitive"),
        (("--class", "fast-draft", "--privacy", "public", "--budget-usd", "-1"), "--budget-usd"),
        (("--class", "fast-draft", "--privacy", "public", "--budget-usd", "cheap"), "--budget-usd"),
        (("--class", "fast-draft", "--privacy", "public", "--locality", "moon"), "--locality"),
        (("--class", "fast-draft", "--privacy", "public", "--pin", "mlx-qwen"), "mlx-qwen2.5-7b-instruct-4bit"),
        (("--class", "fast-draft", "--privacy", "public", "--tokens-in", "-1"), "tokens-in"),
        (("--class", "fast-draft", "--privacy", "public", "--why-not", "nope"), "nope"),
        (("--requests", "no-such-file.jsonl"), "no-such-file.jsonl"),
    ],
)
def test_bad_usage_is_said_clearly_with_exit_2(arguments: tuple[str, ...], said: str) -> None:
    done = aldo("route", *arguments, cwd=ROOT)
    assert done.returncode == 2
    assert said in done.stderr + done.stdout
    assert "Traceback" not in done.stderr


def test_why_not_says_stage_or_rival_and_what_would_change_it() -> None:
    dropped = aldo("route", *LOCAL, "--why-not", "openai-gpt-6-luna", "--json", cwd=ROOT)
    verdict = json.loads(dropped.stdout)
    assert (verdict["verdict"], verdict["code"]) == ("dropped", "PRIVACY_TIER")
    outranked = aldo("route", *LOCAL, "--why-not", "ollama-qwen3-8b", "--json", cwd=ROOT)
    verdict = json.loads(outranked.stdout)
    assert (verdict["verdict"], verdict["decidedBy"]) == ("outranked", "id")
    text = aldo("route", *LOCAL, "--why-not", "ollama-qwen3-8b", cwd=ROOT).stdout
    assert "outranks it by id" in text.replace("\n", " ")


def test_human_output_fits_80_columns_and_has_no_colour_codes_in_a_pipe() -> None:
    help_pages = [(command, "--help") for command in ("lint", "route", "chat", "models", "schema")]
    refused = ("route", "--class", "reasoning-large", "--privacy", "sensitive", "--requires", "vision", "--explain")
    why = ("route", *LOCAL, "--why-not", "openai-gpt-6.1-sol")
    for arguments in (("route", *LOCAL, "--explain"), ("models", "list"), ("lint",), (), refused, why, *help_pages):
        done = aldo(*arguments, cwd=ROOT)
        shown = done.stdout + done.stderr
        assert "\x1b" not in shown
        assert max(map(len, shown.splitlines())) <= 80, arguments


def test_requests_jsonl_gives_one_line_per_request_and_the_worst_exit_code(tmp_path: Path) -> None:
    good = '{"capabilityClass": "fast-draft", "privacy": "sensitive"}'
    refused = '{"capabilityClass": "fast-draft", "privacy": "sensitive", "requires": ["audio-out"]}'
    broken = '{"capabilityClass": "fast-draft",'
    for lines, code in (([good], 0), ([good, refused], 1), ([good, broken, refused, good], 2)):
        done = aldo("route", "--requests", "-", stdin="\n".join(lines), cwd=ROOT)
        outcomes = [json.loads(line) for line in done.stdout.splitlines()]
        assert len(outcomes) == len(lines)
        assert done.returncode == code
    assert outcomes[1]["error"]["code"] == "invalid_request"
    assert outcomes[1]["error"]["line"] == 2
    assert outcomes[2]["error"]["code"] == "no_eligible_model"


def test_the_catalog_is_the_option_then_the_environment_then_the_directory_then_the_shipped_one(
    tmp_path: Path,
) -> None:
    def entries(cwd: Path, *arguments: str, **environment: str) -> int:
        done = aldo("models", "list", "--json", *arguments, cwd=cwd, **environment)
        return len(json.loads(done.stdout)["models"])

    one = MODELS.read_text("utf-8").split("\n  - id: ")
    header, first, second = one[0], one[1], one[2]
    here, empty = tmp_path / "here", tmp_path / "empty"
    here.mkdir()
    empty.mkdir()
    (here / "models.yaml").write_text(f"{header}\n  - id: {first}\n", "utf-8")
    (tmp_path / "two.yaml").write_text(f"{header}\n  - id: {first}\n  - id: {second}\n", "utf-8")
    shipped = entries(empty)
    assert shipped > 10
    assert entries(here) == 1
    assert entries(here, ALDO_CATALOG=str(tmp_path / "two.yaml")) == 2
    assert entries(here, "--catalog", str(MODELS), ALDO_CATALOG=str(tmp_path / "two.yaml")) == shipped
