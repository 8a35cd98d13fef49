"""What each rule says of its bad example: where, in which words, with which hint, other places and mending.

`rules_said.jsonl` holds it, one line a rule. Where a message is that of a library (AL101, AL205, AL707, AL710), there
is none.
"""

from __future__ import annotations

import datetime
import json
from pathlib import Path
from typing import Any

import pytest

from aldo.errors import Finding
from aldo.validate import all_rules, lint

SAID = [json.loads(line) for line in Path(__file__).with_name("rules_said.jsonl").read_text("utf-8").splitlines()]
OF_LIBRARIES = {"AL101", "AL205", "AL707", "AL710"}
TODAY = datetime.date(2026, 11, 22)


def found(code: str, folder: Path) -> Finding:
    rule, layers = all_rules()[code], []
    for name, text in (("base", rule.base), ("example", rule.bad), ("above", rule.above)):
        if text or name == "example":
            layers.append(folder / f"{name}.yaml")
            layers[-1].write_text(text, "utf-8")
    (finding,) = lint([layers[0]], overlays=layers[1:], today=TODAY).findings
    return finding


@pytest.mark.parametrize("said", SAID, ids=lambda said: said["code"])
def test_a_rule_says_of_its_example_what_is_wrong_where_and_how_to_mend_it(
    said: dict[str, Any], tmp_path: Path
) -> None:
    finding = found(said["code"], tmp_path)
    assert finding.span is not None
    assert {
        "code": finding.code,
        "at": list(finding.span),
        "pointer": finding.pointer,
        "says": finding.message.replace(str(tmp_path), "FOLDER"),
        "hint": finding.hint,
        "related": [[one.message, Path(one.path).name, one.span and one.span.line] for one in finding.related],
        "fix": finding.fix and [finding.fix.title, finding.fix.safe],
    } == said


def test_every_rule_is_there_once() -> None:
    assert [said["code"] for said in SAID] == sorted(all_rules().keys() - OF_LIBRARIES)
