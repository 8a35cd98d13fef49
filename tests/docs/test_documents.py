"""Every command and snippet of the documents runs and shows what it shows. CONTRIBUTING.md says how to mark them."""

from __future__ import annotations

import datetime
import http.client
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from aldo.catalog import load_agent, load_policy, load_route_tests
from aldo.validate import lint
from aldo.validate.settings import Settings, read_settings
from tests.support.cases import MODELS, ROOT
from tests.support.mlx_server import MlxServer

DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
FENCE = re.compile(r"^```(\w+)([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
RUN_BY_OTHERS = {
    "sh install": "tests/test_install.py",
    "sh make": "CI and tests/test_install.py",
    "yaml ci": "tests/test_pre_commit.py and tests/test_action.py",
    "sh ci": "tests/test_pre_commit.py and tests/test_action.py",
    "yaml routing": "tests/docs/test_routing_workflow.py",
    "diff": "tests/validate/test_rules.py",
    "sh release": "tests/packaging/test_release.py",
    "sh serve": "tests/api/test_serve_command.py",
    "dockerfile": "tests/docs/test_deployment.py",
    "ini": "tests/docs/test_deployment.py",
    "nginx": "tests/docs/test_deployment.py",
    "text": "test_python_snippets_run, as what the snippet before it prints",
    "python pytest": "tests/testing/test_route_assertions.py",
    "toml pytest": "tests/testing/test_route_assertions.py",
}


@dataclass(frozen=True)
class Snippet:
    place: str
    language: str
    words: tuple[str, ...]
    text: str

    @property
    def live(self) -> bool:
        return "live" in self.words

    @property
    def exit_code(self) -> int:
        return next((int(word[5:]) for word in self.words if word.startswith("exit=")), 0)


def _snippets() -> Iterator[Snippet]:
    for document in DOCUMENTS:
        text = document.read_text("utf-8")
        for match in FENCE.finditer(text):
            line = text.count("\n", 0, match.start()) + 1
            place = f"{document.relative_to(ROOT)}:{line}"
            yield Snippet(place, match[1], tuple(match[2].split()), match[3])


SNIPPETS = list(_snippets())


def _environment(live: bool, request: pytest.FixtureRequest) -> dict[str, str]:
    env = {name: value for name, value in os.environ.items() if not name.startswith("ALDO_")}
    env["ALDO_TODAY"] = "2026-11-22"  # prices in models.yaml grow old, what the documents show does not
    env["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{env['PATH']}"
    if live:
        env["MLX_BASE_URL"] = request.getfixturevalue("mlx").base_url
    return env


@pytest.fixture(scope="module")
def gateway_port(mlx: MlxServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The gateway as the documents start it, but on a port that is free."""
    log = tmp_path_factory.mktemp("gateway") / "log"
    environment = {**os.environ, "MLX_BASE_URL": mlx.base_url, "ALDO_TODAY": "2026-11-22"}
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "aldo.cli.main", "serve", "--port", "0"], cwd=ROOT, env=environment, stderr=out
        )
    try:
        deadline = time.monotonic() + 60
        while not (
            (said := re.search(r"http://127\.0\.0\.1:(\d+)/v1", log.read_text("utf-8"))) and _answers(int(said[1]))
        ):
            assert process.poll() is None and time.monotonic() < deadline, log.read_text("utf-8")
            time.sleep(0.05)
        yield int(said[1])
    finally:
        process.terminate()
        process.wait(30)


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def _here(snippet: Snippet, request: pytest.FixtureRequest) -> str:
    """The text of a snippet, with the port of the running gateway where the document has the usual one."""
    if "gateway" not in snippet.words:
        return snippet.text
    return snippet.text.replace("2536", str(request.getfixturevalue("gateway_port")))


def _linked(folder: Path) -> Path:
    """A folder with what the documents speak of, for commands that write beside it."""
    for name in ("agency", "examples", "models.yaml", "suites"):
        (folder / name).symlink_to(ROOT / name)
    return folder


def _of(language: str) -> pytest.MarkDecorator:
    chosen = [snippet for snippet in SNIPPETS if snippet.language == language and "pytest" not in snippet.words]
    return pytest.mark.parametrize("snippet", chosen, ids=lambda snippet: snippet.place)


@_of("console")
def test_commands_print_what_the_document_shows(
    snippet: Snippet, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    assert snippet.text.startswith("$ ")
    folder, environment = ROOT, _environment(snippet.live, request)
    if "tiers" in snippet.words:
        folder = _linked(tmp_path)
        environment["ALDO_OVERLAYS"] = str(request.getfixturevalue("mlx_tiers"))
    for part in re.split(r"^\$ ", _here(snippet, request), flags=re.MULTILINE)[1:]:
        command, _, shown = part.partition("\n")
        while command.endswith("\\"):
            line, _, shown = shown.partition("\n")
            command += f"\n{line}"
        done = subprocess.run(
            ["bash", "-o", "pipefail", "-c", command], cwd=folder, env=environment,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120, check=False,
        )  # fmt: skip
        assert done.returncode == snippet.exit_code, done.stdout
        pattern = re.escape(shown.rstrip("\n")).replace(r"\.\.\.", "(?s:.*)")
        assert re.fullmatch(pattern, done.stdout.rstrip("\n")), done.stdout


@_of("python")
def test_python_snippets_run(snippet: Snippet, request: pytest.FixtureRequest) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _here(snippet, request)], cwd=ROOT, env=_environment(snippet.live, request),
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout
    following = SNIPPETS[SNIPPETS.index(snippet) + 1 :][:1]
    if following and following[0].language == "text":
        assert done.stdout == following[0].text


def test_python_snippets_pass_a_readers_type_checker(tmp_path: Path) -> None:
    """One that knows nothing of pydantic: what the documents show is what a strict program may write."""
    for number, snippet in enumerate(SNIPPETS):
        if snippet.language == "python" and "pytest" not in snippet.words and "pyarrow" not in snippet.text:
            (tmp_path / f"snippet_{number}.py").write_text(f"# {snippet.place}\n{snippet.text}", "utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--config-file=", "--strict", "."],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout


_LOADERS = {"agent": load_agent, "policy": load_policy, "routes": load_route_tests}


@_of("yaml")
def test_yaml_snippets_are_agents_policies_overlays_or_catalogs_without_errors(
    snippet: Snippet, tmp_path: Path
) -> None:
    if " ".join((snippet.language, *snippet.words)) in RUN_BY_OTHERS:
        pytest.skip("run by others")
    file = tmp_path / "snippet.yaml"
    file.write_text(snippet.text, "utf-8")
    if snippet.words and snippet.words[0] in _LOADERS:
        _LOADERS[snippet.words[0]](file)
    elif snippet.words == ("suite",):
        (tmp_path / "cases.jsonl").write_text('{"input": "Say hello.", "ground_truth": "hello"}\n')
        assert lint([file]).findings == ()
    elif snippet.words == ("overlay",):
        report = lint([MODELS], overlays=[file], today=datetime.date(2026, 11, 22))
        assert {finding.severity for finding in report.findings} <= {"warning", "info"}, report.findings
    else:
        assert snippet.words == ("catalog",)
        report = lint([file], today=datetime.date(2026, 11, 22))
        assert {finding.severity for finding in report.findings} <= {"info"}, report.findings


@_of("toml")
def test_toml_snippets_are_settings(snippet: Snippet, tmp_path: Path) -> None:
    file = tmp_path / "pyproject.toml"
    file.write_text(snippet.text, "utf-8")
    assert read_settings(file) != Settings()


@_of("json")
def test_json_snippets_parse(snippet: Snippet) -> None:
    json.loads(snippet.text)


def test_every_snippet_is_run_somewhere() -> None:
    for snippet in SNIPPETS:
        marked = " ".join((snippet.language, *snippet.words))
        assert snippet.language in {"console", "python", "yaml", "json", "toml"} or marked in RUN_BY_OTHERS, (
            snippet.place
        )


def test_links_between_documents_lead_somewhere() -> None:
    for document in DOCUMENTS:
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", document.read_text("utf-8")):
            assert (document.parent / target).exists(), f"{document.name}: {target}"
