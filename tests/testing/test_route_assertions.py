"""Assertions about routes hold exactly when the router says so, and a failed one says why."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import aldo
from aldo.schema.vocabulary import CAPABILITY_CLASSES, PRIVACY_TIERS
from aldo.testing import Routed, Routes
from tests.support.cases import MODELS, ROOT

CATALOG = aldo.load_catalog(MODELS)
ROUTES = Routes(CATALOG)


def holds(assertion: Callable[[], Any]) -> bool:
    try:
        assertion()
    except AssertionError:
        return False
    return True


@given(
    name=st.sampled_from(CAPABILITY_CLASSES),
    tier=st.sampled_from(PRIVACY_TIERS),
    requires=st.lists(st.sampled_from(["tool-use", "vision", "streaming", "audio-out"]), max_size=2),
    other=st.sampled_from([entry.id for entry in CATALOG.models]),
    outages=st.integers(0, 6),
)
def test_an_assertion_holds_exactly_when_route_says_so(
    name: str, tier: Any, requires: list[str], other: str, outages: int
) -> None:
    routed = ROUTES(name, tier, requires=requires)
    try:
        decision = aldo.route(CATALOG, routed.request)
    except aldo.NoEligibleModelError as refusal:
        assert routed.is_refused() is routed
        code = refusal.stages[0].code
        assert holds(lambda: routed.is_refused(at=code))
        assert not any(map(holds, (routed.stays_local, lambda: routed.survives(0), lambda: routed.to(other))))
        return
    chain = (decision.model, *decision.alternates)
    assert holds(lambda: routed.to(other)) == (decision.model == other)
    assert holds(lambda: routed.never_to(other)) == (other not in chain)
    assert holds(routed.stays_local) == all(CATALOG.by_id[one].locality == "local" for one in chain)
    assert holds(lambda: routed.survives(outages)) == (len(chain) > outages)
    assert not holds(routed.is_refused)
    assert routed.then(*decision.alternates).costs(decision.estimated_usd).in_class(decision.class_used) is routed


def test_a_failed_assertion_names_the_request_what_came_and_why() -> None:
    with pytest.raises(AssertionError) as failed:
        ROUTES("reasoning-large", "sensitive").to("openai-gpt-6.1-sol")
    said = str(failed.value)
    assert "must be openai-gpt-6.1-sol" in said
    assert "PRIVACY_TIER" in said
    assert "'capabilityClass': 'reasoning-large'" in said


def test_a_typo_in_a_request_is_an_error_and_no_refusal() -> None:
    with pytest.raises(AssertionError, match="did you mean 'fast-draft'"):
        ROUTES("fast-drafft", "public").is_refused()
    assert isinstance(ROUTES("fast-draft", "public"), Routed)


TEST = """
def test_reviews_stay_here(aldo_routes):
    aldo_routes("local-reasoning", "sensitive", requires=["tool-use"]).stays_local().survives(1)

def test_an_agent(aldo_models, aldo_catalog):
    import aldo
    models = aldo_models("Paris")
    decision = aldo.route(aldo_catalog, aldo.RouteRequest(capability_class="fast-draft", privacy="sensitive"))
    with aldo.resolve(aldo_catalog, decision) as client:
        assert client.chat(aldo.ChatRequest(messages=[{"role": "user", "content": "Where?"}])).text == "Paris"
    assert models.asked[0].prompt == "Where?"

def test_that_fails(aldo_routes):
    aldo_routes("fast-draft", "public").is_refused()
"""

ONE_ENTRY = """\
apiVersion: aldo/models.v1
kind: ModelCatalog
models:
  - id: only
    provider: somebody
    providerKind: openai-compat
    locality: local
    capabilityClass: reasoning-large
    provides: [streaming]
    privacyAllowed: [public]
    effectiveContextTokens: 8192
    cost: { usdPerMtokIn: 0, usdPerMtokOut: 0 }
    providerConfig: { baseUrl: "http://127.0.0.1:9" }
"""


def _pytest(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    (folder / "test_mine.py").write_text(TEST, "utf-8")
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_pytest_finds_the_fixtures_by_itself_and_a_failure_shows_the_route(tmp_path: Path) -> None:
    done = _pytest(tmp_path)
    assert "1 failed, 2 passed" in done.stdout, done.stdout
    assert "refusal must be a refusal, and is" in done.stdout


def test_the_catalog_of_the_fixtures_is_the_one_of_the_ini_file(tmp_path: Path) -> None:
    (tmp_path / "models.mine.yaml").write_text(ONE_ENTRY)
    (tmp_path / "pytest.ini").write_text("[pytest]\naldo_catalog = models.mine.yaml\n")
    done = _pytest(tmp_path, "-k", "fails")
    assert "1 passed" in done.stdout, done.stdout
    (tmp_path / "pytest.ini").write_text("[pytest]\naldo_catalog = absent.yaml\n")
    assert "absent.yaml" in _pytest(tmp_path, "-k", "fails").stdout


def test_the_tests_in_the_documents_pass_with_the_settings_in_the_documents(tmp_path: Path) -> None:
    said = (ROOT / "docs" / "how-to" / "testing.md").read_text("utf-8")
    settings, tests = (
        re.findall(rf"^```{words}\n(.*?)^```", said, re.MULTILINE | re.DOTALL)[0]
        for words in ("toml pytest", "python pytest")
    )
    (tmp_path / "pyproject.toml").write_text(settings)
    (tmp_path / "models.yaml").write_text(MODELS.read_text("utf-8"))
    (tmp_path / "company.yaml").write_text((ROOT / "examples" / "company.yaml").read_text("utf-8"))
    (tmp_path / "test_documented.py").write_text(f"import aldo\n\n{tests}")
    assert "2 passed" in _pytest(tmp_path, "test_documented.py").stdout


def test_a_run_of_pytest_that_needs_none_of_it_loads_none_of_it(tmp_path: Path) -> None:
    (tmp_path / "test_other.py").write_text(
        "import sys\ndef test_it():\n    assert not {'aldo.router', 'httpx', 'pydantic', 'yaml'} & set(sys.modules)\n"
    )
    done = _pytest(tmp_path, "-p", "no:anyio", "-p", "no:schemathesis", "-p", "no:hypothesispytest", "test_other.py")
    assert "1 passed" in done.stdout, done.stdout


@pytest.mark.parametrize("assertion", ["to", "never_to", "then"])
def test_an_id_that_the_catalog_lacks_is_an_error_and_met_by_no_assertion(assertion: str) -> None:
    routed = ROUTES("reasoning-large", "sensitive")
    with pytest.raises(aldo.UnknownNameError, match=r"did you mean 'openai-gpt-6\.1-sol'"):
        getattr(routed, assertion)("openai-gpt-6.1-so")
