"""Each rule's own examples are its first tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from aldo.catalog import codes
from aldo.errors import RULES_PAGE, Finding
from aldo.validate import Rule, all_rules, lint
from aldo.validate.explain import rules_page
from tests.support.cases import ROOT


def linted(rule: Rule, example: str, tmp_path: Path) -> tuple[Finding, ...]:
    """The findings of an example: a catalog, or an overlay between those of the rule."""
    layers = []
    for name, text in (("base", rule.base), ("example", example), ("above", rule.above)):
        if text or name == "example":
            layers.append(tmp_path / f"{name}.yaml")
            layers[-1].write_text(text, "utf-8")
    return lint([layers[0]], overlays=layers[1:]).findings


@pytest.mark.parametrize("rule", all_rules().values(), ids=lambda rule: rule.code)
def test_the_bad_example_yields_exactly_its_code_and_the_good_one_nothing(rule: Rule, tmp_path: Path) -> None:
    found = linted(rule, rule.bad, tmp_path)
    assert [(f.code, f.severity) for f in found] == [(rule.code, rule.severity)]
    assert not rule.base or Path(found[0].path).name == "example.yaml"
    assert linted(rule, rule.good, tmp_path) == ()


def test_every_code_that_reading_can_report_has_a_rule_and_the_other_way_round() -> None:
    reported = {value for name, value in vars(codes).items() if name.isupper() and isinstance(value, str)}
    assert reported == {code for code, rule in all_rules().items() if rule.check is None and not code.startswith("AL9")}


def test_the_page_of_the_rules_is_what_the_rule_files_say() -> None:
    assert (ROOT / "docs" / "reference" / "rules.md").read_text("utf-8") == rules_page(), "run: make docs"


def test_every_finding_links_to_a_section_of_the_page() -> None:
    page = rules_page()
    for rule in all_rules().values():
        assert rule.url.startswith(RULES_PAGE)
        assert f'<a id="{rule.url.partition("#")[2]}"></a>' in page


def test_rules_are_documented() -> None:
    for rule in all_rules().values():
        assert rule.summary.endswith(".")
        assert len(rule.explanation) > 60
