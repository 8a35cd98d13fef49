"""What a user meets when something is wrong: the message says what, where and what to do."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import aldo as library
from aldo.validate import lint
from tests.support.cases import MODELS, ROOT
from tests.support.cli import aldo

CHAT = ("chat", "--class", "local-reasoning", "--privacy", "sensitive")


def test_a_wrong_kind_or_version_does_not_hide_the_defects_of_the_entries() -> None:
    text = "apiVersion: aldo/models.v2\nkind: ModelCatalogue\nmodels:\n  - id: a\n    localty: local\n"
    report = json.loads(aldo("lint", "--json", "-", stdin=text).stdout)
    codes = [finding["code"] for finding in report["findings"]]
    assert codes.count("AL109") == 2
    assert "AL103" in codes
    assert "did you mean 'ModelCatalog'?" in [finding["hint"] for finding in report["findings"]]


def test_lint_takes_one_path_as_well_as_several() -> None:
    assert lint(str(MODELS)).findings == lint(MODELS).findings == lint([MODELS, str(MODELS)]).findings == ()
    assert len(lint([MODELS, str(MODELS)]).files) == 1


@pytest.mark.parametrize("network", ["10.0.0.0/33", "10.0.0", "a b", "300.1.1.1", "fe80::/200", "http://x"])
def test_a_broken_local_network_is_an_error_and_never_a_host_name(network: str) -> None:
    text = MODELS.read_text("utf-8") + f'\nrouting: {{ localNetworks: ["{network}"] }}\n'
    report = json.loads(aldo("lint", "--json", "-", stdin=text).stdout)
    assert [finding["pointer"] for finding in report["findings"]] == ["/routing/localNetworks/0"]


def test_a_wrong_locality_is_told_once_with_a_suggestion() -> None:
    done = aldo("route", "--class", "fast-draft", "--privacy", "public", "--locality", "onprem", cwd=ROOT)
    assert done.returncode == 2
    assert "; " not in done.stderr
    assert "did you mean 'on-prem'?" in " ".join(done.stderr.split())
    assert "tuple" not in done.stderr


def test_a_refusal_of_a_pin_says_where_the_pinned_model_fell() -> None:
    done = aldo(
        "route", "--class", "reasoning-large", "--privacy", "sensitive", "--pin", "openai-gpt-6.1-sol", cwd=ROOT
    )
    assert "the pinned openai-gpt-6.1-sol is dropped at PRIVACY_TIER" in " ".join(done.stderr.split())


def test_an_embedding_model_is_no_advice_for_a_chat_and_does_not_chat() -> None:
    done = aldo("route", "--class", "reasoning-large", "--privacy", "public", "--locality", "cloud",
                "--budget-usd", "0.0001", "--json", cwd=ROOT)  # fmt: skip
    relaxations = json.loads(done.stdout)["error"]["relaxations"]
    assert relaxations
    assert not [r for r in relaxations if "embed" in r["model"]]
    done = aldo("chat", "--class", "embeddings", "--privacy", "sensitive", "hello", cwd=ROOT)
    assert (done.returncode, "does not chat" in done.stderr) == (2, True)


def test_requests_with_other_request_options_is_bad_usage() -> None:
    done = aldo("route", "--requests", "-", "--class", "fast-draft", stdin="", cwd=ROOT)
    assert done.returncode == 2
    assert "--requests" in done.stdout


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_told_without_a_traceback() -> None:
    command = f"{sys.executable} -m aldo.cli.main route --class fast-draft --privacy public > /dev/full"
    done = subprocess.run(["sh", "-c", command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr == "error: the output cannot be written: No space left on device\n"


def test_a_server_that_is_not_there_is_told_with_the_entry_and_nothing_on_stdout() -> None:
    done = aldo(*CHAT, "hello", cwd=ROOT, MLX_BASE_URL="http://127.0.0.1:9")
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.startswith("error: mlx-qwen2.5-7b-instruct-4bit: no connection to")
    assert "MLX_BASE_URL" in done.stderr


def test_a_base_url_that_is_none_says_who_wrote_it() -> None:
    done = aldo(*CHAT, "hello", cwd=ROOT, MLX_BASE_URL="localhost:8081")
    assert (done.returncode, "MLX_BASE_URL: 'localhost:8081'" in " ".join(done.stderr.split())) == (2, True)


def test_a_cloud_entry_without_its_key_fails_before_anything_is_sent() -> None:
    catalog = library.load_catalog(MODELS)
    request = library.RouteRequest(capability_class="reasoning-large", privacy="public", pin="deepseek-v4-pro")
    chat = library.ChatRequest(messages=({"role": "user", "content": "hello"},))
    with (
        library.resolve(catalog, library.route(catalog, request), environ={}) as client,
        pytest.raises(library.TransportError, match="DEEPSEEK_API_KEY") as caught,
    ):
        client.chat(chat)
    assert caught.value.code == "unauthorized"


@pytest.mark.parametrize("messages", ["hi", {"role": "user"}, ["hi"]])
def test_messages_that_are_none_are_refused_when_the_request_is_made(messages: object) -> None:
    with pytest.raises(library.UsageError, match="messages is a list"):
        library.ChatRequest(messages=messages)  # type: ignore[arg-type]


@pytest.mark.parametrize(("arguments", "said"), [(("--max-tokens", "0", "hello"), "--max-tokens"), (("",), "empty")])
def test_a_chat_that_could_say_nothing_is_bad_usage(arguments: tuple[str, ...], said: str) -> None:
    done = aldo(*CHAT, *arguments, cwd=ROOT)
    assert (done.returncode, said in done.stderr) == (2, True)
