"""What only a whole catalog can show of names: tags that are slips of others, ids given twice, replacements."""

from __future__ import annotations

from pathlib import Path

import pytest

from aldo.schema.vocabulary import CAPABILITIES, CAPABILITY_CLASSES
from tests.validate.contract.catalogs import LOCAL, OWN, catalog, codes, entry, found, line_of, subject, three, told


@pytest.mark.parametrize(
    "rare", ["hous-style", "house-styles", "huose-style", "house-stile", "House-style", "house_style"]
)
def test_a_tag_used_once_and_one_edit_from_a_common_one_is_told_with_the_common_one(rare: str, folder: Path) -> None:
    common = {"provides": "[streaming, OWN, house-style]"}
    text = three(common, {"provides": f"[streaming, OWN, {rare}]"}, common)
    (finding,) = found(text, folder)
    assert (finding.code, finding.severity, finding.pointer) == ("AL202", "warning", "/models/3/provides/2")
    assert finding.span
    assert finding.span.line == line_of(text, "subject-two", "provides")
    assert rare in finding.message
    assert "house-style" in finding.message + finding.hint


@pytest.mark.parametrize(
    ("common", "other"),
    [
        ("house-style", "horse-riding"),
        ("house-v1", "house-v2"),
        ("lang2", "lang3"),
        ("sql", "sqs"),
        ("64k-context", "65k-context"),
        ("house-style", "streaming"),
    ],
)
def test_tags_that_differ_by_more_or_in_their_numbers_are_two_tags(common: str, other: str, folder: Path) -> None:
    many = {"provides": f"[streaming, OWN, {common}]", "effectiveContextTokens": "65000"}
    assert (
        told(found(three(many, {**many, "provides": f"[streaming, OWN, {other}]"}, many), folder, ignore=["AL5"])) == []
    )


def test_a_tag_that_is_declared_or_used_twice_is_no_typo_of_another(folder: Path) -> None:
    style, stile = {"provides": "[streaming, OWN, house-style]"}, {"provides": "[streaming, OWN, house-stile]"}
    declared = "vocabulary: { capabilities: [house-style, house-stile] }\n"
    one = catalog(*(subject("local", change, n) for n, change in enumerate((style, stile, style))), head=declared)
    assert told(found(one, folder)) == []
    twice = entry("last", LOCAL | {"provides": "[streaming, rerank, house-stile]"})
    assert told(found(three(style, stile, style) + twice, folder, ignore=["AL5"])) == []


def test_an_id_given_twice_is_told_once_at_the_second_place_with_the_first(folder: Path) -> None:
    text = catalog(subject("local"), entry("spare-a", LOCAL, own="rerank"))
    (finding,) = found(text, folder)
    assert (finding.code, finding.severity, finding.pointer) == ("AL107", "error", "/models/3/id")
    assert finding.span
    assert finding.span.line == text.splitlines().index("  - id: spare-a", 5) + 1
    assert "spare-a" in finding.message
    assert [other.span and other.span.line for other in finding.related] == [line_of(text, "spare-a")]


def test_an_id_given_three_times_is_told_at_each_repetition(folder: Path) -> None:
    text = catalog(*(entry("spare-a", LOCAL, own=own) for own in OWN[:2]))
    assert codes(found(text, folder)) == ["AL107", "AL107"]


BROKEN = "\n    localty: local"


@pytest.mark.parametrize("broken", ["", BROKEN])
def test_a_replacement_that_stands_in_the_file_is_known_even_where_its_entry_is_broken(
    broken: str, folder: Path
) -> None:
    other = subject("local", number=1).replace("\n    provider: ollama", "\n    provider: ollama" + broken)
    text = catalog(subject("local", {"deprecation": "{ date: 2027-01-01, replacement: subject-two }"}), other)
    assert "AL210" not in codes(found(text, folder))


@pytest.mark.parametrize("name", sorted(CAPABILITIES))
def test_no_built_in_tag_is_near_another(name: str, folder: Path) -> None:
    context = {"effectiveContextTokens": "2000000"} if name.endswith("-context") else {}
    text = catalog(subject("local", {"provides": f"[streaming, OWN, {name}]", **context}))
    if name not in ("streaming", "vision"):
        assert "AL201" not in codes(found(text, folder))


@pytest.mark.parametrize("name", sorted(CAPABILITY_CLASSES))
def test_no_built_in_class_is_near_another(name: str, folder: Path) -> None:
    assert told(found(catalog(subject("local", {"capabilityClass": name})), folder, ignore=["AL5"])) == []
