"""On a terminal: colour, interruption, and text that may not steer it."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.cases import MODELS, ROOT
from tests.support.cli import aldo

COMMAND = [sys.executable, "-m", "aldo.cli.main"]


def on_terminal(*arguments: str, **environment: str) -> str:
    """What a command writes when its output is a terminal."""
    ours, theirs = pty.openpty()
    env = {**os.environ, "TERM": "xterm", **environment}
    process = subprocess.Popen([*COMMAND, *arguments], cwd=ROOT, env=env, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    shown = b""
    while True:
        try:
            piece = os.read(ours, 65536)
        except OSError:  # Linux: the other end is closed
            break
        if not piece:
            break
        shown += piece
    process.wait(60)
    os.close(ours)
    return shown.decode("utf-8", "replace")


def test_colour_on_a_terminal_and_none_with_no_color() -> None:
    arguments = ("route", "--class", "fast-draft", "--privacy", "sensitive")
    env = {name: value for name, value in os.environ.items() if name == "NO_COLOR"}
    assert "\x1b[" in on_terminal(*arguments, **{**env, "NO_COLOR": ""})
    assert "\x1b[" not in on_terminal(*arguments, NO_COLOR="1")


def test_a_models_text_cannot_steer_the_terminal() -> None:
    from aldo.cli import chat

    assert chat._terminal_safe("a\x1b[2Jb\n\tc\x07") == "a\x1b[2Jb\n\tc\x07"  # a pipe gets every byte
    shown = on_terminal("lint", "--explain", "AL101")
    assert shown
    program = (
        "import sys; sys.path.insert(0, '.')\n"
        "from aldo.cli import chat\n"
        "print(chat._terminal_safe('a\\x1b[2Jb\\n\\tc\\x07'))"
    )
    ours, theirs = pty.openpty()
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, stdout=theirs, check=True)
    os.close(theirs)
    told = os.read(ours, 4096)
    os.close(ours)
    assert b"\x1b" not in told
    assert b"\x07" not in told
    assert b"a\\x1b[2Jb" in told


@pytest.mark.parametrize("command", [("lint", "-"), ("route", "--requests", "-")])
def test_an_interrupted_command_ends_with_130(command: tuple[str, ...]) -> None:
    process = subprocess.Popen(
        [*COMMAND, *command], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdin
    if command[0] == "route":  # an answer shows that it is reading
        process.stdin.write(b'{"capabilityClass": "fast-draft", "privacy": "public"}\n' * 20)
        process.stdin.flush()
        assert process.stdout
        process.stdout.read(1)
    else:
        _until_reading(process.pid)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert b"Traceback" not in errors


def _until_reading(pid: int) -> None:
    """Until the process waits for its standard input, as the kernel tells."""
    waiting = Path(f"/proc/{pid}/wchan")
    if not waiting.exists():
        pytest.skip("the kernel does not tell what a process waits for")
    for _ in range(2_000_000):
        if "pipe" in waiting.read_text():
            return
    pytest.skip("the process was never seen waiting")


@pytest.mark.parametrize(
    "command",
    [("lint", "-"), ("route", "--requests", "-"), ("chat", "--class", "fast-draft", "--privacy", "public")],
)
def test_a_closed_standard_input_is_told(command: tuple[str, ...]) -> None:
    line = " ".join([*COMMAND, *command]) + " <&-"
    done = subprocess.run(["sh", "-c", line], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "standard input is closed" in " ".join((done.stdout + done.stderr).split())
    assert "Traceback" not in done.stderr


def test_bad_usage_with_json_is_an_error_object() -> None:
    done = aldo("route", "--class", "fast-draft", "--privacy", "bogus", "--json", cwd=ROOT)
    assert done.returncode == 2
    assert json.loads(done.stdout)["error"]["code"] == "usage"


@pytest.mark.parametrize("option", ["--locality", "--requires", "--exclude", "--down", "--fallback"])
@pytest.mark.parametrize("value", ["", ",", "a,"])
def test_an_empty_list_option_is_refused_and_never_taken_for_no_restriction(option: str, value: str) -> None:
    done = aldo("route", "--class", "fast-draft", "--privacy", "public", option, value, cwd=ROOT)
    assert (done.returncode, "a name is empty" in done.stderr) == (2, True)


@pytest.mark.parametrize("option", ["--temperature", "--top-p", "--timeout"])
@pytest.mark.parametrize("value", ["nan", "inf", "-1", "1e300"])
def test_numbers_that_are_none_are_bad_usage(option: str, value: str) -> None:
    done = aldo("chat", "--class", "fast-draft", "--privacy", "public", option, value, "hello", cwd=ROOT)
    assert (done.returncode, "Traceback" in done.stderr) == (2, False)


def test_a_requests_file_may_begin_with_a_bom_and_must_be_utf_8(tmp_path: Path) -> None:
    good = b'{"capabilityClass": "fast-draft", "privacy": "public"}\n'
    log = tmp_path / "log.jsonl"
    log.write_bytes(b"\xef\xbb\xbf" + good + good.replace(b"fast", b"f\xffst"))
    done = aldo("route", "--requests", str(log), cwd=ROOT)
    first, second = (json.loads(line) for line in done.stdout.splitlines())
    assert first["model"]
    assert "UTF-8" in second["error"]["message"]


def test_a_refusal_with_explain_has_its_trace_in_json_too() -> None:
    arguments = ("route", "--class", "fast-draft", "--privacy", "sensitive", "--requires", "audio-out", "--json")
    assert "trace" not in json.loads(aldo(*arguments, cwd=ROOT).stdout)["error"]
    assert json.loads(aldo(*arguments, "--explain", cwd=ROOT).stdout)["error"]["trace"]["classes"]


def test_models_list_by_tier_shows_what_routing_would_admit(tmp_path: Path) -> None:
    catalog = tmp_path / "models.yaml"
    text = MODELS.read_text("utf-8").replace("privacyAllowed: [public, internal]", "privacyAllowed: [sensitive]")
    catalog.write_text(text, "utf-8")
    done = aldo("models", "list", "--privacy", "sensitive", "--json", "--catalog", str(catalog))
    assert {entry["locality"] for entry in json.loads(done.stdout)["models"]} == {"local"}


def test_a_quoted_price_is_refused_in_a_file_as_the_schema_says() -> None:
    text = MODELS.read_text("utf-8").replace("usdPerMtokIn: 0,", 'usdPerMtokIn: "0",', 1)
    (finding,) = json.loads(aldo("lint", "--json", "-", stdin=text).stdout)["findings"]
    assert (finding["code"], finding["pointer"]) == ("AL105", "/models/0/cost/usdPerMtokIn")


def test_a_second_document_does_not_hide_the_defects_of_the_first() -> None:
    text = MODELS.read_text("utf-8").replace("locality: local", "locality: moon", 1) + "---\na: 1\n"
    report = json.loads(aldo("lint", "--json", "-", stdin=text).stdout)
    assert [finding["code"] for finding in report["findings"]] == ["AL106", "AL110"]
