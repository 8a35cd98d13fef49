"""What a request would have to change to let one entry through: the ground of relaxations and why-not."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from aldo.router.facts import Facts
from aldo.router.stages import fits, may_see
from aldo.schema.explanation import Change
from aldo.schema.money import pico_usd
from aldo.schema.request import RouteRequest
from aldo.schema.vocabulary import LOCALITIES, PRIVACY_TIERS, PrivacyTier

Changes = tuple[Change, ...]


def admissions(facts: Facts, request: RouteRequest, sensitive: frozenset[str], *, pin: bool) -> Iterator[Changes]:
    """The alternative sets of changes after which `request` admits the entry; none where nothing helps.

    With `pin` a request pinned to another entry is pinned to this one; without, it is unpinned.
    Sizes and budget can be traded for each other, so there may be several sets.
    """
    if not facts.enabled:
        return
    privacy = _privacy_change(facts, request, sensitive)
    if privacy is None:
        return
    fixed = (*privacy, *_set_changes(facts, request, pin))
    for sizes in _size_changes(facts, request):
        yield (*fixed, *sizes)


def _privacy_change(facts: Facts, request: RouteRequest, sensitive: frozenset[str]) -> Changes | None:
    """To the nearest tier that may go there, the more protected ones first; None where no tier may."""
    if may_see(facts, request.privacy, sensitive) is None:
        return ()
    here = PRIVACY_TIERS.index(request.privacy)
    order: tuple[PrivacyTier, ...] = (*PRIVACY_TIERS[here + 1 :], *reversed(PRIVACY_TIERS[:here]))
    for tier in order:
        if may_see(facts, tier, sensitive) is None:
            return (Change(field="privacy", before=request.privacy, after=tier),)
    return None


def _set_changes(facts: Facts, request: RouteRequest, pin: bool) -> Iterator[Change]:
    """The changes of the fields that are sets or names, one field each."""
    if facts.capability_class not in request.classes:
        classes = (*request.fallback_classes, facts.capability_class)
        yield Change(field="fallbackClasses", before=request.fallback_classes, after=classes)
    kept = tuple(tag for tag in request.requires if tag in facts.provides)
    if kept != request.requires:
        yield Change(field="requires", before=request.requires, after=kept)
    if request.localities is not None and facts.locality not in request.localities:
        wider = tuple(place for place in LOCALITIES if place in {*request.localities, facts.locality})
        yield Change(field="localities", before=request.localities, after=wider)
    if request.pin is not None and request.pin != facts.id:
        yield Change(field="pin", before=request.pin, after=facts.id if pin else None)
    for field, names in (("exclude", request.exclude), ("down", request.down)):
        if facts.id in names:
            yield Change(field=field, before=names, after=tuple(n for n in names if n != facts.id))


def _size_changes(facts: Facts, request: RouteRequest) -> Iterator[Changes]:
    """Sizes and budget: every smallest set of the three fields that makes the entry fit and affordable."""
    found: list[frozenset[str]] = []
    for changes in _size_candidates(facts, request):
        if changes is None:
            continue
        fields = frozenset(change.field for change in changes)
        if not any(smaller <= fields for smaller in found):
            found.append(fields)
            yield changes


def _size_candidates(facts: Facts, request: RouteRequest) -> Iterator[Changes | None]:
    """By number of fields changed, from none to all three. None: this set of fields cannot help."""
    tokens_in, tokens_out = request.tokens_in, request.max_tokens_out
    budget = None if request.budget_usd is None else pico_usd(request.budget_usd)
    shorter_out = min(tokens_out, _room(facts, tokens_in))
    capped_out = min(tokens_out, _room(facts, 0))
    for free_budget in (False, True):
        limit = None if free_budget else budget
        yield _sized(facts, request, tokens_in, tokens_out, limit)
        yield _sized(facts, request, tokens_in, _affordable_out(facts, tokens_in, shorter_out, limit), limit)
        if tokens_out <= capped_out:
            shorter_in = min(tokens_in, facts.context_tokens - tokens_out)
            yield _sized(facts, request, _affordable_in(facts, shorter_in, tokens_out, limit), tokens_out, limit)
    # Both sizes at once: half of what there is for the answer, the rest for the prompt.
    for limit in (budget, None):
        out = _affordable_out(facts, 0, max(1, min(capped_out, facts.context_tokens // 2)), limit)
        if limit is not None:
            out = max(1, min(out, _affordable_out(facts, 0, out, limit // 2)))
        shorter_in = min(tokens_in, facts.context_tokens - out)
        yield _sized(facts, request, _affordable_in(facts, shorter_in, out, limit), out, limit)


def _room(facts: Facts, tokens_in: int) -> int:
    """The longest answer beside a prompt of this size; may be negative."""
    room = facts.context_tokens - tokens_in
    return room if facts.max_output_tokens is None else min(room, facts.max_output_tokens)


def _affordable_out(facts: Facts, tokens_in: int, tokens_out: int, limit: int | None) -> int:
    if limit is None or facts.pico_out == 0:
        return tokens_out
    return min(tokens_out, (limit - tokens_in * facts.pico_in) // facts.pico_out)


def _affordable_in(facts: Facts, tokens_in: int, tokens_out: int, limit: int | None) -> int:
    if limit is None or facts.pico_in == 0:
        return tokens_in
    return min(tokens_in, (limit - tokens_out * facts.pico_out) // facts.pico_in)


def _sized(facts: Facts, request: RouteRequest, tokens_in: int, tokens_out: int, limit: int | None) -> Changes | None:
    """The changes to these sizes, with a budget that pays for them where `limit` is lifted."""
    for before, after in ((request.tokens_in, tokens_in), (request.max_tokens_out, tokens_out)):
        if after != before and after < 1:  # nothing left to say or to answer: not a help
            return None
    if not fits(facts, tokens_in, tokens_out):
        return None
    cost = facts.cost(tokens_in, tokens_out)
    if limit is not None and cost > limit:
        return None
    changes = [
        Change(field=field, before=before, after=after)
        for field, before, after in (
            ("tokensIn", request.tokens_in, tokens_in),
            ("maxTokensOut", request.max_tokens_out, tokens_out),
        )
        if before != after
    ]
    if request.budget_usd is not None and cost > pico_usd(request.budget_usd):
        changes.append(Change(field="budgetUsd", before=request.budget_usd, after=Decimal(cost).scaleb(-12)))
    return tuple(changes)
