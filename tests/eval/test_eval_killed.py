"""Runs that are killed, interrupted or out of disk: nothing that was answered is lost, and nothing is asked twice."""

from __future__ import annotations

import json
import random
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from tests.eval.playing import PATIENCE, RUBRIC, SAYS_YES, Bench, Player, entry, judge_entry, started, without_times
from tests.support.cli import aldo
from tests.support.fake_server import Reply

CASES = [f"case {number}" for number in range(8)]
NO_WARM_UP = "--no-warm-up"


@dataclass(frozen=True)
class Deadly(Reply):
    """A reply of which a share goes out before somebody is killed, a while after that."""

    kill: Callable[[], None] = lambda: None
    share: float = 1.0
    seconds: float = 0.0

    def pieces(self) -> Iterator[bytes]:
        at = int(len(self.raw) * self.share)
        yield self.raw[:at]
        threading.Event().wait(self.seconds)  # the moment is to be any
        self.kill()
        yield self.raw[at:]


def plain(question):
    """The same question gets the same answer; some are wrong, and one is judged so."""
    if question.model == "the-judge":
        answer = json.loads(question.text)["answer"]
        return json.dumps({"reason": answer, "verdict": "poor" if "3" in answer else "good"})
    return (
        f"{'no' if question.model == 'b' and '5' in question.text else 'yes'}, {question.text}, {question.body['seed']}"
    )


@pytest.fixture
def player():
    with Player(plain) as played:
        yield played


@pytest.fixture
def bench(tmp_path, player):
    script = {"name": "counts", "type": "script", "command": ["sh", "-c", "cat >/dev/null; echo 0.5"]}
    made = Bench(tmp_path).catalog(entry("a", player.url), entry("b", player.url), judge_entry(player.url))
    return made.suite(CASES, [SAYS_YES, script, RUBRIC])


def reported(bench, code=0):
    done = aldo("eval", "report", str(bench.log), "--json")
    assert done.returncode == code, done.stderr
    return without_times(json.loads(done.stdout))


@pytest.mark.parametrize(("concurrency", "kills"), [(1, 12), (4, 6)])
def test_killed_at_any_moment_and_resumed_it_ends_as_if_nothing_had_been(bench, player, concurrency, kills):
    options = ["--repeat=2", f"--concurrency={concurrency}", NO_WARM_UP]
    assert bench.cli("a", "b", options=options).returncode == 0
    undisturbed, total = reported(bench), len(player.asked)
    assert total == 2 * 2 * 2 * len(CASES)
    bench.log.unlink()

    rng, running, strikes = random.Random(7 + concurrency), [], []

    def answer(question):
        said = plain(question)
        if len(strikes) < kills and len(player.asked) >= next_strike[0] and not strikes_at.is_set():
            strikes_at.set()
            kind = rng.choice(["before", "within", "after", "after", "after"])
            strikes.append((kind, question.model))
            share = {"before": 0.0, "within": rng.random(), "after": 1.0}[kind]
            return Deadly(question.says(said), kill=running[-1].kill, share=share, seconds=rng.random() * 0.01)
        return said

    strikes_at = threading.Event()
    player.answer, before = answer, len(player.asked)
    for number in range(kills + 1):
        # Spread over the whole run, so that answers and verdicts are both struck.
        next_strike = [before + (total + number) * (number + 1) // (kills + 1)]
        strikes_at.clear()
        if number == kills:
            assert bench.cli("a", "b", resume=True, options=options).returncode == 0
            break
        with started([*bench.command("a", "b", resume=True), *options], bench.folder) as process:
            running.append(process)
            process.communicate(timeout=PATIENCE)
            assert process.returncode == -signal.SIGKILL, (number, strikes)
    assert len(strikes) == kills
    assert {model for _, model in strikes} >= {"a", "b", "the-judge"}
    assert set(bench.answered().values()) == {1}
    assert len(bench.answered()) == total // 2
    assert total <= len(player.asked) - before <= total + kills * concurrency
    assert reported(bench) == undisturbed


@pytest.mark.parametrize("at", [1, 5, 11, 20])
def test_ctrl_c_says_how_to_go_on_and_the_same_command_does(bench, player, at):
    """`at`: which request is held when it comes, of 8 of each model and 16 verdicts."""
    player.answer = lambda question: (
        player.wait(lambda: stopped.is_set()) or plain(question) if len(player.asked) == at else plain(question)
    )
    stopped = threading.Event()
    with started([*bench.command("a", "b"), NO_WARM_UP], bench.folder) as process:
        player.wait(lambda: len(player.asked) == at)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=PATIENCE)
        with player.news:
            stopped.set()
            player.news.notify_all()
    assert (process.returncode, out) == (130, "")
    assert "Traceback" not in err
    told = " ".join(err.split())
    assert f"Stopped: {min(at - 1, 16)} of 16 answers are in" in told
    assert f"--resume --log {bench.log} goes on" in told
    assert len(bench.answered()) == min(at - 1, 16)
    player.answer = plain
    done = bench.cli("a", "b", resume=True, options=[NO_WARM_UP])
    assert done.returncode == 0, done.stderr
    assert len(player.asked) == 32 + 1
    assert set(bench.answered().values()) == {1}


