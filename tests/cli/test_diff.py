"""`aldo diff`: changes, witnesses, gates, revisions and Markdown through the command line."""

from __future__ import annotations

import json
import os
import random
import re
import subprocess
import sys
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from aldo.catalog import load_catalog
from aldo.schema import Catalog
from tests.support.cases import MODELS, ROOT
from tests.support.cli import aldo
from tests.support.entries import entry as cloud_entry
from tests.support.strategies import compose

Outcome = dict[str, Any]
KINDS = {
    "privacy-widened",
    "privacy-narrowed",
    "unroutable",
    "routable",
    "rerouted",
    "dearer",
    "cheaper",
    "redundancy-lost",
    "redundancy-gained",
}


def entry(model: str, usd_in: object = 1, usd_out: object = 2, **more: Any) -> dict[str, Any]:
    prices = {"usdPerMtokIn": usd_in, "usdPerMtokOut": usd_out}
    return cloud_entry(model, **{"provides": ["streaming", "tool-use"], "cost": prices} | more)


def written(path: Path, *entries: dict[str, Any], **more: Any) -> str:
    document = {"apiVersion": "aldo/models.v1", "kind": "ModelCatalog", "models": list(entries), **more}
    path.write_text(json.dumps(document, default=float), "utf-8")
    return str(path)


def local(model: str, **more: Any) -> dict[str, Any]:
    everything = ["public", "internal", "sensitive"]
    return entry(
        model, 0, 0, **({"locality": "local", "privacyAllowed": everything, "effectiveContextTokens": 4096} | more)
    )


EVERY_KIND = (
    [
        local("near"),
        local("near-2"),
        entry("far"),
        entry("old", capabilityClass="reasoning-small"),
        entry("gone", capabilityClass="embeddings", locality="on-prem", privacyAllowed=["internal"]),
        entry("x-cheap", 3, 3, capabilityClass="coding-frontier"),
        entry("one", capabilityClass="reasoning-medium"),
    ],
    [
        local("near", effectiveContextTokens=2048),
        entry("far", 1.5, 3),
        entry("old", 0.5, 1, capabilityClass="reasoning-small"),
        entry("new", capabilityClass="reasoning-large", locality="on-prem", privacyAllowed=["public"]),
        entry("y-cheaper", 2, 2, capabilityClass="coding-frontier"),
        entry("one", capabilityClass="reasoning-medium"),
        entry("two", capabilityClass="reasoning-medium"),
    ],
)


