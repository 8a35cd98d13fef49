"""What somebody meets who has just installed aldo: hints that say what to type, colours, completion, closed streams."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.support.cases import MODELS, ROOT

ALDO = [sys.executable, "-m", "aldo"]


def run(*arguments: str, cwd: Path = ROOT, **environment: str) -> subprocess.CompletedProcess[str]:
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("ALDO_", "NO_COLOR", "FORCE_"))}
    return subprocess.run(
        [*ALDO, *arguments], cwd=cwd, env={**plain, **environment}, capture_output=True, text=True, check=False
    )


def said(done: subprocess.CompletedProcess[str]) -> str:
    return " ".join((done.stdout + done.stderr).split())


@pytest.mark.parametrize("group", [(), ("models",), ("catalog",), ("eval",), ("keys",)])
def test_the_name_of_a_group_alone_shows_its_help(group: tuple[str, ...]) -> None:
    done = run(*group)
    assert done.returncode == (2 if group else 0)
    assert "Commands:" in done.stdout + done.stderr


def test_help_is_a_command_too_and_the_version_has_a_short_option() -> None:
    assert run("help", "route").stdout == run("route", "--help").stdout
    assert run("help").stdout == run("--help").stdout
    assert run("-V").stdout == run("--version").stdout
    assert "aldo demo" in run("--help").stdout


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (("lint", "--catalog", "x"), "The files are arguments here: aldo lint FILE"),
        (("--catalog", "x", "lint"), "It goes after the command: aldo COMMAND --catalog FILE"),
        (("prove", "models.yaml"), "a catalog is named with --catalog"),
        (("prove", "examples/company.yaml"), "name it with --overlay"),
        (("test", "policy.yaml"), "a policy is read by aldo prove"),
        (("lint", "policy.yaml"), "a policy is read by aldo prove"),
        (("lint", "routes.test.yaml"), "run by aldo test"),
        (("route", "--class", "nope", "--privacy", "public"), "there are coding-frontier, embeddings, fast-draft"),
        (("route", "--class", "FAST-DRAFT", "--privacy", "public"), "did you mean 'fast-draft'?"),
        (("route", "--class", "fast-draft", "--privacy", "public", "--tokens-in", "-1"), "--tokens-in"),
        (("route", "--request", "models.yaml"), "models.yaml: the request is no JSON"),
    ],
)
def test_a_wrong_command_says_what_to_type(arguments: tuple[str, ...], hint: str) -> None:
    done = run(*arguments)
    assert done.returncode in (1, 2)
    assert hint in said(done)
    assert "Did you mean '--color'" not in said(done)


def test_an_unknown_model_to_leave_out_is_told_and_the_route_goes_on() -> None:
    done = run("route", "--class", "fast-draft", "--privacy", "public", "--exclude", "lmstudio-gema-3-4b")
    assert done.returncode == 0
    assert "did you mean 'lmstudio-gemma-3-4b'?" in done.stderr


def test_a_file_of_many_requests_given_as_one_says_which_option_takes_it(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    log.write_text('{"capabilityClass": "fast-draft", "privacy": "public"}\n' * 2)
    assert "--requests takes a file of many" in said(run("route", "--request", str(log)))


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_what_powershell_wrote_is_told_as_such(encoding: str, tmp_path: Path) -> None:
    (tmp_path / "models.yaml").write_bytes(MODELS.read_text("utf-8").encode(encoding))
    done = run("lint", "models.yaml", cwd=tmp_path)
    assert "is UTF-16, not UTF-8 text" in said(done)
    assert "1 error" in done.stdout


def test_a_drive_is_no_revision() -> None:
    assert "git" not in said(run("lint", r"C:\catalogs\models.yaml"))


def test_the_format_of_a_report_is_told_by_its_ending(tmp_path: Path) -> None:
    catalog = str(ROOT / "examples" / "tutorial" / "broken.yaml")
    done = run("lint", catalog, "-o", "a.sarif", "--output", "b.xml", "--output", "json=c.txt", cwd=tmp_path)
    assert done.returncode == 1
    assert json.loads((tmp_path / "a.sarif").read_text())["version"] == "2.1.0"
    assert (tmp_path / "b.xml").read_text().startswith("<?xml")
    assert json.loads((tmp_path / "c.txt").read_text())["version"] == 1
    assert "say FORMAT=FILE" in said(run("lint", catalog, "-o", "a.foo", cwd=tmp_path))


def test_a_usage_log_may_come_from_standard_input(tmp_path: Path) -> None:
    log = tmp_path / "usage.jsonl"
    row = {"at": "2026-11-22T10:00:00.000Z", "provider": "p", "model": "m", "upstreamModel": "u", "returnedModel": None,
           "capabilityClass": "fast-draft", "privacy": "public", "tokensIn": 1, "tokensOut": 2, "cacheReadTokens": None,
           "usd": "0.5", "latencyMs": 1.0, "ttftMs": None, "finishReason": "stop", "outcome": "ok", "routingDigest": "d"}  # fmt: skip
    log.write_text(json.dumps(row) + "\n")
    piped = subprocess.run(
        [*ALDO, "usage", "-", "--json"], input=log.read_text(), capture_output=True, text=True, check=False
    )
    assert json.loads(piped.stdout)["total"]["requests"] == 1, piped.stderr
    assert piped.stdout == run("usage", str(log), "--json").stdout


ESCAPE = "\x1b["


@pytest.mark.parametrize(
    ("options", "environment", "coloured"),
    [
        ((), {}, False),  # no terminal
        (("--color",), {}, True),
        ((), {"FORCE_COLOR": "1"}, True),
        ((), {"FORCE_COLOR": "0"}, False),
        (("--no-color",), {"FORCE_COLOR": "1"}, False),
        (("--color",), {"NO_COLOR": "1"}, True),
        ((), {"NO_COLOR": "1", "FORCE_COLOR": "1"}, False),
    ],
)
def test_the_option_comes_before_the_environment_and_that_before_the_terminal(
    options: tuple[str, ...], environment: dict[str, str], coloured: bool
) -> None:
    for command in (("lint", "examples/tutorial/broken.yaml"), ("prove", "policy.yaml")):
        assert (ESCAPE in run(*command, *options, **environment).stdout) == coloured
        assert (ESCAPE in run(*options, *command, **environment).stdout) == coloured


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_of_completion_asks_aldo(shell: str) -> None:
    done = run("completion", shell)
    assert done.returncode == 0
    assert f"_ALDO_COMPLETE={shell}_complete" in done.stdout


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("aldo li", ["plain,lint"]),
        ("aldo route --class loc", ["plain,local-reasoning"]),
        ("aldo route --requires vision,tool", ["plain,vision,tool-use"]),
        ("aldo route --pin mlx-qwen2.5-7b-instruct-4", ["plain,mlx-qwen2.5-7b-instruct-4bit"]),
        ("aldo models audit ollama-gemma", ["plain,ollama-gemma3-4b"]),
        ("aldo lint --explain AL10", [f"plain,AL10{digit}" for digit in range(1, 10)]),
        ("aldo lint mod", ["file,mod"]),
        ("aldo route --catalog mod", ["file,mod"]),
        ("aldo route --privacy sens", ["plain,sensitive"]),
    ],
)
def test_a_shell_is_offered_commands_names_of_the_catalog_and_files(words: str, offered: list[str]) -> None:
    asked = {"_ALDO_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(len(words.split()) - 1)}
    script = "from aldo.cli.main import cli; cli(prog_name='aldo')"
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env={**os.environ, **asked},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.splitlines() == offered, done.stderr


def _closed(redirection: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", "-c", f'"$@" {redirection}', "sh", *ALDO, *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("arguments", [("models", "list"), ("prove",), ("lint", "models.yaml"), ("--help",)])
def test_a_closed_standard_output_changes_no_exit_code(arguments: tuple[str, ...]) -> None:
    done = _closed(">&-", *arguments)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_closed_standard_error_changes_no_exit_code() -> None:
    arguments = ("route", "--class", "x", "--privacy", "public")
    assert _closed("2>&-", *arguments).returncode == run(*arguments).returncode == 2


@pytest.mark.parametrize(("option", "code"), [("--requests", 2), ("--verify", 2)])
def test_a_reader_that_goes_early_hides_no_failure(option: str, code: int, tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    log.write_text("no JSON\n" * 20_000)
    done = subprocess.run(
        ["bash", "-c", '"$@" | head -1; exit "${PIPESTATUS[0]}"', "bash", *ALDO, "route", option, str(log)],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == code
    assert "Traceback" not in done.stderr


def test_ctrl_c_is_quiet_from_the_first_moment() -> None:
    """Sent at several moments of the start. Before Python has come to our code, the interpreter says so itself."""
    codes: list[int] = []
    for moment in range(12):
        process = subprocess.Popen(
            [*ALDO, "prove"], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, process_group=0
        )
        until = time.monotonic() + moment * 0.03
        while time.monotonic() < until and process.poll() is None:
            pass
        with contextlib.suppress(ProcessLookupError):  # it was quicker
            os.killpg(process.pid, signal.SIGINT)
        _, error = process.communicate()
        codes.append(process.returncode)
        assert "aldo/cli" not in error, error
    assert set(codes) <= {0, 130, -2, 1}


def test_without_the_libraries_of_an_extra_help_works_and_a_run_says_what_brings_them(tmp_path: Path) -> None:
    """A finder that knows no numpy stands in for an environment without it."""
    blocked = (
        "import sys, importlib.machinery as m\n"
        "class Without(m.PathFinder):\n"
        "    @classmethod\n"
        "    def find_spec(cls, name, *rest):\n"
        "        return None if name.partition('.')[0] in ('numpy', 'scipy') else m.PathFinder.find_spec(name, *rest)\n"
        "sys.meta_path[:] = [f for f in sys.meta_path if f is not m.PathFinder] + [Without]\n"
        "from aldo.cli.start import script\nscript()\n"
    )

    def without(*arguments: str) -> Any:
        return subprocess.run(
            [sys.executable, "-c", blocked, *arguments], cwd=ROOT, capture_output=True, text=True, check=False
        )

    for command in ("run", "report"):
        assert without("eval", command, "--help").returncode == 0
    done = without("eval", "run", "agency/agents/code-reviewer.yaml", "--suite", "suites/smoke.yaml")
    assert done.returncode == 2
    assert "pip install 'aldo-gateway[eval]'" in " ".join(done.stderr.split())
