"""`aldo embed`: a vector a line, in the order of the texts, from a server on the loopback."""

from __future__ import annotations

import base64
import json
import os
import signal
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from aldo.cli.main import cli
from tests.support.bound import entry
from tests.support.cases import ROOT
from tests.support.fake_server import FakeServer, Reply, Script, Seen, http

GIVE_UP = 20.0


def vector(text: str) -> list[float]:
    return [float(len(text)), float(ord(text[0])), 0.5]


def good(seen: Seen) -> bytes:
    """Vectors that tell their texts, last one first, in the form that was asked for."""
    found = []
    for place, text in enumerate(seen.json["input"]):
        numbers: Any = vector(text)
        if seen.json["encoding_format"] == "base64":
            numbers = base64.b64encode(struct.pack("<3f", *numbers)).decode()
        found.insert(0, {"index": place, "embedding": numbers})
    return http(json.dumps({"data": found, "model": "served", "usage": {"prompt_tokens": len(found)}}))


def busy(seen: Seen) -> bytes:
    return http('{"error": {"message": "busy"}}', status="503 No", retry_after="0")


def catalog(folder: Path, *urls: str) -> str:
    kind = {"capabilityClass": "embeddings", "provides": ["embeddings"], "effectiveContextTokens": 2048}
    models = [entry(config={"baseUrl": url}, id=f"e{number}") | kind for number, url in enumerate(urls)]
    path = folder / "models.json"
    path.write_text(json.dumps({"apiVersion": "aldo/models.v1", "kind": "ModelCatalog", "models": models}))
    return str(path)


