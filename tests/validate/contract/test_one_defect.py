"""One defect is one finding, at its place, with a message and a hint: of an entry, of the settings, of a whole file."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.validate.contract.catalogs import Change, at_url, catalog, codes, costing, found, subject, told, with_knobs
from tests.validate.contract.defects import CASES, Case, lines_of

SELF_EVIDENT = {"AL105", "AL106", "AL205", "AL209"}
"""Their messages say what the value must be, or what comes next."""


@pytest.mark.parametrize("case", CASES, ids=str)
def test_one_defect_is_one_finding_at_its_place(case: Case, folder: Path) -> None:
    text = catalog(subject(case.home, case.change), head=case.head)
    findings = found(text, folder)
    assert [(f.code, f.severity) for f in findings] == [(case.code, case.severity)], told(findings)
    (finding,) = findings
    span = finding.span
    assert span is not None
    assert span.line in lines_of(case, text, "subject"), finding
    assert (span.end_line, span.end_column) > (span.line, span.column), "the caret has nothing to point at"
    assert span.end_column <= len(text.splitlines()[span.end_line - 1]) + 1
    if "#" not in str(case.change[case.at]) or case.code != "AL304":
        assert finding.pointer.startswith(f"/models/2{case.pointer}"), finding
    for words in case.says:
        assert words in finding.message + finding.hint, finding
    for words in case.advises:
        assert words in finding.hint, finding
    assert finding.hint or finding.code in SELF_EVIDENT, "a hint says what to do"
    assert finding.url.endswith(f"#{case.code.lower()}")


@pytest.mark.parametrize("code", sorted({case.code for case in CASES}))
def test_a_message_does_not_repeat_its_hint_and_ends_without_a_full_stop_like_the_others(
    code: str, folder: Path
) -> None:
    for case in (case for case in CASES if case.code == code):
        (finding, *_) = found(catalog(subject(case.home, case.change), head=case.head), folder)
        assert not finding.hint or finding.hint not in finding.message
        assert " 1 days" not in finding.message
        assert not re.search(r"\de-\d", finding.message), "prices are read in plain decimals"
        assert "\n" not in finding.message + finding.hint
        assert not finding.message.endswith((".", "!", ":"))


@pytest.mark.parametrize("public", ["0.0.0.0/0", "8.0.0.0/8", "::/0"])
def test_a_public_range_under_local_networks_is_refused_for_what_it_is(public: str, folder: Path) -> None:
    (finding,) = found(catalog(head=f"routing: {{ localNetworks: ['{public}'] }}\n"), folder)
    assert (finding.code, finding.pointer) == ("AL106", "/routing/localNetworks/0")
    assert "public" in finding.message


def _says(words: str) -> Change:
    return {"provides": f"[streaming, OWN, {words}]"}


@pytest.mark.parametrize(
    ("head", "entry_of", "code"),
    [
        ("routing: { localNetworks: ['10.0.0.0/33'] }\n", ("local", {"providerConfig": at_url("http://10.0.0.1:8")}), "AL106"),
        ("routing: { localNetworks: 10.0.0.0/8 }\n", ("local", {"providerConfig": at_url("http://10.0.0.1:8")}), "AL105"),
        ("routing: { localNetwork: [10.0.0.0/8] }\n", ("local", {"providerConfig": at_url("http://10.0.0.1:8")}), "AL103"),
        ("routing: { localNetworks: [10.0.0.0/33] }\n", ("on-prem", {"providerConfig": at_url("http://10.0.0.1:8")}), "AL106"),
        ("routing: { sensitiveLocalities: [local, on-perm] }\n", ("on-prem", {"privacyAllowed": "[internal, sensitive]"}), "AL106"),
        ("routing: { sensitiveLocality: [local, on-prem] }\n", ("on-prem", {"privacyAllowed": "[internal, sensitive]"}), "AL103"),
        ("vocabulary: { capabilties: [tool_use] }\n", ("local", _says("tool_use")), "AL103"),
        ("vocabulary: { capabilities: tool_use }\n", ("local", _says("tool_use")), "AL105"),
        ("vocabulary: { capabilities: [tool_use, 7] }\n", ("local", _says("tool_use")), "AL105"),
    ],
)  # fmt: skip
def test_a_defect_in_the_settings_is_not_also_one_of_the_entries_that_rely_on_them(
    head: str, entry_of: tuple[str, Change], code: str, folder: Path
) -> None:
    findings = found(catalog(subject(*entry_of), head=head), folder)
    assert codes(findings) == [code], told(findings)
    assert findings[0].span
    assert findings[0].span.line == 3


def test_a_launch_knob_of_the_wrong_type_is_one_error(folder: Path) -> None:
    text = catalog(subject("mlx", {"providerConfig": with_knobs("kvCacheQuantized: maybe")}))
    assert codes(found(text, folder)) == ["AL205"]


def test_a_bare_list_is_one_info_and_is_checked_like_any_other(folder: Path) -> None:
    bare = (
        "\n".join(line[2:] for line in catalog(subject("cloud", {"cost": costing("10", "2")})).splitlines()[3:]) + "\n"
    )
    findings = found(bare, folder)
    assert [(f.code, f.severity, f.pointer.split("/")[1:2]) for f in findings] == [
        ("AL114", "info", []),
        ("AL403", "warning", ["2"]),
    ]
    assert findings[0].span
    assert findings[0].span.line == 1


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "AL108"),
        ("# nothing\n", "AL108"),
        ("apiVersion: apps/v1\nkind: Deployment\n", "AL109"),
        ("just words\n", "AL109"),
        ("apiVersion: aldo/models.v2\nkind: ModelCatalog\nmodels: []\n", "AL106"),
        (catalog() + "---\n" + catalog(), "AL110"),
        (catalog() + "...\n---\nx: 1\n", "AL110"),
        (catalog(subject("local", {"provides": "*nowhere"})), "AL111"),
        (catalog(subject("local", {"description": "!!python/object:os.system x"})), "AL112"),
        (catalog(subject("local", {"description": "[a, b"})), "AL101"),
        (catalog(subject("local") + "\tdescription: x\n"), "AL101"),
        (catalog(subject("local") + "    locality: local\n"), "AL102"),
        (catalog(subject("local", {"cost": None})), "AL104"),
        (catalog(subject("local", {"cost": "{ usdPerMtokIn: 1 }"})), "AL104"),
    ],
)  # fmt: skip
def test_each_structural_defect_is_one_error(text: str, code: str, folder: Path) -> None:
    findings = found(text, folder)
    if code != "AL106":
        assert [(f.code, f.severity) for f in findings] == [(code, "error")], told(findings)
    assert findings[0].message
