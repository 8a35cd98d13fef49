"""How far an evaluation is: bars on a terminal, a line for each model elsewhere."""

from __future__ import annotations

import sys
from typing import Any

import click

from aldo.errors import printable

_UNITS = {"answers": "answers", "judging": "verdicts"}


class Bars:
    """The progress of a run, on standard error. Use as a context manager."""

    def __init__(self) -> None:
        self._bars: dict[tuple[str, str], Any] = {}
        self._failed: dict[tuple[str, str], int] = {}
        self._counts: dict[tuple[str, str], tuple[int, int]] = {}
        self._draws = sys.stderr.isatty()

    def __enter__(self) -> Bars:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Take away what is drawn."""
        for bar in self._bars.values():
            bar.close()
        self._bars.clear()

    def begin(self, phase: str, name: str, done: int, total: int) -> None:
        self._failed[phase, name] = 0
        self._counts[phase, name] = (done, total)
        if self._draws:
            from tqdm import tqdm

            tqdm.monitor_interval = 0  # no thread of its own
            form = "{desc} {percentage:3.0f} % {bar} {n_fmt}/{total_fmt} [{elapsed}<{remaining}, {rate_fmt}{postfix}]"
            self._bars[phase, name] = tqdm(
                desc=printable(name),
                initial=done,
                total=total,
                unit=f" {_UNITS[phase]}",
                bar_format=form,
                dynamic_ncols=True,
                leave=False,
                position=self._free_line(),
                file=sys.stderr,
            )

    def advance(self, phase: str, name: str, failed: bool) -> None:
        done, total = self._counts[phase, name]
        self._counts[phase, name] = (done + 1, total)
        self._failed[phase, name] += failed
        bar = self._bars.get((phase, name))
        if bar is not None:
            if failed:
                bar.set_postfix_str(f"{self._failed[phase, name]} failed", refresh=False)
            bar.update()

    def end(self, phase: str, name: str) -> None:
        bar = self._bars.pop((phase, name), None)
        if bar is not None:
            bar.close()
        done, total = self._counts[phase, name]
        failed = self._failed[phase, name]
        told = f", {failed} failed" if failed else ""
        self.note(f"{name}: {done} of {total} {_UNITS[phase]}{told}")

    def note(self, text: str) -> None:
        """A line, above the bars where there are some."""
        if not self._bars:
            click.echo(printable(text), err=True)
            return
        from tqdm import tqdm

        tqdm.write(printable(text), file=sys.stderr)

    def _free_line(self) -> int:
        taken = {-bar.pos for bar in self._bars.values()}
        return next(line for line in range(len(taken) + 1) if line not in taken)
