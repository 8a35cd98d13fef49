"""The log of an evaluation: it only grows, no line is lost, and a resumed run asks for what is missing alone."""

from __future__ import annotations

import json
import os
import stat
import threading
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aldo.errors import UsageError
from aldo.eval.report import build_report
from aldo.eval.run import EvalLog, read_log
from tests.eval.playing import RUBRIC, SAYS_YES, Bench, Player, entry, judge_entry
from tests.support.fake_server import http

CASES = ["one", "two", "three"]
REFUSED = http('{"error": {"message": "no"}}', "400 Bad Request")


@pytest.fixture
def player():
    good = '{"reason": "so", "verdict": "good"}'
    with Player(lambda question: good if question.model == "the-judge" else f"yes, {question.text}") as played:
        yield played


@pytest.fixture
def bench(tmp_path, player):
    return Bench(tmp_path).catalog(entry("a", player.url), entry("b", player.url), judge_entry(player.url)).suite(CASES)


def asked_by(player, act):
    """What a step asks for beyond the warm-ups."""
    before = len(player.asked)
    act()
    return [(one.model, one.text) for one in player.asked[before:]]


def test_only_the_owner_may_read_it(bench):
    umask = os.umask(0)
    try:
        bench.go("a")
    finally:
        os.umask(umask)
    assert stat.S_IMODE(bench.log.stat().st_mode) == 0o600


def test_every_answer_is_written_before_the_next_is_asked_and_no_line_changes(bench, player):
    seen = []
    player.answer = lambda question: seen.append(bench.log.read_bytes()) or "yes\nwith a line end"
    bench.go("a", "b", warm_up=False)
    seen.append(bench.log.read_bytes())
    for earlier, later in pairwise(seen):
        assert later.startswith(earlier)
        assert earlier.endswith(b"\n")
    assert [raw.count(b'{"kind": "sample"') for raw in seen] == list(range(7))
    assert [raw.count(b'{"kind": "score"') for raw in seen] == list(range(7))
    assert [line["kind"] for line in bench.lines()] == ["run", *["sample", "score"] * 6]


def test_a_whole_log_resumed_asks_nothing_and_says_the_same(bench, player):
    bench.go("a", "b", repeat=2)
    raw = bench.log.read_bytes()
    before = len(player.questions)
    bench.go("a", "b", repeat=2, resume=True)
    assert len(player.questions) == before
    assert bench.log.read_bytes() == raw


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(st.integers(0, 2000))
def test_a_log_cut_at_any_byte_is_completed_without_asking_twice(bench, player, share):
    bench.suite(["one", "two"], [SAYS_YES, RUBRIC])
    bench.log.unlink(missing_ok=True)
    bench.go("a", "b", warm_up=False)
    whole = bench.log.read_bytes()
    at = len(whole) * share // 2000
    bench.log.write_bytes(whole[:at])
    kept = whole[: whole[:at].rfind(b"\n") + 1]
    before = len(player.asked)
    bench.go("a", "b", warm_up=False, resume=True)
    after = bench.log.read_bytes()
    assert after.startswith(kept)
    gone = [json.loads(line) for line in whole[len(kept) :].splitlines()]
    lost = sum(line["kind"] == "sample" or line.get("evaluator") == "useful" for line in gone)
    assert len(player.asked) - before == lost
    assert set(bench.answered().values()) == {1}
    assert len(bench.answered()) == 4
    (yes, useful) = build_report(read_log(bench.log)).evaluators
    assert [dict(score.states) for score in (*yes.scores, *useful.scores)] == [{"ok": 2}] * 4


@pytest.mark.parametrize(
    "half", [b'{"kind": "sample", "suiteDigest": "sha', b"{", b'{"kind": "score"', b'{"kind": "run", "at": "\xc3']
)
def test_half_a_line_at_the_end_is_left_out_by_readers_and_cut_by_writers(bench, half):
    bench.go("a")
    raw = bench.log.read_bytes()
    bench.log.write_bytes(raw + half)
    assert len(read_log(bench.log).samples) == 3
    assert bench.log.read_bytes() == raw + half
    bench.go("a", resume=True)
    assert bench.log.read_bytes() == raw