def shipped_pair(directory: Path) -> tuple[str, str]:
    """The shipped catalog, and the same without some entries, with other prices, contexts and tiers."""
    document = yaml.safe_load(MODELS.read_text("utf-8"))
    rng = random.Random(5)
    models = []
    for model in document["models"]:
        roll = rng.random()
        if roll < 0.1:
            continue
        if roll < 0.3:
            model["cost"] = {**model["cost"], "usdPerMtokOut": round(model["cost"]["usdPerMtokOut"] * 1.04 + 0.01, 6)}
        elif roll < 0.45:
            model["effectiveContextTokens"] = max(1, model["effectiveContextTokens"] // 4)
        elif roll < 0.55:
            model["privacyAllowed"] = ["public"]
        models.append(model)
    path = directory / "head.yaml"
    path.write_text(json.dumps({**document, "models": models}, default=str), "utf-8")
    return str(MODELS), str(path)


def random_pair(directory: Path, seed: int) -> tuple[str, str]:
    """Two catalogs of entries that nearly collide."""
    rng = random.Random(seed)
    pair = []
    for name in ("base", "head"):
        scenario = compose(rng.choice, [f"m{number}" for number in range(6)])
        models = [
            {**model, "cost": {side: float(usd) for side, usd in model["cost"].items()}} for model in scenario.entries
        ]
        routing = {"routing": {"sensitiveLocalities": list(scenario.widened)}} if scenario.widened else {}
        vocabulary = {"capabilityClasses": ["house-class"], "capabilities": ["house-tag"]}
        pair.append(written(directory / f"{name}{seed}.yaml", *models, vocabulary=vocabulary, **routing))
    return pair[0], pair[1]


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("diff")


@pytest.fixture(scope="module")
def every_kind(here: Path) -> tuple[str, str]:
    return written(here / "base.yaml", *EVERY_KIND[0]), written(here / "head.yaml", *EVERY_KIND[1])


def diff_json(base: str, head: str, *arguments: str, **more: Any) -> dict[str, Any]:
    done = aldo("diff", base, head, "--format", "json", *arguments, **more)
    assert done.stderr == "", done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def routed(catalog: str, requests: list[dict[str, Any]]) -> list[Outcome]:
    """What `aldo route` makes of each request, with one process for all."""
    lines = "".join(json.dumps(request) + "\n" for request in requests)
    done = aldo("route", "--requests", "-", "--catalog", catalog, stdin=lines)
    outcomes = [json.loads(line) for line in done.stdout.split("\n") if line]
    assert len(outcomes) == len(requests)
    return outcomes


# ---- witnesses


def assert_as_told(told: Outcome | None, outcome: Outcome, catalog: Catalog) -> None:
    """What `route` makes of a witness is what the change says of that side."""
    if told is None:
        assert outcome["error"]["code"] in ("no_eligible_model", "unknown_class", "unknown_capability"), outcome
        return
    assert "error" not in outcome, outcome
    assert {name: outcome[name] for name in ("model", "classUsed", "estimatedUsd", "alternates")} == {
        name: value for name, value in told.items() if name != "locality"
    }
    assert told["locality"] == catalog.by_id[told["model"]].locality


def assert_kind(change: dict[str, Any]) -> None:
    """The outcomes on both sides are an example of what the kind says."""
    kind, base, head = change["kind"], change["base"], change["head"]
    chains = [[] if side is None else [side["model"], *side["alternates"]] for side in (base, head)]
    if kind == "unroutable":
        assert base
        assert head is None
    elif kind == "routable":
        assert base is None
        assert head
    elif kind == "rerouted":
        assert (base["model"], base["classUsed"]) != (head["model"], head["classUsed"])
    elif kind in ("dearer", "cheaper"):
        before, after = Decimal(base["estimatedUsd"]), Decimal(head["estimatedUsd"])
        assert after > before if kind == "dearer" else after < before
    elif kind == "redundancy-lost":
        assert 1 <= len(chains[1]) < len(chains[0])
    elif kind == "redundancy-gained":
        assert 1 <= len(chains[0]) < len(chains[1])
    else:
        reached, other = (head, base) if kind == "privacy-widened" else (base, head)
        assert reached["locality"] in change["detail"]
        assert other is None or other["locality"] != reached["locality"]


def assert_in_region(change: dict[str, Any]) -> None:
    witness, region = change["witness"], change["region"]
    size = witness.get("tokensIn", 256) + witness.get("maxTokensOut", 1024)
    assert witness["privacy"] in region["privacy"]
    assert size <= region.get("tokensAtMost", size)
    assert witness.get("maxTokensOut", 1024) <= region.get("maxTokensOutAtMost", 10**12)
    if region.get("capabilityClass") and "fallbackClasses" not in region.get("onlyWith", ()):
        assert witness["capabilityClass"] == region["capabilityClass"]
    if "requiresWithin" in region:
        assert set(witness.get("requires", ())) <= set(region["requiresWithin"])
    if not change["kind"].startswith("privacy"):  # it is about a locality, so its request may name one
        said = {"budgetUsd", "localities", "fallbackClasses"} & set(witness)
        assert said <= set(region.get("onlyWith", ()))
        assert bool(said) == bool(region.get("onlyWith"))


def _every_kind(directory: Path) -> tuple[str, str]:
    return written(directory / "base.yaml", *EVERY_KIND[0]), written(directory / "head.yaml", *EVERY_KIND[1])


PAIRS: dict[str, Callable[[Path], tuple[str, str]]] = {
    "every kind": _every_kind,
    "shipped": shipped_pair,
    **{f"random {seed}": lambda directory, seed=seed: random_pair(directory, seed) for seed in (1, 3)},
}


@pytest.mark.parametrize("name", PAIRS)
def test_each_witness_is_routed_on_both_sides_as_its_change_says_and_lies_in_its_region(
    name: str, tmp_path: Path
) -> None:
    sides = PAIRS[name](tmp_path)
    told = diff_json(*sides)
    changes = told["changes"]
    assert changes
    if name == "every kind":
        assert {change["kind"] for change in changes} == KINDS
    for place, side in zip(sides, ("base", "head"), strict=True):
        catalog = load_catalog(place)
        outcomes = routed(place, [change["witness"] for change in changes])
        digests = {outcome["routingDigest"] for outcome in outcomes if "error" not in outcome}
        assert digests <= {told["routingDigests"][side]}
        for change, outcome in zip(changes, outcomes, strict=True):
            assert_as_told(change[side], outcome, catalog)
    for change in changes:
        assert_kind(change)
        assert_in_region(change)


def test_a_witness_in_the_text_given_to_route_request_shows_the_costs_beside_it(every_kind: tuple[str, str]) -> None:
    told = aldo("diff", *every_kind, "--all").stdout
    paragraph = next(part for part in told.split("\n\n") if part.startswith("dearer") and "far (cloud)" in part)
    witness = next(line.strip() for line in paragraph.splitlines() if line.strip().startswith("{"))
    for catalog in every_kind:
        done = aldo("route", "--request", "-", "--json", "--catalog", catalog, stdin=witness)
        outcome = json.loads(done.stdout)
        assert (done.returncode, outcome["model"]) == (0, "far")
        assert outcome["estimatedUsd"] in paragraph


def test_a_request_that_no_change_is_about_is_routed_alike(every_kind: tuple[str, str]) -> None:
    """What `changes` leaves out: here the class that only gains a reserve keeps its model and its price."""
    requests = [
        {"capabilityClass": "reasoning-medium", "privacy": tier} for tier in ("public", "internal", "sensitive")
    ]
    before, after = (routed(place, requests) for place in every_kind)
    for one, other in zip(before, after, strict=True):
        assert one.get("model") == other.get("model")
        assert one.get("estimatedUsd") == other.get("estimatedUsd")


# ---- shape


def test_the_json_has_the_fields_that_were_promised_whatever_the_hash_seed_and_order(
    every_kind: tuple[str, str], here: Path
) -> None:
    told = diff_json(*every_kind, PYTHONHASHSEED="1")
    turned = [written(here / f"turned{side}.yaml", *reversed(EVERY_KIND[side])) for side in (0, 1)]
    assert told == diff_json(turned[0], turned[1], PYTHONHASHSEED="2")
    assert told["version"] == 1
    assert set(told) >= {"version", "changes", "routingDigests"}
    assert set(told["routingDigests"]) == {"base", "head"}
    for change in told["changes"]:
        assert set(change) >= {"kind", "region", "witness", "base", "head"}
    assert aldo("diff", *every_kind, "--json").stdout == aldo("diff", *every_kind, "--format=json").stdout


def test_base_and_head_exchanged_give_the_opposite_kinds(every_kind: tuple[str, str]) -> None:
    opposite = {
        "unroutable": "routable",
        "dearer": "cheaper",
        "privacy-widened": "privacy-narrowed",
        "redundancy-lost": "redundancy-gained",
    }
    opposite |= {other: kind for kind, other in opposite.items()} | {"rerouted": "rerouted"}

    def told(base: str, head: str) -> set[tuple[Any, ...]]:
        return {
            (
                c["kind"],
                c["region"].get("capabilityClass"),
                c["base"] and c["base"]["model"],
                c["head"] and c["head"]["model"],
            )
            for c in diff_json(base, head)["changes"]
            if not c["kind"].startswith(("privacy", "redundancy"))
        }

    there, back = told(*every_kind), told(*reversed(every_kind))
    assert there == {(opposite[kind], name, head, base) for kind, name, base, head in back}


def test_catalogs_that_differ_in_nothing_that_routing_reads_have_no_changes(here: Path) -> None:
    base = written(here / "same-1.yaml", entry("a"), local("b"))
    head = written(
        here / "same-2.yaml", local("b", provider="two", description="| `x` |"), entry("a", provider="three")
    )
    told = diff_json(base, head)
    assert told["changes"] == []
    assert told["routingDigests"]["base"] == told["routingDigests"]["head"]
    for form in ("text", "markdown"):
        done = aldo("diff", base, head, "--format", form, "--fail-on", "any")
        assert (done.returncode, done.stderr) == (0, "")
        assert "No request is routed differently" in done.stdout


def test_the_text_shows_a_dozen_lines_and_says_how_many_more_there_are(here: Path) -> None:
    classes = [f"house-{number}" for number in range(20)]
    vocabulary = {"capabilityClasses": classes}
    base = written(
        here / "many-1.yaml",
        *(entry(f"m-{name}", 0, 0, capabilityClass=name) for name in classes),
        vocabulary=vocabulary,
    )
    head = written(
        here / "many-2.yaml",
        *(entry(f"n-{name}", 0, 0, capabilityClass=name) for name in classes),
        vocabulary=vocabulary,
    )
    short, full = aldo("diff", base, head).stdout, aldo("diff", base, head, "--all").stdout
    assert len(re.findall("^rerouted", short, re.M)) == 12
    assert "8 smaller lines not shown; --all shows all." in short
    assert len(re.findall("^rerouted", full, re.M)) == 20
    assert "--all" not in full
    assert len(diff_json(base, head)["changes"]) == 20


def test_prose_fits_80_columns_and_nothing_but_text_reaches_a_pipe(every_kind: tuple[str, str]) -> None:
    shown = aldo("diff", *every_kind, "--all").stdout + aldo("diff", "--help").stdout
    prose = [line for line in shown.splitlines() if not line.strip().startswith("{")]
    assert len(prose) > 60
    assert max(map(len, prose)) <= 80
    assert "\x1b" not in shown


def test_a_reader_that_stops_reading_is_no_error(every_kind: tuple[str, str]) -> None:
    command = f"{sys.executable} -m aldo.cli.main diff --json {every_kind[0]} {every_kind[1]} | head -n 1"
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.stderr, done.returncode) == ("{\n", "", 0)


