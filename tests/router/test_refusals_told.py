"""A refusal says what emptied each class, of a pinned entry why it is out, and everything again as plain data."""

from __future__ import annotations

import json

import pytest
from hypothesis import event, given, settings

from aldo.errors import NoEligibleModelError
from aldo.router import route
from tests.support.reference_router import emptied_by, first_failure
from tests.support.strategies import Scenario, unroutable


def refused(scenario: Scenario) -> NoEligibleModelError:
    with pytest.raises(NoEligibleModelError) as raised:
        route(scenario.catalog(), scenario.request)
    return raised.value


def emptied(scenario: Scenario) -> list[tuple[str, str, int]]:
    """Class, stage and number of entries, as the reference has them."""
    held = [entry["capabilityClass"] for entry in scenario.entries]
    return [
        (name, emptied_by(scenario.entries, scenario.ask, name, scenario.sensitive), held.count(name))
        for name in scenario.ask.classes()
    ]


def about_pin(scenario: Scenario) -> str:
    """The pinned entry's own reason: in its class, where that is asked for."""
    ask = scenario.ask
    if ask.pin is None:
        return ""
    entry = scenario.entry(ask.pin)
    mine = entry["capabilityClass"]
    code = first_failure(entry, ask, mine if mine in ask.classes() else "no such class", scenario.sensitive)
    return f"; the pinned {ask.pin} is dropped at {code}"


@settings(max_examples=200)
@given(unroutable())
def test_a_refusal_tells_every_class_its_stage_and_its_number_of_entries(scenario: Scenario) -> None:
    told = [(stage.capability_class, stage.code, stage.entries) for stage in refused(scenario).stages]
    assert told == emptied(scenario)


@settings(max_examples=200)
@given(unroutable())
def test_a_refusal_in_one_line_is_its_tier_its_stages_and_the_pin(scenario: Scenario) -> None:
    event("pinned" if scenario.ask.pin else "not pinned")
    stages = ", ".join(f"{name} at {code}" for name, code, _ in emptied(scenario))
    line = f"no eligible model for this {scenario.ask.privacy} request: {stages}{about_pin(scenario)}"
    assert str(refused(scenario)) == line


@settings(max_examples=100)
@given(unroutable())
def test_a_refusal_as_plain_data_is_what_it_tells(scenario: Scenario) -> None:
    error = refused(scenario)
    data = error.to_dict()
    assert data["stages"] == [
        {"capabilityClass": name, "code": code, "entries": entries} for name, code, entries in emptied(scenario)
    ]
    assert data["relaxations"] == [relaxation.to_dict() for relaxation in error.relaxations]
    assert json.loads(json.dumps(data)) == data


@settings(max_examples=100)
@given(unroutable())
def test_the_trace_of_a_refusal_has_no_rank_and_every_entry_with_its_first_stage(scenario: Scenario) -> None:
    trace = refused(scenario).explain()
    assert [one.capability_class for one in trace.classes] == list(scenario.ask.classes())
    for one in trace.classes:
        codes = {verdict.model: verdict.code for verdict in one.entries}
        assert codes == {
            entry["id"]: first_failure(entry, scenario.ask, one.capability_class, scenario.sensitive)
            for entry in scenario.entries
        }
        assert all(verdict.rank is None for verdict in one.entries)
        assert one.stages[-1].left == 0
        assert sum(stage.dropped for stage in one.stages) == len(scenario.entries)
