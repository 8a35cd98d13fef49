"""The runner: in which order servers are asked, with what, how often again, and what is made of their failures."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from aldo.errors import ConnectionFailed, NoEligibleModelError, TransportError, UnknownNameError, UsageError
from aldo.eval.report import build_report
from aldo.eval.run import Settings, read_log
from tests.eval.playing import DROPPED, Bench, Player, entry
from tests.support.fake_server import chunked, http, sse

CASES = [f"case {number}" for number in range(6)]


@pytest.fixture
def player():
    with Player() as played:
        yield played


@pytest.fixture
def other():
    with Player() as played:
        yield played


@pytest.fixture
def bench(tmp_path, player):
    return Bench(tmp_path).catalog(entry("a", player.url), entry("b", player.url)).suite(CASES)


def test_models_are_asked_one_after_another_each_warmed_up_once(bench, player):
    bench.go("a", "b")
    assert [one.model for one in player.questions] == ["a"] * 7 + ["b"] * 7
    assert player.warm_ups == {"a": 1, "b": 1}
    assert [one.text for one in player.asked] == CASES * 2


def test_two_servers_are_both_tried_first_and_then_asked_one_after_another(bench, player, other):
    """The second is warmed up once more in its turn: by then it may have put its model away."""
    order = []
    player.answer = lambda question: order.append(("a", question.is_warm_up)) or "yes"
    other.answer = lambda question: order.append(("b", question.is_warm_up)) or "yes"
    bench.catalog(entry("a", player.url), entry("b", other.url)).go("a", "b")
    assert sorted(order[:2]) == [("a", True), ("b", True)]
    assert order[2:] == [("a", False)] * 6 + [("b", True)] + [("b", False)] * 6


def test_without_a_warm_up_nothing_but_the_cases_is_asked(bench, player):
    bench.go("a", "b", warm_up=False)
    assert len(player.questions) == 12
    assert player.warm_ups == {}


def test_a_warm_up_is_in_no_count(bench, player):
    bench.go("a")
    report = build_report(read_log(bench.log))
    assert (report.models[0].expected, report.models[0].ok, report.models[0].tokens_out) == (6, 6, 24)
    assert len(bench.lines("sample")) == 6


@pytest.mark.parametrize("bound", [1, 3])
def test_concurrency_is_reached_and_never_exceeded(tmp_path, player, bound):
    """Nobody is answered before as many are inside as may be, and one more had the time to come."""
    left = Counter(cases=12)

    def answer(question):
        player.wait(lambda: player.inside >= min(bound, left["cases"]))
        with player.news:
            if left["cases"] == 12:
                player.news.wait_for(lambda: player.inside > bound, 0.3)
            left["cases"] -= 1
        return "yes"

    player.answer = answer
    bench = Bench(tmp_path).catalog(entry("a", player.url)).suite([f"case {n}" for n in range(12)])
    bench.go("a", concurrency=bound, warm_up=False)
    assert player.most_inside == bound
    assert set(bench.answered().values()) == {1}
    assert len(player.asked) == 12


def test_in_parallel_servers_are_asked_at_the_same_time_and_each_within_its_bound(bench, player, other):
    held = Counter()

    def hold(question):
        """The first case on each server is not answered before the other server has its first."""
        held[question.model] += 1
        if held[question.model] == 1 and not question.is_warm_up:
            player.wait(lambda: len(player.asked) >= 1) if question.model == "b" else None
            other.wait(lambda: len(other.asked) >= 1) if question.model == "a" else None
        return "yes"

    player.answer = other.answer = hold
    bench.catalog(entry("a", player.url), entry("b", other.url)).go("a", "b", parallel=True, warm_up=False)
    assert (player.most_inside, other.most_inside) == (1, 1)
    assert len(bench.answered()) == 12


def test_in_parallel_models_of_one_server_still_take_turns(bench, player):
    bench.go("a", "b", parallel=True, warm_up=False)
    assert player.most_inside == 1
    assert [one.model for one in player.asked] == ["a"] * 6 + ["b"] * 6


def test_repeats_have_seeds_of_their_own_and_all_models_the_same(bench, player):
    bench.suite(["x", "y"]).go("a", "b", repeat=3, seed=40)
    for model in ("a", "b"):
        seeds = [(one.text, one.body["seed"]) for one in player.asked if one.model == model]
        assert sorted(seeds) == [(text, 40 + repeat) for text in "xy" for repeat in range(3)]
    assert set(bench.answered()) == {(model, case, repeat) for model in "ab" for case in "xy" for repeat in range(3)}
    assert set(bench.answered().values()) == {1}


def test_what_the_suite_and_the_agent_say_is_what_is_sent(bench, player):
    bench.agent(system_prompt="Be brief.").suite(["x"], max_tokens=77, temperature=0.5, top_p=0.9, stop=["END", "\n\n"])
    bench.go("a", "b", seed=3, warm_up=False)
    for asked in player.asked:
        body = asked.body
        assert body["messages"] == [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "x"}]
        assert (body["max_tokens"], body["temperature"], body["top_p"], body["stop"]) == (77, 0.5, 0.9, ["END", "\n\n"])
        assert (body["seed"], body["stream"]) == (3, True)
    assert player.asked[0].body | {"model": ""} == player.asked[1].body | {"model": ""}


def test_without_a_system_prompt_none_is_sent(bench, player):
    bench.suite(["x"]).go("a", warm_up=False)
    assert player.asked[0].body["messages"] == [{"role": "user", "content": "x"}]


AGAIN = {
    "dropped": lambda question: DROPPED,
    "cut": lambda question: question.cut("yes, all of it"),
    "cut chunks": lambda question: chunked(
        b'data: {"choices":[{"index":0,"delta":{"content":"ye"}}]}\n\n', 16, whole=False
    ),
    "429": lambda question: http('{"error": {"message": "slow down"}}', "429 Too Many Requests", retry_after="0"),
    "503": lambda question: http('{"error": {"message": "loading"}}', "503 Service Unavailable", retry_after="0"),
    "502 html": lambda question: http(
        "<html>bad gateway</html>", "502 Bad Gateway", content_type="text/html", retry_after="0"
    ),
}


@pytest.mark.parametrize("fault", AGAIN.values(), ids=AGAIN)
def test_what_fails_in_passing_is_asked_again_and_counted_once(bench, player, fault):
    times = Counter()

    def answer(question):
        times[question.text] += 1
        return fault(question) if question.text == "case 1" and times["case 1"] == 1 else f"yes, {question.text}"

    player.answer = answer
    bench.go("a", warm_up=False)
    assert player.counts() == {("a", case): 1 + (case == "case 1") for case in CASES}
    assert {line["case"]: (line["state"], line["answer"]) for line in bench.lines("sample")} == {
        case: ("ok", f"yes, {case}") for case in CASES
    }
    (model,) = build_report(read_log(bench.log)).models
    assert (model.ok, model.error, model.retried) == (6, 0, 1)
    assert [row.outcome for row in bench.usage].count("ok") == 6
    assert len(bench.usage) == 7


NEVER_AGAIN = {
    "400": (http('{"error": {"message": "no"}}', "400 Bad Request"), "bad_request"),
    "html": (http("<html>hello</html>", content_type="text/html"), "protocol"),
    "an error in the stream": (
        sse(b'data: {"error": {"message": "out of memory"}}\n\ndata: [DONE]\n\n'),
        "server_error",
    ),
}


@pytest.mark.parametrize(("fault", "code"), NEVER_AGAIN.values(), ids=NEVER_AGAIN)
def test_what_will_not_pass_is_an_error_of_that_answer_alone(bench, player, fault, code):
    player.faults["case 1"] = [fault] * 5
    bench.go("a", "b")
    states = {(line["model"], line["case"]): line["state"] for line in bench.lines("sample")}
    assert states == {(model, case): "error" if case == "case 1" else "ok" for model in "ab" for case in CASES}
    assert {line["error"]["code"] for line in bench.lines("sample") if line["error"]} == {code}
    report = build_report(read_log(bench.log))
    assert [dict(score.states) for score in report.evaluators[0].scores] == [{"ok": 5, "error": 1}] * 2
    assert report.exit_code == 3


def test_retries_end(bench, player):
    player.faults["case 1"] = [http("{}", "503 Service Unavailable", retry_after="0")] * 9
    bench.go("a", retries=3, warm_up=False)
    assert player.counts()["a", "case 1"] == 4
    assert [line["state"] for line in bench.lines("sample")].count("error") == 1
    assert len(player.faults["case 1"]) == 5


@pytest.mark.parametrize("models", [("gone", "a"), ("a", "gone")])
def test_a_server_that_is_down_is_told_before_any_case_is_asked(bench, player, models):
    with Player() as gone:
        url = gone.url
    bench.catalog(entry("a", player.url), entry("gone", url))
    with pytest.raises(ConnectionFailed) as told:
        bench.go(*models)
    assert told.value.exit_code == 3
    assert player.asked == []
    assert not bench.log.exists()


def test_without_a_warm_up_a_server_that_is_down_is_told_at_once_too(bench, player):
    with Player() as gone:
        url = gone.url
    bench.catalog(entry("a", player.url), entry("gone", url))
    with pytest.raises(ConnectionFailed):
        bench.go("a", "gone", warm_up=False)
    assert player.asked == []


@pytest.mark.parametrize("status", ["401 Unauthorized", "404 Not Found"])
def test_a_server_that_knows_no_such_model_or_key_is_told_at_once(bench, player, status):
    player.answer = lambda question: http(
        '{"error": {"message": "model not found", "code": "model_not_found"}}', status
    )
    with pytest.raises(TransportError) as told:
        bench.go("a", "b")
    assert told.value.exit_code == 3
    assert player.asked == []


def test_a_server_that_dies_midway_costs_its_own_answers_and_no_others(bench, player, other):
    left = Counter(answers=2)

    def answer(question):
        if question.is_warm_up:
            return "yes"
        left["answers"] -= 1
        if left["answers"] >= 0:
            return "yes"
        player.die()
        return DROPPED

    player.answer = answer
    bench.catalog(entry("a", player.url), entry("b", other.url)).go("a", "b", retries=0)
    states = Counter((line["model"], line["state"]) for line in bench.lines("sample"))
    assert (states["a", "ok"], states["b", "ok"]) == (2, 6)
    assert 0 < states["a", "error"] <= 4
    report = build_report(read_log(bench.log))
    for model, score in zip(report.models, report.evaluators[0].scores, strict=True):
        assert model.ok + model.truncated + model.error + model.missing == model.expected == 6
        assert sum(score.states.values()) == 6
    assert report.exit_code == 3


def test_a_dropped_request_is_sent_again_as_often_as_was_said_and_no_more(tmp_path, player):
    bench = Bench(tmp_path).catalog(entry("a", player.url)).suite(["case 1"])
    player.answer = lambda question: "yes" if question.is_warm_up else DROPPED
    bench.go("a", retries=2)
    (sample,) = bench.lines("sample")
    assert (sample["state"], len(sample["usage"]), len(player.asked)) == ("error", 3, 3)


def test_a_model_whose_server_is_gone_is_given_up(tmp_path, player):
    cases = [f"case {number}" for number in range(40)]
    bench = Bench(tmp_path).catalog(entry("a", player.url)).suite(cases)
    player.answer = lambda question: "yes" if question.is_warm_up else DROPPED
    bench.go("a", retries=0)
    assert 0 < len(bench.lines("sample")) < 40


def test_cut_answers_and_failed_ones_are_states_of_their_own(bench, player):
    def answer(question):
        if question.text in ("case 1", "case 2"):
            return question.says("yes, but", "length")
        return "no" if question.text == "case 3" else "yes"

    player.answer = answer
    player.faults["case 5"] = [http("{}", "400 Bad Request")]
    bench.suite(
        CASES, [{"name": "yes", "type": "contains", "ref": "yes"}, {"name": "some", "type": "regex", "ref": "."}]
    )
    bench.go("a", repeat=2)
    report = build_report(read_log(bench.log))
    yes, some, whole = (dict(one.scores[0].states) for one in report.evaluators)
    assert yes == {"truncated": 4, "fail": 2, "error": 1, "ok": 5}
    assert some == {"truncated": 4, "error": 1, "ok": 7}
    assert whole == {"fail": 4, "error": 1, "ok": 7}
    assert {line["case"] for line in bench.lines("score")}.isdisjoint({"case 1", "case 2"})


def test_evaluators_with_tags_look_at_their_cases_alone(bench):
    cases = [{"id": "x", "input": "x", "tags": "t"}, {"id": "y", "input": "y"}]
    tagged = {"name": "tagged", "type": "contains", "ref": "yes", "tags": ["t"]}
    bench.suite(cases, [tagged, {"name": "all", "type": "contains", "ref": "yes"}]).go("a")
    assert [(line["evaluator"], line["case"]) for line in bench.lines("score")] == [
        ("tagged", "x"),
        ("all", "x"),
        ("all", "y"),
    ]
    assert [one.scores[0].of for one in build_report(read_log(bench.log)).evaluators] == [1, 2]


def test_every_request_has_a_usage_row_with_provider_and_model(bench, player):
    player.faults["case 1"] = [DROPPED]
    bench.catalog(entry("a", player.url, provider="one"), entry("b", player.url, provider="two")).go("a", "b")
    assert len(bench.usage) == len(player.questions) == 15
    assert Counter((row.provider, row.model) for row in bench.usage) == {("one", "a"): 8, ("two", "b"): 7}
    assert {row.privacy for row in bench.usage} == {"sensitive"}


def test_without_a_model_the_router_chooses(bench, player):
    bench.go()
    assert {one.model for one in player.questions} == {"a"}


def test_a_model_that_is_not_for_the_agent_is_refused_before_anything_is_asked(bench, player):
    cloud = entry("cloud", player.url, locality="cloud", privacyAllowed=["public"])
    bench.catalog(entry("a", player.url), cloud, entry("draft", player.url, capabilityClass="coding-frontier"))
    for model in ("cloud", "draft"):
        with pytest.raises(NoEligibleModelError):
            bench.go("a", model)
    with pytest.raises(UnknownNameError):
        bench.go("a", "unheard-of")
    assert player.server.seen == []


@pytest.mark.parametrize("wrong", [{"repeat": 0}, {"concurrency": 0}, {"retries": -1}, {"timeout": 0.0}])
def test_settings_that_make_no_sense_are_refused(wrong):
    with pytest.raises(UsageError):
        Settings(**wrong)


def test_an_answer_with_half_a_surrogate_pair_can_be_read_again(bench, player):
    player.answer = lambda question: "yes \ud83d"
    bench.suite(["x"]).go("a")
    assert json.loads(bench.log.read_text().splitlines()[1])["state"] == "ok"
    assert build_report(read_log(bench.log)).models[0].ok == 1
