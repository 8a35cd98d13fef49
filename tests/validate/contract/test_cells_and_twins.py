"""What only a whole catalog can show of routing: cells without a model, entries never chosen first, twins."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.validate.contract.catalogs import (
    ALONE,
    CLOUD,
    SPARE,
    catalog,
    codes,
    costing,
    entry,
    found,
    line_of,
    only,
    subject,
    told,
)


def test_a_class_with_one_model_names_class_tier_and_model(folder: Path) -> None:
    findings = found(only(entry("lone", ALONE)), folder)
    assert {(f.code, f.severity) for f in findings} == {("AL503", "info")}, told(findings)
    words = " ".join(f.message for f in findings)
    assert all(word in words for word in ("fast-draft", "lone", "public", "internal", "sensitive"))
    assert len(findings) == 1, "one entry too few is one defect"


def test_a_cell_without_a_model_names_class_and_tier_and_is_told_once(folder: Path) -> None:
    open_tiers = ALONE | {"privacyAllowed": "[public, internal]"}
    text = only(entry("a", open_tiers), entry("b", open_tiers, {"provides": "[streaming, tool-use]"}))
    (finding,) = found(text, folder)
    assert (finding.code, finding.severity) == ("AL502", "warning")
    assert "fast-draft" in finding.message
    assert "sensitive" in finding.message
    assert finding.hint


def test_an_entry_that_claims_a_tier_it_cannot_serve_does_not_fill_the_cell(folder: Path) -> None:
    cloud = CLOUD | {"capabilityClass": "fast-draft", "privacyAllowed": "[public, internal, sensitive]"}
    pair = [entry(name, cloud, {"provides": f"[streaming, {tag}]"}) for name, tag in (("a", "vision"), ("b", "rerank"))]
    assert Counter(codes(found(only(*pair), folder)))["AL502"] == 1


def test_a_declared_class_that_no_entry_has_is_a_cell_without_a_model(folder: Path) -> None:
    text = catalog(head="vocabulary: { capabilityClasses: [house-class] }\n")
    findings = found(text, folder)
    assert set(codes(findings)) == {"AL502"}, told(findings)
    assert all("house-class" in finding.message for finding in findings)
    assert all(finding.span and finding.span.line == 3 for finding in findings)


def test_built_in_classes_that_no_entry_has_are_not_missed(folder: Path) -> None:
    assert told(found(catalog(), folder)) == []


def test_a_disabled_entry_fills_no_cell(folder: Path) -> None:
    second = entry("second", ALONE, {"provides": "[streaming, tool-use]"})
    assert told(found(only(entry("lone", ALONE), second), folder)) == []
    off = second + "    enabled: false\n"
    assert codes(found(only(entry("lone", ALONE), off), folder)) == ["AL503"]


def test_what_only_disabled_entries_have_is_asked_of_nobody_else(folder: Path) -> None:
    off = subject("local", {"enabled": "false", "provides": "[streaming]", "cost": costing("1", "1")})
    assert told(found(catalog(off), folder)) == []


@pytest.mark.parametrize(
    ("home", "change", "reason"),
    [
        ("local", {"cost": costing("1", "2")}, "cost"),
        ("local", {"effectiveContextTokens": "1000", "cost": costing("1", "2")}, "cost"),
        ("local", {"privacyAllowed": "[public]", "cost": costing("0", "0.000001")}, "cost"),
    ],
)
def test_an_entry_that_another_always_comes_before_names_it_and_what_decides(
    home: str, change: dict[str, str], reason: str, folder: Path
) -> None:
    large = subject(home, {"provides": "[streaming]", "effectiveContextTokens": "32768", **change})
    text = catalog(large)
    (finding,) = found(text, folder)
    assert (finding.code, finding.severity) == ("AL501", "info")
    assert finding.span
    assert finding.span.line in (line_of(text, "subject"), line_of(text, "subject") + 1)
    assert finding.pointer.startswith("/models/2")
    assert "subject" in finding.message
    assert "spare-a" in finding.message
    assert reason in finding.message + finding.hint, finding


def test_a_slower_entry_is_never_first_because_of_its_latency(folder: Path) -> None:
    fast, slow = ALONE | {"latencyP95Ms": "100"}, ALONE | {"latencyP95Ms": "900"}
    (finding,) = found(only(entry("b-fast", fast), entry("a-slow", slow)), folder)
    assert finding.code == "AL501"
    assert "a-slow" in finding.message.split("b-fast")[0]
    assert "latency" in finding.message + finding.hint


@pytest.mark.parametrize(
    ("home", "change"),
    [
        ("cloud", {"provides": "[streaming, vision]"}),
        ("cloud", {"effectiveContextTokens": "32769"}),
        ("local", {"effectiveContextTokens": "32769", "cost": costing("5", "9")}),
        ("local", {"latencyP95Ms": "1", "provides": "[streaming, tool-use]"}),
        ("local", {"provides": "[vision]", "cost": costing("5", "9")}),
    ],
)
def test_an_entry_that_some_request_chooses_first_is_not_told(home: str, change: dict[str, str], folder: Path) -> None:
    base = {"provides": "[streaming]", "effectiveContextTokens": "32768"}
    assert not [f for f in found(catalog(subject(home, {**base, **change})), folder) if "subject is" in f.message]


@pytest.mark.parametrize(
    ("home", "head"),
    [("cloud", ""), ("on-prem", ""), ("local", "routing: { sensitiveLocalities: [on-prem] }\n")],
)
def test_an_entry_that_no_request_can_reach_is_a_warning(home: str, head: str, folder: Path) -> None:
    findings = found(catalog(subject(home, {"privacyAllowed": "[sensitive]"}), head=head), folder, select=["AL501"])
    (finding,) = (f for f in findings if "subject" in f.message)
    assert finding.severity == "warning"


def test_prices_that_cross_leave_both_entries_a_first_choice(folder: Path) -> None:
    one, other = ALONE | {"cost": costing("1", "9")}, ALONE | {"cost": costing("2", "3")}
    assert told(found(only(entry("a", one), entry("b", other)), folder)) == []


@pytest.mark.parametrize("change", [{}, {"provider": "vllm"}, {"providerConfig": None}, {"description": "another"}])
def test_two_entries_equal_in_every_routing_fact_are_told_once(change: dict[str, str | None], folder: Path) -> None:
    text = only(entry("a", ALONE), entry("b", ALONE, change))
    (finding,) = found(text, folder)
    assert (finding.code, finding.severity) == ("AL504", "info")
    assert "a" in finding.message.split()
    assert "b" in finding.message.split()


@pytest.mark.parametrize(
    "change",
    [
        {"provides": "[vision, streaming]", "privacyAllowed": "[sensitive, public, internal]"},
        {"cost": costing("0.0", "0.00")},
        {"effectiveContextTokens": "0x8000"},
    ],
)
def test_facts_are_equal_by_value_and_not_by_how_they_are_written(change: dict[str, str], folder: Path) -> None:
    text = only(entry("a", ALONE), entry("b", ALONE, change))
    assert codes(found(text, folder, select=["AL5"])) == ["AL504"]


def test_a_disabled_twin_is_nobodys_twin(folder: Path) -> None:
    text = catalog(entry("twin", SPARE, {"enabled": "false"}))
    assert told(found(text, folder)) == []
