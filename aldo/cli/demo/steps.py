"""The script: what is typed, what is said before it, and the exit code that it must have."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import click

from aldo.cli.demo.server import ALIAS
from aldo.cli.extras import check_extra, missing_of
from aldo.cli.terminal import fold
from aldo.errors import UsageError
from aldo.schema.printed import dumps

_QUESTION = "What is the capital of France? Answer in one sentence."
_READY_SECONDS = 60.0


@dataclass(frozen=True)
class Step:
    """One command. `ends` are the exit codes that it may have."""

    typed: str
    says: str = ""
    ends: tuple[int, ...] = (0,)


WITHOUT_A_MODEL = (
    Step("aldo lint models.yaml", "The catalog: every defect of every file, in one run."),
    Step("aldo lint broken.yaml", "A file with defects (exit code 1), and what can be mended in it:", (1,)),
    Step("aldo lint --diff --unsafe broken.yaml", ends=(1,)),
    Step("aldo models list --privacy sensitive", "Who may see a sensitive request:"),
    Step("aldo route --class local-reasoning --privacy sensitive --requires tool-use", "Which model, and why:"),
    Step("aldo route --class reasoning-large --privacy internal --tokens-in 150000 --explain"),
    Step("aldo route --class reasoning-large --privacy sensitive --why-not openai-gpt-6.1-sol"),
    Step(
        "aldo route --class coding-frontier --privacy sensitive --requires vision",
        "A refusal says what would help (exit code 1):",
        (1,),
    ),
    Step("aldo prove policy.yaml", "Statements about routing, decided for every possible request:"),
    Step("aldo prove"),
    Step("aldo test routes.test.yaml", "And examples:"),
    Step(
        "aldo catalog explain openai-gpt-6-luna.cost.usdPerMtokIn --overlay company.yaml --overlay mine.yaml",
        "Two layers over the catalog: who set a price, and which requests they move:",
    ),
    Step("aldo diff models.yaml models.yaml --head-overlay company.yaml"),
)

_CHAT = f"aldo chat --class local-reasoning --privacy sensitive --pin {ALIAS} --temperature 0"
WITH_A_MODEL = (
    Step(f"aldo models audit {ALIAS} --overlay found.yaml", "Is what the overlay claims true of the server?", (0, 1)),
    Step(
        f"{_CHAT} --overlay found.yaml --max-tokens 40 {shlex.quote(_QUESTION)}",
        "A sensitive request, routed, bound and streamed; its bytes reach this machine alone:",
    ),
    Step(
        f"{_CHAT} --overlay found.yaml --max-tokens 60 --schema city.schema.json 'Which is the capital of France?'",
        "An answer whose form is checked, whatever the server made of it:",
    ),
)
EVALUATION = Step(
    f"aldo eval run code-reviewer.yaml --model {ALIAS} --suite smoke.yaml --log smoke.jsonl --overlay found.yaml",
    "How good is it? Twelve easy questions, graded, with intervals:",
    (0, 1),
)


class Stage:
    """Where the steps are played: a folder, an environment, and what went wrong so far."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.environment: dict[str, str] = {
            name: value for name, value in os.environ.items() if name == "ALDO_TODAY" or not name.startswith("ALDO_")
        }
        self.unexpected: list[str] = []

    def say(self, text: str) -> None:
        """A remark between the steps."""
        click.echo(f"\n{fold(text, first='# ', rest='# ')}")

    def play(self, step: Step, into: str = "") -> None:
        """Show the command, run it, and keep in mind whether it ended as it should; `into` takes what it prints."""
        if step.says:
            self.say(step.says)
        self._show(f"{step.typed} > {into}" if into else step.typed)
        words = shlex.split(step.typed)
        output = (self._folder / into).open("wb") if into else None
        try:
            done = subprocess.run(
                self._command(words), cwd=self._folder, env=self.environment, stdout=output, check=False
            )
        finally:
            if output is not None:
                output.close()
        if into:
            click.echo((self._folder / into).read_text("utf-8"), nl=False)
        if done.returncode not in step.ends:
            self.unexpected.append(f"{step.typed}: exit code {done.returncode}")

    def serve(self) -> None:
        """The gateway, and a request of a client that knows nothing of aldo."""
        try:
            check_extra("serve")
        except UsageError as error:
            self.say(f"No gateway: {error}")
            return
        self.say("The same model behind the gateway, for any OpenAI client:")
        with self._gateway() as url:
            messages = [{"role": "user", "content": _QUESTION}]
            body = dumps({"model": "local-reasoning", "max_tokens": 40, "temperature": 0, "messages": messages})
            asked = ["curl", "-sSf", f"{url}/v1/chat/completions", "-H", "content-type: application/json",
                     "-H", "x-aldo-privacy: sensitive", "-d", body]  # fmt: skip
            self._show(shlex.join(asked))
            if shutil.which("curl") is None:
                self.say("curl is not here; any other client will do.")
                return
            if subprocess.run(asked, check=False, env=self.environment).returncode:
                self.unexpected.append("curl: the gateway gave no answer")
            click.echo()

    @contextmanager
    def _gateway(self) -> Iterator[str]:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        words = ["aldo", "serve", "--port", str(port), "--overlay", "found.yaml"]
        self._show(f"{shlex.join(words)} &")
        log = self._folder / "serve.log"
        with log.open("wb") as output:
            process = subprocess.Popen(self._command(words), cwd=self._folder, env=self.environment, stderr=output)
        try:
            until = time.monotonic() + _READY_SECONDS
            while process.poll() is None and time.monotonic() < until and not _listens(port):
                time.sleep(0.05)
            click.echo(log.read_text("utf-8", "replace"), nl=False)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait()

    def _command(self, words: Sequence[str]) -> list[str]:
        return [sys.executable, "-m", "aldo.cli.main", *words[1:]]

    def _show(self, typed: str) -> None:
        click.echo(f"\n{click.style(f'$ {typed}', bold=True)}")
        sys.stdout.flush()  # what the command prints comes after it, also in a pipe


def with_server(stage: Stage, url: str) -> None:
    """The part that talks to a model, whose server is at `url`."""
    stage.environment.update({"LLAMACPP_BASE_URL": url, "ALDO_LOCAL_DISCOVERY": "llamacpp"})
    stage.say("What runs on this machine, as an overlay to review:")
    stage.play(Step("aldo models discover"), into="found.yaml")
    for step in WITH_A_MODEL:
        stage.play(step)
    if missing_of("eval") is None:
        stage.play(EVALUATION)
    else:
        stage.say("No evaluation: pip install 'aldo-gateway[eval]' brings its statistics.")
    stage.serve()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
