"""The evaluator script: a stranger's program, bounded in time and output, that learns nothing it should not."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from functools import partial
from pathlib import Path

import anyio
import anyio.lowlevel
import pytest

from tests.eval.playing import Bench, Player, entry, grade, grading, started

PATIENCE = 20.0


def python(code, **more):
    """A script evaluator that runs these lines."""
    return {"type": "script", "command": [sys.executable, "-c", code], **more}


def shell(code, **more):
    return {"type": "script", "command": ["sh", "-c", code], **more}


def lives(pid):
    """Whether a process runs; one that only waits for its parent to look does not."""
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def until(condition, patience=PATIENCE):
    """Wait for a process or a file, which nobody announces."""
    end = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.005)


def test_it_is_given_the_case_and_the_answer_as_json_and_its_score_and_reason_are_taken():
    code = "import json, sys; print(json.dumps({'score': 0.5, 'reason': json.dumps(json.load(sys.stdin))}))"
    for answer in ("an answer", "", "a\0b", "\ud800", "😀\u2028", "x" * 1_000_000):
        found = grade(python(code, max_output=4_000_000), answer, ["x", 1])
        assert (found.state, found.score) == ("fail", 0.5)
        told = {"id": "the-case", "input": "the input", "ground_truth": ["x", 1], "tags": ["t"], "answer": answer}
        assert json.loads(found.reason) == told


@pytest.mark.parametrize(
    ("printed", "state", "score"),
    [
        ("1", "ok", 1.0), ("0", "fail", 0.0), ("0.75", "fail", 0.75), ("true", "ok", 1.0), ("false", "fail", 0.0),
        ('{"score": 1}', "ok", 1.0), ('{"score": false, "reason": "no"}', "fail", 0.0), ('\n {"score": 1.0} \n', "ok", 1.0),
        ('{"score": 1, "more": []}', "ok", 1.0), ("1.0000001", "error", None), ("-0.1", "error", None), ("NaN", "error", None),
        ('{"score": NaN}', "error", None), ("Infinity", "error", None), ('{"score": 1e999}', "error", None), ("2", "error", None),
        ("null", "error", None), ('"1"', "error", None), ("[1]", "error", None), ("{}", "error", None), (" ", "error", None),
        ("ok", "error", None), ("1 1", "error", None), ('{"score": [1]}', "error", None), ('{"score": null}', "error", None),
        ('{"score": "1"}', "error", None), ("\\377\\376", "error", None), ("\\000", "error", None),
        ("9" * 400, "error", None), ('{"score": -' + "9" * 400 + "}", "error", None),
        ('{"score": ' + "9" * 5000 + "}", "error", None), ("[" * 9_000, "error", None),
    ],
    ids=lambda value: ascii(value)[:24],
)  # fmt: skip
def test_what_it_prints_is_a_score_from_0_to_1_or_its_own_error(printed, state, score):
    found = grade({"type": "script", "command": ["printf", "%b", printed]}, "answer")
    assert (found.state, found.score) == (state, score)
    assert found.reason or state == "ok" or printed in ("0", "0.75", "false")


@pytest.mark.parametrize("code", ["echo 1; exit 1", "echo 1; kill -9 $$", "echo 1; exit 255"])
def test_a_script_that_ends_badly_is_an_error_whatever_it_printed(code):
    found = grade(shell("echo first >&2; echo last words >&2; " + code), "answer")
    assert (found.state, found.score) == ("error", None)
    assert "last words" in found.reason
    assert "first" not in found.reason


@pytest.mark.parametrize("stream", ["1", "2"])
def test_output_without_end_does_not_hang_it(stream):
    found = grade(shell(f"exec yes >&{stream}", timeout=2.0), "answer")
    assert found.state == "error"
    assert ("more than 65536 bytes" if stream == "1" else "longer than") in found.reason


def test_output_up_to_the_bound_is_read_and_one_byte_more_is_not():
    text = json.dumps({"score": 1, "reason": "x" * 100})
    command = ["printf", "%s", text]
    assert grade({"type": "script", "command": command, "max_output": len(text)}, "a").state == "ok"
    found = grade({"type": "script", "command": command, "max_output": len(text) - 1}, "a")
    assert (found.state, f"more than {len(text) - 1} bytes" in found.reason) == ("error", True)


def test_much_on_standard_error_is_no_error():
    assert grade(python("import sys; sys.stderr.write('x' * 2_000_000); print(1)"), "answer").state == "ok"


def test_a_script_that_sleeps_is_killed_with_what_it_started(tmp_path):
    code = "sleep 1000 & echo $! > child; echo $$ > parent; wait"
    found = grade(shell(code, timeout=1.0), "answer", folder=tmp_path)
    assert (found.state, "longer than 1 s" in found.reason) == ("error", True)
    until(lambda: not lives(int((tmp_path / "child").read_text())))
    until(lambda: not lives(int((tmp_path / "parent").read_text())))


def test_a_grandchild_that_holds_the_pipe_neither_hangs_the_run_nor_survives(tmp_path):
    found = grade(shell("sleep 1000 & echo $! > child; echo 1", timeout=1.0), "answer", folder=tmp_path)
    assert found.state in ("ok", "error")
    until(lambda: not lives(int((tmp_path / "child").read_text())))


def test_a_grandchild_in_a_session_of_its_own_does_not_hang_the_run(tmp_path):
    code = "import os, subprocess; p = subprocess.Popen(['sleep', '1000'], start_new_session=True); open('child', 'w').write(str(p.pid)); print(1)"
    try:
        assert grade(python(code, timeout=1.0), "answer", folder=tmp_path).state in ("ok", "error")
    finally:
        os.kill(int((tmp_path / "child").read_text()), signal.SIGKILL)


def test_nothing_is_left_running_after_a_good_score(tmp_path):
    found = grade(shell("sleep 1000 >/dev/null 2>&1 & echo $! > child; echo 1"), "answer", folder=tmp_path)
    assert (found.state, found.score) == ("ok", 1.0)
    until(lambda: not lives(int((tmp_path / "child").read_text())))


@pytest.mark.parametrize("code", ["echo 1", "exec <&-; echo 1", "head -c 1 >/dev/null; echo 1"])
def test_a_script_need_not_read_what_it_is_given(code):
    assert grade(shell(code), "x" * 1_000_000).state == "ok"


@pytest.mark.parametrize(
    "command", [["no-such-program-anywhere"], ["/"], ["./missing.sh"], ["a\0b"], ["sh", "-c", "echo 1 \0"]]
)
def test_a_program_that_cannot_be_run_is_an_error_with_its_name(command):
    found = grade({"type": "script", "command": command}, "answer")
    assert (found.state, found.score) == ("error", None)
    assert "cannot be run" in found.reason


def test_a_program_without_the_right_to_run_is_an_error(tmp_path):
    (tmp_path / "plain.txt").write_text("1")
    found = grade({"type": "script", "command": [str(tmp_path / "plain.txt")]}, "answer", folder=tmp_path)
    assert (found.state, "cannot be run" in found.reason) == ("error", True)


def test_no_key_and_no_variable_of_ours_reaches_it():
    secrets = {
        "OPENAI_API_KEY": "sk-secret",
        "ANTHROPIC_API_KEY": "x",
        "ALDO_OVERLAYS": "y",
        "AWS_SECRET_ACCESS_KEY": "z",
    }
    code = "import json, os; print(json.dumps({'score': 1, 'reason': json.dumps(dict(os.environ))}))"
    seen = json.loads(grade(python(code), "answer", environ={**secrets, "PATH": os.environ["PATH"]}).reason)
    assert not set(secrets) & set(seen)
    assert "sk-secret" not in json.dumps(seen)
    assert seen["PATH"] == os.environ["PATH"]


def test_it_runs_in_the_folder_of_the_suite_without_a_shell(tmp_path):
    program = tmp_path / "score.sh"
    program.write_text('#!/bin/sh\nprintf \'{"score": 1, "reason": "%s %s"}\' "$PWD" "$1"\n')
    program.chmod(0o755)
    found = grade({"type": "script", "command": ["./score.sh", "$(echo no) ; *"]}, "answer", folder=tmp_path)
    assert (found.state, found.reason) == ("ok", f"{tmp_path} $(echo no) ; *")


def test_a_script_that_is_stopped_while_it_starts_leaves_nothing_running(tmp_path, monkeypatch):
    spawned, init = [], subprocess.Popen.__init__

    def noted(self, *arguments, **options):
        init(self, *arguments, **options)
        spawned.append(self.pid)

    monkeypatch.setattr(subprocess.Popen, "__init__", noted)
    code = "sleep 1000 & echo $! > new; mv new child; wait"

    async def stopped_at_once():
        async with anyio.create_task_group() as group:
            group.start_soon(partial(grading, shell(code, timeout=600.0), "answer", folder=tmp_path))
            while not spawned:
                await anyio.lowlevel.checkpoint()
            until((tmp_path / "child").exists)  # the loop stands still: for us the script is still starting
            group.cancel_scope.cancel()

    anyio.run(stopped_at_once)
    child = int((tmp_path / "child").read_text())
    try:
        until(lambda: not lives(child), patience=2.0)
    finally:
        with suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)


def test_ctrl_c_ends_the_script_too(tmp_path):
    code = "echo $$ > pid.new; mv pid.new pid; sleep 1000"
    with Player() as player:
        bench = (
            Bench(tmp_path)
            .catalog(entry("a", player.url))
            .suite(evaluators=[{"name": "s", **shell(code, timeout=600.0)}])
        )
        with started(bench.command("a"), tmp_path) as process:
            until((tmp_path / "pid").exists)
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    script = int((tmp_path / "pid").read_text())
    try:
        until(lambda: not lives(script))
    finally:
        with suppress(ProcessLookupError):
            os.killpg(script, signal.SIGKILL)
    assert len(bench.lines("sample")) == 1
