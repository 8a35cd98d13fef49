"""What a safe fix may not do: change routing, touch other lines, make new errors."""

from __future__ import annotations

import difflib
import random
from collections.abc import Iterable, Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aldo.errors import Finding
from aldo.validate import Rule, all_rules
from aldo.validate.example import WITH_CLOUD
from aldo.validate.fix import fix_files
from aldo.validate.rule import Defect
from aldo.validate.subject import Subject
from tests.support.mutations import MUTATIONS, SHIPPED, Mutation
from tests.validate.fixes.mending import TODAY, codes, fixed, mended, routing_digest, spoilt


@settings(max_examples=30)
@given(st.integers(0, 10**6))
def test_a_safe_fix_never_changes_routing_and_a_second_run_finds_nothing_to_fix(
    tmp_path_factory: pytest.TempPathFactory, seed: int
) -> None:
    file = tmp_path_factory.mktemp("fix") / "models.yaml"
    file.write_text(spoilt(random.Random(seed)), "utf-8", newline="")
    before = routing_digest(file)
    assert before is not None
    mended(file)
    assert routing_digest(file) == before
    again = fix_files([file], today=TODAY).files[0]
    assert (again.made, again.undone, again.changed) == ((), (), False)


@settings(max_examples=30)
@given(st.integers(0, 10**6))
def test_every_line_that_is_not_mended_stays_byte_for_byte(seed: int) -> None:
    """Comments too: a safe fix removes none but a suppression, and a line that goes is a double or a suppression."""
    text = spoilt(random.Random(seed))
    done = fixed(text)
    assert done.made
    told = {finding.span.line for finding in done.made if finding.span}
    before, after = text.split("\n"), done.text.split("\n")
    gone = {before[line - 1] for line in told if line <= len(before)}
    gone |= {line for line in before if "# aldo: ignore" in line}  # found in a later round, under another number
    for tag, start, end, _, _ in difflib.SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if tag in ("replace", "delete"):
            assert set(before[start:end]) <= gone


@settings(max_examples=25)
@given(st.sampled_from(MUTATIONS), st.integers(0, 50))
def test_a_mutation_is_mended_without_new_errors(mutation: Mutation, seed: int) -> None:
    text = mutation.apply(random.Random(seed)).text
    for unsafe in (False, True):
        done = fixed(text, unsafe=unsafe)
        worse = errors(done.report.findings) - errors(done.before.findings)
        assert worse <= 0
        assert not ({f.code for f in done.report.findings if f.unreadable} - {f.code for f in done.before.findings})
        assert not fixed(done.text, unsafe=unsafe).made
        if not unsafe:
            assert all(finding.fix_kind == "safe" for finding in done.made)


def errors(findings: Iterable[Finding]) -> int:
    return sum(finding.severity == "error" for finding in findings)


UNSAFE = (
    ("tool-use]", "tool_use]", "AL201"),
    ("providerKind: mlx", "providerKind: mlxx", "AL203"),
    ("privacyAllowed: [public, internal, sensitive]", "privacyAllowed: [public, sensitive]", "AL305"),
    ("https://api", "http://api", "AL303"),
    ("locality: local", "localty: local", "AL103"),
    ("locality: local", "locality: Local", "AL106"),
    ("    locality: local\n", "    locality: local\n    locality: cloud\n", "AL102"),
    ("effectiveContextTokens: 32768", 'effectiveContextTokens: 32768\n    enabled: "no"', "AL105"),
    ("[streaming, tool-use]", "[streaming, tool-use, 1m-context]", "AL405"),
    ("[streaming, tool-use]", "[streaming, tool-use, json-mode]", "AL207"),
    ("baseUrl: https://api.openai.com/v1", "baseUrl: api.openai.com/v1", "AL208"),
    ("    provider: mlx\n", "    provider: mlx\n    providerConfig: { extra: { samplerSed: 7 } }\n", "AL204"),
    (
        "    provider: mlx\n",
        "    provider: mlx\n    deprecation: { date: 2027-01-01, replacement: gema }\n",
        "AL210",
    ),
)


@pytest.mark.parametrize(("old", "new", "code"), UNSAFE, ids=[code for _, _, code in UNSAFE])
def test_what_may_change_routing_is_mended_only_with_unsafe(old: str, new: str, code: str) -> None:
    assert old in WITH_CLOUD
    text = WITH_CLOUD.replace(old, new, 1)
    assert code in codes(fixed(text).before)
    assert fixed(text).text == text
    done = fixed(text, unsafe=True)
    assert code in {finding.code for finding in done.made}
    assert code not in codes(done.report)


def test_a_safe_fix_never_removes_a_comment_that_a_typo_has_made_idle() -> None:
    """With the typo mended the finding is back, and the comment was the author's word on it."""
    text = SHIPPED.replace("providerKind: mlx", "providerKind: mlxx", 1)
    assert "# aldo: ignore[AL206]" in fixed(text).text
    assert fixed(text, unsafe=True).text == SHIPPED


@pytest.mark.parametrize("rule", all_rules().values(), ids=lambda rule: rule.code)
def test_the_examples_of_the_rules_are_mended_or_left_as_they_are(rule: Rule) -> None:
    """Whatever is mended of a bad example, no worse finding comes of it: at most an info that the defect had hidden."""
    text = rule.bad
    for unsafe in (False, True):
        done = fixed(text, unsafe=unsafe)
        assert (done.text == text) == (done.made == ())
        left = {finding.code for finding in done.report.findings if finding.severity != "info"}
        assert left <= (set() if done.made else {rule.code})


def test_of_two_fields_meant_for_one_neither_is_renamed() -> None:
    text = WITH_CLOUD.replace("capabilityClass: local-reasoning", "capabilityclass: a\n    capability_class: b", 1)
    done = fixed(text, unsafe=True)
    assert "capabilityclass: a\n    capability_class: b" in done.text
    assert {finding.code for finding in done.undone} == {"AL103"}


def test_a_fix_that_is_called_safe_and_changes_routing_is_taken_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """That a fix is safe is checked each time, and not taken from the rule's word."""

    def lying(subject: Subject) -> Iterator[Defect]:
        path = subject.entries[0].at("effectiveContextTokens")
        if "32768" in subject.text:
            yield Defect(path, "too small", fix=subject.replaced(path, "65536", "double it")._replace(safe=True))

    rules = all_rules()
    monkeypatch.setitem(rules, "AL405", rules["AL405"]._replace(check=lying))
    done = fixed(WITH_CLOUD)
    assert ([finding.code for finding in done.undone], done.made, done.changed) == (["AL405"], (), False)
    assert "AL405" in {finding.code for finding in done.report.findings if finding.fix is None}
