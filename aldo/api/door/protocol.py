"""uvicorn's HTTP protocol, with the patience of `Settings` for clients that are slow to speak or to listen.

uvicorn itself waits for ever for the first request of a connection, for the end of its headers and for a client that
takes nothing of its answer, and its parser takes headers of any size.
"""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from aldo.api.settings import Settings


class PatientProtocol(HttpToolsProtocol):
    """One connection. The settings are those of the app that is served."""

    def connection_made(self, transport: Any) -> None:
        self._settings: Settings = self.config.loaded_app.state.gateway.settings
        self._head: int | None = 0
        """Bytes of request line and headers so far; None while none are on their way."""
        self._begun = False
        """Whether a request line has begun, and its headers have no end yet."""
        self._speaking = self.loop.call_later(self._settings.head_seconds, self._too_slow)
        self._listening: asyncio.TimerHandle | None = None
        super().connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._speaking.cancel()
        self._listens()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        before = self._head
        if not self._begun and before == 0 and len(data) > self._settings.most_head and b"\r\n\r\n" not in data:
            self._too_large()
            return
        super().data_received(data)
        # Where the headers have ended they are measured whole, by the app. The piece in which they began may hold the
        # end of another request: it does not count.
        if self._head is not None and before is not None:
            self._head = before + len(data)
            if self._head > self._settings.most_head:
                self._too_large()

    def send_400_response(self, msg: str) -> None:
        self._refuse(b"400 Bad Request", "invalid_request", "that is no HTTP")

    def on_message_begin(self) -> None:
        if self._head is None:  # the next request of a kept connection
            self._head = 0
            self._speaking = self.loop.call_later(self._settings.head_seconds, self._too_slow)
        self._begun = True
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._head is not None:  # else it is a trailer, which must not say what the headers did not
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._head, self._begun = None, False
        self._speaking.cancel()
        super().on_headers_complete()

    def pause_writing(self) -> None:
        if self._listening is None:
            self._listening = self.loop.call_later(self._settings.write_seconds, self.transport.abort)
        super().pause_writing()

    def resume_writing(self) -> None:
        self._listens()
        super().resume_writing()

    def timeout_keep_alive_handler(self) -> None:
        if self.transport.get_write_buffer_size():  # to close would wait until the answer is taken
            self.transport.abort()
        super().timeout_keep_alive_handler()

    def _listens(self) -> None:
        if self._listening is not None:
            self._listening.cancel()
            self._listening = None

    def _too_large(self) -> None:
        self._refuse(b"431 Request Header Fields Too Large", "headers_too_large", "the headers are too large")

    def _too_slow(self) -> None:
        if self._begun:
            said = f"the headers took over {self._settings.head_seconds:g} s"
            self._refuse(b"408 Request Timeout", "request_timeout", said)
        elif not self.transport.is_closing():
            self.transport.close()  # it never asked for anything

    def _refuse(self, status: bytes, code: str, said: str) -> None:
        shape = f'"message": "{said}", "type": "invalid_request_error", "param": null, "code": "{code}"'
        body = f'{{"error": {{{shape}}}}}'.encode("ascii")
        head = b"HTTP/1.1 %b\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: %d\r\n\r\n"
        self._speaking.cancel()
        if not self.transport.is_closing():
            self.transport.write(head % (status, len(body)) + body)
            self.transport.close()
