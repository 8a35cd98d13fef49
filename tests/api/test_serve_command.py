"""`aldo serve` as a process: how it starts, whom it refuses, what signals do, and what its log holds."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from aldo.api.door.keys import add_key
from tests.api.running import (
    DEADLINE,
    House,
    Served,
    catalog_text,
    clean_environment,
    events_of,
    model,
    serving,
    text_of,
    until,
    write,
)
from tests.api.upstream import DONE, STREAM_END, STREAM_HEAD, Gate, Upstream, answering, delta

PUBLIC = {"x-aldo-privacy": "public"}
PROMPT = "the-words-of-the-prompt"


def aldo(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A command that must end by itself."""
    return subprocess.run(
        [sys.executable, "-m", "aldo.cli.main", *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        env=clean_environment(**environment),
        check=False,
    )


def asking(text: str = "hi", **more: Any) -> dict[str, Any]:
    return {"model": "fast-draft", "messages": [{"role": "user", "content": text}], **more}


def client(served: Served) -> httpx.Client:
    return httpx.Client(base_url=served.url, trust_env=False, timeout=DEADLINE)


def listens(url: str) -> bool:
    try:
        with socket.create_connection((httpx.URL(url).host, httpx.URL(url).port or 0), timeout=DEADLINE):
            return True
    except OSError:
        return False


def at(server: Upstream, id: str = "near") -> dict[str, Any]:
    """An entry whose server has what it names, so that probes find it up."""
    return model(id, server.url, config={"model": "default_model"})


def one_model(house: House, server: Upstream) -> str:
    return str(house.catalog(at(server)))


# With keys -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def keyed(
    shared_house: House, shared_server: Upstream, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Served, str, Path]]:
    """A process whose keys the environment names, with the key of alice and the file of its usage rows."""
    tmp = tmp_path_factory.mktemp("keyed")
    made = aldo("keys", "new", "alice", "--file", str(tmp / "keys.txt"))
    assert made.returncode == 0, made.stderr
    catalog = one_model(shared_house, shared_server)
    with serving(
        tmp,
        *("--catalog", catalog, "--host", "127.0.0.1", "--access-log"),
        ALDO_KEYS=str(tmp / "keys.txt"),
        ALDO_USAGE_LOG=str(tmp / "usage.jsonl"),
    ) as served:
        yield served, made.stdout.strip(), tmp / "usage.jsonl"


def test_it_answers_at_the_address_that_its_log_names(keyed: tuple[Served, str, Path]) -> None:
    served, _, _ = keyed
    assert f"aldo serves 1 models at {served.url}/v1" in served.log
    with client(served) as http:
        found = http.get("/health").raise_for_status().json()
    assert (found["status"], found["models"], found["up"], found["catalogFile"]) == ("ok", 1, 1, "ok")


def test_a_key_made_by_the_command_lets_in_and_nothing_else_does(
    keyed: tuple[Served, str, Path], server: Upstream
) -> None:
    served, key, _ = keyed
    with client(served) as http:
        for headers in (PUBLIC, {**PUBLIC, "authorization": "Bearer aldo-nobody"}):
            assert http.post("/v1/chat/completions", json=asking(), headers=headers).status_code == 401
        assert server.messages == []
        answer = http.post("/v1/chat/completions", json=asking(), headers={**PUBLIC, "authorization": f"Bearer {key}"})
    assert (answer.status_code, len(server.messages)) == (200, 1)


