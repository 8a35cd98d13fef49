"""`aldo catalog explain`, `render`, `diff` and `import`, and overlays in the commands that take a catalog."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from aldo.catalog import load_catalog
from tests.support.cases import CASES, MODELS, ROOT
from tests.support.cli import aldo
from tests.support.entries import entry

OVERLAY = {"apiVersion": "aldo/models.v1", "kind": "ModelCatalogOverlay"}
COMPANY, MINE = str(ROOT / "examples" / "company.yaml"), str(ROOT / "examples" / "mine.yaml")
LAYERS = ("--catalog", str(MODELS), "--overlay", COMPANY, "--overlay", MINE)
ROUTE = ("route", "--class", "fast-draft", "--privacy", "public")


def catalog(directory: Path, *entries: dict[str, Any], name: str = "models.yaml", **more: Any) -> str:
    value = {"apiVersion": "aldo/models.v1", "kind": "ModelCatalog", "models": list(entries), **more}
    return written(directory, name, value)


def overlay(directory: Path, name: str = "mine.yaml", **sections: Any) -> str:
    return written(directory, name, {**OVERLAY, **sections})


def written(directory: Path, name: str, value: object) -> str:
    (directory / name).write_text(json.dumps(value), "utf-8")
    return str(directory / name)


def test_a_rendered_catalog_is_the_merged_one_whether_as_yaml_or_as_json(tmp_path: Path) -> None:
    expected = load_catalog(MODELS, overlays=[COMPANY, MINE]).digest
    for options in ((), ("--json",), ("--show-origin",)):
        done = aldo("catalog", "render", *LAYERS, *options)
        (tmp_path / "merged.yaml").write_text(done.stdout, "utf-8")
        assert load_catalog(tmp_path / "merged.yaml").digest == expected, options


def test_every_rendered_value_names_the_layer_that_set_it() -> None:
    told = json.loads(aldo("catalog", "render", *LAYERS, "--show-origin", "--json").stdout)
    assert [Path(name).name for name in told["layers"]] == ["models.yaml", "company.yaml", "mine.yaml"]
    places = {entry["id"]: f"/models/{n}" for n, entry in enumerate(told["catalog"]["models"])}
    for pointer, layer in (
        (places["vllm-gpt-oss-120b"] + "/locality", 1),
        (places["openai-gpt-6-luna"] + "/cost/usdPerMtokIn", 2),
        (places["openai-gpt-6-luna"] + "/asOf", 1),
        (places["openai-gpt-6-luna"] + "/provider", 0),
        (places["llamacpp-house-8b"] + "/id", 2),
        ("/lock", 1),
    ):
        assert told["origins"][pointer]["layer"] == layer, pointer


def test_a_removed_entry_still_explains_itself() -> None:
    done = aldo("catalog", "explain", "deepseek-flash.locality", *LAYERS)
    assert done.returncode == 0
    assert "deepseek-flash was removed" in done.stdout
    assert "cloud -> not set" in done.stdout


@pytest.mark.parametrize(
    ("what", "says"),
    [
        ("openai-gpt-6-lunna", "did you mean 'openai-gpt-6-luna'"),
        ("openai-gpt-6-luna.cost.usdPerMtokOt", "did you mean 'cost.usdPerMtokOut'"),
        ("nobody", "unknown model 'nobody'"),
    ],
)
def test_what_cannot_be_explained_says_what_was_meant(what: str, says: str) -> None:
    done = aldo("catalog", "explain", what, *LAYERS)
    assert done.returncode == 2
    assert says in " ".join(done.stderr.split())


def test_ids_with_dots_are_told_from_paths(tmp_path: Path) -> None:
    base = catalog(tmp_path, entry("qwen2.5"), entry("qwen2.5.cost"))
    for what, model in (("qwen2.5.cost", "qwen2.5.cost"), ("qwen2.5.locality", "qwen2.5")):
        assert json.loads(aldo("catalog", "explain", what, "--catalog", base, "--json").stdout)["id"] == model


def test_a_key_in_a_layer_is_told_by_no_explanation_and_no_comparison(tmp_path: Path) -> None:
    secret = "sk-proj-Zq81kXw02mVbT5yHc9"
    base = catalog(tmp_path, entry("far"))
    mine = overlay(tmp_path, override={"far": {"providerConfig": {"headers": {"Authorization": f"Bearer {secret}"}}}})
    for command in (
        ["explain", "far", "--catalog", base, "--overlay", mine],
        ["diff", base, base, "--head-overlay", mine],
    ):
        for options in ([], ["--json"]):
            done = aldo("catalog", *command, *options)
            assert done.returncode == 0
            assert secret not in done.stdout
            assert "Authorization" in done.stdout


def test_the_difference_of_fields_has_both_sides_and_their_places(tmp_path: Path) -> None:
    base = catalog(tmp_path, entry("far"), entry("gone"))
    mine = overlay(
        tmp_path, override={"far": {"locality": "on-prem", "description": "x"}}, remove=["gone"], add=[entry("new")]
    )
    done = aldo("catalog", "diff", base, base, "--head-overlay", mine, "--json", "--exit-code")
    assert done.returncode == 1
    told = json.loads(done.stdout)
    assert [(one["kind"], one["id"], one["path"]) for one in told["changes"]] == [
        ("changed", "far", "locality"),
        ("added", "far", "description"),
        ("removed", "gone", ""),
        ("added", "new", ""),
    ]
    first = told["changes"][0]
    assert (first["base"]["value"], first["head"]["value"]) == ("cloud", "on-prem")
    assert (first["base"]["layer"], first["head"]["layer"], first["head"]["file"]) == (0, 1, mine)
    assert told["catalogDigests"]["head"] == load_catalog(base, overlays=[mine]).digest
    same = aldo("catalog", "diff", base, base, "--exit-code")
    assert (same.returncode, same.stdout) == (0, "no field differs\n")


COMMANDS = [
    [*ROUTE, "--json"],
    ["prove", "--json"],
    ["models", "list", "--json"],
    ["catalog", "render", "--json"],
    ["catalog", "explain", "far.locality", "--json"],
    ["lint", "--json"],
    ["chat", "--class", "fast-draft", "--privacy", "public", "--json", "hello"],
    ["replay", "--export", "table", "--json"],
    ["test", "--record", "routes.test.yaml"],
]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_overlays_count_in_every_command_that_takes_a_catalog(command: list[str], tmp_path: Path) -> None:
    """By an overlay that cannot be laid: whoever heeds it says so."""
    base = catalog(tmp_path, entry("far"))
    mine = overlay(tmp_path, remove=["nobody"])
    named = [base] if command[0] == "lint" else ["--catalog", base]
    by_option = aldo(*command, *named, "--overlay", mine, cwd=tmp_path)
    by_environment = aldo(*command, *named, cwd=tmp_path, ALDO_OVERLAYS=mine)
    for done in (by_option, by_environment):
        assert "AL601" in done.stdout + done.stderr
        assert done.returncode in (1, 2)
    assert "AL601" not in (done := aldo(*command, *named, cwd=tmp_path)).stdout + done.stderr


@pytest.mark.parametrize("options", [["--overlay"], ["--base-overlay"], ["--head-overlay"]])
def test_both_sides_of_a_comparison_take_overlays(options: list[str], tmp_path: Path) -> None:
    base = catalog(tmp_path, entry("far"), entry("near", locality="local"))
    mine = overlay(tmp_path, remove=["near"])
    for command in (["diff"], ["catalog", "diff"]):
        told = json.loads(aldo(*command, base, base, *options, mine, "--json").stdout)["changes"]
        assert bool(told) == (options != ["--overlay"])


def test_options_replace_the_environment_and_keep_their_order(tmp_path: Path) -> None:
    base = catalog(tmp_path, entry("far"))
    layers = [overlay(tmp_path, f"{n}.yaml", override={"far": {"description": f"layer {n}"}}) for n in range(3)]
    explain = ["catalog", "explain", "far.description", "--catalog", base, "--json"]

    def value(*options: str, **environment: str) -> Any:
        return json.loads(aldo(*explain, *options, **environment).stdout)["fields"][0]["value"]

    named = [word for layer in layers[:2] for word in ("--overlay", layer)]
    everything = os.pathsep.join(["", *layers, ""])
    assert value(ALDO_OVERLAYS=everything) == "layer 2"
    assert value(*named, ALDO_OVERLAYS=everything) == "layer 1"
    assert value("--overlay", layers[1], "--overlay", layers[0]) == "layer 0"


def test_fixes_and_overlays_do_not_mix(tmp_path: Path) -> None:
    base, mine = catalog(tmp_path, entry("far")), overlay(tmp_path)
    done = aldo("lint", "--fix", base, "--overlay", mine)
    assert done.returncode == 2
    assert "one by one" in done.stderr


PRICES = str(CASES / "price-lists" / "litellm.json")


def test_an_imported_price_list_is_an_overlay_with_exact_prices_source_and_day(tmp_path: Path) -> None:
    base = catalog(tmp_path, entry("mine"))
    out = str(tmp_path / "prices.yaml")
    done = aldo("catalog", "import", "litellm", PRICES, "--catalog", base, "--map", "mine=house/large", "-o", out)
    assert done.returncode == 0, done.stderr
    assert "1 taken" in done.stderr
    merged = load_catalog(base, overlays=[out]).by_id["mine"]
    assert merged.cost.model_dump(mode="json", exclude_none=True) == {
        "usdPerMtokIn": 3,
        "usdPerMtokOut": 15,
        "usdPerMtokCacheRead": 0.3,
        "usdPerMtokCacheWrite": 3.75,
    }
    assert (str(merged.as_of), merged.source) == ("2026-11-22", "https://example.com/pricing")
    again = aldo(
        "catalog", "import", "litellm", PRICES, "--catalog", base, "--overlay", out, "--map", "mine=house/large"
    )
    assert "the catalog says so already" in again.stderr
    assert again.returncode == 0


def test_what_cannot_be_taken_is_said_and_never_costs_nothing(tmp_path: Path) -> None:
    base = catalog(tmp_path, entry("mine"), entry("other"))
    maps = ("--map", "mine=house/rerank", "--map", "other=house/largo", "--map", "third=house/large")
    done = aldo("catalog", "import", "litellm", PRICES, "--catalog", base, *maps, "--json")
    assert done.returncode == 1
    told = json.loads(done.stdout)
    assert told["taken"] == []
    reasons = {one["id"]: one["reason"] for one in told["skipped"]}
    assert "query" in reasons["mine"]
    assert "did you mean house/large" in reasons["other"]
    assert "--class adds it" in reasons["third"]


def test_models_that_the_catalog_lacks_are_added_where_a_class_is_said(tmp_path: Path) -> None:
    base = catalog(tmp_path, entry("mine"))
    more = ("--class", "reasoning-large", "--privacy", "public,internal", "--map", "new=house/large")
    done = aldo("catalog", "import", "litellm", PRICES, "--catalog", base, *more)
    (tmp_path / "prices.yaml").write_text(done.stdout, "utf-8")
    added = load_catalog(base, overlays=[tmp_path / "prices.yaml"]).by_id["new"]
    assert (added.capability_class, added.privacy_allowed, added.locality) == (
        "reasoning-large",
        ("public", "internal"),
        "cloud",
    )


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "say what to take"),
        (("--map", "mine"), "write OURS=THEIRS"),
        (("--provider", "hous"), "did you mean house"),
        (("--map", "mine=house/large", "--map", "mine=house/embed"), "mapped twice"),
        (("--map", "x=house/large", "--class", "fast-draft", "--privacy", "secret"), "the tiers are"),
    ],
)
def test_bad_usage_of_import_says_what_to_do(arguments: tuple[str, ...], says: str, tmp_path: Path) -> None:
    done = aldo("catalog", "import", "litellm", PRICES, "--catalog", catalog(tmp_path, entry("mine")), *arguments)
    assert done.returncode == 2
    assert says in done.stderr


def test_a_locked_price_is_not_imported_over(tmp_path: Path) -> None:
    base = catalog(tmp_path, entry("mine"), lock=["cost"])
    done = aldo("catalog", "import", "litellm", PRICES, "--catalog", base, "--map", "mine=house/large")
    assert done.returncode == 2
    assert "AL606" in done.stderr
    assert done.stdout == ""
