"""Laws of findings: none hides another, and neither order, layout nor neighbours change what is found."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from aldo.errors import Finding
from tests.support.strategies import Scenario, scenarios
from tests.validate.contract.catalogs import (
    LOCAL,
    SPARE,
    SUBJECTS,
    Change,
    catalog,
    codes,
    costing,
    document,
    entry,
    found,
    subject,
    told,
)
from tests.validate.contract.defects import CASES, Case, lines_of

Picked = tuple[Case, ...]
ALONE_ON_A_LINE = [case for case in CASES if not case.head and case.code not in {"AL210"}]


def one_each(picked: Picked) -> str:
    return catalog(*(subject(case.home, case.change, number) for number, case in enumerate(picked)))


@st.composite
def pairs_of_fields(draw: st.DrawFn) -> tuple[Case, Case]:
    """Two defects of one entry that touch different fields and do not speak of the same thing."""
    first = draw(st.sampled_from(ALONE_ON_A_LINE))
    others = [
        case
        for case in ALONE_ON_A_LINE
        if case.home == first.home and not set(case.change) & set(first.change) and not _related(case, first)
    ]
    assume(others)
    return first, draw(st.sampled_from(others))


def _related(one: Case, other: Case) -> bool:
    """Whether a defect of one field changes what is right for the other's."""
    fields = {*one.change, *other.change}
    speak_together = (
        {"locality", "localty", "providerConfig", "privacyAllowed", "cost"},
        {"providerKind", "providerConfig", "provides"},
        {"effectiveContextTokens", "servedContextTokens", "maxOutputTokens", "provides"},
        {"capabilityClass", "capability_class", "provides", "cost"},
    )
    return any(len(fields & together) > 1 for together in speak_together)


def found_of(findings: Sequence[Finding]) -> list[tuple[str, str]]:
    """Which code each entry has, without what speaks of the whole catalog."""
    return sorted((f.code, "/".join(f.pointer.split("/")[:3])) for f in findings if not f.code.startswith("AL5"))


def expected_of(picked: Picked, *, entries: Sequence[int]) -> list[tuple[str, str]]:
    return sorted((case.code, f"/models/{2 + number}") for case, number in zip(picked, entries, strict=True))


def _in_value(case: Case) -> bool:
    """A secret in a comment belongs to no entry."""
    return " # " not in str(case.change[case.at])


@given(st.tuples(*[st.sampled_from([case for case in ALONE_ON_A_LINE if _in_value(case)])] * 3))
@settings(max_examples=80)
def test_no_bad_entry_hides_another_or_adds_to_it(folder: Path, picked: Picked) -> None:
    assert found_of(found(one_each(picked), folder)) == expected_of(picked, entries=(0, 1, 2))


@given(pairs_of_fields().filter(lambda pair: all(map(_in_value, pair))))
@settings(max_examples=80)
def test_no_bad_field_hides_another_of_its_entry(folder: Path, pair: tuple[Case, Case]) -> None:
    text = catalog(subject(pair[0].home, pair[0].change | pair[1].change))
    assert found_of(found(text, folder)) == expected_of(pair, entries=(0, 0))


@pytest.mark.parametrize("syntax", ["    description: [a, b\n", "\tdescription: x\n", "    description: 'a' b\n"])
@pytest.mark.parametrize("case", [case for case in ALONE_ON_A_LINE if _in_value(case)][::6], ids=str)
def test_a_syntax_error_in_one_entry_hides_nothing_in_the_others(case: Case, syntax: str, folder: Path) -> None:
    text = catalog(subject("local") + syntax, subject(case.home, case.change, 1), subject("local", {}, 2))
    findings = found(text, folder)
    assert Counter(codes(findings)) == Counter(["AL101", case.code]), told(findings)
    (finding,) = (f for f in findings if f.code == case.code)
    assert finding.span
    assert finding.span.line in lines_of(case, text, "subject-two")


Key = tuple[str, str, str, str]


def keyed(findings: Sequence[Finding], ids: Sequence[str]) -> Counter[Key]:
    """Each finding by what it says, its entry by name instead of number."""
    keys = []
    for finding in findings:
        parts = finding.pointer.split("/")
        if len(parts) > 2 and parts[1] == "models":
            parts[2] = ids[int(parts[2])]
        keys.append((finding.code, finding.severity, "/".join(parts), finding.message))
    return Counter(keys)


@given(st.tuples(*[st.sampled_from(ALONE_ON_A_LINE)] * 3), st.permutations(range(5)))
@settings(max_examples=60)
def test_the_order_of_entries_changes_nothing_that_is_found(folder: Path, picked: Picked, order: list[int]) -> None:
    ids = ("spare-a", "spare-b", *SUBJECTS)
    blocks = [
        entry("spare-a", SPARE),
        entry("spare-b", SPARE | {"provides": "[streaming, tool-use]"}),
        *(subject(case.home, case.change, number) for number, case in enumerate(picked)),
    ]
    straight = found(catalog(*blocks, spares=""), folder)
    shuffled = found(catalog(*(blocks[number] for number in order), spares=""), folder)
    assert keyed(shuffled, [ids[number] for number in order]) == keyed(straight, ids)