def test_the_access_log_says_who_and_what_came_of_it_and_not_what_was_said(
    keyed: tuple[Served, str, Path], server: Upstream
) -> None:
    served, key, usage = keyed
    with client(served) as http:
        headers = {**PUBLIC, "authorization": f"Bearer {key}"}
        http.post(f"/v1/chat/completions?said={PROMPT}", json=asking(PROMPT), headers=headers).raise_for_status()
        stream = asking(PROMPT, stream=True)
        assert "[DONE]" in http.post(f"/v1/chat/completions?said={PROMPT}", json=stream, headers=headers).text
        broken = asking(PROMPT, **{PROMPT: PROMPT})
        assert http.post("/v1/chat/completions", json=broken, headers=headers).status_code == 400
        assert http.get(f"/v1/models?key={key}").status_code == 401

    def lines() -> list[str]:
        return [line for line in served.log.splitlines() if " /v1/" in line]

    until(lambda: any("GET /v1/models 401" in line for line in lines()), "the line of the last request")
    well = [line for line in lines() if "POST /v1/chat/completions 200" in line]
    assert len(well) >= 2
    for line in well:
        assert line.split("ms ")[1] == "public fast-draft near key=alice"
    assert any("POST /v1/chat/completions 400" in line and line.endswith("key=alice") for line in lines())
    for place in (served.log, usage.read_text()):
        assert place
        for secret in (PROMPT, key, key.removeprefix("aldo-"), "Hello there"):
            assert secret not in place


# Refusals --------------------------------------------------------------------------------------------------------


def refused(done: subprocess.CompletedProcess[str], code: int, *words: str) -> None:
    """It ended with this code, said why, and never said that it listens."""
    said = " ".join(done.stderr.split())
    assert done.returncode == code, done.stderr
    assert all(word in said for word in words), done.stderr
    assert "aldo serves" not in done.stderr and "Traceback" not in done.stderr
    assert done.stdout == ""


def test_without_keys_it_does_not_listen_for_other_machines(house: House) -> None:
    host = "0.0.0.0"
    catalog = str(house.catalog(model("near")))
    done = aldo("serve", "--catalog", catalog, "--port", "0", "--host", host)
    refused(done, 2, f"--host {host} lets other machines in", "--keys FILE")


def test_a_port_that_is_taken_is_named(house: House) -> None:
    catalog = str(house.catalog(model("near")))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = aldo("serve", "--catalog", catalog, "--port", str(port))
    refused(done, 2, f"127.0.0.1:{port} cannot be listened on", "in use")


def test_a_broken_catalog_is_told_by_its_findings_and_nothing_listens(tmp_path: Path) -> None:
    path = write(tmp_path / "models.yaml", catalog_text([model("near"), model("near")]))
    done = aldo("serve", "--catalog", str(path), "--port", "0", "--workers", "2")
    refused(done, 2, f"{path}:1:", "error[AL107] the id 'near' stands twice", "Nothing was done.")


def test_files_that_cannot_be_used_are_named_and_nothing_listens(house: House, tmp_path: Path) -> None:
    catalog = str(house.catalog(model("near")))
    broken = write(tmp_path / "keys.txt", "alice aldo-a-key-in-the-clear\n")
    done = aldo("serve", "--catalog", catalog, "--port", "0", "--keys", str(broken))
    refused(done, 2, f"{broken}:1")
    assert "a-key-in-the-clear" not in done.stderr
    missing = str(tmp_path / "none.txt")
    refused(aldo("serve", "--catalog", catalog, "--port", "0", ALDO_KEYS=missing), 2, missing)


def test_with_keys_it_listens_for_other_machines(house: House, tmp_path: Path) -> None:
    server = house.upstream()
    add_key(str(tmp_path / "keys.txt"), "alice")
    with serving(
        tmp_path, "--catalog", one_model(house, server), "--host", "0.0.0.0", "--keys", str(tmp_path / "keys.txt")
    ) as served:
        assert served.url.startswith("http://0.0.0.0:")
        assert "keys: 1;" in served.log
        url = served.url.replace("0.0.0.0", "127.0.0.1")
        headers = {**PUBLIC, "host": "models.example"}
        answer = httpx.post(f"{url}/v1/chat/completions", json=asking(), headers=headers, trust_env=False)
        assert answer.status_code == 401
    assert server.messages == []


