"""Entries with claims, what an audit finds of them, and the law that a correction must keep."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from aldo.catalog import load_catalog
from aldo.schema import Catalog
from aldo.transport import Timeouts
from aldo.transport.audit import Audit, Checked, audit
from aldo.validate.lint import lint
from tests.support.bound import entry
from tests.support.fake_runtimes import (
    OllamaQuirks,
)
from tests.support.fake_server import FakeServer
from tests.transport.audit.able_server import Able

TODAY = datetime.date(2026, 11, 22)
PATIENT = Timeouts(connect=30, read=60, no_content=60)
CONTEXT_TAGS = {"32k-context": 32_000, "128k-context": 128_000, "200k-context": 200_000, "1m-context": 1_000_000}
RESERVE = entry(id="reserve", config={"baseUrl": "http://127.0.0.1:1"}, provides=["streaming", "tool-use"])
"""A second model of the class, so that one that is switched off leaves no hole."""


def model(url: str, *tags: str, provider: str = "vllm", wire: str = "m", **more: Any) -> dict[str, Any]:
    config = {"baseUrl": url, **({"model": wire} if wire else {}), **more.pop("config", {})}
    kind = "mlx" if provider == "mlx" else "openai-compat"
    return entry(kind, config, id="it", provider=provider, provides=list(tags or ["streaming"]), **more)


def catalog_of(*models: Mapping[str, Any], **more: Any) -> Catalog:
    return Catalog.model_validate({"models": [*models, RESERVE], **more})


def audited(it: Mapping[str, Any], *, deep: bool = False, timeouts: Timeouts = PATIENT, **more: Any) -> Checked:
    """What came of the claims of one entry."""
    environ = more.pop("environ", {})
    catalog = catalog_of(it, **more)
    (found,) = audit(catalog, [catalog.by_id["it"]], deep=deep, environ=environ, timeouts=timeouts).checked
    assert found.entry.id == "it"
    names = [claim.name for claim in found.claims]
    assert names == ([] if found.unreachable else ["context", *it["provides"]])
    assert all(claim.evidence for claim in found.claims)
    json.dumps(found.to_dict())
    return found


def verdicts(found: Checked) -> dict[str, str]:
    assert found.unreachable is None, found.unreachable
    return {claim.name: claim.verdict for claim in found.claims}


def evidence(found: Checked, claim: str) -> str:
    return next(one.evidence for one in found.claims if one.name == claim)


def against(server: Able, *tags: str, deep: bool = False, **more: Any) -> Checked:
    """The claims of an entry against a server of these abilities."""
    with FakeServer([server]) as fake:
        return audited(model(fake.url, *tags, **more), deep=deep)


def written(path: Path, models: Iterable[Mapping[str, Any]], **more: Any) -> Path:
    path.write_text(
        json.dumps({"apiVersion": "aldo/models.v1", "kind": "ModelCatalog", "models": list(models), **more})
    )
    return path


def severities(base: Path, *overlays: Path) -> list[str]:
    report = lint(base, overlays=overlays, today=TODAY)
    return [f"{one.severity} {one.code} {one.message}" for one in report.findings if one.severity != "info"]


def check_correction(it: Mapping[str, Any], directory: Path, **options: Any) -> Audit:
    """The law: the correction loads over what was audited, without a word of blame, and after it nothing is refuted."""
    base = written(directory / "models.yaml", [it, RESERVE])
    catalog = load_catalog(base)
    first = audit(catalog, [catalog.by_id["it"]], environ={}, timeouts=PATIENT, **options)
    if first.checked[0].correction() is None:
        corrected = catalog
    else:
        overlay = directory / "corrections.yaml"
        overlay.write_text(first.overlay(), encoding="utf-8")
        assert severities(base, overlay) == []
        corrected = load_catalog(base, overlays=[overlay])
        assert corrected.digest != catalog.digest
        assert corrected.by_id["reserve"] == catalog.by_id["reserve"]
    after = corrected.by_id["it"]
    again = audit(corrected, [after] if after.enabled else [], environ={}, timeouts=PATIENT, **options)
    for one in again.checked:
        assert one.unreachable == first.checked[0].unreachable
        assert one.holds, [claim for claim in one.claims if claim.verdict == "refuted"]
    return first


SILENT = OllamaQuirks(no_context_in_ps=True)