# ---- Markdown


def cells(row: str) -> list[str]:
    """The cells of a row of a table: pipes divide them but for those that a backslash stands before."""
    assert row.startswith("|")
    assert row.endswith("|")
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", row)[1:-1]]


@pytest.mark.parametrize("pair", ["every kind", "shipped"])
def test_markdown_is_one_table_whose_rows_have_as_many_cells_as_its_head(pair: str, tmp_path: Path) -> None:
    base, head = PAIRS[pair](tmp_path)
    lines = aldo("diff", base, head, "--format", "markdown").stdout.split("\n")
    assert lines[0].startswith("#")
    start = next(number for number, line in enumerate(lines) if line.startswith("|"))
    end = next(number for number in range(start, len(lines)) if not lines[number].startswith("|"))
    assert (lines[start - 1], lines[end]) == ("", "")
    table = [cells(line) for line in lines[start:end]]
    assert {len(row) for row in table} == {len(table[0])}
    assert set(table[1]) == {"---"}
    assert len(table) > 5
    assert all(all(row) for row in table[2:])
    assert not any(line.startswith("|") for line in lines[end:])
    fenced = "\n".join(lines).split("```")
    assert len(fenced) == 3
    witnesses = [json.loads(line[line.index("{") :]) for line in fenced[1].strip().splitlines()]
    assert len(witnesses) == len(table) - 2
    known = [change["witness"] for change in diff_json(base, head)["changes"]]
    assert all(witness in known for witness in witnesses)


