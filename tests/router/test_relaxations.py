"""A refusal says what would help: every relaxation works, is minimal, and none is missing a simpler one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import event, given, settings

from aldo.errors import NoEligibleModelError
from aldo.router import route
from tests.support.reference_router import Ask, Entry, chain, context, failures, reference_route
from tests.support.strategies import Scenario, an_entry, candidates, to_request, unroutable

FIELD_OF = {
    "CAPABILITY_MISSING": "requires",
    "LOCALITY": "localities",
    "NOT_PINNED": "pin",
    "EXCLUDED": "exclude",
    "BUDGET_EXCEEDED": "budget_usd",
    "DOWN": "down",
}
UNREPAIRED = {"DISABLED", "PRIVACY_TIER", "PRIVACY_LOCALITY"}


def attribute(field: str) -> str:
    """The request attribute of a change's field, whichever case it is written in."""
    return re.sub(r"(?<!^)([A-Z])", r"_\1", field).lower()


def refusal(scenario: Scenario) -> NoEligibleModelError:
    """The error the scenario must raise."""
    with pytest.raises(NoEligibleModelError) as raised:
        route(scenario.catalog(), scenario.request)
    return raised.value


def changed_fields(changes: Sequence[object]) -> list[str]:
    return [attribute(getattr(change, "field")) for change in changes]  # noqa: B009 - a type under test


@settings(max_examples=200, deadline=None)
@given(unroutable())
def test_every_relaxation_applied_routes_and_its_model_is_eligible(
    scenario: Scenario,
) -> None:
    """Applied, the router and the reference both route it, and the named model is among the candidates."""
    for relaxation in refusal(scenario).relaxations:
        relaxed = relaxation.apply(scenario.request)
        assert relaxation.model in candidates(scenario.catalog(), relaxed)
        expected = chain(scenario.entries, Ask.of(relaxed), scenario.sensitive)
        assert relaxation.model in [entry["id"] for entry in expected]


@settings(max_examples=200, deadline=None)
@given(unroutable())
def test_a_relaxation_changes_the_fields_it_names_and_no_other(scenario: Scenario) -> None:
    """Each named field differs after applying, named once; the rest of the request is untouched."""
    for relaxation in refusal(scenario).relaxations:
        named = changed_fields(relaxation.changes)
        after = Ask.of(relaxation.apply(scenario.request))
        assert named
        assert len(named) == len(set(named))
        for field, value in vars(scenario.ask).items():
            assert (getattr(after, field) != value) == (field in named), field


@settings(max_examples=200, deadline=None)
@given(unroutable())
def test_dropping_any_single_change_of_a_relaxation_leaves_it_unroutable(scenario: Scenario) -> None:
    """No change is idle: restoring one field to what was asked finds nothing again."""
    for relaxation in refusal(scenario).relaxations:
        after = Ask.of(relaxation.apply(scenario.request))
        for field in changed_fields(relaxation.changes):
            partly = after.but(**{field: getattr(scenario.ask, field)})
            assert reference_route(scenario.entries, partly, scenario.sensitive) is None, field
            assert candidates(scenario.catalog(), to_request(partly)) == ()


@settings(max_examples=200, deadline=None)
@given(unroutable())
def test_relaxations_are_sorted_by_size_and_none_contains_another(scenario: Scenario) -> None:
    """Fewest changes first; a set of fields that contains another's is not told."""
    told = [frozenset(changed_fields(relaxation.changes)) for relaxation in refusal(scenario).relaxations]
    assert [len(fields) for fields in told] == sorted(len(fields) for fields in told)
    for place, fields in enumerate(told):
        for other in told[:place]:
            assert not other < fields
            assert not fields < other


def obvious_repair(entry: Entry, ask: Ask, sensitive: Sequence[str]) -> int | None:
    """How many fields a person would change for this entry; None where that person would not dare.

    Class, tier and the catalog itself are left alone. Too little context takes one token field where the
    other alone fits, else both.
    """
    failed = failures(entry, ask, entry["capabilityClass"], sensitive)
    if entry["capabilityClass"] not in ask.classes() or not UNREPAIRED.isdisjoint(failed):
        return None
    size = len([code for code in failed if code in FIELD_OF])
    if "CONTEXT_TOO_SMALL" not in failed:
        return size
    allowed = min(context(entry), entry.get("maxOutputTokens") or context(entry))
    # A size is lowered to nothing only where no entry at all can do with one token of it.
    if ask.tokens_in < context(entry) or ask.max_tokens_out <= min(allowed, context(entry) - 1):
        return size + 1
    return size + 2 if context(entry) > 1 else None


@settings(max_examples=300, deadline=None)
@given(unroutable())
def test_the_smallest_relaxation_is_no_larger_than_any_obvious_repair(
    scenario: Scenario,
) -> None:
    """Where some entry of a requested class may see the text, there is a relaxation, and a smallest one."""
    repairs = [obvious_repair(entry, scenario.ask, scenario.sensitive) for entry in scenario.entries]
    sizes = [size for size in repairs if size is not None]
    event(f"obvious repair: {min(sizes, default=None)} changes")
    told = refusal(scenario).relaxations
    if sizes:
        assert told
        assert len(told[0].changes) <= min(sizes)


@settings(max_examples=100, deadline=None)
@given(unroutable())
def test_the_same_refusal_twice_is_equal(scenario: Scenario) -> None:
    """Stages and relaxations are values, in an order that does not depend on the file's."""
    backwards = replace(scenario, entries=tuple(reversed(scenario.entries)))
    first, second = refusal(scenario), refusal(backwards)
    assert first.stages == second.stages
    assert first.relaxations == second.relaxations


@pytest.mark.parametrize(("tokens_in", "tokens_out"), [(10, 2), (2, 10), (10, 10), (5, 5), (5, 0), (0, 6)])
@pytest.mark.parametrize("fits", [1, 4])
def test_a_request_too_long_is_told_how_to_shrink(tokens_in: int, tokens_out: int, fits: int) -> None:
    """One token field where the other leaves it room for a token, both where it does not."""
    short = an_entry(lambda pool: pool[0], "only", 0, 0) | {"effectiveContextTokens": fits}
    ask = Ask("fast-draft", "public", tokens_in=tokens_in, max_tokens_out=tokens_out)
    told = refusal(Scenario((short,), ask)).relaxations
    one_suffices = min(tokens_in, tokens_out) < fits
    assert told
    assert len(told[0].changes) == (1 if one_suffices else 2)
    for relaxation in told:
        assert candidates(Scenario((short,), ask).catalog(), relaxation.apply(to_request(ask))) == ("only",)
