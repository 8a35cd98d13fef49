"""The usage log: one line for every request that was sent, whole or not there at all, whoever else writes."""

from __future__ import annotations

import contextlib
import errno
import json
import logging
import os
import signal
import stat
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from aldo.errors import AldoError, UsageError
from aldo.replay.usage import sum_usage
from aldo.schema.published import json_schema
from aldo.schema.usage import UsageRow
from aldo.transport import ChatRequest, EmbeddingRequest, ModelClient
from aldo.transport.usage_log import UsageLog
from tests.support.bound import ASK, COMPLETION, PROMPT, SECRET, STREAM, USER, Wire, bind, entry
from tests.support.cases import ROOT
from tests.support.fake_server import FakeServer, Reply, chunked, http

KEYS = [
    "at", "provider", "model", "upstreamModel", "returnedModel", "capabilityClass", "privacy", "tokensIn", "tokensOut",
    "cacheReadTokens", "usd", "latencyMs", "ttftMs", "finishReason", "outcome", "routingDigest",
]  # fmt: skip
VALID = Draft202012Validator(json_schema("usage"))


def row(model: str = "m", **more: Any) -> UsageRow:
    fields = {"at": "2026-01-02T03:04:05.678Z", "provider": "p", "upstreamModel": "u", "capabilityClass": "c",
              "privacy": "public", "outcome": "ok", "routingDigest": "d"}  # fmt: skip
    return UsageRow.model_validate({**fields, "model": model, **more})


def lines(path: Path) -> list[Any]:
    """Every line, each of which is JSON and valid."""
    data = path.read_bytes()
    assert data.endswith(b"\n") or not data
    found = [json.loads(line) for line in data.splitlines()]
    for one in found:
        VALID.validate(one)
    return found


# Many writers

PROGRAM = """
import os, random, signal, sys, time
sys.path.insert(0, {root!r})
from aldo.schema.usage import UsageRow
from aldo.transport.usage_log import UsageLog

def row(model, upstream):
    return UsageRow(at="2026-01-02T03:04:05Z", provider="p", model=model, upstream_model=upstream, capability_class="c",
                    privacy="public", outcome="ok", routing_digest="d")

""".replace("{root!r}", repr(str(ROOT)))

WRITERS = """
path, shared = sys.argv[1], sys.argv[2] == "shared"
log = UsageLog(path) if shared else None
lseek = os.lseek
go, ready = os.pipe()
children = []
for child in range(8):
    pid = os.fork()
    if not pid:
        def let_others_in(*arguments):
            place = lseek(*arguments)
            time.sleep(0)
            return place
        os.lseek = let_others_in
        try:
            os.close(ready)
            own = log or UsageLog(path)
            os.read(go, 1)
            for number in range(200):
                own.write(row(f"{child}-{number}", "u" * (number * 7 % 900)))
            os._exit(0)
        except BaseException:
            os._exit(1)
    children.append(pid)
os.close(ready)  # all at once
sys.exit(sum(os.waitpid(pid, 0)[1] for pid in children))
"""


def run(program: str, *arguments: object) -> str:
    """In a process of its own, without threads: it forks."""
    command = [sys.executable, "-c", PROGRAM + program, *map(str, arguments)]
    return subprocess.run(command, check=True, timeout=60, cwd=ROOT, capture_output=True, text=True).stdout


@pytest.mark.parametrize("sharing", ["own", "shared"])
def test_eight_processes_that_write_at_once_lose_no_row_and_mix_none(sharing: str, tmp_path: Path) -> None:
    """`own`: each opens the file. `shared`: it was opened before they were forked, as a server's workers do."""
    path = tmp_path / "usage.jsonl"
    run(WRITERS, path, sharing)
    written = [one["model"] for one in lines(path)]
    assert sorted(written) == sorted(f"{child}-{number}" for child in range(8) for number in range(200))
    for child in range(8):  # each writer's rows in its own order
        own = [int(one.split("-")[1]) for one in written if one.startswith(f"{child}-")]
        assert own == sorted(own)


