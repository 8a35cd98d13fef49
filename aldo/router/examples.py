"""Examples of routing: what comes of each beside what was expected of it, and a first set for a catalog."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from aldo.errors import AldoError, NoEligibleModelError
from aldo.router.compiled import CompiledCatalog, compile_catalog
from aldo.router.decide import route
from aldo.schema.catalog import Catalog
from aldo.schema.decimals import plain_text
from aldo.schema.decision import Decision
from aldo.schema.request import RouteRequest
from aldo.schema.route_tests import Expected, RouteTest, RouteTests
from aldo.schema.vocabulary import PRIVACY_TIERS


class Mismatch(NamedTuple):
    """One field that is not as expected. `why` says more, where the router can."""

    field: str
    expected: str
    got: str
    why: str = ""


class ExampleResult(NamedTuple):
    """What came of one example."""

    test: RouteTest
    mismatches: tuple[Mismatch, ...]

    @property
    def passed(self) -> bool:
        return not self.mismatches


def run_tests(catalog: Catalog, tests: RouteTests) -> Iterator[ExampleResult]:
    """Route each example. A request that cannot be routed is a mismatch, not an error, unless that was expected."""
    for test in tests.tests:
        yield ExampleResult(test, tuple(_mismatches(catalog, test)))


def _mismatches(catalog: Catalog, test: RouteTest) -> Iterator[Mismatch]:
    expect = test.expect
    try:
        decision = route(catalog, test.request)
    except AldoError as error:
        yield from _refused(expect, error)
        return
    if expect.refusal not in (None, False):
        wanted = "a refusal" if expect.refusal is True else f"a refusal at {expect.refusal}"
        yield Mismatch("refusal", wanted, f"{decision.model} ({decision.class_used})")
        return
    yield from _differences(compile_catalog(catalog), expect, decision)


def _refused(expect: Expected, error: AldoError) -> Iterator[Mismatch]:
    if not isinstance(error, NoEligibleModelError):  # a name that nobody knows is a typo, and no refusal
        yield Mismatch("request", "names that the catalog knows", str(error))
        return
    if expect.refusal is True:
        return
    if isinstance(expect.refusal, str):
        if expect.refusal not in [stage.code for stage in error.stages]:
            yield Mismatch("refusal", expect.refusal, str(error))
        return
    field, wanted = next(_expectations(expect), ("refusal", "a model"))
    yield Mismatch(field, wanted, str(error))


def _expectations(expect: Expected) -> Iterator[tuple[str, str]]:
    """Field and value as text, for each that was given."""
    for field, names in (("model", expect.model), ("classUsed", expect.class_used), ("locality", expect.locality)):
        if names is not None:
            yield field, " or ".join(names)
    if expect.estimated_usd is not None:
        yield "estimatedUsd", plain_text(expect.estimated_usd)
    if expect.alternates is not None:
        yield "alternates", ", ".join(expect.alternates) or "none"


def _differences(compiled: CompiledCatalog, expect: Expected, decision: Decision) -> Iterator[Mismatch]:
    got = {
        "model": decision.model,
        "classUsed": decision.class_used,
        "locality": compiled.table.facts[decision.model].locality,
        "estimatedUsd": decision.estimated_usd,
        "alternates": ", ".join(decision.alternates) or "none",
    }
    for field, wanted in _expectations(expect):
        if field == "alternates":  # compared as they are: "none" may be an id
            same = expect.alternates == decision.alternates
        else:
            same = got[field] in (wanted.split(" or ") if field != "estimatedUsd" else [wanted])
        if not same:
            yield Mismatch(field, wanted, got[field], _why(compiled, expect, decision) if field == "model" else "")


def _why(compiled: CompiledCatalog, expect: Expected, decision: Decision) -> str:
    """Why the first of the expected models is not the decision."""
    model = (expect.model or ("",))[0]
    if model not in compiled.table.facts:
        return f"{model} is not in the catalog"
    verdict = decision.why_not(model)
    if verdict.verdict == "dropped":
        return f"{model} is dropped at {verdict.code}: {verdict.detail}"
    return f"{verdict.outranked_by} outranks it by {verdict.decided_by}: {verdict.detail}"


def recorded(catalog: Catalog) -> RouteTests:
    """Examples that the catalog passes: for each class and tier a plain request, served or refused."""
    table = compile_catalog(catalog).table
    classes = sorted({facts.capability_class for facts in table.facts.values()})
    requests = [RouteRequest(capability_class=name, privacy=tier) for name in classes for tier in PRIVACY_TIERS]
    return RouteTests(tests=tuple(_recorded(catalog, request) for request in requests))


def _recorded(catalog: Catalog, request: RouteRequest) -> RouteTest:
    name = f"{request.capability_class} for {request.privacy}"
    try:
        decision = route(catalog, request)
    except NoEligibleModelError:
        return RouteTest(name=name, request=request, expect=Expected(refusal=True))
    locality = compile_catalog(catalog).table.facts[decision.model].locality
    return RouteTest(name=name, request=request, expect=Expected(model=(decision.model,), locality=(locality,)))
