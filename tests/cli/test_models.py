"""`aldo models list --live`, `discover` and `audit` as a user runs them, against servers on the loopback."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest
import yaml

from tests.support.bound import entry
from tests.support.cases import MODELS
from tests.support.cli import aldo
from tests.support.fake_runtimes import FakeLmStudio, FakeOllama, LmStudioModel, OllamaModel
from tests.support.fake_server import FakeServer, Seen
from tests.support.fake_server import http as raw_http

NOWHERE = "http://127.0.0.1:9"
ALL_DOWN = {
    "OLLAMA_BASE_URL": NOWHERE,
    "LM_STUDIO_BASE_URL": NOWHERE,
    "VLLM_BASE_URL": NOWHERE,
    "LLAMACPP_BASE_URL": NOWHERE,
    "MLX_BASE_URL": NOWHERE,
}
UNSET = dict.fromkeys(ALL_DOWN, "")
"""An empty variable is none: what runs on the machine of the tests stays out of them."""


@pytest.fixture(scope="module")
def ollama() -> Iterator[FakeOllama]:
    models = [
        OllamaModel("qwen3:4b", served=32768, capabilities=("completion", "tools", "thinking")),
        OllamaModel("nomic-embed-text", "nomic-bert", context=2048, served=2048, capabilities=("embedding",)),
    ]
    with FakeOllama(models) as server:
        yield server


@pytest.fixture(scope="module")
def studio() -> Iterator[FakeLmStudio]:
    with FakeLmStudio([LmStudioModel("google/gemma-3-4b")]) as server:
        yield server


def local(model: str, url: str, wire: str, **more: Any) -> dict[str, Any]:
    return entry(config={"baseUrl": url, "model": wire}, id=model, **({"provider": "ollama"} | more))


def cloud(model: str, url: str = "https://api.example.com", **more: Any) -> dict[str, Any]:
    config = {"baseUrl": url, "apiKeyEnv": "ACME_KEY"}
    paid = {"usdPerMtokIn": 1, "usdPerMtokOut": 2}
    return entry(config=config, id=model, locality="cloud", privacyAllowed=["public"], cost=paid, **more)


def catalog(directory: Path, *models: Mapping[str, Any], **more: Any) -> str:
    path = directory / "models.yaml"
    path.write_text(
        json.dumps({"apiVersion": "aldo/models.v1", "kind": "ModelCatalog", "models": list(models), **more}),
        encoding="utf-8",
    )
    return str(path)


def run(*arguments: str, **more: Any) -> CompletedProcess[str]:
    done = aldo("models", *arguments, **(UNSET | more))
    assert "Traceback" not in done.stderr
    return done


def words(text: str) -> str:
    """A text without the places where it was folded."""
    return " ".join(text.split())


def error_of(done: CompletedProcess[str]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(done.stdout)["error"]
    return found


# list --live


def test_the_live_list_says_what_can_be_used_and_why(tmp_path: Path, ollama: FakeOllama) -> None:
    file = catalog(
        tmp_path,
        local("here", ollama.base_url, "qwen3:4b"),
        local("absent", ollama.base_url, "qwen3:8b"),
        local("nobody", NOWHERE, "qwen3:4b"),
        local("vectors", ollama.base_url, "nomic-embed-text", capabilityClass="embeddings", provides=["embeddings"]),
        local("elsewhere", "http://192.0.2.1:1", "m", provider="vllm"),
        cloud("cloud-one"),
    )
    done = run("list", "--live", "--catalog", file, ACME_KEY="zebra")
    assert (done.returncode, done.stderr) == (0, "")
    rows = {line.split()[0]: line for line in done.stdout.splitlines()}
    expected = {
        "here": "yes: up",
        "absent": "no: it does not have qwen3:8b",
        "nobody": "no: nothing listens there",
        "vectors": "yes: up",
        "cloud-one": "yes: ACME_KEY is set",
    }
    for model, state in expected.items():
        assert rows[model].endswith(f"  {state}")
    assert "  no: " in rows["elsewhere"]
    assert "zebra" not in done.stdout
    plain = run("list", "--catalog", file)
    assert "yes" not in plain.stdout + plain.stderr
    for line in plain.stdout.splitlines():
        assert line in done.stdout, "--live only adds to a line"


def test_the_live_list_as_json(tmp_path: Path, ollama: FakeOllama) -> None:
    file = catalog(
        tmp_path, local("here", ollama.base_url, "qwen3:4b"), cloud("cloud-one", capabilityClass="fast-draft")
    )
    done = run("list", "--live", "--json", "--catalog", file, ACME_KEY=" ")
    told = json.loads(done.stdout)
    assert set(told) == {"version", "catalogDigest", "models"}
    found = {row["id"]: row["availability"] for row in told["models"]}
    assert found == {
        "here": {"available": True, "live": True, "url": f"{ollama.base_url}/v1", "detail": "up"},
        "cloud-one": {"available": False, "live": None, "url": None, "detail": "ACME_KEY is not set"},
    }
    only = json.loads(run("list", "--live", "--json", "--class", "fast-draft", "--catalog", file).stdout)
    assert [row["id"] for row in only["models"]] == ["cloud-one"]
    without = json.loads(run("list", "--json", "--catalog", file).stdout)
    assert not any("availability" in row for row in without["models"])


def test_the_live_list_obeys_the_environment_and_the_guard(tmp_path: Path, ollama: FakeOllama) -> None:
    file = catalog(tmp_path, local("moved", NOWHERE, "qwen3:4b"))
    found = run("list", "--live", "--json", "--catalog", file, OLLAMA_BASE_URL=ollama.base_url)
    assert json.loads(found.stdout)["models"][0]["availability"]["live"] is True
    away = run("list", "--live", "--json", "--catalog", file, OLLAMA_BASE_URL="http://192.0.2.1:11434")
    state = json.loads(away.stdout)["models"][0]["availability"]
    assert (away.returncode, state["live"]) == (0, False)
    assert "192.0.2.1" in state["detail"]
    assert "OLLAMA_BASE_URL is set" in state["detail"]


# discover


def test_discover_prints_an_overlay_and_nothing_else(tmp_path: Path, ollama: FakeOllama, studio: FakeLmStudio) -> None:
    other = catalog(tmp_path, boasting(NOWHERE))
    environ = ALL_DOWN | {"OLLAMA_BASE_URL": ollama.base_url, "LM_STUDIO_BASE_URL": studio.base_url}
    done = run("discover", "--catalog", other, **environ)
    assert done.returncode == 0
    told = yaml.safe_load(done.stdout)
    assert (told["apiVersion"], told["kind"]) == ("aldo/models.v1", "ModelCatalogOverlay")
    assert [one["id"] for one in told["add"]] == ["qwen3-4b", "nomic-embed-text", "gemma-3-4b"]
    lines = done.stderr.splitlines()
    assert [line.split()[0] for line in lines] == ["ollama", "lmstudio", "vllm", "llamacpp", "mlx", "3"]
    assert [line.endswith("nothing listens there") for line in lines[2:5]] == [True] * 3
    assert "2 models" in lines[0]
    assert lines[1].endswith("1 model")

    # The two lines of the help text.
    found = tmp_path / "found.yaml"
    found.write_text(done.stdout, encoding="utf-8")
    checked = aldo("lint", other, "--overlay", str(found), "--strict", "--format", "json", **UNSET)
    assert checked.returncode == 0, checked.stdout
    route = (
        "route",
        "--class",
        "embeddings",
        "--privacy",
        "sensitive",
        "--pin",
        "nomic-embed-text",
        "--max-tokens",
        "1",
    )
    assert aldo(*route, "--catalog", other, "--overlay", str(found)).returncode == 0
    # Once it is laid over the catalog, nothing is new.
    again = run("discover", "--catalog", other, "--overlay", str(found), **environ)
    assert again.returncode == 0
    assert "add" not in (yaml.safe_load(again.stdout) or {})
    assert again.stderr.endswith("in the catalog already: qwen3-4b, nomic-embed-text, gemma-3-4b\n0 new\n")


def test_discover_as_json(tmp_path: Path, ollama: FakeOllama) -> None:
    other = catalog(tmp_path, boasting(NOWHERE))
    environ = {"OLLAMA_BASE_URL": ollama.base_url, "MLX_BASE_URL": NOWHERE, "ALDO_LOCAL_DISCOVERY": "MLX, ollama"}
    done = run("discover", "--json", "--catalog", other, **environ)
    assert (done.returncode, done.stderr) == (0, "")
    told = json.loads(done.stdout)
    assert list(told) == ["version", "runtimes", "entries", "known", "overlay"]
    assert told["runtimes"] == [
        {"runtime": "ollama", "url": ollama.base_url, "state": "up", "detail": "up",
         "models": ["qwen3:4b", "nomic-embed-text:latest"]},
        {"runtime": "mlx", "url": NOWHERE, "state": "down", "detail": "nothing listens there", "models": []},
    ]  # fmt: skip
    assert yaml.safe_load(told["overlay"])["add"] == told["entries"]
    assert told["known"] == []


def test_discover_writes_a_new_file_and_no_other(tmp_path: Path, ollama: FakeOllama) -> None:
    other = catalog(tmp_path, boasting(NOWHERE))
    environ = {"OLLAMA_BASE_URL": ollama.base_url, "ALDO_LOCAL_DISCOVERY": "ollama"}
    target = tmp_path / "found.yaml"
    done = run("discover", "--catalog", other, "-o", str(target), **environ)
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr.endswith(f"2 new in {target}\n")
    assert [one["id"] for one in yaml.safe_load(target.read_text("utf-8"))["add"]] == ["qwen3-4b", "nomic-embed-text"]
    target.write_text("mine", encoding="utf-8")
    again = run("discover", "--catalog", other, "--json", "-o", str(target), **environ)
    assert again.returncode == 2
    assert error_of(again)["code"] == "usage"
    assert str(target) in error_of(again)["message"]
    assert target.read_text("utf-8") == "mine"
    nowhere = run("discover", "--catalog", other, "-o", str(tmp_path / "no" / "found.yaml"), **environ)
    assert (nowhere.returncode, nowhere.stdout) == (2, "")
    assert words(nowhere.stderr).startswith("error: ")


def test_discover_leaves_out_what_the_catalog_sends_its_servers_already(
    ollama: FakeOllama, studio: FakeLmStudio
) -> None:
    """By runtime and name on the wire, whatever the entries are called."""
    environ = ALL_DOWN | {"OLLAMA_BASE_URL": ollama.base_url, "LM_STUDIO_BASE_URL": studio.base_url}
    told = json.loads(run("discover", "--json", "--catalog", str(MODELS), **environ).stdout)
    assert {"ollama-qwen3-4b", "ollama-nomic-embed-text"} <= set(told["known"])
    assert not {"qwen3-4b", "nomic-embed-text"} & {entry["id"] for entry in told["entries"]}


def test_discover_asks_nobody_or_only_whom_it_knows() -> None:
    none = run("discover", "--catalog", str(MODELS), ALDO_LOCAL_DISCOVERY="none", **ALL_DOWN)
    assert none.returncode == 0
    assert "add" not in (yaml.safe_load(none.stdout) or {})
    assert none.stderr == "ALDO_LOCAL_DISCOVERY=none: nothing was asked\n0 new\n"
    typo = run("discover", "--catalog", str(MODELS), ALDO_LOCAL_DISCOVERY="olama", **ALL_DOWN)
    assert (typo.returncode, typo.stdout) == (2, "")
    assert "did you mean 'ollama'?" in words(typo.stderr)
    url = run("discover", "--json", "--catalog", str(MODELS), **(ALL_DOWN | {"MLX_BASE_URL": "localhost"}))
    assert url.returncode == 2
    assert "MLX_BASE_URL" in error_of(url)["message"]


@pytest.mark.parametrize(
    "environ", [ALL_DOWN, ALL_DOWN | {"ALDO_LOCAL_DISCOVERY": "none"}], ids=["nothing runs", "nothing is asked"]
)
def test_the_two_lines_of_the_help_text_work_where_nothing_is_found(tmp_path: Path, environ: dict[str, str]) -> None:
    done = run("discover", "--catalog", str(MODELS), **environ)
    assert done.returncode == 0
    found = tmp_path / "found.yaml"
    found.write_text(done.stdout, encoding="utf-8")
    assert aldo("lint", str(MODELS), "--overlay", str(found), **UNSET).returncode == 0


def test_what_a_server_calls_its_models_does_not_steer_the_terminal(tmp_path: Path) -> None:
    name = "\x1b[31mred\x07\r\u202e/\x1b]0;title\x07m"
    row = {"id": name, "owned_by": "vllm", "max_model_len": 4096}

    def vllm(seen: Seen) -> bytes:
        known = {"/v1/models": {"data": [row]}, "/health": {}}.get(seen.target)
        return raw_http("Not Found", "404 Not Found") if known is None else raw_http(json.dumps(known))

    with FakeServer([vllm]) as server:
        environ = {"VLLM_BASE_URL": server.url, "ALDO_LOCAL_DISCOVERY": "vllm"}
        done = run("discover", "--catalog", str(MODELS), **environ)
        file = catalog(tmp_path, local("it", server.url, name, provider="vllm"))
        listed = run("list", "--live", "--catalog", file)
    assert yaml.safe_load(done.stdout)["add"][0]["providerConfig"]["model"] == name
    assert "yes: up" in listed.stdout
    for text in (done.stdout, done.stderr, listed.stdout, listed.stderr):
        assert not {"\x1b", "\x07", "\r", "\u202e"} & set(text)


# audit


@pytest.fixture(scope="module")
def server() -> Iterator[FakeOllama]:
    models = [
        OllamaModel("able", served=4096, capabilities=("completion", "tools", "thinking")),
        OllamaModel("bare", served=4096, capabilities=("completion",)),
    ]
    with FakeOllama(models) as found:
        yield found


def honest(url: str) -> dict[str, Any]:
    return local("honest", url, "able", provides=["streaming", "tool-use"], effectiveContextTokens=4096)


def boasting(url: str) -> dict[str, Any]:
    return local("boasting", url, "bare", provides=["streaming", "tool-use", "long-output"])


def test_audit_tells_what_is_true(tmp_path: Path, server: FakeOllama) -> None:
    file = catalog(tmp_path, honest(server.base_url))
    done = run("audit", "--catalog", file)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0] == f"honest  {server.base_url}/v1"
    assert [line.split()[:2] for line in lines[1:4]] == [
        ["confirmed", "context"],
        ["confirmed", "streaming"],
        ["confirmed", "tool-use"],
    ]
    assert lines[-1] == "3 confirmed, 0 refuted, 0 unclear; 0 of 1 entries could not be reached"
    only = run("audit", "--catalog", file, "--overlay-only")
    assert (only.returncode, only.stdout) == (0, "")
    target = tmp_path / "corrections.yaml"
    assert run("audit", "--catalog", file, "-o", str(target)).returncode == 0
    assert not target.exists()


def test_audit_tells_what_is_not_true_and_corrects_it(tmp_path: Path, server: FakeOllama) -> None:
    file = catalog(tmp_path, honest(server.base_url), boasting(server.base_url))
    target = tmp_path / "corrections.yaml"
    done = run("audit", "--catalog", file, "-o", str(target))
    assert (done.returncode, done.stderr) == (1, "")
    assert "4 confirmed, 2 refuted, 1 unclear; 0 of 2 entries could not be reached" in done.stdout
    assert done.stdout.endswith(f"The corrections are in {target}\n")
    assert "does not support tools" in words(done.stdout)
    only = run("audit", "boasting", "--catalog", file, "--overlay-only")
    assert only.returncode == 1
    assert only.stdout == target.read_text("utf-8")
    assert yaml.safe_load(only.stdout)["override"] == {
        "boasting": {"provides": {"$remove": ["tool-use"]}, "servedContextTokens": 4096}
    }
    assert aldo("lint", file, "--overlay", str(target), "--strict", **UNSET).returncode == 0
    corrected = run("audit", "--catalog", file, ALDO_OVERLAYS=str(target))
    assert corrected.returncode == 0, corrected.stdout


def test_audit_as_json(tmp_path: Path, server: FakeOllama) -> None:
    file = catalog(tmp_path, boasting(server.base_url), local("gone", NOWHERE, "m"))
    done = run("audit", "--json", "--catalog", file)
    assert (done.returncode, done.stderr) == (1, "")
    told = json.loads(done.stdout)
    assert list(told) == ["version", "entries", "overlay"]
    found, gone = told["entries"]
    assert (found["id"], found["url"], found["unreachable"]) == ("boasting", f"{server.base_url}/v1", None)
    assert {row["claim"]: row["verdict"] for row in found["claims"]} == {
        "context": "refuted", "streaming": "confirmed", "tool-use": "refuted", "long-output": "unclear",
    }  # fmt: skip
    assert all(row["evidence"] for row in found["claims"])
    assert gone == {"id": "gone", "url": f"{NOWHERE}/v1", "unreachable": "nothing listens there", "claims": []}
    assert list(yaml.safe_load(told["overlay"])["override"]) == ["boasting"]


def test_a_server_that_is_away_counts_where_it_was_named_or_all_are(tmp_path: Path, server: FakeOllama) -> None:
    file = catalog(tmp_path, honest(server.base_url), local("gone", NOWHERE, "m"), local("gone-too", NOWHERE, "n"))
    some = run("audit", "--catalog", file)
    assert some.returncode == 0
    assert f"{NOWHERE}/v1: nothing listens there: gone, gone-too" in words(some.stdout)
    assert "2 of 3 entries could not be reached" in some.stdout
    named = run("audit", "honest", "gone", "--catalog", file, "--json")
    assert named.returncode == 3
    assert json.loads(named.stdout)["overlay"] is None
    every = catalog(tmp_path, local("gone", NOWHERE, "m"))
    assert run("audit", "--catalog", every).returncode == 3


def test_audit_of_what_is_not_there_or_not_asked(tmp_path: Path, server: FakeOllama) -> None:
    file = catalog(tmp_path, honest(server.base_url))
    typo = run("audit", "honst", "--catalog", file)
    assert (typo.returncode, typo.stdout) == (2, "")
    assert "did you mean 'honest'?" in words(typo.stderr)
    as_json = run("audit", "honest", "honst", "--json", "--catalog", file)
    assert (as_json.returncode, error_of(as_json)["code"]) == (2, "unknown_model")
    assert error_of(as_json)["suggestions"] == ["honest"]
    off = catalog(tmp_path, cloud("far"), honest(server.base_url) | {"enabled": False})
    nothing = run("audit", "--catalog", off)
    assert (nothing.returncode, nothing.stdout) == (2, "")
    assert "name an entry" in words(nothing.stderr)
    assert run("audit", "--timeout", "0", "--catalog", file).returncode == 2


def test_audit_asks_in_the_cloud_only_whom_it_was_told_to(tmp_path: Path, server: FakeOllama) -> None:
    answer = {"choices": [{"message": {"content": "The sea is wide."}, "finish_reason": "stop"}], "usage": None}
    with FakeServer([raw_http(json.dumps(answer))]) as far:
        file = catalog(tmp_path, honest(server.base_url), cloud("far", far.url, provides=["long-output"]))
        run("audit", "--catalog", file, ACME_KEY="zebra")
        assert far.connections == 0
        done = run("audit", "far", "--catalog", file, ACME_KEY="zebra")
        assert done.returncode == 0, done.stdout
        assert {seen.headers["authorization"] for seen in far.seen} == {"Bearer zebra"}
    assert "zebra" not in done.stdout + done.stderr


def test_audit_writes_over_no_file(tmp_path: Path, server: FakeOllama) -> None:
    target = tmp_path / "mine.yaml"
    target.write_text("mine", encoding="utf-8")
    done = run("audit", "--catalog", catalog(tmp_path, boasting(server.base_url)), "-o", str(target))
    assert done.returncode == 2
    assert f"{target} exists already" in words(done.stderr)
    assert target.read_text("utf-8") == "mine"


def test_audit_looks_for_its_file_before_it_asks(tmp_path: Path) -> None:
    target = tmp_path / "mine.yaml"
    target.write_text("mine", encoding="utf-8")
    with FakeOllama([OllamaModel("bare", served=4096)]) as asked:
        done = run("audit", "--catalog", catalog(tmp_path, boasting(asked.base_url)), "-o", str(target))
        assert done.returncode == 2
        assert asked.bodies("/v1/chat/completions") == []


def test_the_group_says_what_it_has() -> None:
    done = run("--help")
    assert done.returncode == 0
    for name in ("list", "discover", "audit"):
        assert f"\n  {name} " in done.stdout
