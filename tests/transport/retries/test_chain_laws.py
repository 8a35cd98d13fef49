"""Laws of the chain: when the same server is asked again, when the next one, and when nobody.

They are judged from outside: what the servers of a chain were asked in which order, the pauses between, what the
caller was handed and how it ended.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import httpx
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aldo.transport import (
    Finished,
    Retry,
)
from tests.support.bound import ONCE
from tests.transport.retries.chains import NO_CONNECTION, WAYS, Course, Say, followed, good

failures = st.sampled_from([None, None, httpx.ReadError, httpx.ReadTimeout, httpx.RemoteProtocolError])
messages = st.sampled_from([
    b"", b'{"error": {"message": "Loading model"}}', b'{"error": {"message": "context length exceeded"}}',
    b'{"error": {"message": "no"}}', b"<html>",
])  # fmt: skip
retry_afters = st.sampled_from([None, None, None, "0", "2", "59.5", "60", "61", "86400", "soon", "-3", "nan"])
ERROR_STATUSES = [204, 301, 400, 401, 403, 404, 408, 413, 422, 429, 500, 501, 502, 503, 504, 529]


@st.composite
def refusals(draw: st.DrawFn) -> Say:
    return Say(draw(st.sampled_from(ERROR_STATUSES)), (draw(messages),), draw(failures), retry_after=draw(retry_afters))


@st.composite
def bodies(draw: st.DrawFn, way: str) -> Say:
    """A 200 that is whole, cut anywhere, an error object, or nonsense."""
    whole = draw(
        st.sampled_from([
            *good(way).pieces, *good(way).pieces, b"", b"<html>", b"data: {\n\n", b'{"error": {"message": "x"}}',
            b'data: {"error": {"message": "x", "code": 503}}\n\n', b": keepalive\n\n", b'{"choices": []}',
            json.dumps({"choices": [{"message": {"content": "x", "tool_calls": [{"function": {}}]}, "finish_reason": "tool_calls"}]}).encode(),
        ])
    )  # fmt: skip
    cut = draw(st.integers(0, len(whole)))
    pieces = draw(st.sampled_from([(whole,), (whole[:cut], whole[cut:]), (whole[:cut],), ()]))
    return Say(200, pieces, draw(failures))


@dataclass(frozen=True)
class Plan:
    """What the servers will say, and how they are asked."""

    scripts: Mapping[str, Sequence[Say]]
    way: str
    retry: Retry


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    way = draw(st.sampled_from(WAYS))
    answer = st.sampled_from(NO_CONNECTION) | refusals() | refusals() | bodies(way)
    scripts = {host: draw(st.lists(answer, min_size=1, max_size=3)) for host in "abc"[: draw(st.integers(1, 3))]}
    return Plan(scripts, way, Retry(times=draw(st.integers(0, 2))))


def law(test: Callable[[Course, Plan], None]) -> Callable[[], None]:
    """Holds the test against many courses."""

    def run(plan: Plan) -> None:
        test(followed(plan.scripts, plan.way, plan.retry), plan)

    run.__name__ = run.__qualname__ = test.__name__
    return settings(max_examples=70, suppress_health_check=[HealthCheck.too_slow])(given(plans())(run))


@law
def test_law_no_request_is_repeated_once_a_byte_of_a_200s_body_has_come(course: Course, plan: Plan) -> None:
    for (host, say), (after, _) in pairwise(course.asked):
        assert not (say.began and host == after)


@law
def test_law_another_entry_is_asked_only_before_any_event_was_handed_on(course: Course, plan: Plan) -> None:
    """So all that was handed on is of one answer, the last that was asked for."""
    if plan.way == "stream":
        host, say = course.asked[-1]
        alone = followed({host: [say]}, "stream", ONCE)
        assert strip(course.handed) == strip(alone.handed)


def strip(events: Sequence[Any]) -> list[Any]:
    return [event.result.text if isinstance(event, Finished) else event for event in events]


@law
def test_law_entries_are_asked_in_the_order_of_the_decision_and_none_more_than_once_and_times(
    course: Course, plan: Plan
) -> None:
    assert course.hosts == sorted(course.hosts)  # nobody goes back
    order = list(dict.fromkeys(course.hosts))
    assert order == list(plan.scripts)[: len(order)]
    assert all(course.hosts.count(host) <= plan.retry.times + 1 for host in order)


@law
def test_law_each_request_has_one_row_in_order_and_only_the_last_may_be_ok(course: Course, plan: Plan) -> None:
    assert [row.model for row in course.rows] == course.hosts
    assert all(row.outcome not in ("ok", "cancelled") for row in course.rows[:-1])
    assert (course.rows[-1].outcome == "ok") == (course.error is None)


@law
def test_law_what_comes_back_tells_of_every_attempt(course: Course, plan: Plan) -> None:
    if course.error is None:
        assert list(course.result.attempts) == course.rows
        assert course.result.model == course.hosts[-1]
        told = course.result.to_dict()["attempts"]
        assert told == [{"model": model, "outcome": code} for model, code in course.outcomes]
    else:
        assert course.error.code == course.rows[-1].outcome
        assert course.error.where.model == course.hosts[-1]
        assert course.error.attempts == (tuple(course.outcomes) if len(course.rows) > 1 else ())
        json.dumps(course.error.to_dict(), allow_nan=False)


@law
def test_law_a_pause_is_what_the_server_asked_for_or_our_own_and_the_same_server_is_next(
    course: Course, plan: Plan
) -> None:
    for number, seconds in course.pauses.items():
        assert 0 < number < len(course.asked), "a pause after which nobody is asked"
        (host, say), (after, _) = course.asked[number - 1 : number + 1]
        assert host == after
        if say.retry_after and say.retry_after[0].isdigit():
            assert seconds == float(say.retry_after) <= plan.retry.longest_asked
        else:
            longest = min(
                plan.retry.first_pause * 2 ** (course.hosts[:number].count(host) - 1), plan.retry.longest_pause
            )
            assert longest / 2 <= seconds <= longest


@law
def test_law_who_asks_for_too_long_a_pause_is_not_asked_again(course: Course, plan: Plan) -> None:
    for (host, say), (after, _) in pairwise(course.asked):
        assert not (say.retry_after in ("61", "86400") and host == after)


NEVER = ("bad_request", "egress_refused", "schema_mismatch", "tool_call_unparsable")


@law
def test_law_what_would_be_the_same_elsewhere_ends_the_chain(course: Course, plan: Plan) -> None:
    assert all(row.outcome not in NEVER for row in course.rows[:-1])


@law
def test_law_a_chain_is_given_up_only_at_its_end_or_after_a_word_or_for_what_would_be_the_same_elsewhere(
    course: Course, plan: Plan
) -> None:
    if course.error is None or course.error.code in NEVER or course.handed:
        return
    assert course.hosts[-1] == list(plan.scripts)[-1]