@pytest.mark.parametrize(
    "garbage",
    [
        b"nonsense\n",
        b'{"kind": "other"}\n',
        b'{"kind": "sample"}\n',
        b"\xff\xfe\n",
        b"[" * 5000 + b"\n",
        b'{"kind": "run", "kind": 1}\n',
    ],
)
def test_garbage_in_the_middle_is_told_with_its_line_and_nothing_is_written(bench, player, garbage):
    bench.go("a")
    lines = bench.log.read_bytes().splitlines(keepends=True)
    raw = b"".join([*lines[:2], garbage, *lines[2:]])
    bench.log.write_bytes(raw)
    with pytest.raises(UsageError, match=r"log\.jsonl:3: "):
        read_log(bench.log)
    before = len(player.server.seen)
    with pytest.raises(UsageError, match=r"log\.jsonl:3: "):
        bench.go("a", resume=True)
    assert len(player.server.seen) == before
    assert bench.log.read_bytes() == raw


@pytest.mark.parametrize(
    "foreign",
    [
        b"my diary\n",
        b"my diary",
        b'{"kind": "diary"}\n',
        b'{"at": "2026-01-01T00:00:00Z"}\n',
        b"\0" * 100,
        b"\n\nx",
        b'{"kind": "sample"}\nno end',
    ],
)
@pytest.mark.parametrize("resume", [True, False])
def test_a_foreign_file_is_never_written_to(bench, foreign, resume):
    bench.log.write_bytes(foreign)
    with pytest.raises(UsageError):
        bench.go("a", resume=resume)
    assert bench.log.read_bytes() == foreign


def test_what_cannot_be_a_log_is_refused(bench, tmp_path):
    for path in (tmp_path, tmp_path / "no" / "folder.jsonl", "", "a\0b"):
        with pytest.raises(UsageError):
            EvalLog(path)
    with pytest.raises(UsageError):
        read_log(tmp_path / "nothing.jsonl")


def test_a_log_that_is_there_needs_resume(bench, player):
    bench.go("a")
    raw, before = bench.log.read_bytes(), len(player.server.seen)
    with pytest.raises(UsageError, match="--resume"):
        bench.go("a")
    assert (bench.log.read_bytes(), len(player.server.seen)) == (raw, before)


def test_an_empty_file_is_a_new_log(bench):
    bench.log.touch()
    bench.go("a")
    assert len(bench.answered()) == 3


def test_a_second_run_on_one_log_is_refused_while_the_first_writes(bench, player):
    go, problems = threading.Event(), []

    def answer(question):
        for resume in (True, False):
            try:
                EvalLog(bench.log, resume=resume)
            except UsageError as error:
                problems.append(str(error))
        go.set()
        return "yes"

    player.answer = answer
    bench.go("a", warm_up=False)
    assert len(problems) == 6
    assert all("another run is writing" in problem for problem in problems)
    assert len(bench.answered()) == 3
    with EvalLog(bench.log, resume=True):
        pass


def test_resume_asks_again_for_what_failed_alone(bench, player):
    player.faults["two"] = [REFUSED, REFUSED]
    bench.go("a", "b")
    assert asked_by(player, lambda: bench.go("a", "b", resume=True)) == [("a", "two"), ("b", "two")]
    assert asked_by(player, lambda: bench.go("a", "b", resume=True)) == []
    report = build_report(read_log(bench.log))
    assert [(model.ok, model.error) for model in report.models] == [(3, 0)] * 2
    assert [dict(score.states) for score in report.evaluators[0].scores] == [{"ok": 3}] * 2
    assert set(bench.answered().values()) == {1}


def test_what_was_cut_is_an_answer_and_not_asked_again(bench, player):
    player.answer = lambda question: question.says("yes and", "length")
    bench.go("a")
    assert asked_by(player, lambda: bench.go("a", resume=True)) == []