def test_one_change_is_told_in_the_singular(here: Path) -> None:
    base = written(here / "single-1.yaml", entry("a", 0, 0))
    head = written(here / "single-2.yaml", entry("b", 0, 0))
    shown = aldo("diff", base, head, "--format", "markdown").stdout
    assert len(diff_json(base, head)["changes"]) == 1
    assert "1 changes" not in shown


def test_ids_are_neither_links_nor_mentions_nor_emphasis_in_markdown(here: Path) -> None:
    """An id is any of letters, digits and `. _ : / @ + -`, and a pull request shows it to everybody."""
    ids = ("https://evil.example/x", "www.evil.example", "team/@octocat", "a_b_c__d__")
    base = written(
        here / "ids-1.yaml", *(entry(model, 1, 1, capabilityClass=f"c{number}") for number, model in enumerate(ids))
    )
    head = written(
        here / "ids-2.yaml", *(entry(model, 2, 2, capabilityClass=f"c{number}") for number, model in enumerate(ids))
    )
    rows = [
        line
        for line in aldo("diff", base, head, "--format", "markdown", "--all").stdout.split("\n")
        if line.startswith("| **")
    ]
    for model in ids:
        named = [row for row in rows if model in row]
        assert named
        for row in named:
            outside = re.sub(r"`[^`]*`", "", row)
            assert model not in outside, row


# ---- gates


