"""What can be wrong with a request before it is routed, as errors that say their HTTP status."""

from __future__ import annotations

from typing import Any

from aldo.errors import AldoError


class RequestFault(AldoError):
    """A request that is not let in, or cannot be read."""

    code: str = "invalid_request"

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        code: str | None = None,
        param: str | None = None,
        retry_after: float | None = None,
        headers: tuple[tuple[bytes, bytes], ...] = (),
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code: str = code or self.code
        self.param = param
        self.retry_after = retry_after
        self.headers = headers

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (str(self),), self.__dict__