@given(scenarios(min_entries=2), st.randoms(use_true_random=False))
@settings(max_examples=60)
def test_the_order_of_colliding_entries_changes_nothing_that_is_found(
    folder: Path, scenario: Scenario, shuffler: random.Random
) -> None:
    entries = list(scenario.entries)
    shuffler.shuffle(entries)
    shuffled = Scenario(tuple(entries), scenario.ask, scenario.widened)
    before = keyed(found(document(scenario), folder), [one["id"] for one in scenario.entries])
    after = keyed(found(document(shuffled), folder), [one["id"] for one in entries])

    def told_of(key: Key) -> bool:
        return key[0] not in {"AL502", "AL503"}  # they stand at the first entry of the class

    assert {key: n for key, n in after.items() if told_of(key)} == {key: n for key, n in before.items() if told_of(key)}
    cells = [Counter((c, s, m) for c, s, _, m in keys if c in {"AL502", "AL503"}) for keys in (before, after)]
    assert cells[0] == cells[1]


def shifted(findings: Sequence[Finding], lines: int = 0) -> list[tuple[Any, ...]]:
    return [
        (f.code, f.severity, f.pointer, f.message, f.hint, f.span and (f.span.line + lines, f.span.column),
         f.span and (f.span.end_line + lines, f.span.end_column),
         [(r.message, r.span and r.span.line + lines) for r in f.related])
        for f in findings
    ]  # fmt: skip


BAD = "".join(
    subject(case.home, case.change, number).replace(SUBJECTS[number], f"s-{index}")
    for index, case in enumerate(ALONE_ON_A_LINE[::9])
    for number in [index % 3]
)
MESS = catalog(BAD, entry("spare-a", SPARE))


@given(st.lists(st.sampled_from(["", "# words", "   # é 😀", "#", "# a: [b", "# - id: x"]), max_size=7))
@example(["# aldo"] * 40)
def test_comment_lines_in_front_shift_every_finding_and_change_nothing_else(folder: Path, lines: list[str]) -> None:
    front = "".join(f"{line}\n" for line in lines)
    assert shifted(found(front + MESS, folder)) == shifted(found(MESS, folder), len(lines))


@pytest.mark.parametrize("change", ["\r\n", "\ufeff"])
def test_line_ends_and_a_byte_order_mark_change_nothing(change: str, folder: Path) -> None:
    other = MESS.replace("\n", "\r\n") if change == "\r\n" else change + MESS
    assert shifted(found(other, folder)) == shifted(found(MESS, folder))


@given(st.tuples(*[st.sampled_from([case for case in ALONE_ON_A_LINE if case.code[2] in "2345"])] * 3))
@settings(max_examples=60)
def test_flow_style_on_one_line_a_field_finds_the_same_as_block_style(folder: Path, picked: Picked) -> None:
    text = one_each(tuple(case for case in picked if _in_value(case)))
    flow = []
    for line in text.splitlines():
        if line.startswith("  - "):
            flow.append(("" if not flow or flow[-1] == "models: [" else "},") + "{ " + line[4:] + ",")
        elif line == "models:":
            flow.append("models: [")
        elif line.startswith("    "):
            flow.append(line[4:] + ",")
        else:
            flow.append(line + ",")
    other = "{" + "\n".join(flow) + "}]}\n"
    ids = ("spare-a", "spare-b", *SUBJECTS)
    assert keyed(found(other, folder), ids) == keyed(found(text, folder), ids)


UNRELATED = (
    {"capabilityClass": "coding-frontier", "privacyAllowed": "[public, internal, sensitive]"},
    {"capabilityClass": "embeddings", "cost": costing("0", "0")},
    {"capabilityClass": "fast-draft", "latencyP95Ms": "100", "description": "two of them"},
)


@given(st.tuples(*[st.sampled_from(ALONE_ON_A_LINE)] * 3), st.sampled_from(UNRELATED))
@settings(max_examples=80)
def test_two_good_entries_of_another_class_add_no_findings(folder: Path, picked: Picked, change: Change) -> None:
    text = one_each(picked)
    more = "".join(
        entry(f"new-{tag}", LOCAL | {"provides": f"[streaming, {tag}]"}, change) for tag in ("rerank", "long-output")
    )
    assert shifted(found(text + more, folder)) == shifted(found(text, folder))


@pytest.mark.parametrize(
    "picked",
    [ALONE_ON_A_LINE[n : n + 3] for n in range(0, len(ALONE_ON_A_LINE) - 2, 9)],
    ids=lambda picked: picked[0].code,
)
def test_selecting_a_code_finds_what_all_rules_find_of_it(picked: Picked, folder: Path) -> None:
    everything = found(one_each(picked), folder)
    for code in set(codes(everything)):
        only_it = [f for f in everything if f.code == code]
        stops = [f for f in everything if f.code.startswith("AL1") and f.severity == "error"]  # told in any case
        selected = [f for f in everything if f in only_it or f in stops]
        assert shifted(found(one_each(picked), folder, select=[code])) == shifted(selected)
        left = [f for f in everything if f.code != code or f in stops]
        assert shifted(found(one_each(picked), folder, ignore=[code])) == shifted(left)
