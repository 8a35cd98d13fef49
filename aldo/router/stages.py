"""The stages of SPEC 3: each a test, in this order; the first failure is an entry's reason code."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from aldo.router.facts import Facts
from aldo.schema.decimals import pico_usd

if TYPE_CHECKING:
    from aldo.schema.explanation import ReasonCode
    from aldo.schema.request import RouteRequest


class Question(NamedTuple):
    """A request in the form in which the stages ask it."""

    privacy: str
    requires: frozenset[str]
    tokens_in: int
    tokens_out: int
    localities: frozenset[str] | None
    pin: str | None
    exclude: frozenset[str]
    budget_pico: int | None
    down: frozenset[str]
    sensitive_localities: frozenset[str]


def question(request: RouteRequest, sensitive_localities: frozenset[str]) -> Question:
    return Question(
        privacy=request.privacy,
        requires=frozenset(request.requires),
        tokens_in=request.tokens_in,
        tokens_out=request.max_tokens_out,
        localities=None if request.localities is None else frozenset(request.localities),
        pin=request.pin,
        exclude=frozenset(request.exclude),
        budget_pico=None if request.budget_usd is None else pico_usd(request.budget_usd),
        down=frozenset(request.down),
        sensitive_localities=sensitive_localities,
    )


def may_see(facts: Facts, privacy: str, sensitive_localities: frozenset[str]) -> ReasonCode | None:
    """Privacy. The second half holds whatever the entry claims, so a wrong catalog cannot leak."""
    if privacy not in facts.privacy_allowed:
        return "PRIVACY_TIER"
    if privacy == "sensitive" and facts.locality not in sensitive_localities:
        return "PRIVACY_LOCALITY"
    return None


def fits(facts: Facts, tokens_in: int, tokens_out: int) -> bool:
    """Whether prompt and answer fit into the context, and the answer into the output limit."""
    if tokens_in + tokens_out > facts.context_tokens:
        return False
    return facts.max_output_tokens is None or tokens_out <= facts.max_output_tokens


Test = Callable[[Facts, Question], bool]

# After enabled, privacy and class, which do not depend on sizes and sets of the request.
LATER_STAGES: tuple[tuple[ReasonCode, Test], ...] = (
    ("CAPABILITY_MISSING", lambda f, q: q.requires <= f.provides),
    ("CONTEXT_TOO_SMALL", lambda f, q: fits(f, q.tokens_in, q.tokens_out)),
    ("LOCALITY", lambda f, q: q.localities is None or f.locality in q.localities),
    ("NOT_PINNED", lambda f, q: q.pin is None or f.id == q.pin),
    ("EXCLUDED", lambda f, q: f.id not in q.exclude),
    (
        "BUDGET_EXCEEDED",
        lambda f, q: q.budget_pico is None or f.cost(q.tokens_in, q.tokens_out) <= q.budget_pico,
    ),
    ("DOWN", lambda f, q: f.id not in q.down),
)


def first_failure(facts: Facts, capability_class: str, asked: Question) -> ReasonCode | None:
    """The reason code of an entry in one class, or None when it survives every stage."""
    if not facts.enabled:
        return "DISABLED"
    privacy = may_see(facts, asked.privacy, asked.sensitive_localities)
    if privacy is not None:
        return privacy
    if facts.capability_class != capability_class:
        return "CLASS"
    return later_failure(facts, asked)


def later_failure(facts: Facts, asked: Question) -> ReasonCode | None:
    """The same for an entry that is known to pass enabled, privacy and class."""
    for code, passes in LATER_STAGES:
        if not passes(facts, asked):
            return code
    return None
