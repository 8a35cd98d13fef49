"""`aldo prove`: verdicts and witnesses through the command line, as the library gives them and as `aldo route` shows."""

from __future__ import annotations

import json
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from aldo.catalog import load_catalog, load_policy
from aldo.router import prove
from aldo.schema import Catalog
from tests.support.cases import CASES, MODELS, ROOT
from tests.support.cli import aldo
from tests.support.entries import entry

HEADER = {"apiVersion": "aldo/policy.v1", "kind": "RoutingPolicy"}


NEAR = entry(
    "near",
    locality="local",
    provides=["streaming", "tool-use"],
    privacyAllowed=["public", "internal", "sensitive"],
    effectiveContextTokens=4096,
    cost={"usdPerMtokIn": 0, "usdPerMtokOut": 0},
)


def written(path: Path, *entries: dict[str, Any], **more: Any) -> str:
    document = {"apiVersion": "aldo/models.v1", "kind": "ModelCatalog", "models": list(entries), **more}
    path.write_text(json.dumps(document), "utf-8")
    return str(path)


def policy_file(path: Path, **statements: Any) -> str:
    path.write_text(json.dumps({**HEADER, **statements}), "utf-8")
    return str(path)


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> str:
    return written(tmp_path_factory.mktemp("catalog") / "models.yaml", NEAR, entry("far"))


def never(name: str = "a", **chooses: Any) -> dict[str, Any]:
    return {"name": name, "chooses": chooses or {"locality": "cloud"}}


