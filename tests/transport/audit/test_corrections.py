"""The overlay that corrects: it says what is not true and why, it loads, and nothing is left to correct."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from aldo.schema import Catalog
from aldo.schema.vocabulary import CAPABILITIES
from aldo.transport.audit import audit
from tests.support.fake_runtimes import (
    FakeOllama,
    OllamaModel,
)
from tests.support.fake_server import FakeServer
from tests.transport.audit.able_server import Able, able
from tests.transport.audit.auditing import (
    CONTEXT_TAGS,
    PATIENT,
    RESERVE,
    SILENT,
    against,
    catalog_of,
    check_correction,
    model,
    severities,
    written,
)


def test_the_correction_says_what_is_not_true_and_why() -> None:
    with FakeServer([able("streaming", stated=4096)]) as server:
        catalog = catalog_of(model(server.url, "streaming", "vision", "32k-context"))
        result = audit(catalog, [catalog.by_id["it"]], environ={}, timeouts=PATIENT)
    assert result.value() == {
        "apiVersion": "aldo/models.v1",
        "kind": "ModelCatalogOverlay",
        "override": {"it": {"provides": {"$remove": ["vision", "32k-context"]}, "servedContextTokens": 4096}},
        "expect": {"it": {"provides": ["streaming", "vision", "32k-context"], "effectiveContextTokens": 32768}},
    }
    comments = [line for line in result.overlay().splitlines() if line.startswith("  #")]
    assert [line.split(":")[0] for line in comments] == ["  # context", "  # vision", "  # 32k-context"]
    assert "image input is not supported" in result.overlay()


def test_an_entry_of_which_nothing_is_true_is_switched_off(tmp_path: Path) -> None:
    with FakeServer([able("refuses-streams")]) as server:
        result = check_correction(model(server.url, "streaming", "vision"), tmp_path)
    assert result.value()["override"] == {"it": {"enabled": False}}
    assert "provides" in result.value()["expect"]["it"]


def test_what_cannot_be_told_changes_nothing() -> None:
    found = against(able(), "long-output", "coding-frontier")
    assert found.correction() is None


def test_of_several_entries_each_is_asked_and_corrected_by_itself(tmp_path: Path) -> None:
    with FakeServer([able("streaming")]) as server, FakeServer([able("vision", "streaming")]) as other:
        models = [
            model(server.url, "streaming", "vision") | {"id": "a"},
            model(other.url, "streaming", "vision") | {"id": "b"},
            model("http://127.0.0.1:1", "streaming", "vision") | {"id": "c"},
            model(server.url, "vision") | {"id": "d"},
        ]
        catalog = Catalog.model_validate({"models": models})
        told: list[str] = []
        result = audit(catalog, catalog.models, environ={}, timeouts=PATIENT, progress=told.append)
    assert [one.entry.id for one in result.checked] == ["a", "b", "c", "d"]
    assert list(result.value()["override"]) == list(result.value()["expect"]) == ["a", "d"]
    assert {line.partition(":")[0] for line in told} == {"a", "b", "c", "d"}


LIES = [
    (able("streaming", stated=4096), ("streaming", "vision", "32k-context"), {}),
    (able("refuses-streams", stated=1), ("streaming",), {}),
    (able("streaming", stated=10**13), ("streaming", "vision", *CONTEXT_TAGS), {"effectiveContextTokens": 10**6}),
    (able("tool-use", "streaming"), tuple(tag for tag in CAPABILITIES if not tag.endswith("-context")), {}),
    (able("streaming", stated=2000), ("streaming", *CONTEXT_TAGS), {"effectiveContextTokens": 10**6}),
    (able("streaming", stated=2000), ("streaming",), {"servedContextTokens": 16384}),
    (able("embeddings", stated=512), ("embeddings", "streaming"), {"capabilityClass": "embeddings"}),
    (able("streaming"), ("streaming",), {}),
]


@pytest.mark.parametrize(("server", "tags", "more"), LIES, ids=lambda value: None)
def test_a_correction_loads_and_leaves_nothing_to_correct(
    server: Able, tags: tuple[str, ...], more: dict[str, Any], tmp_path: Path
) -> None:
    with FakeServer([server]) as fake:
        check_correction(model(fake.url, *tags, **more), tmp_path)


def test_a_deep_correction_leaves_nothing_to_correct(tmp_path: Path) -> None:
    with FakeOllama([OllamaModel("m", served=1000)], quirks=SILENT) as ollama:
        it = model(ollama.base_url, "streaming", provider="ollama", effectiveContextTokens=8000)
        result = check_correction(it, tmp_path, deep=True)
    assert result.value()["override"]["it"] == {"servedContextTokens": 1000}


def test_a_context_that_is_refused_is_corrected_too(tmp_path: Path) -> None:
    with FakeServer([able("streaming", served=1000)]) as server:
        check_correction(model(server.url, effectiveContextTokens=8000), tmp_path, deep=True)


def test_a_correction_leaves_no_more_output_than_context(tmp_path: Path) -> None:
    with FakeServer([able("streaming", stated=4096)]) as server:
        check_correction(model(server.url, maxOutputTokens=8192), tmp_path)


def test_what_is_switched_off_is_not_blamed_for_its_tags(tmp_path: Path) -> None:
    with FakeServer([able("streaming", stated=4096)]) as server:
        check_correction(model(server.url, "32k-context"), tmp_path)


def test_a_context_of_nothing_is_no_context(tmp_path: Path) -> None:
    with FakeServer([able("streaming", stated=0)]) as server:
        check_correction(model(server.url), tmp_path)


CHANGES = [
    {"provides": ["streaming", "vision", "tool-use"]},
    {"provides": ["streaming"]},
    {"effectiveContextTokens": 8192},
    {"servedContextTokens": 2048},
]


@pytest.mark.parametrize("change", CHANGES)
def test_a_correction_of_what_has_changed_since_is_an_error(change: dict[str, Any], tmp_path: Path) -> None:
    with FakeServer([able("streaming", stated=4096)]) as server:
        it = model(server.url, "streaming", "vision", servedContextTokens=16384)
        result = check_correction(it, tmp_path)
    assert result.value()["override"]["it"]["servedContextTokens"] == 4096
    changed = written(tmp_path / "later.yaml", [it | change, RESERVE])
    assert severities(changed) == []
    assert any("error AL605" in line for line in severities(changed, tmp_path / "corrections.yaml"))