# Signals ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("workers", [1, 2])
def test_an_answer_under_way_ends_well_after_sigterm_and_then_nothing_is_left(
    workers: int, house: House, tmp_path: Path
) -> None:
    gate = Gate()
    server = house.upstream(
        answering(STREAM_HEAD, delta(content="Hel"), gate, delta(content="lo"), delta("stop"), DONE, STREAM_END)
    )
    with serving(tmp_path, "--catalog", one_model(house, server), "--workers", str(workers)) as served:
        with client(served) as http:
            request = http.stream("POST", "/v1/chat/completions", json=asking(stream=True), headers=PUBLIC)
            with request as answer:
                assert answer.status_code == 200
                pieces = answer.iter_text()
                text = ""
                while "Hel" not in text:
                    text += next(pieces)
                served.signal(signal.SIGTERM)
                if workers == 1:  # with more, the parent keeps the port until they have ended
                    until(lambda: not listens(served.url), "the end of listening")
                assert served.process.poll() is None
                gate.open()
                text += "".join(pieces)
        events = events_of(text)
        assert (text_of(events), events[-1]) == ("Hello", "[DONE]")
        assert served.process.wait(DEADLINE) in (0, -signal.SIGTERM)
        until(lambda: not group_lives(served.process.pid), "the end of all its processes")
        assert not listens(served.url)
        assert "Traceback" not in served.log and "ERROR" not in served.log


def test_an_answer_that_takes_longer_than_the_drain_does_not_keep_it_alive(house: House, tmp_path: Path) -> None:
    gate = Gate()
    server = house.upstream(answering(STREAM_HEAD, delta(content="Hel"), gate))
    with serving(tmp_path, "--catalog", one_model(house, server), "--drain", "0") as served, client(served) as http:
        with (
            contextlib.suppress(httpx.TransportError),
            http.stream("POST", "/v1/chat/completions", json=asking(stream=True), headers=PUBLIC) as answer,
        ):
            pieces = answer.iter_text()
            next(pieces)
            served.signal(signal.SIGTERM)
            assert "[DONE]" not in "".join(pieces)
        assert served.process.wait(DEADLINE) in (0, -signal.SIGTERM)


def test_an_interrupt_ends_it_as_well(house: House, tmp_path: Path) -> None:
    with serving(tmp_path, "--catalog", one_model(house, house.upstream())) as served:
        served.signal(signal.SIGINT)
        assert served.process.wait(DEADLINE) in (0, 130, -signal.SIGINT)
        assert not listens(served.url)
        assert "Traceback" not in served.log


def group_lives(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


AGAIN = "the catalog was read again; nothing in it has changed"


def test_sighup_reads_the_files_anew_and_keeps_it_serving(house: House, tmp_path: Path) -> None:
    path = house.catalog(at(house.upstream()))
    with serving(tmp_path, "--catalog", str(path)) as served, client(served) as http:
        served.signal(signal.SIGHUP)
        until(lambda: AGAIN in served.log, "the reload")
        write(path, catalog_text([at(house.upstream(), "other")]))
        served.signal(signal.SIGHUP)
        until(lambda: http.get("/v1/models").json()["data"][0]["id"] == "other", "the other catalog")
        answer = http.post("/v1/chat/completions", json=asking(), headers=PUBLIC)
        assert (answer.status_code, answer.headers["x-aldo-model"]) == (200, "other")
        assert served.process.poll() is None


def test_several_workers_serve_and_sighup_reaches_each(house: House, tmp_path: Path) -> None:
    with serving(tmp_path, "--catalog", one_model(house, house.upstream()), "--workers", "2") as served:
        asked = 1

        def scraped() -> str:
            nonlocal asked
            asked += 1
            return httpx.get(f"{served.url}/metrics", trust_env=False, timeout=DEADLINE).text

        def count(text: str, begin: str) -> float:
            return sum(float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if line.startswith(begin))

        # Each counts its own: who has seen fewer than were made is one of two that have.
        first = scraped()
        until(lambda: count(scraped(), "aldo_requests_total{") < asked - 2, "an answer of the second worker")
        assert count(first, "aldo_reloads_total{") == 0
        served.signal(signal.SIGHUP)
        until(lambda: served.log.count(AGAIN) == 2, "the reload of both")
        answers = [
            httpx.post(f"{served.url}/v1/chat/completions", json=asking(), headers=PUBLIC, trust_env=False)
            for _ in range(8)
        ]
        assert [one.status_code for one in answers] == [200] * 8
        assert "Traceback" not in served.log
