"""Streamed chats at once through a real `aldo serve` to servers that often fail: see `soak`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.api.live.faulty_server import LEAVER, OUTCOMES, PATIENT
from tests.api.live.soak import Report, soak

AT_ONCE = 100
MOST_GROWTH = 30_000_000
STREAM_FAULTS = ("stream_cut", "protocol", "server_error")


def checked(report: Report) -> Report:
    """What holds for every run, however long and whatever failed in it."""
    told = report.table()
    assert report.broken == [], told
    assert report.ends.total() == report.answered == report.requests, told
    assert report.whole > 0.7 * report.requests, told
    for code in STREAM_FAULTS:
        assert report.ends[f"error event {code}"], told

    # A row for every request that reached a server, and for no other.
    assert report.logged(PATIENT, "model") == report.reached(PATIENT), told
    logged, reached = report.logged(LEAVER, "model"), report.reached(LEAVER)
    assert reached <= logged, told
    never_sent = logged.total() - reached.total()
    assert never_sent <= report.logged(LEAVER, "outcome")["cancelled"], told
    assert report.attempts == len(report.rows), told

    # And it says what happened. A busy machine may let a good answer time out, too.
    dealt, said = report.dealt(PATIENT), report.logged(PATIENT, "outcome")
    assert set(said) <= set(OUTCOMES.values()), told
    late = said["timeout"] - dealt["timeout"]
    assert late >= 0, told
    assert (dealt - said).total() == late, told
    assert (said["ok"], said["ok"] > 0) == (report.whole, True), told

    # Nothing is left of it.
    assert report.in_flight == 0, told
    assert report.descriptors[1] <= report.descriptors[0], told
    assert report.counts["mostOpen"] <= 2 * AT_ONCE, told
    return report


def test_every_request_ends_in_a_whole_answer_or_a_typed_error_and_every_attempt_in_a_row(tmp_path: Path) -> None:
    checked(soak(600, tmp_path, at_once=AT_ONCE))


@pytest.mark.heavy
def test_twenty_thousand_requests_leave_nothing_behind(tmp_path: Path) -> None:
    report = checked(soak(20_000, tmp_path, at_once=AT_ONCE))
    told = report.table()
    print(told)
    after_warm_up, at_the_end = report.memory
    assert at_the_end - after_warm_up < MOST_GROWTH, told
    assert report.ends["503 no_eligible_model"], told  # models that failed too often were left out for a while
    assert set(report.dealt(PATIENT)) == set(OUTCOMES.values()), told