@pytest.fixture(scope="module")
def priced(here: Path) -> Callable[[object], tuple[str, str]]:
    base = written(here / "at-100.yaml", entry("a", 100, 100))

    def pair(price: object) -> tuple[str, str]:
        return base, written(here / f"at-{price}.yaml", entry("a", price, price))

    return pair


@pytest.mark.parametrize(
    ("price", "gate", "code"),
    [
        (105, "cost>5%", 0),
        (105.000001, "cost>5%", 1),
        (105, "cost>4.999999%", 1),
        (105.000001, "dearer>5", 1),
        (100.000001, "cost", 1),
        (95, "cheaper", 1),
        (105, "privacy,redundancy", 0),
    ],
)
def test_a_gate_on_cost_is_exact(
    price: object, gate: str, code: int, priced: Callable[[object], tuple[str, str]]
) -> None:
    done = aldo("diff", *priced(price), "--fail-on", gate)
    assert done.returncode == code, done.stdout
    assert ("failed on" in done.stderr) == bool(code)


@pytest.mark.parametrize("gate", ["cost>1%,cost>50%", "cost,cost>50%", "cost>50%,any"])
def test_of_several_bounds_on_cost_the_strictest_counts(gate: str, priced: Callable[[object], tuple[str, str]]) -> None:
    """5 % dearer is more than 1 %, is dearer at all, and is any change, whatever else is asked."""
    assert aldo("diff", *priced(105), "--fail-on", gate.split(",")[0], "--fail-on", gate.split(",")[1]).returncode == 1


def test_a_bound_on_cost_does_not_hide_smaller_rises_from_the_report(
    priced: Callable[[object], tuple[str, str]],
) -> None:
    """What fails a run is one question, what a reviewer reads another."""
    gated = diff_json(*priced(104), "--fail-on", "cost>5%")
    assert [change["kind"] for change in gated["changes"]] == [
        change["kind"] for change in diff_json(*priced(104))["changes"]
    ]


def test_a_price_within_the_bound_passes_the_gate_of_the_help_page(priced: Callable[[object], tuple[str, str]]) -> None:
    """`--fail-on privacy,unroutable,cost>5%` is the example: a rise of 1 % is no outage."""
    assert "privacy,unroutable,cost>5%" in aldo("diff", "--help").stdout
    done = aldo("diff", *priced(101), "--fail-on", "privacy,unroutable,cost>5%")
    assert (done.returncode, done.stderr) == (0, "")


def test_each_word_fails_on_its_kinds_and_on_no_others(here: Path) -> None:
    base = written(here / "words-1.yaml", entry("a", 0, 0), entry("b", 0, 0, effectiveContextTokens=50_000))
    head = written(here / "words-2.yaml", entry("c", 0, 0))
    kinds = {change["kind"] for change in diff_json(base, head)["changes"]}
    assert kinds == {"rerouted", "redundancy-lost"}
    others = ",".join(sorted(KINDS - kinds)) + ",privacy,cost,cost>1%"
    assert aldo("diff", base, head, "--fail-on", others).returncode == 0
    for word, failing in (
        ("redundancy", "redundancy-lost"),
        ("rerouted", "rerouted"),
        ("any", "rerouted, redundancy-lost"),
    ):
        done = aldo("diff", base, head, "--fail-on", f"privacy, {word}", "--json")
        assert (done.returncode, done.stderr) == (1, f"failed on {failing}\n")
        assert json.loads(done.stdout)["version"] == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("unroutble", "did you mean unroutable?"),
        ("privacy,cots", "did you mean cost?"),
        ("", "privacy"),
        ("privacy,", "privacy"),
        ("privacy>5%", "only cost takes a bound"),
        ("cost>", "cost>5%"),
        ("COST", "cost"),
    ],
)
def test_a_word_that_is_no_gate_is_bad_usage_and_gates_nothing(
    words: str, said: str, priced: Callable[[object], tuple[str, str]]
) -> None:
    done = aldo("diff", *priced(101), "--fail-on", words)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in " ".join(done.stderr.split())


def test_spaces_in_a_bound_are_no_matter(priced: Callable[[object], tuple[str, str]]) -> None:
    assert aldo("diff", *priced(101), "--fail-on", "cost > 5 %").returncode == 0


