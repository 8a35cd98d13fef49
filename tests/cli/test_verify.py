"""`aldo route --verify`: logged decisions computed once more; and `aldo route --request`, which takes one as JSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import aldo as library
from tests.support.cases import MODELS
from tests.support.cli import aldo
from tests.support.entries import entry as cloud_entry

Record = dict[str, Any]


def entry(model: str, **more: Any) -> dict[str, Any]:
    return cloud_entry(model, **{"cost": {"usdPerMtokIn": 1, "usdPerMtokOut": 2.000001}} | more)


def written(path: Path, *entries: dict[str, Any], **more: Any) -> str:
    document = {"apiVersion": "aldo/models.v1", "kind": "ModelCatalog", "models": list(entries), **more}
    path.write_text(json.dumps(document), "utf-8")
    return str(path)


NEAR = entry("near", locality="local", privacyAllowed=["public", "internal", "sensitive"], effectiveContextTokens=4096)
FAR = entry("far", provider="two")
REQUESTS: list[dict[str, Any]] = [
    {"capabilityClass": "fast-draft", "privacy": "public"},
    {"capabilityClass": "fast-draft", "privacy": "public", "tokensIn": 50_000, "budgetUsd": "0.10"},
    {"capabilityClass": "embeddings", "fallbackClasses": ["fast-draft"], "privacy": "internal", "requires": ["vision"]},
    {
        "capabilityClass": "fast-draft",
        "privacy": "internal",
        "localities": ["cloud"],
        "exclude": ["gone"],
        "down": ["near"],
    },
    {"capabilityClass": "fast-draft", "privacy": "sensitive", "pin": "near", "tokensIn": 0, "maxTokensOut": 0},
]


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("verify")


@pytest.fixture(scope="module")
def catalog(here: Path) -> str:
    return written(here / "models.yaml", NEAR, FAR)


@pytest.fixture(scope="module")
def log(catalog: str) -> str:
    """One line for each of the requests, as `aldo route --requests` writes it."""
    lines = "".join(json.dumps(request) + "\n" for request in REQUESTS)
    done = aldo("route", "--requests", "-", "--catalog", catalog, stdin=lines)
    assert done.returncode == 0, done.stdout
    return done.stdout


def verdicts(text: str, catalog: str, code: int) -> list[str]:
    done = aldo("route", "--verify", "-", "--json", "--catalog", catalog, stdin=text)
    assert (done.returncode, done.stderr) == (code, "")
    told = json.loads(done.stdout)
    assert told["version"] == 1
    assert [record["record"] for record in told["records"]] == [*range(1, len(told["records"]) + 1)]
    return [record["verdict"] for record in told["records"]]


def lines_of(records: list[Record]) -> str:
    return "".join(json.dumps(record) + "\n" for record in records)


# ---- identical


def test_every_line_of_a_log_of_decisions_is_identical_from_a_file_and_from_standard_input(
    log: str, catalog: str, tmp_path: Path
) -> None:
    assert verdicts(log, catalog, 0) == ["identical"] * len(REQUESTS)
    assert verdicts(log.removesuffix("\n"), catalog, 0) == ["identical"] * len(REQUESTS)
    path = tmp_path / "log.jsonl"
    path.write_text(log, "utf-8")
    done = aldo("route", "--verify", str(path), "--catalog", catalog)
    assert done.returncode == 0
    assert done.stdout.count("identical") == len(REQUESTS)
    assert "record 5: identical" in done.stdout


@pytest.mark.parametrize("extra", [(), ("--explain",)])
def test_what_route_prints_as_json_is_identical_with_and_without_its_trace(
    extra: tuple[str, ...], catalog: str, tmp_path: Path
) -> None:
    for request in REQUESTS[2:3]:
        printed = aldo("route", "--request", "-", "--json", *extra, "--catalog", catalog, stdin=json.dumps(request))
        assert printed.returncode == 0
        path = tmp_path / "record.json"
        path.write_text(printed.stdout, "utf-8")
        done = aldo("route", "--verify", str(path), "--catalog", catalog)
        assert (done.returncode, done.stdout.split(":")[0]) == (0, "identical")


def test_what_the_library_gives_as_json_is_identical(catalog: str) -> None:
    loaded = library.load_catalog(catalog)
    made = [
        library.route(loaded, library.RouteRequest.model_validate(request, by_alias=True, by_name=False)).to_json()
        for request in REQUESTS
    ]
    assert verdicts("\n".join(made), catalog, 0) == ["identical"] * len(REQUESTS)


def test_the_same_record_in_other_bytes_is_the_same_decision_and_not_identical(log: str, catalog: str) -> None:
    record = json.loads(log.splitlines()[1])
    assert verdicts(json.dumps(record, indent=2), catalog, 1) == ["same decision"]
    assert verdicts(json.dumps(record, separators=(",", ":")), catalog, 1) == ["same decision"]
    assert verdicts(lines_of([dict(reversed(record.items()))]), catalog, 1) == ["same decision"]


# ---- not identical


TAMPERED: dict[str, Callable[[Record], Record]] = {
    "model": lambda r: {**r, "model": "far"},
    "provider": lambda r: {**r, "provider": "another"},
    "classUsed": lambda r: {**r, "classUsed": "embeddings"},
    "estimatedUsd": lambda r: {**r, "estimatedUsd": "0.002304001025"},
    "alternates": lambda r: {**r, "alternates": [*r["alternates"], "near"]},
    "routingDigest": lambda r: {**r, "routingDigest": "sha256:" + "0" * 64},
    "trace": lambda r: {**r, "trace": {"classes": []}},
    "note": lambda r: {**r, "note": "checked"},
}


def test_a_record_that_was_tampered_with_differs_in_the_field_that_was(log: str, catalog: str) -> None:
    record = json.loads(log.splitlines()[0])
    assert record["alternates"] == ["far"]
    text = lines_of([tamper(record) for tamper in TAMPERED.values()])
    done = aldo("route", "--verify", "-", "--json", "--catalog", catalog, stdin=text)
    assert done.returncode == 1
    for field, told in zip(TAMPERED, json.loads(done.stdout)["records"], strict=True):
        assert told["verdict"] == "differs", field
        assert field in told["detail"]


def test_a_request_that_was_tampered_with_is_not_identical(log: str, catalog: str) -> None:
    record = json.loads(log.splitlines()[0])
    bigger = {**record, "request": {**record["request"], "tokensIn": 5000}}
    refused = {**record, "request": {**record["request"], "tokensIn": 500_000}}
    unknown = {**record, "request": {**record["request"], "capabilityClass": "fast-drat"}}
    done = aldo(
        "route", "--verify", "-", "--json", "--catalog", catalog, stdin=lines_of([bigger, refused, unknown, record])
    )
    assert done.returncode == 1
    told = json.loads(done.stdout)["records"]
    assert [one["verdict"] for one in told] == ["differs", "differs", "differs", "identical"]
    assert "refused" in told[1]["detail"]
    assert "did you mean 'fast-draft'?" in told[2]["detail"]


def test_another_catalog_is_told_with_both_digests_also_where_it_refuses(log: str, catalog: str, here: Path) -> None:
    record = json.loads(log.splitlines()[1])
    cheaper = written(here / "cheaper.yaml", NEAR, {**FAR, "cost": {"usdPerMtokIn": 0.5, "usdPerMtokOut": 2}})
    smaller = written(here / "smaller.yaml", NEAR)
    for place in (cheaper, smaller):
        done = aldo("route", "--verify", "-", "--json", "--catalog", place, stdin=lines_of([record]))
        (told,) = json.loads(done.stdout)["records"]
        assert (done.returncode, told["verdict"]) == (1, "other catalog")
        assert record["catalogDigest"] in told["detail"]
        assert library.load_catalog(place).digest in told["detail"]


def test_a_catalog_that_differs_in_nothing_that_routing_reads_gives_the_same_decision(log: str, here: Path) -> None:
    described = written(here / "described.yaml", {**NEAR, "description": "x"}, FAR)
    assert verdicts(log, described, 1) == ["same decision"] * len(REQUESTS)


def test_a_catalog_with_another_provider_gives_the_same_decision_and_names_it(log: str, here: Path) -> None:
    """The router never sees a provider, so no decision differs; a record that has the old one is told so."""
    moved = written(here / "moved.yaml", NEAR, {**FAR, "provider": "three"})
    done = aldo("route", "--verify", "-", "--json", "--catalog", moved, stdin=log)
    told = json.loads(done.stdout)["records"]
    assert done.returncode == 1
    assert [record["verdict"] for record in told] == ["same decision"] * len(REQUESTS)
    assert ['"three"' in record["detail"] for record in told] == [
        json.loads(line)["model"] == "far" for line in log.splitlines()
    ]


# ---- no records


@pytest.mark.parametrize("content", [b"", b"\n\n"])
def test_an_empty_file_holds_no_record_and_is_bad_input(content: bytes, catalog: str) -> None:
    done = aldo("route", "--verify", "-", "--catalog", catalog, stdin=content)
    assert (done.returncode, done.stdout) == (2, "")
    assert "no record" in done.stderr


@pytest.mark.parametrize("place", ["missing.json", ".", ""])
def test_a_file_that_cannot_be_read_is_bad_input(place: str, catalog: str, tmp_path: Path) -> None:
    done = aldo("route", "--verify", place, "--catalog", catalog, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("content", ["garbage\n", "{}\n"])
def test_garbage_is_unreadable_input(content: str, catalog: str) -> None:
    """Exit codes everywhere: 1 for a decision that differs, 2 for what cannot be read."""
    assert aldo("route", "--verify", "-", "--catalog", catalog, stdin=content).returncode == 2


def test_what_is_no_record_is_told_in_words_and_never_steers_the_terminal(log: str, catalog: str) -> None:
    text = '[]\n{}\n1\nnull\n"x"\n\x1b[31m\x07\n' + log
    done = aldo("route", "--verify", "-", "--catalog", catalog, stdin=text)
    assert done.returncode in (1, 2)
    assert done.stdout.count("identical") == len(REQUESTS)
    assert all(line.isprintable() for line in (done.stdout + done.stderr).split("\n"))
    for words_of_python in ("'request'", "subscriptable", "indices", "NoneType"):
        assert words_of_python not in done.stdout


@pytest.mark.parametrize("content", ["[" * 100_000, '{"request":' * 100_000, '{"request": ' + "9" * 5000 + "}"])
def test_json_that_no_record_is_gets_no_traceback(content: str, catalog: str) -> None:
    done = aldo("route", "--verify", "-", "--catalog", catalog, stdin=content)
    assert "Traceback" not in done.stderr
    assert done.returncode in (1, 2)


def test_bytes_that_are_no_utf_8_are_no_record(log: str, catalog: str) -> None:
    first = log.splitlines()[0].encode()
    done = aldo("route", "--verify", "-", "--catalog", catalog, stdin=first.replace(b'"far"', b'"f\xff"'))
    assert done.returncode in (1, 2)
    assert "identical" not in done.stdout
    assert "Traceback" not in done.stderr


def test_a_refusal_in_a_log_is_told_to_be_one(catalog: str) -> None:
    """`aldo route --requests` writes decisions and refusals, line by line."""
    requests = [REQUESTS[0], {**REQUESTS[0], "privacy": "sensitive", "tokensIn": 90_000}]
    written_log = aldo("route", "--requests", "-", "--catalog", catalog, stdin=lines_of(requests)).stdout
    done = aldo("route", "--verify", "-", "--json", "--catalog", catalog, stdin=written_log)
    told = json.loads(done.stdout)["records"]
    assert told[0]["verdict"] == "identical"
    assert told[1]["verdict"] != "identical"
    assert "refus" in told[1]["detail"] or "no_eligible_model" in told[1]["detail"]


# ---- --request


def test_a_request_from_a_file_and_from_options_is_the_same(catalog: str, tmp_path: Path) -> None:
    path = tmp_path / "request.json"
    path.write_text("\ufeff" + json.dumps(REQUESTS[1], indent=1), "utf-8")
    options = ("--class", "fast-draft", "--privacy", "public", "--tokens-in", "50000", "--budget-usd", "0.10")
    shown = {
        aldo("route", *arguments, "--json", "--explain", "--catalog", catalog).stdout
        for arguments in (("--request", str(path)), options)
    }
    assert len(shown) == 1
    assert json.loads(shown.pop())["model"] == "far"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "it is empty"),
        ('{"capabilityClass": "fast-draft"}', "privacy is missing"),
        ('{"capabilityClass": "fast-drat", "privacy": "public"}', "did you mean 'fast-draft'?"),
        ('{"capabilityClass": "fast-draft", "privacy": "public", "privacy": "internal"}', "stands twice"),
        ("[" * 100_000, "no JSON"),
    ],
    ids=lambda value: value[:40],
)
def test_a_request_that_is_none_is_bad_input_that_says_what_is_wrong(content: str, said: str, catalog: str) -> None:
    done = aldo("route", "--request", "-", "--catalog", catalog, stdin=content)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in " ".join(done.stderr.split())


@pytest.mark.parametrize(
    "more",
    [("--tokens-in", "1"), ("--tokens-in", "0"), ("--budget-usd", ""), ("--requests", "-"), ("--verify", "-")],
    ids=" ".join,
)
def test_a_second_source_of_the_request_is_bad_usage_and_never_passed_over(more: tuple[str, ...], catalog: str) -> None:
    done = aldo("route", "--request", "-", *more, "--catalog", catalog, stdin=json.dumps(REQUESTS[0]))
    assert done.returncode == 2
    assert "--request" in done.stdout + done.stderr


def test_a_refused_request_ends_with_1_and_why_not_may_be_asked_of_it(catalog: str) -> None:
    refused = json.dumps({**REQUESTS[0], "privacy": "sensitive", "tokensIn": 90_000})
    done = aldo("route", "--request", "-", "--json", "--catalog", catalog, stdin=refused)
    assert (done.returncode, json.loads(done.stdout)["error"]["code"]) == (1, "no_eligible_model")
    done = aldo("route", "--request", "-", "--why-not", "far", "--catalog", catalog, stdin=refused)
    assert (done.returncode, "PRIVACY" in done.stdout) == (0, True)


def test_the_shipped_catalog_verifies_what_it_decides_whatever_the_hash_seed() -> None:
    arguments = ("route", "--class", "reasoning-medium", "--privacy", "public", "--json", "--explain")
    record = aldo(*arguments, "--catalog", str(MODELS), PYTHONHASHSEED="1").stdout
    done = aldo("route", "--verify", "-", "--catalog", str(MODELS), stdin=record, PYTHONHASHSEED="2")
    assert (done.returncode, done.stdout.split(":")[0]) == (0, "identical")