def routed(catalog: str, requests: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What `aldo route` makes of each request, with one process for all."""
    lines = "".join(json.dumps(request) + "\n" for request in requests)
    outcomes = [
        json.loads(line)
        for line in aldo("route", "--requests", "-", "--catalog", catalog, stdin=lines).stdout.split("\n")
        if line
    ]
    assert len(outcomes) == len(requests)
    return outcomes


# ---- the corpus


class Case(NamedTuple):
    """A policy (None: the built-in statements), and what is expected of each of its statements."""

    policy: dict[str, Any] | None
    outages: int
    expect: list[dict[str, Any]]

    def exit_code(self) -> int:
        failing = {"refuted"} if self.policy is None else {"refuted", "vacuous"}
        return int(any(expected["verdict"] in failing for expected in self.expect))


def cases_of(content: dict[str, Any]) -> list[Case]:
    return [
        Case(None if case["policy"] == "absent" else case["policy"], case.get("outages", 0), case["expect"])
        for case in content["cases"]
    ]


def together(cases: list[Case]) -> list[Case]:
    """The same statements in as few policies as can be: a process costs more than a proof."""
    alone = [case for case in cases if case.policy is None]
    merged: dict[str, list[Any]] = {"never": [], "always": []}
    expect: dict[str, list[Any]] = {"never": [], "always": []}
    for case in cases:
        start = 0
        for kind, into in merged.items():
            statements = [] if case.policy is None else case.policy.get(kind, [])
            into += statements
            expect[kind] += case.expect[start : start + len(statements)]
            start += len(statements)
    return [*alone, Case(merged, 0, expect["never"] + expect["always"])]


@pytest.mark.parametrize("file", sorted((CASES / "policies").glob("*.yaml")), ids=lambda file: file.stem)
def test_the_corpus_gets_its_verdicts_through_both_doors_and_each_witness_shows_them(
    file: Path, tmp_path: Path
) -> None:
    content = yaml.safe_load(file.read_text("utf-8"))
    catalog = str(MODELS)
    if content["catalog"] != "shipped":
        catalog = str(tmp_path / "catalog.yaml")
        Path(catalog).write_text(json.dumps(content["catalog"]), "utf-8")
    loaded = load_catalog(catalog)
    cases = cases_of(content)
    for case in cases:
        statements = through_library(loaded, case, tmp_path)["statements"]
        assert [(s["name"], s["verdict"]) for s in statements] == [(e["name"], e["verdict"]) for e in case.expect]
    shown = []
    for case in together(cases):
        path = [] if case.policy is None else [policy_file(tmp_path / "policy.yaml", **case.policy)]
        done = aldo("prove", *path, "--json", "--catalog", catalog, "--outages", str(case.outages))
        told = json.loads(done.stdout)
        assert told == through_library(loaded, case, tmp_path)
        assert done.returncode == case.exit_code()
        for statement, expected in zip(told["statements"], case.expect, strict=True):
            assert statement["verdict"] == expected["verdict"], expected
            assert (statement["witness"] is not None) == (statement["verdict"] == "refuted"), expected
            if statement["witness"] is not None:
                shown.append((statement["witness"], expected["shows"]))
    for outcome, (_, shows) in zip(routed(catalog, [witness for witness, _ in shown]), shown, strict=True):
        assert_shows(outcome, shows)


def through_library(catalog: Catalog, case: Case, directory: Path) -> dict[str, Any]:
    policy = None if case.policy is None else load_policy(policy_file(directory / "library.yaml", **case.policy))
    return prove(catalog, policy, outages=case.outages).to_dict()


def assert_shows(outcome: dict[str, Any], shows: dict[str, Any]) -> None:
    if shows.get("refused"):
        assert outcome["error"]["code"] == "no_eligible_model"
        return
    assert "error" not in outcome, outcome
    if "reaches" in shows:
        assert shows["reaches"] in (outcome["model"], *outcome["alternates"])
    else:
        assert Decimal(outcome["estimatedUsd"]) > Decimal(shows["costsMoreThan"])


def test_a_witness_given_to_route_request_on_stdin_reproduces_what_the_detail_says(
    catalog: str, tmp_path: Path
) -> None:
    policy = policy_file(
        tmp_path / "p.yaml",
        never=[{"name": "far", "when": {"privacy": "internal", "requires": ["vision"]}, "chooses": {"locality": "cloud"}}],
        always=[
            {"name": "two down", "when": {"capabilityClass": "fast-draft", "privacy": "public"}, "survives": 2},
            {"name": "dear", "when": {"capabilityClass": "fast-draft", "privacy": "public", "tokensIn": {"atMost": 9000}}, "costsAtMost": 0.01},
        ],
    )  # fmt: skip
    done = aldo("prove", policy, "--catalog", catalog, "--json")
    far, down, dear = json.loads(done.stdout)["statements"]
    for statement in (far, down, dear):
        replayed = aldo(
            "route", "--request", "-", "--json", "--catalog", catalog, stdin=json.dumps(statement["witness"])
        )
        outcome = json.loads(replayed.stdout)
        if statement is far:
            assert (replayed.returncode, outcome["model"]) == (0, "far")
            assert "far (cloud) is chosen" in statement["detail"]
        elif statement is down:
            assert (replayed.returncode, outcome["error"]["code"]) == (1, "no_eligible_model")
            assert sorted(statement["witness"]["down"]) == ["far", "near"]
        else:
            assert (replayed.returncode, outcome["model"]) == (0, "far")
            assert f"far serves it for {outcome['estimatedUsd']} USD" in statement["detail"]
            assert Decimal(outcome["estimatedUsd"]) > Decimal("0.01")


def test_the_json_that_text_shows_below_a_refuted_statement_is_its_witness(catalog: str, tmp_path: Path) -> None:
    policy = policy_file(tmp_path / "p.yaml", never=[never()])
    text, data = (aldo("prove", policy, "--catalog", catalog, *form) for form in ((), ("--json",)))
    (line,) = [line.strip() for line in text.stdout.splitlines() if line.strip().startswith("{")]
    assert json.loads(line) == json.loads(data.stdout)["statements"][0]["witness"]
    assert text.stdout.startswith("refuted  a\n")
    assert "1 refuted" in text.stdout


# ---- shape, redundancy, outages


def test_the_json_has_the_fields_that_were_promised_and_is_the_same_for_every_hash_seed(catalog: str) -> None:
    first, second = (
        aldo("prove", "--json", "--outages", "2", "--catalog", catalog, PYTHONHASHSEED=seed) for seed in ("1", "2")
    )
    assert (first.stdout, first.returncode) == (second.stdout, 1)
    told = json.loads(first.stdout)
    assert list(told) == ["version", "statements", "redundancy"]
    assert told["version"] == 1
    for statement in told["statements"]:
        assert list(statement)[:3] == ["name", "verdict", "witness"]
    for row in told["redundancy"]:
        assert list(row) == ["capabilityClass", "privacy", "models", "survives"]


def test_a_cell_of_the_redundancy_table_is_lost_with_all_its_models_and_with_no_fewer() -> None:
    rows = json.loads(aldo("prove", "--json", "--catalog", str(MODELS)).stdout)["redundancy"]
    classes = {model.capability_class for model in load_catalog(MODELS).models}
    assert {(row["capabilityClass"], row["privacy"]) for row in rows} == {
        (name, tier) for name in classes for tier in ("public", "internal", "sensitive")
    }
    requests, served = [], []
    for row in rows:
        assert row["survives"] == len(row["models"]) - 1
        for left in (None, *row["models"]):
            down = [model for model in row["models"] if model != left]
            sizes = {"tokensIn": 0, "maxTokensOut": 0}
            requests.append(
                {"capabilityClass": row["capabilityClass"], "privacy": row["privacy"], "down": down, **sizes}
            )
            served.append(left)
    assert len(requests) > 40
    assert [outcome.get("model") for outcome in routed(str(MODELS), requests)] == served


def test_outages_are_proven_up_to_the_weakest_cell_and_refuted_beyond_it(tmp_path: Path) -> None:
    place = written(tmp_path / "m.yaml", *(entry(f"m{number}", privacyAllowed=["public"]) for number in range(4)))
    for outages, verdict in ((3, "proven"), (4, "refuted"), (10**30, "refuted")):
        done = aldo("prove", "--outages", str(outages), "--json", "--catalog", place)
        told = json.loads(done.stdout)["statements"][-1]
        assert (told["verdict"], done.returncode) == (verdict, int(verdict == "refuted")), outages
    assert sorted(told["witness"]["down"]) == ["m0", "m1", "m2", "m3"]


def test_outages_add_their_statement_to_those_of_a_policy(catalog: str, tmp_path: Path) -> None:
    policy = policy_file(tmp_path / "p.yaml", never=[{**never(), "when": {"privacy": "sensitive"}}])
    alone, both = (aldo("prove", policy, "--json", "--catalog", catalog, *more) for more in ((), ("--outages", "1")))
    assert [s["verdict"] for s in json.loads(alone.stdout)["statements"]] == ["proven"]
    assert [s["verdict"] for s in json.loads(both.stdout)["statements"]] == ["proven", "refuted"]
    assert (alone.returncode, both.returncode) == (0, 1)


def test_the_table_counts_the_models_and_names_the_losses_that_leave_nothing(catalog: str) -> None:
    done = aldo("prove", "--catalog", catalog)
    assert done.returncode == 0
    rows = {
        line.split()[0]: line.split()[1:] for line in done.stdout.splitlines() if line.startswith(("models", "fast"))
    }
    assert rows == {"models": ["public", "internal", "sensitive"], "fast-draft": ["2", "2", "1"]}
    assert "without near: nothing for fast-draft for sensitive" in done.stdout
    two = " ".join(aldo("prove", "--catalog", catalog, "--outages", "2").stdout.split())
    assert "without far and near: nothing for fast-draft for public; fast-draft for internal" in two


def test_a_vacuous_statement_fails_a_given_policy_and_no_built_in_one(tmp_path: Path) -> None:
    place = written(
        tmp_path / "m.yaml", entry("here", locality="local", privacyAllowed=["public", "internal", "sensitive"])
    )
    done = aldo("prove", "--json", "--catalog", place)
    assert {s["verdict"] for s in json.loads(done.stdout)["statements"]} == {"vacuous"}
    assert done.returncode == 0
    policy = policy_file(tmp_path / "p.yaml", never=[never()])
    done = aldo("prove", policy, "--json", "--catalog", place)
    assert [s["verdict"] for s in json.loads(done.stdout)["statements"]] == ["vacuous"]
    assert done.returncode == 1
    assert "no entry of the catalog" in aldo("prove", policy, "--catalog", place).stdout


# ---- bad input


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ({"never": [{**never(), "when": {"capabilityClass": "fast-drat"}}]}, "did you mean 'fast-draft'?"),
        ({"never": [{**never(), "when": {"requires": "tool-us"}}]}, "did you mean 'tool-use'?"),
        ({"always": [{"name": "a", "when": {"capabilityClass": "fast-drat", "privacy": "public"}, "survives": 0}]}, "did you mean 'fast-draft'?"),
    ],
    ids=str,
)  # fmt: skip
def test_a_misspelt_name_is_bad_input_with_a_suggestion_and_never_a_verdict(
    statement: dict[str, Any], said: str, catalog: str, tmp_path: Path
) -> None:
    done = aldo("prove", policy_file(tmp_path / "p.yaml", **statement), "--catalog", catalog)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in " ".join(done.stderr.split())


def test_a_misspelt_id_in_chooses_is_vacuous_and_suggests_the_id_that_is_near(catalog: str, tmp_path: Path) -> None:
    done = aldo("prove", policy_file(tmp_path / "p.yaml", never=[never(id="fra")]), "--catalog", catalog)
    assert done.returncode == 1
    assert done.stdout.startswith("vacuous")
    assert "far" in done.stdout.replace("fra", "")


def test_structure_is_told_with_file_line_and_column_as_text_and_as_json(catalog: str, tmp_path: Path) -> None:
    path = tmp_path / "p.yaml"
    path.write_text(
        "apiVersion: aldo/policy.v1\nkind: RoutingPolicy\nnever:\n  - name: x\n    whn: {}\n    chooses: { id: far }\n"
        "  - name: y\n    chooses: { cost: { usdPerMtokIn: -1 } }\n"
    )
    done = aldo("prove", str(path), "--catalog", catalog)
    assert (done.returncode, done.stdout) == (2, "")
    assert f"{path}:5:5:" in done.stderr
    assert "did you mean 'when'?" in done.stderr
    assert f"{path}:8:38:" in done.stderr
    error = json.loads(aldo("prove", str(path), "--catalog", catalog, "--json").stdout)["error"]
    assert [(f["line"], f["column"], f["pointer"]) for f in error["findings"]] == [
        (5, 5, "/never/0/whn"),
        (8, 38, "/never/1/chooses/cost/usdPerMtokIn"),
    ]


def test_a_name_that_stands_twice_is_told_where_it_stands_again(catalog: str, tmp_path: Path) -> None:
    path = tmp_path / "p.yaml"
    path.write_text(
        "apiVersion: aldo/policy.v1\nkind: RoutingPolicy\nnever:\n  - { name: x, chooses: { id: far } }\nalways:\n"
        "  - { name: x, when: { capabilityClass: fast-draft, privacy: public }, survives: 0 }\n"
    )
    done = aldo("prove", str(path), "--catalog", catalog)
    assert (done.returncode, "stands twice" in done.stderr) == (2, True)
    assert f"{path}:6:" in done.stderr


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"\xff\xfe", "is UTF-16, not UTF-8 text"),
        (b"apiVersion: aldo/models.v1\nkind: ModelCatalogOverlay\nadd: []\n", "is not a routing policy"),
        (b"apiVersion: aldo/policy.v1\nkind: RoutingPolicy\nnever: [\n", "AL101"),
    ],
    ids=str,
)
def test_a_policy_that_is_none_is_unreadable_input_and_named(content: bytes, said: str, catalog: str) -> None:
    done = aldo("prove", "-", "--catalog", catalog, stdin=content)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert "<stdin>" in done.stderr


def test_an_empty_policy_is_not_told_how_a_catalog_begins(catalog: str) -> None:
    assert "a catalog begins" not in aldo("prove", "-", "--catalog", catalog, stdin="").stderr


def test_the_name_of_no_file_is_never_the_built_in_policy(catalog: str) -> None:
    """A variable that is not set, `aldo prove "$POLICY"`, must not pass for a policy that holds."""
    done = aldo("prove", "", "--catalog", catalog)
    assert (done.returncode, done.stdout) == (2, "")


def test_a_policy_from_standard_input_gets_what_a_file_gets_and_a_bare_list_is_a_catalog(tmp_path: Path) -> None:
    text = json.dumps({**HEADER, "never": [never()]})
    bare = tmp_path / "bare.yaml"
    bare.write_text(json.dumps([NEAR, entry("far")]), "utf-8")
    file = policy_file(tmp_path / "p.yaml", never=[never()])
    given = aldo("prove", "-", "--catalog", str(bare), stdin=text)
    assert given.stdout == aldo("prove", file, "--catalog", str(bare)).stdout
    assert given.returncode == 1


def test_catalog_and_policy_in_each_others_place_are_told_apart(catalog: str, tmp_path: Path) -> None:
    policy = policy_file(tmp_path / "p.yaml", never=[never()])
    done = aldo("prove", catalog, "--catalog", catalog)
    assert (done.returncode, "is not a routing policy" in done.stderr, catalog in done.stderr) == (2, True, True)
    done = aldo("prove", policy, "--catalog", policy)
    assert (done.returncode, "aldo/policy.v1" in done.stderr, policy in done.stderr) == (2, True, True)
    done = aldo("prove", str(tmp_path / "none.yaml"), "--catalog", catalog)
    assert (done.returncode, "no such file" in done.stderr) == (2, True)


@pytest.mark.parametrize("arguments", [("--outages", "-1"), ("a", "b"), ("--nope",)])
def test_bad_usage_ends_with_2_and_as_json_where_json_was_asked(arguments: tuple[str, ...], catalog: str) -> None:
    done = aldo("prove", *arguments, "--catalog", catalog, "--json")
    assert done.returncode == 2
    assert json.loads(done.stdout)["error"]["code"] == "usage"


# ---- the terminal


HOSTILE = "\x1b[31mred\x07 \u202eltr\u200b\r\n\ttab <b>|`x`|</b>"


def test_control_characters_of_a_name_never_reach_the_terminal_and_are_whole_in_json(
    catalog: str, tmp_path: Path
) -> None:
    policy = policy_file(tmp_path / "p.yaml", never=[never(HOSTILE), never("fine", id="nobody")])
    for form in ((), ("--json",)):
        done = aldo("prove", policy, "--catalog", catalog, *form)
        assert done.returncode == 1
        assert all(line.isprintable() for line in done.stdout.split("\n")), done.stdout
    assert json.loads(done.stdout)["statements"][0]["name"] == HOSTILE
    wrong = policy_file(tmp_path / "w.yaml", never=[{**never(HOSTILE), "when": {"requires": "visio"}}])
    twice = policy_file(tmp_path / "t.yaml", never=[never(HOSTILE), never(HOSTILE)])
    for path in (wrong, twice):
        for form in ((), ("--json",)):
            done = aldo("prove", path, "--catalog", catalog, *form)
            assert done.returncode == 2
            assert all(line.isprintable() for line in (done.stdout + done.stderr).split("\n"))


def test_prose_fits_80_columns_whatever_the_names_are(catalog: str, tmp_path: Path) -> None:
    name = "requests of a kind that it takes a great many words to describe " * 4
    policy = policy_file(
        tmp_path / "p.yaml", never=[never(name), never(f"{name} twice", id="nobody"), never("x " * 500, id="near")]
    )
    shown = aldo("prove", policy, "--outages", "3", "--catalog", catalog).stdout
    shown += aldo("prove", "--outages", "9", "--catalog", str(MODELS)).stdout + aldo("prove", "--help").stdout
    prose = [line for line in shown.splitlines() if not line.strip().startswith("{")]
    assert len(prose) > 40
    assert max(map(len, prose)) <= 80
    assert "\x1b" not in shown


def test_a_reader_that_stops_reading_is_no_error(catalog: str) -> None:
    command = f"{sys.executable} -m aldo.cli.main prove --json --catalog {MODELS} | head -n 1"
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.stderr, done.returncode) == ("{\n", "", 0)


def test_a_revision_is_as_good_a_catalog_for_prove_as_for_route(tmp_path: Path) -> None:
    git = ("git", "-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false")
    written(tmp_path / "models.yaml", NEAR)
    for arguments in (("init", "-q"), ("add", "."), ("commit", "-qm", "one")):
        subprocess.run([*git, *arguments], cwd=tmp_path, check=True)
    assert (
        aldo(
            "route", "--class", "fast-draft", "--privacy", "public", "--catalog", "HEAD:models.yaml", cwd=tmp_path
        ).returncode
        == 0
    )
    assert aldo("prove", "--catalog", "HEAD:models.yaml", cwd=tmp_path).returncode == 0
