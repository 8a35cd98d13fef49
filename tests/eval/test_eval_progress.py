"""What a person sees while an evaluation runs."""

from __future__ import annotations

import io

import pytest

from aldo.cli.eval_progress import Bars


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def a_terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """No fixture: pytest puts its own standard error back when a test begins."""
    found = Terminal()
    monkeypatch.setattr("sys.stderr", found)
    monkeypatch.setenv("COLUMNS", "100")
    return found


def test_a_bar_tells_how_much_is_done_and_failed_and_how_fast(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = a_terminal(monkeypatch)
    with Bars() as bars:
        bars.begin("answers", "tiny", 1, 4)
        bars._bars["answers", "tiny"].mininterval = 0
        bars.advance("answers", "tiny", False)
        bars.advance("answers", "tiny", True)
        drawn = terminal.getvalue()
        bars.end("answers", "tiny")
    assert "1/4 [" in drawn
    assert "3/4 [" in drawn
    assert "answers/s" in drawn
    assert "1 failed" in drawn
    assert terminal.getvalue().endswith("tiny: 3 of 4 answers, 1 failed\n")


def test_models_asked_side_by_side_have_a_line_each(monkeypatch: pytest.MonkeyPatch) -> None:
    a_terminal(monkeypatch)
    with Bars() as bars:
        for name in ("a", "b"):
            bars.begin("answers", name, 0, 2)
        bars.end("answers", "a")
        bars.begin("answers", "c", 0, 2)
        lines = [bar.pos for bar in bars._bars.values()]
    assert len(set(lines)) == 2


def test_without_a_terminal_there_is_a_line_for_each_model(capsys: pytest.CaptureFixture[str]) -> None:
    with Bars() as bars:
        bars.begin("judging", "useful", 0, 1)
        bars.advance("judging", "useful", False)
        bars.end("judging", "useful")
        bars.note("tiny was given up: it is gone")
    assert capsys.readouterr().err == "useful: 1 of 1 verdicts\ntiny was given up: it is gone\n"
