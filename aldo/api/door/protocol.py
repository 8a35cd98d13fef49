"""uvicorn's HTTP protocol, with the patience of `Settings` for clients that are slow to say what they want.

uvicorn itself waits for ever for the first request of a connection and for the end of its headers, and its parser
takes headers of any size.
"""

from __future__ import annotations

from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from aldo.api.settings import Settings


class PatientProtocol(HttpToolsProtocol):
    """One connection. The settings are those of the app that is served."""

    def connection_made(self, transport: Any) -> None:
        self._head_bytes: int | None = 0
        """Bytes that belong to request line and headers so far; None while a body or an answer is on its way."""
        settings: Settings = self.config.loaded_app.state.gateway.settings
        self._seconds, self._most = settings.head_seconds, settings.most_head
        self._head_timer = self.loop.call_later(self._seconds, self._too_slow)
        super().connection_made(transport)

    def data_received(self, data: bytes) -> None:
        if self._head_bytes is None and (self.cycle is None or self.cycle.response_complete):
            self._head_bytes = 0  # the next request of a kept connection
            self._head_timer = self.loop.call_later(self._seconds, self._too_slow)
        if self._head_bytes is not None:
            end = data.find(b"\r\n\r\n")
            self._head_bytes += len(data) if end < 0 else end
            if self._head_bytes > self._most:
                said = f"request line and headers have more than {self._most} bytes"
                self._refuse(b"431 Request Header Fields Too Large", "headers_too_large", said)
                return
        super().data_received(data)

    def on_headers_complete(self) -> None:
        self._head_bytes = None
        self._head_timer.cancel()
        super().on_headers_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        self._head_timer.cancel()
        super().connection_lost(exc)

    def _too_slow(self) -> None:
        if self._head_bytes:
            self._refuse(b"408 Request Timeout", "request_timeout", f"the headers took over {self._seconds:g} s")
        elif self.transport is not None:
            self.transport.close()  # it never asked for anything

    def _refuse(self, status: bytes, code: str, said: str) -> None:
        body = (
            f'{{"error": {{"message": "{said}", "type": "invalid_request_error", "param": null, "code": "{code}"}}}}'
        ).encode("ascii")
        head = b"HTTP/1.1 %b\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: %d\r\n\r\n"
        self._head_timer.cancel()
        if self.transport is not None and not self.transport.is_closing():
            self.transport.write(head % (status, len(body)) + body)
            self.transport.close()