class Aldo:
    """`aldo embed` in this process, with a catalog of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def embed(
        self, *arguments: str, servers: Sequence[FakeServer], stdin: str | bytes | None = None, **environ: str
    ) -> Result:
        chosen = catalog(self.folder, *(server.url for server in servers))
        env: dict[str, str | None] = {name: None for name in os.environ if name.startswith("ALDO_")}
        command = ["embed", "--privacy", "sensitive", "--catalog", chosen, *arguments]
        result = CliRunner().invoke(cli, command, input=stdin, env={**env, **environ})
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result


@pytest.fixture
def aldo(tmp_path: Path) -> Aldo:
    return Aldo(tmp_path)


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with FakeServer([good]) as server:
        yield server


def printed(result: Result) -> list[Any]:
    assert (result.exit_code, result.stderr) == (0, ""), result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


def refused(result: Result, server: FakeServer, *words: str) -> None:
    assert (result.exit_code, result.stdout) == (2, ""), result.output
    for word in words:
        assert word in " ".join(result.stderr.split())
    assert server.connections == 0


def test_each_text_has_its_vector_on_a_line_of_its_own(aldo: Aldo, server: FakeServer) -> None:
    texts = ["one", "крокодил", "a\nb", "one"]
    assert printed(aldo.embed(*texts, servers=[server])) == [vector(text) for text in texts]
    assert server.seen[0].json["input"] == texts


def test_base64_prints_the_same_numbers(aldo: Aldo, server: FakeServer) -> None:
    lists, packed = (aldo.embed("a", "bb", *way, servers=[server]) for way in ((), ("--base64",)))
    assert lists.stdout == packed.stdout
    assert [seen.json["encoding_format"] for seen in server.seen] == ["float", "base64"]


@pytest.mark.parametrize("stdin", ["a\nbb\nccc\n", "a\r\nbb\r\nccc", "\na\n\n  \nbb\nccc\n\n"])
def test_lines_of_standard_input_are_texts_and_blank_ones_are_none(stdin: str, aldo: Aldo, server: FakeServer) -> None:
    assert printed(aldo.embed(servers=[server], stdin=stdin)) == [vector(text) for text in ("a", "bb", "ccc")]


def test_a_line_keeps_what_is_no_line_end(aldo: Aldo, server: FakeServer) -> None:
    aldo.embed(servers=[server], stdin="a\u2028b\n c \n\x0bd\n")
    assert server.seen[0].json["input"] == ["a\u2028b", " c ", "\x0bd"]


def test_texts_come_first_and_then_the_lines_of_each_file(aldo: Aldo, server: FakeServer) -> None:
    for name, content in (("1.txt", "b\n\nc"), ("2.txt", "d\n")):
        (aldo.folder / name).write_text(content)
    files = [part for name in ("1.txt", "2.txt") for part in ("--file", str(aldo.folder / name))]
    aldo.embed("a", *files, servers=[server], stdin="not this")
    assert server.seen[0].json["input"] == ["a", "b", "c", "d"]


def test_dimensions_and_batches_are_the_servers_to_know(aldo: Aldo, server: FakeServer) -> None:
    result = aldo.embed(*"abcde", "--batch", "2", "--dimensions", "3", servers=[server])
    assert printed(result) == [vector(text) for text in "abcde"]
    assert [seen.json["input"] for seen in server.seen] == [["a", "b"], ["c", "d"], ["e"]]
    assert [seen.json["dimensions"] for seen in server.seen] == [3, 3, 3]


def test_json_has_the_vectors_the_usage_and_the_decision(aldo: Aldo, server: FakeServer) -> None:
    (found,) = printed(aldo.embed("a", "bb", "--batch", "1", "--json", servers=[server]))
    assert sorted(found) == sorted([
        "vectors", "dimensions", "usage", "model", "provider", "upstreamModel", "returnedModel", "usd", "latencyMs",
        "attempts", "decision",
    ])  # fmt: skip
    assert found["vectors"] == [vector("a"), vector("bb")]
    assert (found["dimensions"], found["model"], found["provider"], found["returnedModel"]) == (
        3,
        "e0",
        "acme",
        "served",
    )
    assert found["usage"] == {"tokensIn": 2, "tokensOut": 0, "cacheReadTokens": None}
    assert found["attempts"] == [{"model": "e0", "outcome": "ok"}] * 2
    decision = found["decision"]
    assert (decision["model"], decision["classUsed"], decision["provider"]) == ("e0", "embeddings", "acme")


@pytest.mark.parametrize(
    ("arguments", "stdin", "words"),
    [(("",), None, "nothing to embed"), (("a", ""), None, "empty"), (("a", "  "), None, "empty"), ((), "", "nothing to embed"),
     ((), " \n\n", "nothing to embed"), (("--file", "nowhere"), None, "nowhere cannot be read"),
     (("a", "--batch", "0"), None, "--batch"), (("a", "--dimensions", "0"), None, "--dimensions"), (("a", "--usage", ""), None, "--usage is empty")],
)  # fmt: skip
def test_bad_usage_ends_with_2_and_asks_nobody(
    arguments: tuple[str, ...], stdin: str | None, words: str, aldo: Aldo, server: FakeServer
) -> None:
    refused(aldo.embed(*arguments, servers=[server], stdin=stdin), server, words)


def test_the_tier_has_no_default(aldo: Aldo, server: FakeServer) -> None:
    chosen = catalog(aldo.folder, server.url)
    result = CliRunner().invoke(cli, ["embed", "--catalog", chosen, "a"])
    assert (result.exit_code, "privacy" in result.stderr) == (2, True)


def test_a_text_longer_than_the_model_takes_has_no_model(aldo: Aldo, server: FakeServer) -> None:
    """The longest text counts, not all of them together."""
    assert len(printed(aldo.embed(*["word " * 1000] * 3, servers=[server]))) == 3
    result = aldo.embed("a", "word " * 2000, "--json", servers=[server])
    assert (result.exit_code, json.loads(result.stdout)["error"]["code"]) == (1, "no_eligible_model")
    assert server.connections == 1


def test_class_and_tier_may_come_from_an_agent(aldo: Aldo, server: FakeServer) -> None:
    agent = {
        "version": 1, "schema": "aldo-ai/agent.v1", "identity": {"name": "a", "owner": "o", "team": "t"}, "role": "Embeds.",
        "privacy_tier": "sensitive", "model_policy": {"capability_class": "embeddings"},
    }  # fmt: skip
    (aldo.folder / "agent.yaml").write_text(json.dumps(agent))
    command = ["embed", "--agent", str(aldo.folder / "agent.yaml"), "--catalog", catalog(aldo.folder, server.url), "a"]
    result = CliRunner().invoke(cli, command)
    assert result.exit_code == 0, result.output


FAILURES: dict[str, Script] = {
    "rate_limited": lambda seen: http("{}", status="429 No"),
    "unauthorized": lambda seen: http("{}", status="401 No"),
    "server_error": lambda seen: http('{"error": "launched without embeddings"}', status="501 No"),
    "protocol": lambda seen: http('{"data": []}'),
    "connection": Reply(b"", after="reset"),
}


@pytest.mark.parametrize("code", FAILURES)
def test_a_failure_has_its_code_in_json_and_3_for_its_exit(code: str, aldo: Aldo) -> None:
    with FakeServer([FAILURES[code]]) as server:
        as_json = aldo.embed("a", "--retries", "0", "--json", servers=[server])
        human = aldo.embed("a", "--retries", "0", servers=[server])
    assert json.loads(as_json.stdout)["error"]["code"] == code
    assert (as_json.exit_code, human.exit_code, human.stdout) == (3, 3, "")
    assert human.stderr.startswith("error: e0: ")


def rows(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def test_failover_begins_anew_and_usage_has_every_request(aldo: Aldo, server: FakeServer) -> None:
    log = aldo.folder / "usage.jsonl"
    with FakeServer([good, busy]) as first:
        result = aldo.embed(*"abc", "--batch", "1", "--failover", "--retries", "1", "--json", "--usage", str(log), servers=[first, server])  # fmt: skip
    (found,) = printed(result)
    told = [("e0", "ok"), ("e0", "server_error"), ("e0", "server_error"), ("e1", "ok"), ("e1", "ok"), ("e1", "ok")]
    assert [(row["model"], row["outcome"]) for row in rows(log)] == told
    assert [(one["model"], one["outcome"]) for one in found["attempts"]] == told
    assert (found["model"], found["decision"]["model"]) == ("e1", "e0")
    assert {row["capabilityClass"] for row in rows(log)} == {"embeddings"}


def test_the_variable_names_the_log_too_and_what_cannot_be_logged_is_not_sent(aldo: Aldo, server: FakeServer) -> None:
    refused(aldo.embed("a", servers=[server], ALDO_USAGE_LOG=str(aldo.folder)), server, "usage log")
    aldo.embed("a", servers=[server], ALDO_USAGE_LOG=str(aldo.folder / "usage.jsonl"))
    assert [row["outcome"] for row in rows(aldo.folder / "usage.jsonl")] == ["ok"]


def test_an_interruption_ends_with_130_and_leaves_one_cancelled_row(tmp_path: Path) -> None:
    asked = threading.Event()

    def hang(seen: Seen) -> Reply:
        asked.set()
        return Reply(b"", after="hang")

    with FakeServer([hang]) as server:
        log = tmp_path / "usage.jsonl"
        env = {name: value for name, value in os.environ.items() if not name.startswith("ALDO_")}
        command = [sys.executable, "-m", "aldo.cli.main", "embed", "--privacy", "public", "--catalog", catalog(tmp_path, server.url), "--usage", str(log), "a"]  # fmt: skip
        process = subprocess.Popen(
            command, cwd=ROOT, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        assert asked.wait(GIVE_UP)
        process.send_signal(signal.SIGINT)
        out, errors = process.communicate(timeout=GIVE_UP)
    assert (process.returncode, out, errors) == (130, b"", b"")
    assert [row["outcome"] for row in rows(log)] == ["cancelled"]
