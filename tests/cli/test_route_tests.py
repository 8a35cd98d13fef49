"""`aldo test`: examples of routing, their reports, and a first file that is recorded."""

from __future__ import annotations

import json
import subprocess
import sys
from io import StringIO
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import xmlschema
import yaml
from ruamel.yaml import YAML

from aldo.catalog import load_catalog, load_route_tests
from aldo.router.examples import run_tests
from tests.support.cases import MODELS, ROOT
from tests.support.cli import aldo
from tests.support.entries import entry

HEADER = {"apiVersion": "aldo/routes.v1", "kind": "RouteTests"}
REQUEST = {"capabilityClass": "fast-draft", "privacy": "public"}
SCHEMA = ROOT / "tests" / "support" / "schemas" / "junit-10.xsd"


NEAR = entry("near", locality="local", privacyAllowed=["public", "internal", "sensitive"], effectiveContextTokens=4096)


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> str:
    return written(tmp_path_factory.mktemp("catalog") / "models.yaml", NEAR, entry("far"))


def written(path: Path, *entries: dict[str, Any], **more: Any) -> str:
    document = {"apiVersion": "aldo/models.v1", "kind": "ModelCatalog", "models": list(entries), **more}
    path.write_text(json.dumps(document), "utf-8")
    return str(path)


def example(name: str = "a", request: dict[str, Any] | None = None, **expect: Any) -> dict[str, Any]:
    return {"name": name, "request": request or REQUEST, "expect": expect or {"model": "near"}}


def examples_file(path: Path, *tests: dict[str, Any]) -> str:
    path.write_text(json.dumps({**HEADER, "tests": list(tests)}), "utf-8")
    return str(path)


def reported(catalog: str, *tests: dict[str, Any], code: int, directory: Path) -> list[dict[str, Any]]:
    done = aldo("test", examples_file(directory / "t.yaml", *tests), "--json", "--catalog", catalog)
    assert (done.returncode, done.stderr) == (code, "")
    told = json.loads(done.stdout)
    assert told["version"] == 1
    assert len(told["tests"]) == len(tests)
    return list(told["tests"])


BIG = {**REQUEST, "tokensIn": 50_000}
PASSING = [
    example("model", model="near"),
    example("any of several", model=["far", "near"]),
    example("class", classUsed="fast-draft", locality="local"),
    example("alternates", alternates=["far"]),
    example("no alternates", BIG, model="far", alternates=[]),
    example("cost", BIG, estimatedUsd="0.052048"),
    example("cost as a number", BIG, estimatedUsd=0.0520480),
    example("served", refusal=False),
    example("refused", {**BIG, "privacy": "sensitive"}, refusal=True),
    example("refused at a stage", {**BIG, "privacy": "sensitive"}, refusal="CONTEXT_TOO_SMALL"),
]
FAILING = {
    "model": example("model", model="far"),
    "model that is none": example("model that is none", model="fra"),
    "class": example("class", classUsed="embeddings"),
    "locality": example("locality", locality=["cloud", "on-prem"]),
    "alternates": example("alternates", alternates=[]),
    "cost": example("cost", BIG, estimatedUsd="0.052047999999"),
    "refused": example("refused", refusal=True),
    "served": example("served", {**BIG, "privacy": "sensitive"}, model="near"),
    "served at all": example("served at all", {**BIG, "privacy": "sensitive"}, refusal=False),
    "another stage": example("another stage", {**BIG, "privacy": "sensitive"}, refusal="DOWN"),
    "unknown class": example("unknown class", {**REQUEST, "capabilityClass": "fast-drat"}, model="near"),
}


def test_examples_that_hold_pass_and_each_field_is_looked_at_when_they_do_not(catalog: str, tmp_path: Path) -> None:
    told = reported(catalog, *PASSING, *FAILING.values(), code=1, directory=tmp_path)
    for one, sent in zip(told, [*PASSING, *FAILING.values()], strict=True):
        assert one["name"] == sent["name"]
        assert one["passed"] == (sent in PASSING), one
        assert bool(one["mismatches"]) == (sent not in PASSING)
    reported(catalog, *PASSING, code=0, directory=tmp_path)


