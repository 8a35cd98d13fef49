"""Anchors and aliases: as good as what they stand for, and told where they are used."""

from __future__ import annotations

from pathlib import Path

from tests.validate.contract.catalogs import LOCAL, catalog, entry, found, line_of, subject, told

ANCHORED = catalog(
    subject("local", {"provides": "&tags [streaming, vision]", "cost": "&free { usdPerMtokIn: 0, usdPerMtokOut: 0 }"}),
    subject("cloud", {"provides": "*tags", "privacyAllowed": "&tiers [public, internal]"}, 1),
    subject("cloud", {"provides": "[streaming, audio-in]", "privacyAllowed": "*tiers"}, 2),
    entry("last", LOCAL | {"provides": "[streaming, rerank]"}, {"cost": "*free"}),
)


def test_anchors_and_aliases_are_as_good_as_what_they_stand_for(folder: Path) -> None:
    findings = found(ANCHORED, folder)
    assert [(f.code, f.pointer) for f in findings if not f.code.startswith("AL5")] == []


def test_an_alias_that_is_wrong_where_it_is_used_is_told_where_it_is_used(folder: Path) -> None:
    text = catalog(
        subject("local", {"privacyAllowed": "&tiers [public, internal, sensitive]"}),
        subject("cloud", {"privacyAllowed": "*tiers"}, 1),
    )
    (finding,) = found(text, folder)
    assert finding.code == "AL301"
    assert finding.pointer.startswith("/models/3/privacyAllowed")
    assert finding.span
    assert finding.span.line == line_of(text, "subject-two", "privacyAllowed")


def test_a_comment_above_the_entry_holds_for_what_it_has_by_alias(folder: Path) -> None:
    text = catalog(
        subject("local", {"privacyAllowed": "&tiers [public, internal, sensitive]"}),
        "  # aldo: ignore[AL301] cleared\n" + subject("cloud", {"privacyAllowed": "*tiers"}, 1),
    )
    assert told(found(text, folder)) == []


def test_no_fix_for_one_entry_edits_what_another_has_by_alias(folder: Path) -> None:
    text = catalog(
        subject("local", {"privacyAllowed": "&tiers [public, internal, sensitive]"}),
        subject("cloud", {"privacyAllowed": "*tiers"}, 1),
    )
    (finding,) = found(text, folder)
    shared = range(text.index("&tiers"), text.index("\n", text.index("&tiers")))
    edits = finding.fix.edits if finding.fix else ()
    assert not [edit for edit in edits if edit.start in shared]


def test_a_free_price_by_alias_on_a_cloud_entry_is_told_once(folder: Path) -> None:
    text = catalog(
        subject("local", {"cost": "&free { usdPerMtokIn: 0, usdPerMtokOut: 0 }"}),
        subject("cloud", {"cost": "*free"}, 1),
    )
    (finding,) = found(text, folder)
    assert (finding.code, finding.pointer[:9]) == ("AL401", "/models/3")