def test_a_changed_evaluator_grades_anew_and_asks_nothing(bench, player):
    bench.go("a")
    bench.suite(CASES, [{**SAYS_YES, "ref": "two"}])
    assert asked_by(player, lambda: bench.go("a", resume=True)) == []
    (score,) = build_report(read_log(bench.log)).evaluators[0].scores
    assert dict(score.states) == {"ok": 1, "fail": 2}
    bench.suite(CASES)
    bench.go("a", resume=True)
    assert len(bench.lines("score")) == 6  # the first grades hold again
    assert build_report(read_log(bench.log)).evaluators[0].scores[0].mean == 1


def test_a_new_evaluator_grades_what_is_there_and_a_new_threshold_needs_nothing(bench, player):
    bench.go("a")
    bench.suite(CASES, [SAYS_YES, {"name": "new", "type": "exact", "ref": "yes, two"}], threshold={"says-yes": 0.5})
    assert asked_by(player, lambda: bench.go("a", resume=True)) == []
    yes, new = build_report(read_log(bench.log)).evaluators
    assert (yes.scores[0].gate, dict(new.scores[0].states)) == ("met", {"ok": 1, "fail": 2})


def test_a_changed_rubric_judges_again_and_asks_no_model(bench, player):
    bench.suite(CASES, [RUBRIC]).go("a")
    bench.suite(CASES, [{**RUBRIC, "rubric": "good where it is short"}])
    assert [model for model, _ in asked_by(player, lambda: bench.go("a", resume=True))] == ["the-judge"] * 3


def test_a_changed_ground_truth_grades_that_case_again(bench, player):
    cases = [{"id": name, "input": name, "ground_truth": "yes"} for name in CASES]
    bench.suite(cases, [{"name": "truth", "type": "contains"}]).go("a")
    cases[1]["ground_truth"] = "no"
    bench.suite(cases, [{"name": "truth", "type": "contains"}])
    assert asked_by(player, lambda: bench.go("a", resume=True)) == []
    assert [line["case"] for line in bench.lines("score")] == [*CASES, "two"]
    assert build_report(read_log(bench.log)).evaluators[0].scores[0].mean == 2 / 3


CHANGES = {
    "a case's input": ({"cases": ["one", {"id": "two", "input": "2"}, "three"]}, {}),
    "max_tokens": ({"max_tokens": 511}, {}),
    "temperature": ({"temperature": 0.25}, {}),
    "stop": ({"stop": ["x"]}, {}),
    "the system prompt": ({}, {"system_prompt": "Be brief."}),
}


@pytest.mark.parametrize(("suite", "agent"), CHANGES.values(), ids=CHANGES)
def test_a_change_of_what_is_asked_asks_again(bench, player, suite, agent):
    bench.go("a")
    bench.agent(**agent).suite(**({"cases": CASES} | suite))
    assert len(asked_by(player, lambda: bench.go("a", resume=True))) == 3
    report = build_report(read_log(bench.log))
    assert (report.models[0].ok, report.models[0].expected) == (3, 3)


def test_another_seed_asks_again(bench, player):
    bench.go("a", seed=1)
    assert len(asked_by(player, lambda: bench.go("a", seed=2, resume=True))) == 3
    assert asked_by(player, lambda: bench.go("a", seed=2, resume=True)) == []


def test_more_repeats_and_models_ask_for_what_is_new_alone(bench, player):
    bench.go("a")
    more = asked_by(player, lambda: bench.go("a", "b", repeat=2, resume=True))
    assert sorted(more) == sorted([("a", case) for case in CASES] + [("b", case) for case in CASES] * 2)
    assert len(bench.answered()) == 12


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=30), min_size=3, max_size=3))
def test_what_is_written_is_what_is_read(bench, player, texts):
    player.answer = lambda question: texts[CASES.index(question.text)] if not question.is_warm_up else "yes"
    bench.log.unlink(missing_ok=True)
    bench.go("a", warm_up=False)
    assert [sample.answer for sample in read_log(bench.log).samples.values()] == texts
    assert len(bench.log.read_bytes().split(b"\n")) == 8
    json.dumps(bench.lines())
