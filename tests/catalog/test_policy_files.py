"""Files of policies and of examples as they are read: every defect with its place, and none told twice."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from aldo.catalog import load_catalog, load_policy, load_route_tests
from aldo.errors import CatalogError, UnknownNameError
from aldo.router import prove
from tests.support.cases import MODELS

POLICY = "apiVersion: aldo/policy.v1\nkind: RoutingPolicy\n"
ROUTES = "apiVersion: aldo/routes.v1\nkind: RouteTests\n"
TEST = ROUTES + "tests:\n  - name: a\n    request: {{ capabilityClass: fast-draft, privacy: public }}\n    expect: {}\n"

Found = tuple[int, int, str]


def findings(load: Callable[[Path], Any], path: Path, text: str | bytes) -> list[Any]:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(CatalogError) as error:
        load(path)
    assert all(finding.path == str(path) for finding in error.value.findings)
    return list(error.value.findings)


def places(load: Callable[[Path], Any], path: Path, text: str | bytes) -> list[Found]:
    return [(finding.span.line, finding.span.column, finding.pointer) for finding in findings(load, path, text)]


def never(line: str) -> str:
    return f"{POLICY}never:\n  - name: a\n    {line}\n"


@pytest.mark.parametrize(
    ("text", "place"),
    [
        (never("chooses: { localty: cloud }"), (5, 16, "/never/0/chooses/localty")),
        (never("chooses: { locality: [local, clod] }"), (5, 34, "/never/0/chooses/locality/1")),
        (never("chooses: { enabled: 3 }"), (5, 25, "/never/0/chooses/enabled")),
        (
            never("chooses: { id: far }\n    when: { tokensIn: { atLeast: x } }"),
            (6, 34, "/never/0/when/tokensIn/atLeast"),
        ),
        (
            never("chooses: { id: far }\n    when: { tokensIn: { atLest: 1 } }"),
            (6, 25, "/never/0/when/tokensIn/atLest"),
        ),
        (never("chooses: { cost: { usdPerMtokIn: -1 } }"), (5, 38, "/never/0/chooses/cost/usdPerMtokIn")),
        (never("chooses: { id: 'a b' }"), (5, 20, "/never/0/chooses/id")),
        (never("chooses: { id: far }\nneverr: []"), (6, 1, "/neverr")),
        (never("chooses: { id: far }\n    name: b"), (6, 5, "/never/0/name")),
        (f"{POLICY}never:\n  - chooses: {{ id: far }}\n", (4, 5, "/never/0")),
        (f"{POLICY}never: {{}}\n", (3, 8, "/never")),
    ],
    ids=str,
)
def test_one_defect_of_a_policy_is_one_finding_at_its_place(text: str, place: Found, tmp_path: Path) -> None:
    assert places(load_policy, tmp_path / "p.yaml", text) == [place]


@pytest.mark.parametrize(
    ("expect", "column", "field"),
    [
        ("{ modle: near }", 15, "modle"),
        ("{ refusal: CONTEXT_TO_SMALL }", 24, "refusal"),
        ("{ refusal: [DOWN] }", 24, "refusal"),
        ("{ alternates: far }", 27, "alternates"),
        ("{ estimatedUsd: cheap }", 29, "estimatedUsd"),
    ],
)
def test_one_defect_of_an_example_is_one_finding_at_its_place(
    expect: str, column: int, field: str, tmp_path: Path
) -> None:
    text = TEST.format(expect)
    assert places(load_route_tests, tmp_path / "t.yaml", text) == [(6, column, f"/tests/0/expect/{field}")]


def test_a_misspelt_reason_code_has_a_suggestion(tmp_path: Path) -> None:
    found = findings(load_route_tests, tmp_path / "t.yaml", TEST.format("{ refusal: CONTEXT_TO_SMALL }"))
    assert "did you mean 'CONTEXT_TOO_SMALL'?" in [finding.hint for finding in found]


@pytest.mark.parametrize(
    ("wrong", "meant"),
    [
        ("chose: { id: far }", "chooses"),
        ("chooses: { effectiveContextToken: 1 }", "effectiveContextTokens"),
        ("chooses: { id: far }\n    when: { capability_class: x }", "capabilityClass"),
    ],
)
def test_a_misspelt_field_has_a_suggestion_and_is_not_missing_as_well(wrong: str, meant: str, tmp_path: Path) -> None:
    (found,) = findings(load_policy, tmp_path / "p.yaml", never(wrong))
    assert found.hint == f"did you mean {meant!r}?"


def test_all_defects_are_told_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    text = (
        f"{POLICY}never:\n  - {{ name: 5, chooses: {{ id: far }} }}\n  - {{ name: b, when: {{ privacy: secret }} }}\n"
        "always:\n  - { name: c, when: { capabilityClass: x }, survives: true }\nmore: 1\n"
    )
    lines = [line for line, _, _ in places(load_policy, tmp_path / "p.yaml", text)]
    assert lines == sorted(lines)
    assert set(lines) == {4, 5, 7, 8}


@pytest.mark.parametrize("load", [load_policy, load_route_tests])
@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"\xff\xfe", "is UTF-16, not UTF-8 text"),
        (b"- a\n", "is not a"),
        (b"5\n", "is not a"),
        (b"apiVersion: aldo/models.v1\nkind: ModelCatalog\nmodels: []\n", "is not a"),
        (b"apiVersion: aldo/models.v1\nkind: ModelCatalogOverlay\n", "is not a"),
        (b"{", "AL101"),
    ],
    ids=str,
)  # fmt: skip
def test_a_file_of_another_kind_is_told_by_one_finding(
    load: Callable[[Path], Any], content: bytes, said: str, tmp_path: Path
) -> None:
    (found,) = findings(load, tmp_path / "f.yaml", content)
    assert said in str(found)


def test_each_of_the_two_kinds_is_not_the_other(tmp_path: Path) -> None:
    (found,) = findings(load_policy, tmp_path / "t.yaml", TEST.format("{ model: a }"))
    assert "kind: RoutingPolicy" in found.hint
    (found,) = findings(load_route_tests, tmp_path / "p.yaml", never("chooses: { id: far }"))
    assert "kind: RouteTests" in found.hint
    (found,) = [
        f for f in findings(load_catalog, tmp_path / "p.yaml", never("chooses: { id: far }")) if "policy" in str(f)
    ]
    assert found.span.line == 1


@pytest.mark.parametrize(
    "head",
    [
        "apiVersion: aldo/policy.v1\nkind: RoutingPolicie\n",
        "kind: RoutingPolicy\n",
        "apiVersion: aldo/policy.v2\nkind: RoutingPolicy\n",
    ],
)
def test_a_header_that_is_not_quite_one_is_told_with_the_right_one(head: str, tmp_path: Path) -> None:
    (found,) = findings(load_policy, tmp_path / "p.yaml", f"{head}never:\n  - {{ name: a, chooses: {{ id: far }} }}\n")
    assert "`apiVersion: aldo/policy.v1`" in found.hint
    assert "`kind: RoutingPolicy`" in found.hint


def test_a_policy_with_a_byte_order_mark_crlf_anchors_and_comments_is_read(tmp_path: Path) -> None:
    path = tmp_path / "p.yaml"
    text = f"\ufeff# ours\n{POLICY}never:\n  - name: a\n    when: &w {{ privacy: sensitive }}\n    chooses: {{ id: far }}\n  - {{ name: b, when: *w, chooses: {{ id: near }} }}\n"
    path.write_bytes(text.replace("\n", "\r\n").encode())
    policy = load_policy(path)
    assert [(statement.name, statement.when.privacy) for statement in policy.never] == [
        ("a", ("sensitive",)),
        ("b", ("sensitive",)),
    ]


def test_what_yaml_1_1_reads_otherwise_is_read_as_1_2_has_it(tmp_path: Path) -> None:
    path = tmp_path / "p.yaml"
    path.write_text(never("chooses: { id: [no, yes, 1e] }\n    when: { tokensIn: 017 }"))
    statement = load_policy(path).never[0]
    assert statement.chooses.id == ("no", "yes", "1e")
    assert statement.when.tokens_in is not None
    assert statement.when.tokens_in.at_least == 17


@pytest.mark.parametrize(
    ("line", "what", "meant"),
    [
        ("chooses: { id: x }\n    when: { capabilityClass: fast-drat }", "class", "fast-draft"),
        ("chooses: { id: x }\n    when: { fallbackClasses: [fast-drat] }", "class", "fast-draft"),
        ("chooses: { id: x }\n    when: { requires: [tool-us] }", "capability", "tool-use"),
        ("chooses: { id: x }\n    when: { pin: ollama-qwen3-8 }", "model", "ollama-qwen3-8b"),
        ("chooses: { provides: visio }", "capability", "vision"),
        ("chooses: { capabilityClass: fast-drat }", "class", "fast-draft"),
    ],
)
def test_a_name_that_the_catalog_does_not_know_is_an_error_that_names_the_statement(
    line: str, what: str, meant: str, tmp_path: Path
) -> None:
    """Also where no entry is one that the statement speaks of: a typo is no vacuous statement."""
    path = tmp_path / "p.yaml"
    path.write_text(never(line))
    with pytest.raises(UnknownNameError) as unknown:
        prove(load_catalog(MODELS), load_policy(path))
    assert (unknown.value.what, meant in unknown.value.suggestions) == (what, True)
    assert "'a'" in str(unknown.value)
