"""What must become of a request, as an assertion that says why it failed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from aldo.errors import NoEligibleModelError, UnknownNameError
from aldo.router import route
from aldo.router.examples import run_tests
from aldo.router.names import nearest
from aldo.schema.catalog import Catalog
from aldo.schema.decision import Decision
from aldo.schema.explanation import ReasonCode
from aldo.schema.money import Usd
from aldo.schema.request import RouteRequest
from aldo.schema.route_tests import Expected, RouteTest, RouteTests
from aldo.schema.vocabulary import Locality, PrivacyTier


class Routes:
    """Assertions about the routes of one catalog.

        routes("local-reasoning", "sensitive", requires=["tool-use"]).to("mlx-qwen2.5-7b-instruct-4bit")
        routes("coding-frontier", "sensitive", requires=["vision"]).is_refused(at="CAPABILITY_MISSING")

    Each method raises `AssertionError`, which names the request, what came instead and why, and gives the same
    `Routed` back, so they can be chained.
    """

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog

    def __call__(self, capability_class: str, privacy: PrivacyTier, **fields: Any) -> Routed:
        """The route of a request; `fields` are those of `RouteRequest`. Raises as `RouteRequest` does."""
        return self.of(RouteRequest(capability_class=capability_class, privacy=privacy, **fields))

    def of(self, request: RouteRequest) -> Routed:
        """The same for a request that was made elsewhere."""
        return Routed(self.catalog, request)


class Routed:
    """What becomes of one request."""

    def __init__(self, catalog: Catalog, request: RouteRequest) -> None:
        self.catalog = catalog
        self.request = request

    @property
    def decision(self) -> Decision:
        """Raises what `aldo.route` raises."""
        return route(self.catalog, self.request)

    def to(self, *models: str) -> Routed:
        """It goes to this model, or to one of these. Raises `UnknownNameError` for an id that the catalog lacks."""
        __tracebackhide__ = True
        self._known(models)
        return self._expect(Expected.model_validate({"model": list(models)}))

    def in_class(self, *classes: str) -> Routed:
        """The class that it is found in, of the one asked for and its fallbacks."""
        __tracebackhide__ = True
        return self._expect(Expected.model_validate({"class_used": list(classes)}))

    def in_locality(self, *localities: Locality) -> Routed:
        """The chosen one and every alternate are in one of these places."""
        __tracebackhide__ = True
        chain = self._chain()
        outside = [model for model in chain if self.catalog.by_id[model].locality not in localities]
        self._hold(not outside, f"it may reach {', '.join(outside)}, outside of {', '.join(localities)}")
        return self

    def stays_local(self) -> Routed:
        """The chosen one and every alternate run on this machine."""
        __tracebackhide__ = True
        return self.in_locality("local")

    def never_to(self, *models: str) -> Routed:
        """None of these is chosen, or an alternate. Raises `UnknownNameError` for an id that the catalog lacks."""
        __tracebackhide__ = True
        self._known(models)
        met = [model for model in self._chain() if model in models]
        self._hold(not met, f"it may reach {', '.join(met)}")
        return self

    def then(self, *alternates: str) -> Routed:
        """The rest of the failover chain, in order. Raises `UnknownNameError` for an id that the catalog lacks."""
        __tracebackhide__ = True
        self._known(alternates)
        return self._expect(Expected.model_validate({"alternates": list(alternates)}))

    def costs(self, usd: Usd | str) -> Routed:
        """At list price in USD, to the last digit."""
        __tracebackhide__ = True
        return self._expect(Expected.model_validate({"estimated_usd": usd}))

    def survives(self, outages: int) -> Routed:
        """With any so many models down, something is left."""
        __tracebackhide__ = True
        left = len(self._chain())
        self._hold(left > outages, f"{left} models may serve it, which is no more than {outages}")
        return self

    def is_refused(self, at: ReasonCode | None = None) -> Routed:
        """No model may serve it; `at` is the stage that empties one of its classes."""
        __tracebackhide__ = True
        return self._expect(Expected.model_validate({"refusal": at or True}))

    def _known(self, models: Sequence[str]) -> None:
        """A name that is misspelt would be met nowhere, and the assertion hold."""
        for model in models:
            if model not in self.catalog.by_id:
                raise UnknownNameError("model", model, nearest(model, self.catalog.by_id))

    def _chain(self) -> Sequence[str]:
        __tracebackhide__ = True
        try:
            decision = self.decision
        except NoEligibleModelError as refusal:
            raise AssertionError(self._told(str(refusal))) from None
        return (decision.model, *decision.alternates)

    def _expect(self, expected: Expected) -> Routed:
        __tracebackhide__ = True
        test = RouteTest(name="routed", request=self.request, expect=expected)
        (result,) = run_tests(self.catalog, RouteTests(tests=(test,)))
        self._hold(
            result.passed,
            "; ".join(
                f"{one.field} must be {one.expected}, and is {one.got}" + (f" ({one.why})" if one.why else "")
                for one in result.mismatches
            ),
        )
        return self

    def _hold(self, holds: bool, what: str) -> None:
        __tracebackhide__ = True
        if not holds:
            raise AssertionError(self._told(what))

    def _told(self, what: str) -> str:
        request = self.request.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        return f"{what}\n  request: {request}"
