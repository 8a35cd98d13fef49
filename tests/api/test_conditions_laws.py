"""Laws of what is known of the models: pure, told the time, whatever happened in whatever order."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aldo.api.health.conditions import Conditions
from aldo.schema import Catalog
from aldo.schema.usage import UsageRow
from tests.api.running import model

CLASSES = {"a": "fast-draft", "b": "fast-draft", "c": "reasoning-small"}
CATALOG = Catalog.model_validate({"models": [model(name, capabilityClass=kind) for name, kind in CLASSES.items()]})
INTERVAL = 10.0
BEGAN = 1_000_000.0
FAULTS = (
    "connection",
    "timeout",
    "rate_limited",
    "model_not_found",
    "server_loading",
    "unauthorized",
    "server_error",
    "stream_cut",
    "protocol",
)
"""What speaks against a server."""
NEITHER = ("bad_request", "context_exceeded", "schema_mismatch", "tool_call_unparsable", "cancelled", "egress_refused")
"""What speaks against a request, or the content of an answer."""
NAMES = st.sampled_from([*CLASSES, "gone"])


def row(name: str, outcome: str) -> UsageRow:
    return UsageRow(
        at="2026-11-22T00:00:00Z",
        provider="acme",
        model=name,
        upstream_model=name,
        capability_class="fast-draft",
        privacy="public",
        outcome=outcome,
        routing_digest="sha256:0",
    )


PROBES = st.dictionaries(
    st.sampled_from(list(CLASSES)), st.tuples(st.booleans(), st.sampled_from(["", "", "nothing listens there"]))
)
EVENTS = st.lists(
    st.tuples(
        st.sampled_from([0.0, 0.001, 1.0, INTERVAL - 0.001, INTERVAL, 3 * INTERVAL]),
        st.one_of(
            st.tuples(NAMES, st.sampled_from(["ok", *FAULTS, *NEITHER])),
            st.tuples(NAMES, st.sampled_from(["server_error", "connection"])),
            PROBES,
        ),
    ),
    max_size=25,
)


class Told:
    """Conditions that were told a story, and what of it counts."""

    def __init__(self, story: Any) -> None:
        self.now = BEGAN
        self.conditions = Conditions(CATALOG, INTERVAL, BEGAN)
        self.turns: list[tuple[float, Any]] = []
        self.last_fault: dict[str, float] = {}
        self.run: dict[str, int] = {}
        self.probed_down: dict[str, str] = {}
        for pause, what in story:
            self.now += pause
            if isinstance(what, dict):
                found = self.conditions.probed(what, self.now)
                for name, (_, reason) in what.items():
                    self.probed_down[name] = reason
            else:
                name, outcome = what
                found = self.conditions.attempted(row(name, outcome), self.now)
                if outcome == "ok":
                    self.run[name] = 0
                    self.probed_down[name] = ""
                elif outcome in FAULTS:
                    self.run[name] = self.run.get(name, 0) + 1
                    self.last_fault[name] = self.now
            self.turns += [(self.now, turn) for turn in found]

    def down(self, now: float | None = None) -> set[str]:
        return set(self.conditions.down(("fast-draft", "reasoning-small"), self.now if now is None else now))


@given(EVENTS)
def test_who_is_down_is_who_says_so(story: Any) -> None:
    told = Told(story)
    states = {name: told.conditions[name].state(told.now) for name in CLASSES}
    assert told.down() == {name for name, state in states.items() if state == "down"}


@given(EVENTS, st.sampled_from([0.0, 1.0, INTERVAL - 0.002, INTERVAL, 5 * INTERVAL]))
def test_that_holds_at_every_later_time(story: Any, pause: float) -> None:
    told = Told(story)
    later = told.now + pause
    states = {name: told.conditions[name].state(later) for name in CLASSES}
    assert told.down(later) == {name for name, state in states.items() if state == "down"}


@given(EVENTS)
def test_nobody_is_down_without_three_faults_in_a_row_or_a_probe(story: Any) -> None:
    told = Told(story)
    for name in told.down():
        assert told.run.get(name, 0) >= 3 or told.probed_down.get(name)


@given(EVENTS)
def test_whom_a_probe_found_down_is_down_until_a_probe_or_an_answer_says_otherwise(story: Any) -> None:
    told = Told(story)
    assert {name for name, reason in told.probed_down.items() if reason and name in CLASSES} <= told.down()


@given(EVENTS)
def test_recovery_is_tried_no_later_than_the_interval(story: Any) -> None:
    told = Told(story)
    later = max(told.last_fault.values(), default=BEGAN) + INTERVAL
    for name in told.down(max(later, told.now)):
        assert told.probed_down.get(name), name


@given(EVENTS, st.sampled_from(FAULTS))
def test_the_first_failure_of_one_that_is_tried_again_puts_it_back(story: Any, fault: str) -> None:
    told = Told(story)
    later = told.now + INTERVAL
    for name in CLASSES:
        if told.conditions[name].state(later) == "trying":
            told.conditions.attempted(row(name, fault), later)
            assert told.conditions[name].state(later) == "down"
            assert name in told.down(later)


@given(EVENTS, st.sampled_from(list(CLASSES)))
def test_an_answer_ends_everything(story: Any, name: str) -> None:
    told = Told(story)
    told.conditions.attempted(row(name, "ok"), told.now)
    assert told.conditions[name].state(told.now) == "up"
    assert name not in told.down()
    assert told.conditions[name].to_dict(told.now)["reason"] is None
    for _ in range(2):
        told.conditions.attempted(row(name, "server_error"), told.now)
    assert name not in told.down()


@given(EVENTS, st.sampled_from(list(CLASSES)), st.sampled_from(NEITHER), st.integers(1, 9))
def test_what_speaks_against_the_request_says_nothing_of_the_server(
    story: Any, name: str, outcome: str, times: int
) -> None:
    told = Told(story)
    before = told.conditions[name].to_dict(told.now), told.down()
    for _ in range(times):
        assert told.conditions.attempted(row(name, outcome), told.now) == []
    assert (told.conditions[name].to_dict(told.now), told.down()) == before


@given(EVENTS)
def test_whoever_is_not_simply_up_says_why(story: Any) -> None:
    told = Told(story)
    for name in CLASSES:
        shown = told.conditions[name].to_dict(told.now)
        assert (shown["state"] == "up") == (shown["reason"] is None), shown
        assert told.conditions.reasons([name], told.now) == {name: shown}


@given(EVENTS)
def test_turns_are_exactly_the_changes_that_were_seen(story: Any) -> None:
    """Going down is always told; of each model the told states differ from one to the next."""
    told = Told(story)
    last = dict.fromkeys(CLASSES, "up")
    for _, turn in told.turns:
        assert turn.model in CLASSES
        assert turn.state in ("up", "down", "trying")
        last[turn.model] = turn.state
    for name in CLASSES:
        state = told.conditions[name].state(told.now)
        assert last[name] == state or (last[name], state) == ("down", "trying")


@given(EVENTS)
def test_since_is_when_it_was_told_to_have_turned(story: Any) -> None:
    told = Told(story)
    for name in CLASSES:
        mine = [at for at, turn in told.turns if turn.model == name]
        assert told.conditions[name].since == (mine[-1] if mine else BEGAN)


@given(EVENTS, st.lists(st.sampled_from(["fast-draft", "reasoning-small", "embeddings"]), max_size=3, unique=True))
def test_down_is_asked_by_class_and_sorted_by_id(story: Any, classes: list[str]) -> None:
    told = Told(story)
    found = told.conditions.down(classes, told.now)
    assert set(found) == {name for name in told.down() if CLASSES[name] in classes}
    assert list(found) == [name for one in classes for name in sorted(found) if CLASSES[name] == one]


@given(EVENTS)
def test_a_model_of_another_catalog_is_never_down(story: Any) -> None:
    told = Told([*story, *((0.0, ("gone", "connection")) for _ in range(5))])
    assert "gone" not in told.down()


@given(EVENTS, st.sets(st.sampled_from(list(CLASSES))))
def test_what_is_the_same_in_two_catalogs_is_known_of_both(story: Any, alike: set[str]) -> None:
    told = Told(story)
    fresh = Conditions(CATALOG, INTERVAL, told.now)
    fresh.adopt(told.conditions, alike)
    assert set(fresh.down(("fast-draft", "reasoning-small"), told.now)) == told.down() & alike
    for name in CLASSES:
        shown = fresh[name].to_dict(told.now)
        assert shown == told.conditions[name].to_dict(told.now) if name in alike else shown["state"] == "up"


@given(EVENTS)
def test_one_models_story_is_nothing_to_another(story: Any) -> None:
    for name in CLASSES:
        # The pauses of what is left out are kept, so that the times are the same.
        kept: list[Any] = []
        waited = 0.0
        for pause, what in story:
            waited += pause
            if isinstance(what, dict) or what[0] == name:
                kept.append((waited, {k: v for k, v in what.items() if k == name} if isinstance(what, dict) else what))
                waited = 0.0
        together, alone = Told(story), Told(kept)
        later = together.now + 1.0
        assert together.conditions[name].state(later) == alone.conditions[name].state(later)


@pytest.mark.parametrize("fault", ["connection", "server_loading"])
def test_a_probe_that_finds_it_up_ends_what_a_probe_can_see(fault: str) -> None:
    conditions = Conditions(CATALOG, INTERVAL, BEGAN)
    for _ in range(3):
        conditions.attempted(row("a", fault), BEGAN)
    assert conditions.down(["fast-draft"], BEGAN) == ("a",)
    conditions.probed({"a": (True, "")}, BEGAN + 1)
    assert conditions.down(["fast-draft"], BEGAN + 1) == ()


@pytest.mark.parametrize("fault", ["server_error", "timeout", "unauthorized", "rate_limited", "protocol"])
def test_a_probe_that_finds_it_up_says_nothing_of_what_only_requests_see(fault: str) -> None:
    conditions = Conditions(CATALOG, INTERVAL, BEGAN)
    for _ in range(3):
        conditions.attempted(row("a", fault), BEGAN)
    conditions.probed({"a": (True, "")}, BEGAN + 1)
    assert conditions.down(["fast-draft"], BEGAN + 1) == ("a",)
    assert conditions.down(["fast-draft"], BEGAN + INTERVAL) == ()