def test_ctrl_c_before_anything_is_asked_leaves_no_traceback(bench, player):
    player.answer = lambda question: player.wait(lambda: stopped.is_set()) or "yes"
    stopped = threading.Event()
    with started(bench.command("a"), bench.folder) as process:
        player.wait(lambda: player.questions != [])  # the warm-up
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=PATIENCE)
        with player.news:
            stopped.set()
            player.news.notify_all()
    assert (process.returncode, out) == (130, "")
    assert "Traceback" not in err
    assert not bench.log.exists()


LIMITED = "import resource, runpy, sys; n = int(sys.argv.pop(1)); resource.setrlimit(resource.RLIMIT_FSIZE, (n, n)); runpy.run_module('aldo.cli.main', run_name='__main__')"


@pytest.mark.parametrize("share", [0.0, 0.5, 0.97])
def test_a_full_disk_is_told_and_breaks_no_line(bench, player, share):
    bench.suite(["one", "two", "three"])
    assert bench.cli("a", "b", options=[NO_WARM_UP]).returncode == 0
    size, total = bench.log.stat().st_size, len(player.asked)
    bench.log.unlink()
    prefix = [sys.executable, "-c", LIMITED, str(int(size * share) + 1)]
    with started([*bench.command("a", "b"), NO_WARM_UP], bench.folder, prefix) as process:
        out, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, out) == (2, "")
    assert "Traceback" not in err
    assert "cannot be written" in " ".join(err.split())
    if bench.log.exists():
        bench.lines()  # each is whole
    assert bench.cli("a", "b", resume=True, options=[NO_WARM_UP]).returncode == 0
    assert total <= len(player.asked) - total <= total + 1
    assert set(bench.answered().values()) == {1}


def test_a_second_process_on_the_same_log_is_refused(bench, player):
    player.answer = lambda question: player.wait(lambda: over.is_set()) or plain(question)
    over = threading.Event()
    with started([*bench.command("a"), NO_WARM_UP], bench.folder) as process:
        player.wait(lambda: len(player.asked) == 1)
        raw = bench.log.read_bytes()
        for resume in (True, False):
            done = bench.cli("a", resume=resume)
            assert (done.returncode, done.stdout) == (2, "")
            assert "another run is writing to" in " ".join(done.stderr.split())
        assert bench.log.read_bytes() == raw
        assert len(player.asked) == 1
        with player.news:
            over.set()
            player.news.notify_all()
        process.communicate(timeout=PATIENCE)
    assert process.returncode == 0
    assert len(bench.answered()) == 8
