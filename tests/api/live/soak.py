"""Very many streamed chats through a real `aldo serve` to servers that often fail: what comes of each of them?

`python -m tests.api.live.soak --requests 2000` prints the counts.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import datetime
import json
import random
import re
import tempfile
import time
import urllib.request
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.api.live.faulty_server import LEAVER, MODELS, OUTCOMES, PATIENT, FaultyServer, fast_run, pieces_of
from tests.api.live.gateway import GatewayProcess, entry, eventually, write_catalog
from tests.support.server_process import HOST

SERVER_TIMEOUT = 2.0
"""Seconds that the gateway waits for a server's next bytes."""
GIVE_UP = 120.0
"""Seconds in which every request must have come to an end, however busy the machine is."""
WARM_UP = 2000
"""Requests after which the gateway's memory is looked at for the first time."""
LEAVERS, PINNED = 0.05, 0.3
TIERS = {PATIENT: "public", LEAVER: "internal"}
"""The usage log has the tier, and so tells who asked."""
_COUNTERS = re.compile(r"^(aldo_\w+)(?:\{(.*)\})? (\S+)$", re.MULTILINE)


@dataclass
class Report:
    """What came of a run."""

    requests: int
    ends: Counter[str] = field(default_factory=Counter)
    """How each request ended."""
    broken: list[str] = field(default_factory=list)
    """What is neither a whole answer nor a typed error."""
    seconds: float = 0.0
    counts: dict[str, Any] = field(default_factory=dict)
    """Of the servers."""
    rows: list[dict[str, Any]] = field(default_factory=list)
    answered: int = 0
    """Chats that the gateway counted."""
    attempts: int = 0
    """Requests to servers that it counted."""
    in_flight: float = -1.0
    descriptors: tuple[int, int] = (0, 0)
    """Open files and sockets of the gateway before and after."""
    memory: tuple[int, int] = (0, 0)
    """Its resident bytes after the warm-up and at the end."""

    @property
    def whole(self) -> int:
        return self.ends["whole answer"]

    def dealt(self, manner: str) -> Counter[str]:
        """Attempts by the outcome that they should have, as the servers counted them."""
        found: Counter[str] = Counter()
        for name, count in self.counts["attempts"][manner].items():
            found[OUTCOMES[name.split()[1]]] += count
        return found

    def reached(self, manner: str) -> Counter[str]:
        """Attempts by model, as the servers counted them."""
        found: Counter[str] = Counter()
        for name, count in self.counts["attempts"][manner].items():
            found[name.split()[0]] += count
        return found

    def logged(self, manner: str, what: str) -> Counter[str]:
        """Usage rows by a field of theirs."""
        return Counter(row[what] for row in self.rows if row["privacy"] == TIERS[manner])

    def table(self) -> str:
        lines = [f"{self.requests} requests in {self.seconds:.0f} s", ""]
        lines += [f"{count:8} {end}" for end, count in self.ends.most_common()]
        lines += ["", "   dealt     rows  outcome (patient clients)"]
        dealt, logged = self.dealt(PATIENT), self.logged(PATIENT, "outcome")
        lines += [f"{dealt[name]:8} {logged[name]:8}  {name}" for name in sorted({*dealt, *logged})]
        left = self.dealt(LEAVER)
        lines += [f"{left.total():8} {self.logged(LEAVER, 'outcome').total():8}  all (clients who left)"]
        lines += ["", f"{len(self.rows)} rows, {self.attempts} attempts and {self.answered} chats counted"]
        lines += ["descriptors {} -> {}".format(*self.descriptors)]
        lines += ["memory {:.1f} -> {:.1f} MB".format(*(size / 1e6 for size in self.memory))]
        lines += [f"most connections to the servers at once: {self.counts['mostOpen']}"]
        return "\n".join([*lines, *self.broken[:20]])


class _Broken(Exception):
    """Neither a whole answer nor a typed error."""


