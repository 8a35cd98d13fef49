"""The evaluation suites that ship, as data: balanced, well formed, and not to be passed by an echo or boilerplate."""

from __future__ import annotations

import ast
import json
import re
from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import Any

import pytest
import yaml

from tests.support.cases import ROOT

SUITES = ROOT / "suites"
LANGUAGES = {"python", "javascript", "typescript", "go", "rust", "java", "c", "sql", "bash", "yaml", "dockerfile"}
DIFFICULTIES = {"easy", "medium", "hard"}
SEVERITIES = {"critical", "major", "minor"}
EMPTY_ANSWERS = ["", "Looks good to me.", "No defect found.", "I cannot help with that."]
FENCED = re.compile(r"\A(?P<ask>[^\n]+)\n\n```(?P<kind>\w+)\n(?P<code>.*)\n```\Z", re.DOTALL)
HUNK = re.compile(r"@@ -\d+,(\d+) \+\d+,(\d+) @@")

Case = Mapping[str, Any]

CASES: list[Case] = [json.loads(line) for line in (SUITES / "code-review.jsonl").read_text("utf-8").splitlines()]
DEFECTS = [case for case in CASES if "clean" not in case["tags"]]
CLEAN = [case for case in CASES if "clean" in case["tags"]]
each_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])


def read_suite(name: str) -> dict[str, Any]:
    content = yaml.safe_load((SUITES / f"{name}.yaml").read_text("utf-8"))
    assert (content["version"], content["schema"]) == (1, "aldo-ai/eval.v1")
    suite: dict[str, Any] = content["suite"]
    assert suite["name"] == name
    return suite


SMOKE: list[Case] = read_suite("smoke")["cases"]
(ONE_SENTENCE_EACH,) = (
    re.compile(evaluator["ref"])
    for evaluator in read_suite("code-review")["evaluators"]
    if evaluator["type"] == "regex"
)


def contains_any(case: Case, answer: str) -> bool:
    return any(phrase in answer.lower() for phrase in case["ground_truth"])


def language(case: Case) -> str:
    return str(case["tags"][0])


def code_of(case: Case) -> str:
    """The reviewed code; of a diff, what the file says after it."""
    found = FENCED.match(case["input"])
    assert found is not None
    if found["kind"] != "diff":
        return found["code"]
    return "\n".join(line[1:] for line in found["code"].split("\n")[3:] if line[0] in "+ ")


def test_there_are_48_cases_of_which_8_are_clean() -> None:
    assert (len(CASES), len(CLEAN)) == (48, 8)


@pytest.mark.parametrize("cases", [CASES, SMOKE], ids=["code-review", "smoke"])
def test_ids_and_inputs_are_unique(cases: list[Case]) -> None:
    for key in ("id", "input"):
        assert [text for text, times in Counter(case[key] for case in cases).items() if times > 1] == []


def test_languages_difficulties_and_severities_are_spread() -> None:
    assert {language(case) for case in CASES} == LANGUAGES
    assert len(LANGUAGES) >= 8
    levels = Counter(tag for case in DEFECTS for tag in case["tags"] if tag in DIFFICULTIES)
    assert min(levels[level] for level in DIFFICULTIES) >= 8, levels
    severities = Counter(tag for case in DEFECTS for tag in case["tags"] if tag in SEVERITIES)
    assert min(severities[severity] for severity in SEVERITIES) >= 4, severities
    assert len({case["tags"][1] for case in DEFECTS}) >= 20
    assert len({language(case) for case in CLEAN}) == len(CLEAN)


@each_case
def test_a_case_has_its_keys_and_tags(case: Case) -> None:
    assert set(case) == {"id", "input", "ground_truth", "tags", "source"}
    language_tag, kind, level, *severity = case["tags"]
    assert (language_tag in LANGUAGES, level in DIFFICULTIES) == (True, True)
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)+", case["id"])
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", kind)
    assert [tag in SEVERITIES for tag in severity] == ([] if kind == "clean" else [True])


@each_case
def test_ground_truths_are_phrases_in_lower_case(case: Case) -> None:
    phrases = case["ground_truth"]
    assert phrases
    assert len(set(phrases)) == len(phrases)
    assert [phrase for phrase in phrases if phrase != phrase.strip().lower() or len(phrase) < 2] == []


@each_case
def test_the_code_is_5_to_25_lines_long_in_one_fence(case: Case) -> None:
    found = FENCED.match(case["input"])
    assert found is not None
    assert "```" not in found["code"]
    assert found["kind"] in {"diff", language(case)}
    assert 5 <= len(code_of(case).split("\n")) <= 25


@each_case
def test_a_diff_has_the_line_counts_that_its_header_says(case: Case) -> None:
    found = FENCED.match(case["input"])
    assert found is not None
    if found["kind"] != "diff":
        assert not found["code"].startswith(("--- ", "@@"))
        return
    old, new, hunk, *lines = found["code"].split("\n")
    assert old.startswith("--- a/")
    assert new == "+++ b/" + old.removeprefix("--- a/")
    counts = HUNK.fullmatch(hunk)
    assert counts is not None
    assert {line[:1] for line in lines} <= {" ", "+", "-"}
    assert sum(line[0] in " -" for line in lines) == int(counts[1])
    assert sum(line[0] in " +" for line in lines) == int(counts[2])
    assert any(line[0] == "+" for line in lines)


