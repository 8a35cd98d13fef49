"""The root of all errors, and those of files, requests and routing."""

from __future__ import annotations

from functools import partial
from typing import Any, ClassVar, Literal, Protocol

from aldo.errors.finding import Finding


class AldoError(Exception):
    """The root. `code` is stable and machine-readable; `exit_code` is the command line's."""

    code: str = "error"
    exit_code: ClassVar[int] = 2

    def to_dict(self) -> dict[str, Any]:
        """The value of `error` in every JSON output."""
        return {"code": self.code, "message": str(self)}


class UsageError(AldoError):
    """The caller asked for something that makes no sense: an option, a request field, a file kind."""

    code: str = "usage"


class CatalogError(AldoError):
    """A file cannot be used. Carries every structural finding of it, not only the first."""

    code: str = "invalid_catalog"

    def __init__(self, findings: tuple[Finding, ...]) -> None:
        self.findings = findings
        first = findings[0]
        more = f" (and {len(findings) - 1} more)" if len(findings) > 1 else ""
        super().__init__(f"{first.place}: {first.code} {first.message}{more}")

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.findings,)

    def to_dict(self) -> dict[str, Any]:
        return {**super().to_dict(), "findings": [finding.to_dict() for finding in self.findings]}


class InvalidRequestError(AldoError):
    """A request that cannot be read: an unknown field, a missing tier, a negative token count."""

    code: str = "invalid_request"


NameKind = Literal["class", "capability", "model"]
_FEW_NAMES = 12


class UnknownNameError(AldoError):
    """A class, a capability tag or a model id that the catalog and the vocabulary do not know."""

    def __init__(
        self,
        what: NameKind,
        name: str,
        suggestions: tuple[str, ...] = (),
        *,
        where: str = "",
        known: tuple[str, ...] = (),
    ) -> None:
        """`known`: all there are, which is told where none of them is near and they are few."""
        self.what = what
        self.code = f"unknown_{what}"
        self.name = name
        self.suggestions = suggestions
        near = f"; did you mean {' or '.join(repr(s) for s in suggestions)}?" if suggestions else ""
        if known and not suggestions and len(known) <= _FEW_NAMES:
            near = f"; there are {', '.join(known)}"
        self.known = known
        self.where = where
        super().__init__(f"{where and where + ': '}unknown {what} {name!r}{near}")

    def __reduce__(self) -> tuple[Any, ...]:
        return partial(type(self), where=self.where, known=self.known), (self.what, self.name, self.suggestions)

    def to_dict(self) -> dict[str, Any]:
        return {**super().to_dict(), "suggestions": list(self.suggestions)}


class UndecidedError(AldoError):
    """A statement that took too many steps to decide. It is neither proven nor refuted."""

    code: str = "undecided"

    def __init__(self, statement: str) -> None:
        self.statement = statement
        super().__init__(
            f"the statement {statement!r} takes too many steps to decide: say sizes instead of ranges, or survives less"
        )

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.statement,)


class Refusal(Protocol):
    """What the router can tell of a request that no entry survived. Computed when asked."""

    @property
    def stages(self) -> tuple[Any, ...]: ...
    @property
    def relaxations(self) -> tuple[Any, ...]: ...
    def explain(self) -> Any: ...
    def to_dict(self) -> dict[str, Any]: ...


class NoEligibleModelError(AldoError):
    """No entry survives. A refusal costs no more than a route: what it tells is computed when asked."""

    code: str = "no_eligible_model"
    exit_code = 1

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal)
        self._refusal = refusal

    @property
    def stages(self) -> tuple[Any, ...]:
        """Per requested class (`schema.EmptiedClass`): the stage that dropped the last of its entries."""
        return self._refusal.stages

    @property
    def relaxations(self) -> tuple[Any, ...]:
        """The smallest changes (`schema.Relaxation`) that would make the request routable, fewest first."""
        return self._refusal.relaxations

    def explain(self) -> Any:
        """Every stage's counts and every entry's reason code, per class (`schema.Trace`)."""
        return self._refusal.explain()

    def to_dict(self) -> dict[str, Any]:
        return {**super().to_dict(), **self._refusal.to_dict()}

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self)!r})"