def test_a_failure_says_what_was_expected_what_came_and_why(catalog: str, tmp_path: Path) -> None:
    path = examples_file(tmp_path / "t.yaml", *FAILING.values(), *PASSING)
    done = aldo("test", path, "--catalog", catalog)
    assert done.returncode == 1
    shown = " ".join(done.stdout.split())
    assert f"{len(PASSING)} of {len(PASSING) + len(FAILING)} examples passed" in shown
    assert shown.count("FAIL") == len(FAILING)
    for said in (
        "- model: expected far + model: got near near outranks it by locality",
        "fra is not in the catalog",
        "- locality: expected cloud or on-prem + locality: got local",
        "- alternates: expected none + alternates: got far",
        "expected 0.052047999999",
        "did you mean 'fast-draft'?",
        "CONTEXT_TOO_SMALL",
    ):
        assert said in shown
    requests = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("  {")]
    assert requests == [test["request"] for test in FAILING.values()]


@pytest.mark.parametrize(
    "wrong",
    [{"capabilityClass": "fast-drat"}, {"requires": ["tool-us"]}, {"pin": "ner"}, {"fallbackClasses": ["embedings"]}],
    ids=str,
)
def test_a_misspelt_request_is_no_refusal(wrong: dict[str, Any], catalog: str, tmp_path: Path) -> None:
    """An example that says "this is refused" must not pass because of a typo: unknown names are errors, not empty results."""
    loaded = load_catalog(catalog)
    path = examples_file(tmp_path / "t.yaml", example("typo", {**REQUEST, **wrong}, refusal=True))
    results = list(run_tests(loaded, load_route_tests(path)))
    assert [result.passed for result in results] == [False]


def test_a_misspelt_request_fails_the_run(catalog: str, tmp_path: Path) -> None:
    path = examples_file(
        tmp_path / "t.yaml", example("typo", {**REQUEST, "capabilityClass": "fast-drat"}, refusal=True)
    )
    assert aldo("test", path, "--catalog", catalog).returncode != 0


def test_a_field_that_is_given_as_null_expects_nothing_and_is_refused(catalog: str, tmp_path: Path) -> None:
    path = examples_file(tmp_path / "t.yaml", example("says nothing", model=None))
    assert aldo("test", path, "--catalog", catalog).returncode == 2


# ---- files


def test_several_files_are_one_run_and_a_file_named_twice_is_run_once(catalog: str, tmp_path: Path) -> None:
    good, bad = examples_file(tmp_path / "a.yaml", *PASSING[:2]), examples_file(tmp_path / "b.yaml", FAILING["model"])
    done = aldo("test", good, bad, good, "--catalog", catalog)
    assert done.returncode == 1
    assert "2 of 3 examples passed (2 files, over" in done.stdout
    assert f"FAIL {bad}: model" in done.stdout
    assert aldo("test", good, str(tmp_path / "none.yaml"), "--catalog", catalog).returncode == 2


def test_the_default_is_routes_test_yaml_here_and_a_missing_one_says_how_to_get_one(
    catalog: str, tmp_path: Path
) -> None:
    done = aldo("test", "--catalog", catalog, cwd=tmp_path)
    assert (done.returncode, done.stdout, "routes.test.yaml" in done.stderr) == (2, "", True)
    assert "--record" in done.stderr
    examples_file(tmp_path / "routes.test.yaml", *PASSING)
    assert aldo("test", "--catalog", catalog, cwd=tmp_path).returncode == 0


def test_examples_from_standard_input_are_as_good_as_a_file(catalog: str) -> None:
    done = aldo("test", "-", "--catalog", catalog, stdin=json.dumps({**HEADER, "tests": [FAILING["model"]]}))
    assert (done.returncode, "0 of 1 example passed" in done.stdout) == (1, True)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"\xff", "is not UTF-8"),
        (b"apiVersion: aldo/policy.v1\nkind: RoutingPolicy\nnever: []\n", "is not a file of route tests"),
        (b"apiVersion: aldo/routes.v1\nkind: RouteTests\ntests: []\n", "must not be empty"),
        (
            b"apiVersion: aldo/routes.v1\nkind: RouteTests\ntests:\n  - name: a\n    request: {}\n    expct: {}\n",
            "<stdin>:6:5:",
        ),
    ],
    ids=str,
)
def test_what_is_no_file_of_examples_is_unreadable_input(content: bytes, said: str, catalog: str) -> None:
    done = aldo("test", "-", "--catalog", catalog, stdin=content)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr


# ---- reports

HOSTILE = "\x1b[31mred\x07 \u202eltr\u200b\r\n\ttab <b>|`x`|</b> ]]> & \x00\ufffe"


def test_junit_is_valid_for_whatever_names_there_are_and_counts_what_it_holds(catalog: str, tmp_path: Path) -> None:
    tests = [*PASSING, *FAILING.values(), example(HOSTILE.replace("\x00", "").replace("\ufffe", ""), model="far")]
    path = examples_file(tmp_path / "t.yaml", *tests)
    report = tmp_path / "report.xml"
    done = aldo("test", path, "--format", "junit", "--output", f"junit={report}", "--catalog", catalog)
    assert done.returncode == 1
    assert report.read_text("utf-8") == done.stdout
    root = ElementTree.fromstring(done.stdout)
    schema = xmlschema.XMLSchema(str(SCHEMA))
    assert [str(error.reason) for error in schema.iter_errors(root)] == []
    cases = root.findall(".//testcase")
    assert len(cases) == len(tests)
    failed = [case.get("name") for case in cases if case.find("failure") is not None]
    assert len(failed) == len(FAILING) + 1
    for element in (root, *root.findall("testsuite")):
        assert (element.get("tests"), element.get("failures"), element.get("errors")) == (
            str(len(tests)),
            str(len(failed)),
            "0",
        )
    near = cases[len(PASSING)].find("failure")
    assert near is not None
    assert "near outranks it by locality" in (near.text or "")


def test_control_characters_of_names_never_reach_the_terminal_and_are_whole_in_json(
    catalog: str, tmp_path: Path
) -> None:
    name = HOSTILE.replace("\x00", "").replace("\ufffe", "")
    path = examples_file(tmp_path / "t.yaml", example(name, model="far"))
    for form in ("text", "junit", "json"):
        done = aldo("test", path, "--format", form, "--catalog", catalog)
        assert done.returncode == 1
        assert all(line.isprintable() for line in done.stdout.split("\n")), form
    assert json.loads(done.stdout)["tests"][0]["name"] == name


def test_each_report_is_written_beside_what_is_printed_and_without_colours(catalog: str, tmp_path: Path) -> None:
    path = examples_file(tmp_path / "t.yaml", FAILING["model"])
    done = aldo("test", path, "--output", "json=r.json", "--output", "text=r.txt", "--catalog", catalog, cwd=tmp_path)
    assert done.returncode == 1
    assert json.loads((tmp_path / "r.json").read_text("utf-8"))["tests"][0]["passed"] is False
    assert (tmp_path / "r.txt").read_text("utf-8").strip() == done.stdout.strip()


def test_a_report_to_a_dash_goes_to_standard_output_as_that_of_lint_does(catalog: str, tmp_path: Path) -> None:
    path = examples_file(tmp_path / "t.yaml", FAILING["model"])
    done = aldo("test", path, "--output", "junit=-", "--catalog", catalog, cwd=tmp_path)
    assert not (tmp_path / "-").exists()
    assert "<testsuites" in done.stdout


@pytest.mark.parametrize("output", ["xml=x", "junit=", "junit", "junit=no/such/place.xml"])
def test_a_report_that_cannot_be_written_is_bad_usage(output: str, catalog: str, tmp_path: Path) -> None:
    path = examples_file(tmp_path / "t.yaml", PASSING[0])
    done = aldo("test", path, "--output", output, "--catalog", catalog, cwd=tmp_path)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert output.partition("=")[2].strip("/") in done.stderr


def test_two_formats_at_once_are_bad_usage(catalog: str, tmp_path: Path) -> None:
    path = examples_file(tmp_path / "t.yaml", PASSING[0])
    assert aldo("test", path, "--json", "--format", "junit", "--catalog", catalog).returncode == 2


def test_prose_fits_80_columns(catalog: str, tmp_path: Path) -> None:
    many = ["m" * 30 + str(number) for number in range(9)]
    path = examples_file(tmp_path / "t.yaml", *FAILING.values(), example("many", model=many, alternates=many))
    shown = aldo("test", path, "--catalog", catalog).stdout + aldo("test", "--help").stdout
    prose = [line for line in shown.splitlines() if not line.startswith(("  {", "FAIL "))]
    assert len(prose) > 50
    assert max(map(len, prose)) <= 80
    assert "\x1b" not in shown


