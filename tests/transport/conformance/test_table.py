"""The table of expectations: whole, of words that mean something, and the one that the page shows."""

from __future__ import annotations

import pytest

from aldo import errors
from tests.transport.conformance import suite
from tests.transport.conformance.checks import CHECKS, WORDS, WORKS, Check, Observed
from tests.transport.conformance.expectations import EXPECTED, Known, everything
from tests.transport.conformance.report import PAGE, expected_page, markdown
from tests.transport.conformance.servers import SUBJECTS, Started

CODES = {
    kind.code
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, errors.TransportError) and kind is not errors.TransportError
}


def test_every_server_has_a_column_and_no_row_is_of_an_unknown_check() -> None:
    assert set(EXPECTED) == set(SUBJECTS)
    for rows in EXPECTED.values():
        assert set(rows) <= set(CHECKS)


@pytest.mark.parametrize("server", EXPECTED)
def test_what_does_not_work_is_typed_and_has_a_reason(server: str) -> None:
    for name, known in EXPECTED[server].items():
        seen = {known.of(way) for way in CHECKS[name].ways}
        assert seen - {WORKS}, f"{name} works; take it out of the table"
        assert seen <= {*WORDS, *CODES}, name
        assert known.why.endswith("."), name
        assert not seen & CHECKS[name].right, name


def test_the_page_shows_the_table() -> None:
    text = PAGE.read_text("utf-8")
    assert markdown(everything()) in text
    assert expected_page(text) == text, "run python -m tests.transport.conformance --write"


@pytest.mark.parametrize(
    ("seen", "known", "passes"),
    [
        (WORKS, None, True),
        ("ignored", None, False),
        ("ignored", Known("ignored", "So it is."), True),
        (WORKS, Known("ignored", "So it is."), False),
        ("bad_request", Known("ignored", "So it is."), False),
    ],
)
def test_a_difference_fails_in_both_directions(
    monkeypatch: pytest.MonkeyPatch, seen: str, known: Known | None, passes: bool
) -> None:
    monkeypatch.setattr(Check, "observe", lambda *_: Observed(seen))
    monkeypatch.setitem(EXPECTED, "ollama", {} if known is None else {"text": known})
    with Started() as servers:
        if passes:
            suite.conforms(servers, "ollama", "text", "blocking", "whole")
        else:
            with pytest.raises(pytest.fail.Exception, match=f"ollama now does {seen}: update the table"):
                suite.conforms(servers, "ollama", "text", "blocking", "whole")