def test_threads_and_several_logs_of_one_process_mix_no_rows(tmp_path: Path) -> None:
    path = tmp_path / "usage.jsonl"
    start = threading.Barrier(8)
    with UsageLog(path) as one, UsageLog(path) as other:

        def work(child: int) -> None:
            start.wait(20)
            for number in range(50):
                (one if child % 2 else other).write(row(f"{child}-{number}"))

        threads = [threading.Thread(target=work, args=(child,)) for child in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
    assert Counter(line["model"] for line in lines(path)) == Counter(f"{c}-{n}" for c in range(8) for n in range(50))


# Writers that are killed

KILLED = """
path, seed = sys.argv[1], int(sys.argv[2])
chance = random.Random(seed)
real = os.write
for turn in range(40):
    where, part, length = chance.randrange(3), chance.random(), chance.choice([1, 200, 5000, 20000])
    pid = os.fork()
    if not pid:
        log = UsageLog(path)
        written = 0
        def write(file, data):
            global written
            if file == log._file and written == where:
                real(file, data[: int(part * len(data))])
                os.kill(os.getpid(), signal.SIGKILL)
            written += file == log._file
            return real(file, data)
        os.write = write
        for number in range(3):
            log.write(row(f"{turn}-{number}", "u" * length))
        os._exit(1)  # it was to be killed
    status = os.waitpid(pid, 0)[1]
    print(turn, where, status, flush=True)
"""


@pytest.mark.parametrize("seed", [1, 2])
def test_a_writer_that_is_killed_in_mid_write_leaves_no_half_line_once_the_next_row_is_written(
    seed: int, tmp_path: Path
) -> None:
    path = tmp_path / "usage.jsonl"
    turns = [tuple(map(int, line.split())) for line in run(KILLED, path, seed).splitlines()]
    assert len(turns) == 40
    assert all(status == signal.SIGKILL for _, _, status in turns)
    whole = [f"{turn}-{number}" for turn, where, _ in turns for number in range(where)]
    half = path.read_bytes()
    sums = sum_usage([str(path)])
    assert (sum(one.requests for one in sums.sums), sums.bad_count) == (len(whole), 0)  # readers pass over the half
    with UsageLog(path) as log:
        log.write(row("last"))
    assert [line["model"] for line in lines(path)] == [*whole, "last"]
    assert path.read_bytes().startswith(half[: half.rfind(b"\n") + 1])


@given(
    whole=st.lists(st.sampled_from([b"{}", b"x" * 5000, b"", b"\r"]), max_size=3),
    half=st.integers(0, 200).map(lambda size: row().to_json().encode()[:size]),
)
@settings(max_examples=40)
def test_law_half_a_row_is_taken_away_and_nothing_else(
    whole: list[bytes], half: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("log") / "usage.jsonl"
    before = b"".join(line + b"\n" for line in whole)
    path.write_bytes(before + half)
    with UsageLog(path) as log:
        assert path.read_bytes() == before + half  # who only opens it changes nothing
        log.write(row())
    assert path.read_bytes() == before + row().to_json().encode() + b"\n"


@pytest.mark.parametrize("foreign", [b'{"a": 1}', b"precious", b"x" * 9000, b'{"at"; '])
def test_a_line_of_somebody_else_that_nobody_ended_stays(foreign: bytes, tmp_path: Path) -> None:
    path = tmp_path / "usage.jsonl"
    path.write_bytes(b"first\n" + foreign)
    with UsageLog(path) as log:
        log.write(row())
    assert path.read_bytes() == b"first\n" + foreign + b"\n" + row().to_json().encode() + b"\n"


def test_half_a_line_of_a_writer_that_waits_for_nobody_is_seen_by_an_open_log_too(tmp_path: Path) -> None:
    path = tmp_path / "usage.jsonl"
    with UsageLog(path) as log:
        log.write(row("a"))
        with path.open("ab") as other:
            other.write(b'{"at": "20')
        log.write(row("b"))
    assert [line["model"] for line in lines(path)] == ["a", "b"]


# A disk that is full


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> Callable[[], list[str]]:
    caplog.set_level(logging.WARNING)
    return lambda: [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


def failing(monkeypatch: pytest.MonkeyPatch, log: UsageLog, part: int | None) -> None:
    """The disk takes `part` bytes of the next write, or none at all."""
    real = os.write

    def write(file: int, data: bytes) -> int:
        if file != log._file:
            return real(file, data)
        if part is None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(file, data[:part])

    monkeypatch.setattr(os, "write", write)


@pytest.mark.parametrize("part", [None, 0, 1, 50])
def test_a_full_disk_loses_that_row_alone_and_says_so(
    part: int | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, logged: Callable[[], list[str]]
) -> None:
    path = tmp_path / "usage.jsonl"
    with UsageLog(path) as log:
        log.write(row("before"))
        with monkeypatch.context() as full:
            failing(full, log, part)
            log.write(row("lost"))
            assert [line["model"] for line in lines(path)] == ["before"]
        assert [message for message in logged() if str(path) in message]
        log.write(row("after"))
    assert [line["model"] for line in lines(path)] == ["before", "after"]


@pytest.mark.parametrize("way", ["chat", "stream", "embed"])
def test_a_full_disk_never_loses_the_answer(
    way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, logged: Callable[[], list[str]]
) -> None:
    vectors = {"data": [{"index": 0, "embedding": [1]}]}
    wire = Wire(lambda request: httpx.Response(200, json=vectors)) if way == "embed" else Wire()
    with UsageLog(tmp_path / "usage.jsonl") as log:
        failing(monkeypatch, log, None)
        with bind(entry(config={"baseUrl": "http://x"}), http=wire, on_usage=log.write) as client:
            result: Any = (
                client.embed(EmbeddingRequest(("a",))) if way == "embed"
                else client.chat(ASK) if way == "chat" else list(client.stream(ASK))[-1].result  # type: ignore[union-attr]
            )  # fmt: skip
    assert result.attempts[0].outcome == "ok"
    assert logged()


@pytest.mark.parametrize("broken", [("read", "pread"), ("ftruncate",)])
def test_whatever_the_file_system_refuses_is_logged_and_not_raised(
    broken: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, logged: Callable[[], list[str]]
) -> None:
    path = tmp_path / "usage.jsonl"
    path.write_bytes(b'{}\n{"at": "2')
    with UsageLog(path) as log:
        for name in broken:
            real = getattr(os, name)

            def refuse(file: int, *rest: Any, real: Any = real) -> Any:
                if file == log._file:
                    raise OSError(errno.EIO, os.strerror(errno.EIO))
                return real(file, *rest)

            monkeypatch.setattr(os, name, refuse)
        log.write(row())
        assert logged()
        monkeypatch.undo()
        log.write(row())
    assert path.read_bytes() == b"{}\n" + row().to_json().encode() + b"\n"


def test_a_row_after_the_end_of_the_log_is_told_and_not_raised(tmp_path: Path, logged: Callable[[], list[str]]) -> None:
    log = UsageLog(tmp_path / "usage.jsonl")
    log.close()
    log.close()
    log.write(row())
    assert logged()


# The file


def test_a_new_file_is_the_users_own_and_an_old_one_keeps_its_mode(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        with UsageLog(tmp_path / "new.jsonl"):
            pass
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "new.jsonl").stat().st_mode) == 0o600
    old = tmp_path / "old.jsonl"
    old.write_text("")
    old.chmod(0o640)
    with UsageLog(old) as log:
        log.write(row())
    assert stat.S_IMODE(old.stat().st_mode) == 0o640


def test_the_file_is_not_handed_to_other_programs(tmp_path: Path) -> None:
    with UsageLog(tmp_path / "usage.jsonl") as log:
        assert not os.get_inheritable(log._file)


def test_a_named_pipe_is_a_log_too(tmp_path: Path, logged: Callable[[], list[str]]) -> None:
    """It has no end to look at and nothing to take away."""
    os.mkfifo(tmp_path / "pipe")
    with UsageLog(tmp_path / "pipe") as log, (tmp_path / "pipe").open("rb", buffering=0) as reader:
        log.write(row("a"))
        log.write(row("b"))
        found = [json.loads(line)["model"] for line in reader.read(9000).splitlines()]
    assert (found, logged()) == (["a", "b"], [])


@pytest.mark.parametrize("where", ["", "nowhere/usage.jsonl", ".", "usage\0.jsonl"])
def test_a_path_that_cannot_be_written_is_bad_usage(where: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="usage log"):
        UsageLog(f"{tmp_path}/{where}" if where != "" else "")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_a_file_that_only_others_may_write_is_bad_usage(tmp_path: Path) -> None:
    path = tmp_path / "usage.jsonl"
    path.write_text("")
    path.chmod(0o400)
    with pytest.raises(UsageError):
        UsageLog(path)


# What a row is


def requests(client: ModelClient) -> list[Callable[[], Any]]:
    return [
        lambda: client.chat(ASK),
        lambda: list(client.stream(ASK)),
        lambda: client.stream(ASK).close(),
        lambda: client.embed(EmbeddingRequest(("a",))),
        lambda: client.chat(ChatRequest(messages=(USER,), response_format={"type": "json_object"})),
    ]


def answers() -> list[Any]:
    cached = {"prompt_tokens": 9, "completion_tokens": 2, "prompt_tokens_details": {"cached_tokens": 4}}
    return [
        COMPLETION, {**COMPLETION, "usage": cached, "model": None}, {**COMPLETION, "model": "\ud800 \x1b[2J \u2028 \n é"},
        {**COMPLETION, "choices": [{"message": {"content": ""}, "finish_reason": "weird"}]},
        {"data": [{"embedding": [1]}], "model": "e", "usage": {"prompt_tokens": 3}}, {"error": "no"}, [], 429, 503, 401,
    ]  # fmt: skip


def test_every_row_of_every_kind_of_attempt_is_one_line_of_the_published_schema(tmp_path: Path) -> None:
    path = tmp_path / "usage.jsonl"
    sent = 0
    for body in answers():
        response = {"status_code": body} if isinstance(body, int) else {"status_code": 200, "text": json.dumps(body)}
        wire = Wire(lambda request, response=response: httpx.Response(**response))
        cost = {"usdPerMtokIn": 0.000001, "usdPerMtokOut": 2.5, "usdPerMtokCacheRead": 0.1}
        with (
            UsageLog(path) as log,
            bind(entry(config={"baseUrl": "http://x"}, cost=cost), http=wire, on_usage=log.write) as client,
        ):
            for call in requests(client):
                with contextlib.suppress(AldoError):
                    call()
        sent += len(wire.requests)
    rows = lines(path)
    assert len(rows) == sent
    assert all(list(one) == KEYS for one in rows)
    assert {one["outcome"] for one in rows} >= {"ok", "schema_mismatch", "rate_limited", "protocol", "unauthorized"}
    assert any(one["usd"] == "0.000005400005" and one["cacheReadTokens"] == 4 for one in rows)
    assert path.read_bytes().isascii() or path.read_text("utf-8")
    assert sum_usage([str(path)]).bad_count == 0


def test_the_published_schema_asks_for_what_the_contract_names() -> None:
    schema = json_schema("usage")
    assert list(schema["properties"]) == KEYS
    assert schema["additionalProperties"] is False


texts = st.text(max_size=8) | st.sampled_from(["\ud800", "\x00", '"', "\\", "\n", "\u2028", "é", "null"])
counts = st.none() | st.integers(0, 10**15)
rows = st.builds(
    row, texts, provider=texts, upstreamModel=texts, returnedModel=st.none() | texts, capabilityClass=texts, outcome=texts,
    privacy=st.sampled_from(["public", "internal", "sensitive"]), tokensIn=counts, tokensOut=counts, cacheReadTokens=counts,
    usd=st.none() | st.from_regex(r"\A[0-9]{1,12}(\.[0-9]{1,12})?\Z"),
    latencyMs=st.none() | st.floats(0, 1e9), ttftMs=st.none() | st.floats(0, 1e9),
    finishReason=st.sampled_from([None, "stop", "length", "tool_calls", "content_filter", "other"]),
)  # fmt: skip


@given(written=st.lists(rows, min_size=1, max_size=4))
@settings(max_examples=60)
def test_law_any_row_is_one_printable_line_that_reads_back_as_itself(
    written: list[UsageRow], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("log") / "usage.jsonl"
    with UsageLog(path) as log:
        for one in written:
            log.write(one)
    found = [json.loads(line) for line in path.read_text("utf-8").split("\n")[:-1]]
    assert [UsageRow.model_validate(one) for one in found] == written
    assert all(line.isprintable() for line in path.read_text("utf-8").split("\n"))
    sums = sum_usage([str(path)])
    assert (sum(one.requests for one in sums.sums), sums.bad_count) == (len(written), 0)


@pytest.mark.parametrize("way", ["chat", "stream"])
def test_no_prompt_and_no_key_is_in_a_row_whatever_the_server_says(way: str, tmp_path: Path) -> None:
    """Servers may name as their model what they were sent."""
    key = "sk-very-secret-0123456789"
    path = tmp_path / "usage.jsonl"
    for name in (PROMPT, key, f"Bearer {key}", f"a {PROMPT} b", PROMPT * 50):
        chunk = {
            "model": name,
            "choices": [{"delta": {"content": "quagga"}, "message": {"content": "quagga"}, "finish_reason": "stop"}],
        }
        text = json.dumps(chunk) if way == "chat" else f"data: {json.dumps(chunk)}\n\n"
        wire = Wire(lambda request, text=text: httpx.Response(200, text=text))
        model = entry(config={"baseUrl": "http://x", "apiKeyEnv": "A_KEY", "headers": {"X-Team": "swordfish-9"}})
        with UsageLog(path) as log, bind(model, http=wire, on_usage=log.write, environ={"A_KEY": key}) as client:
            client.chat(SECRET) if way == "chat" else list(client.stream(SECRET))
    assert len(lines(path)) == 5
    text = path.read_text("utf-8") + json.dumps(lines(path))
    for secret in ("Zebra-7", "launch code", "крокодил", "0042-delta", "very-secret", "quagga", "swordfish"):
        assert secret not in text
    assert all(len(line["returnedModel"]) <= 300 for line in lines(path))


@pytest.mark.parametrize("way", ["chat", "stream"])
@pytest.mark.parametrize("field", ["prompt_tokens", "completion_tokens"])
def test_a_count_out_of_all_bounds_costs_neither_the_answer_nor_the_row(way: str, field: str) -> None:
    usage = {"prompt_tokens": 1, "completion_tokens": 1, field: 10**15 + 1}
    written: list[UsageRow] = []
    whole = http(json.dumps({**COMPLETION, "usage": usage}))
    streamed = STREAM.replace(b'{"prompt_tokens":3,"completion_tokens":1}', json.dumps(usage).encode())
    with (
        FakeServer([whole if way == "chat" else Reply(chunked(streamed, 50))]) as server,
        bind(entry(config={"baseUrl": server.url}), on_usage=written.append) as client,
        contextlib.suppress(AldoError),
    ):
        client.chat(ASK) if way == "chat" else list(client.stream(ASK))
    assert len(written) == 1