class _Client:
    """One client after another on a connection, as long as that is kept."""

    def __init__(self, port: int, draw: random.Random, report: Report) -> None:
        self._port, self._draw, self._report = port, draw, report
        self._reader: asyncio.StreamReader
        self._writer: asyncio.StreamWriter | None = None

    async def ask(self, number: int) -> None:
        """One chat, to its end or until the client has had enough."""
        manner = LEAVER if self._draw.random() < LEAVERS else PATIENT
        try:
            async with asyncio.timeout(GIVE_UP):
                end = await self._asked(number, manner)
        except (_Broken, OSError, asyncio.IncompleteReadError, ValueError, KeyError) as error:
            end = f"broken: {type(error).__name__}"
            self._report.broken.append(f"request {number}: {type(error).__name__}: {error}")
            await self.close()
        self._report.ends[end] += 1

    async def close(self) -> None:
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _asked(self, number: int, manner: str) -> str:
        if self._writer is None:
            self._reader, self._writer = await asyncio.open_connection(HOST, self._port)
        model = self._draw.choice(MODELS) if self._draw.random() < PINNED else "fast-draft"
        message = {"role": "user", "content": f"{manner} {number}"}
        body = json.dumps({"model": model, "stream": True, "max_tokens": 64, "messages": [message]}).encode()
        head = (
            f"POST /v1/chat/completions HTTP/1.1\r\nhost: {HOST}\r\nx-aldo-privacy: {TIERS[manner]}\r\n"
            f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
        )
        self._writer.write(head.encode() + body)
        if manner == LEAVER and self._draw.random() < 0.5:
            for _ in range(self._draw.randrange(20)):
                await asyncio.sleep(0)
            await self.close()
            return "left before the head"
        status, headers = await self._head()
        if status != 200:
            return await self._refusal(status, headers)
        if headers.get("content-type", "").partition(";")[0] != "text/event-stream":
            raise _Broken(f"a 200 of the type {headers.get('content-type')}")
        if manner == LEAVER:
            await self._piece()
            await self.close()
            return "left in mid-stream"
        return await self._streamed(number, headers)

    async def _head(self) -> tuple[int, dict[str, str]]:
        first, *rest = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in rest)}
        return int(first.split(" ")[1]), headers

    async def _piece(self) -> bytes:
        """The next chunk; empty at the end."""
        size = int(await self._reader.readuntil(b"\r\n"), 16)
        return (await self._reader.readexactly(size + 2))[:-2]

    async def _refusal(self, status: int, headers: dict[str, str]) -> str:
        body = json.loads(await self._reader.readexactly(int(headers["content-length"])))
        if headers.get("connection") == "close":
            await self.close()
        return f"{status} {_code(body)}"

    async def _streamed(self, number: int, headers: dict[str, str]) -> str:
        pieces: list[bytes] = []
        while piece := await self._piece():
            pieces.append(piece)
        *events, rest = b"".join(pieces).split(b"\n\n")
        if rest or not events:
            raise _Broken(f"a stream that ends in {rest[-80:]!r}")
        if not all(event.startswith(b"data: ") for event in events):
            raise _Broken("a line that is no data")
        *before, last = (event.removeprefix(b"data: ") for event in events)
        chunks = [json.loads(data) for data in before]
        text = "".join(chunk["choices"][0]["delta"].get("content") or "" for chunk in chunks)
        reasons = [chunk["choices"][0]["finish_reason"] for chunk in chunks]
        wanted = "".join(pieces_of(number))
        if {chunk["model"] for chunk in chunks} != {headers["x-aldo-model"]}:
            raise _Broken("chunks of another model than the header says")
        if last == b"[DONE]":
            if reasons != [None] * (len(reasons) - 1) + ["stop"]:
                raise _Broken(f"an end with the finish reasons {reasons}")
            if text != wanted:
                raise _Broken(f"another answer: {text!r}")
            return "whole answer"
        if not wanted.startswith(text):
            raise _Broken(f"the beginning of another answer: {text!r}")
        if any(reasons):
            raise _Broken("an error after a finish reason")
        return f"error event {_code(json.loads(last))}"


