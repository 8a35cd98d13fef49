"""What both runtimes share: a server as a context manager, what it was asked, and the faults that befall requests."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from tests.support.fake_runtimes.http_server import GIVE_UP_SECONDS, Answer, Asked, Refused, Server

POLL_SECONDS = 0.01

CREATED = 1_790_000_000
DIGITS = "abcdefghijklmnopqrstuvwxyz0123456789"


@dataclass(frozen=True)
class Fault:
    """What befalls one request: the next POST, or the next request for `path`. Frames are counted from 1."""

    delay: threading.Event | None = None
    """The first byte waits until the test sets it (the end of the server sets it too)."""
    status: int | None = None
    """Refuse with this status instead of answering."""
    retry_after: str | None = None
    """The header `Retry-After` beside `status`."""
    stream_error: int | None = None
    """The generation fails after so many frames; an answer in one piece fails whole."""
    cut: int | None = None
    """After so many frames half of the next goes out and the connection closes; half of an answer in one piece."""
    path: str | None = None


class Runtime:
    """A server as a context manager: `seen` is what it was asked, `inject` what shall go wrong."""

    def __init__(self) -> None:
        self.seen: list[Asked] = []
        self._faults: list[Fault] = []
        self._held: list[threading.Event] = []
        self._news = threading.Condition()
        self._server = Server(self._play)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(POLL_SECONDS,), daemon=True)

    @property
    def port(self) -> int:
        return self._server.server_port

    @property
    def base_url(self) -> str:
        """Without `/v1`."""
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        with self._news:
            held, self._faults = self._held, []
        for event in held:
            event.set()
        self._server.stop()
        self._thread.join(GIVE_UP_SECONDS)
        if self._server.errors and error is None:
            raise self._server.errors[0]

    def inject(self, *faults: Fault) -> None:
        """Queue faults; each befalls one request."""
        with self._news:
            self._faults.extend(faults)

    def wait_for(self, count: int) -> None:
        """Until so many requests have arrived."""
        with self._news:
            assert self._news.wait_for(lambda: len(self.seen) >= count, GIVE_UP_SECONDS), self.seen

    def bodies(self, path: str) -> list[Any]:
        """The JSON bodies of the requests for a path, in order."""
        return [asked.body for asked in self.seen if asked.path == path]

    def _play(self, asked: Asked) -> Answer:
        with self._news:
            fault = self._fault(asked)
            if fault.delay is not None:
                self._held.append(fault.delay)
            self.seen.append(asked)
            self._news.notify_all()
        if fault.delay is not None:
            fault.delay.wait(GIVE_UP_SECONDS)
        if fault.status is not None:
            again = {} if fault.retry_after is None else {"Retry-After": fault.retry_after}
            return self._unwell(asked, fault.status, again)
        try:
            answer = self._answer(asked)
        except Refused as refused:
            answer = refused.answer
        if fault.stream_error is not None:
            answer = self._failing(asked, answer, fault.stream_error)
        if fault.cut is not None:
            answer = _cut(answer, fault.cut)
        return answer

    def _fault(self, asked: Asked) -> Fault:
        for fault in self._faults:
            if asked.method == "POST" if fault.path is None else asked.path == fault.path:
                self._faults.remove(fault)
                return fault
        return Fault()

    def _answer(self, asked: Asked) -> Answer:
        raise NotImplementedError

    def _unwell(self, asked: Asked, status: int, headers: Mapping[str, str]) -> Answer:
        raise NotImplementedError

    def _failing(self, asked: Asked, answer: Answer, after: int) -> Answer:
        raise NotImplementedError


def _cut(answer: Answer, after: int) -> Answer:
    if answer.frames is None:
        return Answer(answer.status, answer.raw, answer.content_type, answer.headers, whole=False)
    at = min(after, len(answer.frames) - 1)
    half = answer.frames[at][: len(answer.frames[at]) // 2]
    frames = (*answer.frames[:at], half)
    return Answer(answer.status, b"", answer.content_type, answer.headers, frames, whole=False)


def not_played(asked: Asked) -> Answer:
    return Answer(501, f"this fake does not play {asked.method} {asked.path}".encode(), "text/plain")


def some_id(asked: Asked, salt: str, length: int, digits: str = DIGITS) -> str:
    """An id that only the request decides."""
    number = int.from_bytes(hashlib.sha256(asked.raw + salt.encode()).digest())
    return "".join(digits[number // len(digits) ** i % len(digits)] for i in range(length))


def texts_to_embed(body: Mapping[str, Any]) -> list[str] | None:
    """The texts to embed, or None where they are no texts."""
    given = body.get("input")
    texts = [given] if isinstance(given, str) else given
    return texts if isinstance(texts, list) and texts and all(isinstance(text, str) for text in texts) else None