def test_a_reader_that_stops_reading_is_no_error(catalog: str, tmp_path: Path) -> None:
    path = examples_file(tmp_path / "t.yaml", *PASSING)
    command = f"{sys.executable} -m aldo.cli.main test {path} --json --catalog {catalog} | head -n 1"
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.stderr, done.returncode) == ("{\n", "", 0)


# ---- --record

AWKWARD = (
    "null", "Null", "1e3", "0x1F", "1_000", "a:b", "yes", "No", "on", "off", "true", "y", "n", "12", "1.5", "2026-11-22",
    "1:30", "a@b", "a/b", "a+b", "a-", "x:", "NaN", "0o17", "e", "a.b", "A_", "00:11:22",
)  # fmt: skip


def test_a_recorded_file_passes_and_reads_back_as_it_was_meant_by_every_yaml_reader(tmp_path: Path) -> None:
    classes = [f"c{number}" for number in range(4)] + list(AWKWARD)
    models = [entry(name, capabilityClass=name) for name in AWKWARD]
    models += [entry(f"m{name}", capabilityClass=name) for name in classes[:4]]
    place = written(tmp_path / "models.yaml", *models, vocabulary={"capabilityClasses": classes})
    file = tmp_path / "routes.test.yaml"
    done = aldo("test", "--record", "--catalog", place, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "")
    assert f"{3 * len(classes)} examples" in done.stderr
    text = file.read_text("utf-8")
    ours = load_route_tests(file)
    meant = {(test.request.capability_class, test.request.privacy, test.expect.model) for test in ours.tests}
    assert {name for name, _, _ in meant} == set(classes)
    for readings in (yaml.safe_load(text), YAML(typ="safe", pure=True).load(StringIO(text))):
        read = {
            (test["request"]["capabilityClass"], test["request"]["privacy"], test["expect"].get("model"))
            for test in readings["tests"]
        }
        assert read == {(name, tier, model and model[0]) for name, tier, model in meant}
        assert all(isinstance(test["name"], str) for test in readings["tests"])
        assert {test["expect"].get("refusal") for test in readings["tests"]} == {None, True}
    assert aldo("test", "--catalog", place, cwd=tmp_path).returncode == 0
    for name in ("yes", "null", "1e3"):
        assert (name, "public", (name,)) in meant


def test_what_is_recorded_of_the_shipped_catalog_passes_and_fails_once_a_model_is_gone(tmp_path: Path) -> None:
    file = tmp_path / "r.yaml"
    assert aldo("test", "--record", str(file), "--catalog", str(MODELS)).returncode == 0
    assert aldo("test", str(file), "--catalog", str(MODELS)).returncode == 0
    chosen = next(test.expect.model for test in load_route_tests(file).tests if test.expect.model)[0]
    document = yaml.safe_load(MODELS.read_text("utf-8"))
    document["models"] = [model for model in document["models"] if model["id"] != chosen]
    (tmp_path / "fewer.yaml").write_text(json.dumps(document, default=str), "utf-8")
    done = aldo("test", str(file), "--catalog", str(tmp_path / "fewer.yaml"))
    assert (done.returncode, f"{chosen} is not in the catalog" in " ".join(done.stdout.split())) == (1, True)


def test_record_never_overwrites_and_writes_one_file(catalog: str, tmp_path: Path) -> None:
    file = tmp_path / "kept.yaml"
    file.write_text("kept")
    (tmp_path / "dangling.yaml").symlink_to(tmp_path / "target.yaml")
    for names in (
        (str(file),),
        (str(tmp_path / "dangling.yaml"),),
        ("a.yaml", "b.yaml"),
        ("no/such/place.yaml",),
        (".",),
    ):
        done = aldo("test", "--record", *names, "--catalog", catalog, cwd=tmp_path)
        assert (done.returncode, done.stdout) == (2, ""), names
    assert file.read_text() == "kept"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["dangling.yaml", "kept.yaml"]


def test_record_to_a_dash_is_standard_output_as_everywhere(catalog: str, tmp_path: Path) -> None:
    done = aldo("test", "--record", "-", "--catalog", catalog, cwd=tmp_path)
    assert not (tmp_path / "-").exists()
    assert yaml.safe_load(done.stdout)["kind"] == "RouteTests"
