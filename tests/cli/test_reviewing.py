"""What a reviewer reads first in a difference, and what does not get in the way."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

from tests.support.cases import MODELS
from tests.support.cli import aldo


def changed(directory: Path, edit: Any) -> str:
    """The shipped catalog after an edit of its entries by id."""
    document = yaml.safe_load(MODELS.read_text("utf-8"))
    edit({model["id"]: model for model in document["models"]}, document)
    path = directory / "models.yaml"
    path.write_text(json.dumps(document, default=str), "utf-8")
    return str(path)


def test_a_refusal_is_told_before_many_price_rises_and_is_never_hidden(tmp_path: Path) -> None:
    def edit(models: dict[str, Any], _: Any) -> None:
        for number, model in enumerate(models.values()):
            model["cost"]["usdPerMtokIn"] = round(model["cost"]["usdPerMtokIn"] * (1.01 + number / 100), 6)
        for name in ("ollama-gemma3-4b", "lmstudio-gemma-3-4b"):
            models[name]["enabled"] = False

    done = aldo("diff", str(MODELS), changed(tmp_path, edit))
    assert done.stdout.startswith("unroutable: fast-draft")
    first = done.stdout.split("\n\n")[0]
    assert "sensitive" in first


def test_models_that_are_repriced_alike_are_one_line(tmp_path: Path) -> None:
    def edit(models: dict[str, Any], _: Any) -> None:
        for model in models.values():
            model["cost"] = {name: round(price * 2, 6) for name, price in model["cost"].items()}

    done = aldo("diff", str(MODELS), changed(tmp_path, edit))
    assert done.stdout.count("+100%") == 1


def test_what_only_a_budget_shows_waits_for_all(tmp_path: Path) -> None:
    def edit(models: dict[str, Any], _: Any) -> None:
        models["openai-gpt-6.1-sol"]["cost"]["usdPerMtokIn"] = 4.2

    base, head = str(MODELS), changed(tmp_path, edit)
    assert "budgetUsd" not in aldo("diff", base, head).stdout
    assert "budgetUsd" in aldo("diff", base, head, "--all").stdout


def test_requests_that_move_outward_are_told_and_can_fail_the_run(tmp_path: Path) -> None:
    def edit(models: dict[str, Any], _: Any) -> None:
        for model in models.values():
            if model["capabilityClass"] == "coding-frontier" and model["locality"] == "local":
                model["enabled"] = False

    base, head = str(MODELS), changed(tmp_path, edit)
    done = aldo("diff", base, head, "--fail-on", "outward")
    assert (done.returncode, "failed on outward" in done.stderr) == (1, True)
    assert "rerouted, outward" in done.stdout
    assert aldo("diff", head, base, "--fail-on", "outward").returncode == 0


def test_what_routing_does_not_read_is_named_beside_it(tmp_path: Path) -> None:
    def edit(models: dict[str, Any], document: Any) -> None:
        models["deepseek-flash"]["providerConfig"]["baseUrl"] = "https://elsewhere.example"
        document.setdefault("routing", {})["localNetworks"] = ["10.0.0.0/8"]

    done = aldo("diff", str(MODELS), changed(tmp_path, edit))
    assert done.returncode == 0
    assert "No request is routed differently." in done.stdout
    assert "deepseek-flash (providerConfig), routing.localNetworks" in " ".join(done.stdout.split())


def test_a_dearer_model_that_is_cheaper_for_others_is_told_to_be_both(tmp_path: Path) -> None:
    def edit(models: dict[str, Any], _: Any) -> None:
        models["openai-gpt-6.1-sol"]["cost"] |= {"usdPerMtokIn": 1.9, "usdPerMtokOut": 10.5}

    assert "for others" in aldo("diff", str(MODELS), changed(tmp_path, edit)).stdout


def test_a_request_may_be_given_as_it_is_shown() -> None:
    shown = '{"capabilityClass": "fast-draft", "privacy": "public", "tokensIn": 32000, "maxTokensOut": 4000}'
    done = aldo("route", "--request", shown, "--json", "--catalog", str(MODELS))
    assert json.loads(done.stdout)["request"]["tokensIn"] == 32000
    assert aldo("route", "--request", '{"capabilityClass": ', "--catalog", str(MODELS)).returncode == 2


def test_of_many_records_those_are_told_that_are_not_identical(tmp_path: Path) -> None:
    request = json.dumps({"capabilityClass": "fast-draft", "privacy": "public"})
    log = aldo("route", "--requests", "-", "--catalog", str(MODELS), stdin=f"{request}\n" * 30).stdout
    lines = log.splitlines()
    lines[6] = lines[6].replace('"model": "', '"model": "x')
    done = aldo("route", "--verify", "-", "--catalog", str(MODELS), stdin="\n".join(lines))
    assert done.returncode == 1
    assert [line.partition(":")[0] for line in done.stdout.splitlines() if line.startswith("record")] == ["record 7"]
    assert done.stdout.endswith("29 of 30 records are identical\n")
