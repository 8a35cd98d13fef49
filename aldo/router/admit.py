"""What a request would have to change to let one entry through: the ground of relaxations and why-not."""

from __future__ import annotations

from collections.abc import Iterator

from aldo.router.facts import Facts
from aldo.router.sizes import Changes, size_changes
from aldo.router.stages import may_see
from aldo.schema.explanation import Change
from aldo.schema.request import RouteRequest
from aldo.schema.vocabulary import LOCALITIES, PRIVACY_TIERS, PrivacyTier

FLOORS = (1, 0)  # a size is lowered to nothing only where one token is too much


def admissions(
    facts: Facts, request: RouteRequest, sensitive: frozenset[str], *, pin: bool, floor: int
) -> Iterator[Changes]:
    """The alternative sets of changes after which `request` admits the entry; none where nothing helps.

    With `pin` a request pinned to another entry is pinned to this one; without, it is unpinned.
    Sizes and budget can be traded for each other, so there may be several sets. No size is lowered below
    `floor`; `FLOORS` are the values to try.
    """
    if not facts.enabled:
        return
    privacy = _privacy_change(facts, request, sensitive)
    if privacy is None:
        return
    fixed = (*privacy, *_set_changes(facts, request, pin))
    for sizes in size_changes(facts, request, floor):
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
