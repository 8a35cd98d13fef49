"""Small requests to a server, and their JSON. An answer that is none is an answer too: it says what is not there."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit, urlunsplit

import httpx

from aldo.errors import TransportError
from aldo.transport.baseurl import basic_authorization, without_user
from aldo.transport.wire.faults import foreign_errors_mapped

_MOST_BYTES = 4_000_000


class Answer(NamedTuple):
    """What came: the status, the JSON of the body, and whether there was JSON at all."""

    status: int
    value: Any
    is_json: bool
    empty: bool

    @property
    def fields(self) -> Mapping[str, Any]:
        """The JSON object, empty for anything else and for one that reports an error."""
        value = self.value
        return value if isinstance(value, Mapping) and not value.get("error") else {}

    def items(self, name: str) -> list[Mapping[str, Any]] | None:
        """A list of objects under a name; None where there is none."""
        found = self.fields.get(name)
        if not isinstance(found, list):
            return None
        items = [item for item in found if isinstance(item, Mapping)]
        return items if items or not found else None  # a list in which nothing is an object is another list


class Ask:
    """One server's front desk. `root` is its address without the API version."""

    def __init__(self, client: httpx.AsyncClient, url: str, headers: Mapping[str, str], seconds: float) -> None:
        parts = urlsplit(without_user(url))
        path = parts.path.rstrip("/").removesuffix("/v1")
        self.root: str = urlunsplit((parts.scheme, parts.netloc, path, "", ""))
        self.seconds = seconds
        self._client = client
        authorization = basic_authorization(url)
        self._headers = {**({"authorization": authorization} if authorization else {}), **headers}
        self._timeout = httpx.Timeout(seconds)

    async def get(self, path: str) -> Answer:
        """Raises a `TransportError` where nobody answers."""
        return await self._send("GET", path, None)

    async def post(self, path: str, body: Mapping[str, Any]) -> Answer:
        """Raises a `TransportError` where nobody answers."""
        return await self._send("POST", path, body)

    async def _send(self, method: str, path: str, body: Mapping[str, Any] | None) -> Answer:
        url = self.root + path
        with foreign_errors_mapped(url):
            headers = {"accept": "application/json", **self._headers}
            content = None if body is None else json.dumps(body).encode("ascii")  # a name may be no Unicode
            if content is not None:
                headers["content-type"] = "application/json"
            request = self._client.build_request(method, url, content=content, headers=headers, timeout=self._timeout)
            response = await self._client.send(request, stream=True)
            try:
                data = b""
                async for piece in response.aiter_bytes():
                    data += piece
                    if len(data) > _MOST_BYTES:
                        break
            finally:
                await response.aclose()
        try:
            return Answer(response.status_code, json.loads(data), True, False)
        except (ValueError, RecursionError):
            return Answer(response.status_code, None, False, not data.strip())


async def quietly(asking: Any) -> Answer | None:
    """The answer, or None where asking failed: for what is only a detail."""
    try:
        answer: Answer = await asking
    except TransportError:
        return None
    return answer