def test_python_and_yaml_are_well_formed() -> None:
    for case in CASES:
        if language(case) == "python":
            ast.parse(code_of(case))
        elif language(case) == "yaml":
            assert isinstance(yaml.safe_load(code_of(case)), dict)


@each_case
def test_an_echo_of_the_input_does_not_pass(case: Case) -> None:
    """A case whose ground truth cannot but stand in its input says so with the tag `echo`."""
    assert contains_any(case, case["input"]) == ("echo" in case["tags"])


@pytest.mark.parametrize("answer", EMPTY_ANSWERS, ids=lambda answer: answer or "empty")
def test_boilerplate_passes_no_case_with_a_defect(answer: str) -> None:
    assert [case["id"] for case in DEFECTS if contains_any(case, answer)] == []


def test_an_echo_of_the_agents_prompt_passes_only_the_clean_cases() -> None:
    agent = yaml.safe_load((ROOT / "agency" / "agents" / "code-reviewer.yaml").read_text("utf-8"))
    passed = [case["id"] for case in CASES if contains_any(case, agent["system_prompt"])]
    assert passed == [case["id"] for case in CLEAN]


def test_clean_cases_are_passed_by_saying_that_there_is_no_defect() -> None:
    assert [case["id"] for case in CLEAN if not contains_any(case, "No defect found.")] == []
    assert [case["id"] for case in CLEAN if contains_any(case, "")] == []


def test_one_answer_for_all_passes_few_cases() -> None:
    """The phrases of one kind of defect, said everywhere, pass that kind and its relatives."""
    for case in DEFECTS:
        answer = " ".join(case["ground_truth"])
        passed = [other for other in DEFECTS if contains_any(other, answer)]
        assert case in passed
        assert len(passed) <= 8, (case["id"], [other["id"] for other in passed])


def test_sources_pair_up() -> None:
    """Six functions come in two languages, with one kind of defect; others return without their defect."""
    sources: defaultdict[str, list[Case]] = defaultdict(list)
    for case in CASES:
        sources[case["source"]].append(case)
    assert {len(cases) for cases in sources.values()} == {1, 2}
    pairs = [(one, other) for one, other in (cases for cases in sources.values() if len(cases) == 2)]
    twins = [pair for pair in pairs if pair[0]["tags"][1] == pair[1]["tags"][1]]
    mended = [pair for pair in pairs if sum(case in CLEAN for case in pair) == 1]
    assert (len(twins), len(mended), len(pairs)) == (6, 2, 8)
    for one, other in twins:
        assert language(one) != language(other)
        assert one["ground_truth"] == other["ground_truth"]
    for one, other in mended:
        assert language(one) == language(other)


@pytest.mark.parametrize("name", ["code-review", "code-review-judged", "smoke"])
def test_a_suite_names_its_cases_and_evaluators(name: str) -> None:
    suite = read_suite(name)
    assert ("cases" in suite) != ("cases_dataset" in suite)
    if "cases_dataset" in suite:
        assert (SUITES / suite["cases_dataset"]).is_file()
    names = [evaluator["name"] for evaluator in suite["evaluators"]]
    assert len(set(names)) == len(names)
    assert set(suite["threshold"]) <= set(names)
    assert all(0 < threshold <= 1 for threshold in suite["threshold"].values())


def test_only_the_judged_suite_needs_a_judge_and_names_a_class_for_it() -> None:
    def judges(name: str) -> list[dict[str, Any]]:
        return [evaluator for evaluator in read_suite(name)["evaluators"] if evaluator["type"] == "llm-judge"]

    assert (judges("code-review"), judges("smoke")) == ([], [])
    (judge,) = judges("code-review-judged")
    assert set(judge) == {"name", "type", "capability_class", "rubric", "choices"}
    assert all(f"{choice}:" in judge["rubric"] for choice in judge["choices"])
    shared = ("cases_dataset", "max_tokens", "temperature")
    judged, plain = read_suite("code-review-judged"), read_suite("code-review")
    assert [judged[key] for key in shared] == [plain[key] for key in shared]


@pytest.mark.parametrize(
    ("answer", "matches"),
    [
        ("No defect found.", True),
        ("no defect found", True),
        ("Line 3 divides by n, which may be 0: return early.\n", True),
        ("1. Line 3 calls os.path.join(a, b) on input.\n2. Line 5 compares 0.1 with ==!\n", True),
        ("- Line 3 leaks the file.\n\n- Line 5 ignores it.", True),
        ("", False),
        ("Line 3 leaks the file. Close it.", False),
        ("Line 3 leaks.\nThis is bad. Very bad.", False),
        (". . .", False),
    ],
)
def test_one_sentence_each_tells_one_sentence_from_two(answer: str, matches: bool) -> None:
    assert (ONE_SENTENCE_EACH.search(answer) is not None) == matches


def test_one_sentence_each_cannot_hang_even_an_engine_that_backtracks() -> None:
    for line in ("1. a.b \n", "- a. \n", "...a...  \n", "1. 2. 3.\n", "\n\n \n", "a \n"):
        assert ONE_SENTENCE_EACH.search(line * 500 + "An end. And more") is None


def test_smoke_has_12_inline_cases_with_a_ground_truth_each() -> None:
    assert len(SMOKE) == 12
    for case in SMOKE:
        assert set(case) == {"id", "input", "ground_truth", "tags"}
        assert case["ground_truth"]
        assert all(isinstance(phrase, str) and phrase == phrase.strip().lower() for phrase in case["ground_truth"])
        assert [answer for answer in ("", case["input"]) if contains_any(case, answer)] == []