def _code(body: Any) -> str:
    """The code of an error in our shape."""
    error = body["error"]
    if list(error)[:4] != ["message", "type", "param", "code"] or not (error["message"] and error["code"]):
        raise _Broken(f"an error in another shape: {body}")
    return str(error["code"])


async def _run(gateway: GatewayProcess, report: Report, at_once: int, warm_up: int) -> None:
    numbers = iter(range(report.requests))
    after_warm_up = 0

    async def client(seed: int) -> None:
        nonlocal after_warm_up
        asking = _Client(gateway.port, random.Random(seed), report)
        for number in numbers:
            await asking.ask(number)
            if not after_warm_up and report.ends.total() >= warm_up:
                after_warm_up = gateway.resident_bytes()
        await asking.close()

    async with asyncio.TaskGroup() as group:
        for seed in range(at_once):
            group.create_task(client(seed))
    report.memory = (after_warm_up, 0)


def scraped(gateway: GatewayProcess) -> list[tuple[str, str, float]]:
    """The gateway's own counters: name, labels, value."""
    with urllib.request.urlopen(f"{gateway.base_url}/metrics", timeout=30) as answer:
        return [(name, labels, float(value)) for name, labels, value in _COUNTERS.findall(answer.read().decode())]


def _sum(gateway: GatewayProcess, counter: str, label: str = "") -> float:
    return sum(value for name, labels, value in scraped(gateway) if name == counter and label in labels)


def soak(requests: int, folder: Path, *, at_once: int = 100, seed: int = 1) -> Report:
    """Run it. What a client is told is in `ends`; nothing is asserted here but that things come to rest."""
    report = Report(requests)
    with FaultyServer(seed=seed) as servers:
        places = servers.counts()["ports"]
        entries = [
            entry(model, f"http://{HOST}:{places[place // 2]}", provider="acme", latencyP95Ms=100 + place)
            for place, model in enumerate(MODELS)
        ]
        catalog = write_catalog(folder / "models.yaml", entries)
        options = (f"--timeout={SERVER_TIMEOUT}", "--probe-every=0.5")
        with GatewayProcess(catalog, *options, usage=folder / "usage.jsonl") as gateway:
            before = gateway.descriptors()
            began = time.monotonic()
            fast_run(_run(gateway, report, at_once, min(WARM_UP, requests // 2)))
            report.seconds = time.monotonic() - began
            report.in_flight = eventually(lambda: _sum(gateway, "aldo_requests_in_flight"), lambda found: found == 0)

            def at_rest() -> int:
                servers.drop()  # again and again: an answer may still be ending when its client has all of it
                return gateway.descriptors()

            after = eventually(at_rest, lambda found: found <= before)
            report.descriptors = (before, after)
            report.memory = (report.memory[0], gateway.resident_bytes())
            report.answered = round(_sum(gateway, "aldo_requests_total", "/v1/chat/completions"))
            report.attempts = round(_sum(gateway, "aldo_attempts_total"))
            report.rows = gateway.rows()
            report.counts = servers.counts()
    return report


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=20_000)
    parser.add_argument("--at-once", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--record", type=Path, help="keep the counts in this file")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        report = soak(given.requests, Path(folder), at_once=given.at_once, seed=given.seed)
    print(report.table())
    if given.record:
        kept = {
            "date": datetime.date.today().isoformat(),
            "requests": report.requests,
            "atOnce": given.at_once,
            "seconds": round(report.seconds, 1),
            "ends": dict(report.ends.most_common()),
            "broken": len(report.broken),
            "inFlight": report.in_flight,
            "descriptors": report.descriptors,
            "megabytes": [round(size / 1e6, 1) for size in report.memory],
        }
        given.record.write_text(json.dumps(kept, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
