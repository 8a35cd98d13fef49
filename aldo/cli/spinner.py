"""Something that moves while nothing comes."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_FRAMES = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
_SECONDS = 0.1


@contextmanager
def spinner(label: str) -> Iterator[Callable[[], None]]:
    """Turns on standard error, if that is a terminal, until the block ends or what it gives is called.

    Either returns only when the line is clean, so that what is printed next stands alone.
    """
    if not sys.stderr.isatty():
        yield lambda: None
        return
    over = threading.Event()
    thread = threading.Thread(target=_turn, args=(label, over), daemon=True)
    thread.start()

    def stop() -> None:
        over.set()
        thread.join()

    try:
        yield stop
    finally:
        stop()


def _turn(label: str, stop: threading.Event) -> None:
    started, number = time.monotonic(), 0
    frames = _FRAMES if "utf" in (sys.stderr.encoding or "").lower() else "|/-\\"
    while not stop.is_set():
        seconds = time.monotonic() - started
        sys.stderr.write(f"\r{frames[number % len(frames)]} {label} {seconds:.0f} s")
        sys.stderr.flush()
        number += 1
        stop.wait(_SECONDS)
    sys.stderr.write("\r\x1b[K")
    sys.stderr.flush()