def test_a_word_with_control_characters_does_not_reach_the_terminal(
    priced: Callable[[object], tuple[str, str]],
) -> None:
    done = aldo("diff", *priced(101), "--fail-on", "\x1b[31m\u202e")
    assert done.returncode == 2
    assert all(line.isprintable() for line in done.stderr.split("\n"))


# ---- files and revisions


def git(cwd: Path, *arguments: str) -> None:
    who = {"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@b", "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@b"}
    quiet = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    subprocess.run(["git", *arguments], cwd=cwd, check=True, capture_output=True, env={**os.environ, **who, **quiet})


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("repository")
    (place / "sub").mkdir()
    git(place, "init", "-q", "-b", "main")
    for revision in (0, 1):
        written(place / "models.yaml", *EVERY_KIND[revision])
        written(place / "sub" / "x.yaml", *EVERY_KIND[revision])
        git(place, "add", ".")
        git(place, "commit", "-qm", f"revision {revision}")
        git(place, "tag", f"v{revision}")
    return place


def test_revisions_and_files_of_the_same_content_give_the_same_difference(
    repository: Path, every_kind: tuple[str, str]
) -> None:
    told = diff_json(*every_kind)
    for base, head, cwd in (
        ("v0:models.yaml", "models.yaml", repository),
        ("HEAD~1:./x.yaml", "x.yaml", repository / "sub"),
        ("main~1:sub/x.yaml", "v1:models.yaml", repository / "sub"),
    ):
        assert diff_json(base, head, cwd=cwd) == told, base


@pytest.mark.parametrize(
    ("base", "said"),
    [
        ("nope:models.yaml", "nope"),
        ("HEAD:nope.yaml", "nope.yaml"),
        ("HEAD:sub", "sub"),
        ("--textconv:models.yaml", "--textconv:models.yaml"),
        ("nope.yaml", "no such file"),
    ],
)
def test_a_revision_that_cannot_be_read_is_named_with_what_to_check(base: str, said: str, repository: Path) -> None:
    done = aldo("diff", "--", base, "models.yaml", cwd=repository)
    assert (done.returncode, done.stdout) == (2, "")
    assert base in done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_defect_in_a_revision_has_its_line(repository: Path) -> None:
    (repository / "broken.yaml").write_text("apiVersion: aldo/models.v1\nkind: ModelCatalog\nmodels:\n  - idd: a\n")
    git(repository, "add", "broken.yaml")
    git(repository, "commit", "-qm", "broken")
    done = aldo("diff", "HEAD:broken.yaml", "models.yaml", cwd=repository)
    assert (done.returncode, done.stdout) == (2, "")
    assert "HEAD:broken.yaml:4:5:" in done.stderr


def test_a_name_that_is_too_long_for_a_file_is_not_called_an_output(repository: Path) -> None:
    done = aldo("diff", f"{'a' * 300}:models.yaml", "models.yaml", cwd=repository)
    assert done.returncode == 2
    assert "output" not in done.stderr


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"\xff", "is not UTF-8"),
        (b"apiVersion: aldo/policy.v1\nkind: RoutingPolicy\nnever: []\n", "aldo/policy.v1"),
        (b"apiVersion: aldo/models.v1\nkind: ModelCatalogOverlay\nadd: []\n", "ModelCatalogOverlay"),
    ],
    ids=str,
)
def test_what_is_no_catalog_is_unreadable_input_and_the_side_is_named(
    content: bytes, said: str, every_kind: tuple[str, str]
) -> None:
    done = aldo("diff", every_kind[0], "-", stdin=content)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert "<stdin>" in done.stderr


def test_standard_input_and_a_bare_list_are_catalogs_as_well(here: Path, every_kind: tuple[str, str]) -> None:
    bare = here / "bare.yaml"
    bare.write_text(json.dumps(EVERY_KIND[0]), "utf-8")
    done = aldo("diff", str(bare), "-", "--json", stdin=Path(every_kind[1]).read_bytes())
    assert json.loads(done.stdout) == diff_json(*every_kind)


@pytest.mark.parametrize("arguments", [("a",), ("a", "b", "--format", "yaml"), ("a", "b", "--format", "text")])
def test_bad_usage_ends_with_2_and_as_json_where_json_was_asked(arguments: tuple[str, ...]) -> None:
    done = aldo("diff", *arguments, "--json")
    assert done.returncode == 2
    assert json.loads(done.stdout)["error"]["code"] == "usage"
