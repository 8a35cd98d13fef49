"""Retry-After: waited for exactly, given up when absurd, and our own pauses where there is none."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from aldo.transport import (
    Retry,
)
from tests.support.bound import ONCE
from tests.transport.retries.chains import WAYS, Say, followed, good


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(("said", "seconds"), [("7", 7.0), ("0.25", 0.25), ("60", 60.0), ("0", None)])
def test_retry_after_in_seconds_is_waited_for_exactly(status: int, said: str, seconds: float | None, way: str) -> None:
    course = followed({"a": [Say(status, retry_after=said), good(way)]}, way)
    assert course.hosts == ["a", "a"]
    assert course.pauses == ({} if seconds is None else {1: seconds})


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("ahead", "seconds"), [(30, 30.0), (-30, None), (0, None)])
def test_retry_after_as_a_date_counts_from_the_servers_own_clock(ahead: int, seconds: float | None, way: str) -> None:
    now = datetime(2001, 2, 3, 4, 5, 6, tzinfo=UTC)  # a server whose clock is wrong
    date, then = (format_datetime(at, usegmt=True) for at in (now, now + timedelta(seconds=ahead)))
    course = followed({"a": [Say(429, retry_after=then, date=date), good(way)]}, way)
    assert course.hosts == ["a", "a"]
    assert course.pauses == ({} if seconds is None else {1: seconds})


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("said", ["61", "86400", "1e300", "Fri, 31 Dec 2100 23:59:59 GMT"])
def test_a_server_that_asks_for_absurdly_long_is_given_up(said: str, way: str) -> None:
    course = followed({"a": [Say(429, retry_after=said)], "b": [good(way)]}, way)
    assert (course.hosts, course.pauses) == (["a", "b"], {})
    alone = followed({"a": [Say(429, retry_after=said)]}, way)
    assert alone.hosts == ["a"]
    assert alone.error is not None
    assert alone.error.code == "rate_limited"
    assert alone.error.retry_after
    assert alone.error.retry_after > 60


def test_how_long_is_absurd_is_the_callers_to_say() -> None:
    script = {"a": [Say(503, retry_after="3600"), good("chat")]}
    assert followed(script, "chat", Retry(longest_asked=3600)).pauses == {1: 3600.0}
    assert followed(script, "chat", Retry(longest_asked=3599)).hosts == ["a"]


HEADER = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=40)
DATE = st.builds(
    "{}, {} {} {} {} {}".format, st.sampled_from(["Wed", "x"]), st.integers(0, 40), st.sampled_from(["Oct", "Foo"]),
    st.integers(0, 10**6), st.sampled_from(["07:28:00", "99:99:99", "7:28"]), st.sampled_from(["GMT", "+0100", "-9999", "+99999", "-0000", ""]),
)  # fmt: skip


@given(said=HEADER | DATE, date=st.none() | DATE)
@example("5", "Wed, 21 Oct 2015 07:28:00 -0000")
@settings(max_examples=60)
def test_law_whatever_retry_after_says_the_outcome_is_ours(said: str, date: str | None) -> None:
    course = followed({"a": [Say(429, retry_after=said, date=date), good("chat")]}, "chat")
    assert course.hosts[0] == "a"
    assert all(0 <= seconds <= 60 for seconds in course.pauses.values())


@pytest.mark.parametrize("said", [f"Wed, 21 Oct 2015 07:28:00 +{'9' * 20}", f"Wed, 21 Oct {'9' * 20} 07:28:00 GMT"])
def test_a_date_with_absurd_numbers_is_no_date(said: str) -> None:
    assert followed({"a": [Say(429, retry_after=said)]}, "chat", ONCE).error is not None


def test_each_further_pause_is_longer_but_for_chance_and_none_passes_the_longest() -> None:
    retry = Retry(times=9, first_pause=1.0, longest_pause=8.0)
    course = followed({"a": [Say(503)]}, "chat", retry)
    lengths = [1.0, 2.0, 4.0, 8.0, 8.0, 8.0, 8.0, 8.0, 8.0]
    assert all(most / 2 <= one <= most for one, most in zip(course.pauses.values(), lengths, strict=True))
    pauses = {followed({"a": [Say(503)]}, "chat", Retry(times=1)).pauses[1] for _ in range(8)}
    assert len(pauses) > 1, "all come back at once"
