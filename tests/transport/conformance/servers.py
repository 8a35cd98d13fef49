"""The servers under test: how each is had, what its models are called, and what it can be made to do."""

from __future__ import annotations

import importlib.metadata
import os
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import cached_property
from itertools import repeat
from pathlib import Path
from typing import Any, ClassVar, Self

import httpx

from aldo.transport import ChatRequest, json_schema_format
from tests.support.fake_runtimes import (
    LM_STUDIO_MODELS,
    Answer,
    Asked,
    FakeLmStudio,
    FakeOllama,
    LmStudioQuirks,
    OllamaQuirks,
)
from tests.support.llamacpp_server import LlamaCppServer, smollm2
from tests.support.mlx_server import MlxServer
from tests.support.server_process import POLL_SECONDS, ServerProcess
from tests.support.vllm_server import SERVED, VllmServer, vllm_installed
from tests.transport.conformance.clients import Target
from tests.transport.conformance.scripted_model import CONTEXT, UNICODE, write_gguf, write_transformers

WAIT_SECONDS = 10.0
FILLER, FILLERS = b": " + b"x" * 4094 + b"\n\n", 5000  # more than the buffers of a connection take
LONGER = "hello " * (4 * CONTEXT)

Kill = Callable[[], None]


class Subject:
    """One server, started when it is entered. A column of the table."""

    name: ClassVar[str]
    title: ClassVar[str]
    played: ClassVar[bool] = False
    """Whether it is a server of ours that behaves as the named one is known to."""
    long_prompt = LONGER

    def __init__(self) -> None:
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        self._stack.__enter__()
        return self

    def __exit__(self, *reason: Any) -> None:
        self._stack.__exit__(*reason)

    @cached_property
    def work(self) -> Path:
        """A folder that lives as long as the server."""
        return Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="conformance-")))

    def version(self) -> str:
        """What was run, for a reader."""
        raise NotImplementedError

    chat: Target
    """A model to chat with."""
    script: Target
    """A model that does what its prompt calls for."""
    embeddings: Target
    """A model that embeds, where there is one."""
    no_embeddings: Target
    """A model that does not."""

    @property
    def thinking(self) -> Target:
        """A model that reasons aloud."""
        return self.script

    @property
    def beyond_ascii(self) -> ChatRequest:
        """A chat whose answer, or what was parsed of it, is `UNICODE`."""
        return ChatRequest(messages=({"role": "user", "content": "Say it beyond ASCII: Grüße"},), max_tokens=24)

    fake: FakeOllama | FakeLmStudio | None = None

    @contextmanager
    def mortal(self) -> Iterator[tuple[Target, Kill]]:
        """A server to kill in the middle of an answer."""
        raise NotImplementedError

    @contextmanager
    def loading(self) -> Iterator[Target | None]:
        """A server that is not done with loading its model; None where none says that it is loading."""
        yield None


class Mlx(Subject):
    name = "mlx"
    title = "mlx_lm.server"
    long_prompt = "hello " * (CONTEXT // 3)  # nothing refuses it, so it is read whole

    def version(self) -> str:
        return f"mlx-lm {importlib.metadata.version('mlx-lm')}"

    @cached_property
    def model(self) -> Path:
        return write_transformers(self.work / "scripted")

    @staticmethod
    def target(server: ServerProcess) -> Target:
        return Target(server.base_url, provider="mlx", kind="mlx")

    @cached_property
    def chat(self) -> Target:
        return self.target(self._stack.enter_context(MlxServer(self.model)))

    script = embeddings = no_embeddings = property(lambda self: self.chat)

    @contextmanager
    def mortal(self) -> Iterator[tuple[Target, Kill]]:
        server = MlxServer(self.model)
        with server:
            yield self.target(server), server.kill


class _Loading(LlamaCppServer):
    """One whose model file is a pipe that nobody writes to. `start` returns when the server says that it loads."""

    def __init__(self, pipe: Path) -> None:
        super().__init__(smollm2(), context=512, extra={"model.path": str(pipe)})

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + self._ready_seconds
        while self._health() != 503:
            if not self.running or time.monotonic() >= deadline:
                raise self._failure("did not begin to load")
            time.sleep(POLL_SECONDS)


# Its threads wait for each other by spinning, which is slow where other tests want the processors too.
ONE_THREAD = {"cpuparams.n_threads": 1, "cpuparams_batch.n_threads": 1}


class LlamaCpp(Subject):
    name = "llamacpp"
    title = "llama.cpp"

    def version(self) -> str:
        return f"llama.cpp as in xllamacpp {importlib.metadata.version('xllamacpp')}"

    @staticmethod
    def target(server: ServerProcess) -> Target:
        return Target(server.base_url, "any", "llamacpp")

    @cached_property
    def chat(self) -> Target:
        server = LlamaCppServer(smollm2(), context=CONTEXT, embeddings=True, extra=ONE_THREAD)
        return self.target(self._stack.enter_context(server))

    @cached_property
    def script(self) -> Target:
        server = LlamaCppServer(write_gguf(self.work / "scripted.gguf"), context=CONTEXT, extra=ONE_THREAD)
        return self.target(self._stack.enter_context(server))

    embeddings = property(lambda self: self.chat)
    no_embeddings = property(lambda self: self.script)

    @contextmanager
    def mortal(self) -> Iterator[tuple[Target, Kill]]:
        server = LlamaCppServer(smollm2(), context=CONTEXT, extra=ONE_THREAD)
        with server:
            yield self.target(server), server.kill

    @contextmanager
    def loading(self) -> Iterator[Target | None]:
        with tempfile.TemporaryDirectory() as folder:
            pipe = Path(folder) / "model.gguf"
            os.mkfifo(pipe)
            with _Loading(pipe) as server:
                yield self.target(server)
                server.kill()


class Vllm(Subject):
    name = "vllm"
    title = "vLLM"
    thinking_extra: ClassVar[dict[str, Any]] = {"chatTemplateKwargs": {"thinking": True}}

    def version(self) -> str:
        answer = httpx.get(f"{self.chat.base_url}/version", trust_env=False)
        return f"vLLM {answer.json()['version']} on a CPU"

    @cached_property
    def model(self) -> Path:
        return write_transformers(self.work / "scripted")

    def server(self, *arguments: str) -> VllmServer:
        return VllmServer(self.model, context=CONTEXT, extra_args=arguments)

    @staticmethod
    def target(server: ServerProcess) -> Target:
        return Target(server.base_url, SERVED, "vllm")

    @cached_property
    def chat(self) -> Target:
        # This parser takes thoughts apart only where the request asks for thinking.
        return self.target(self._stack.enter_context(self.server("--reasoning-parser", "deepseek_v3")))

    script = no_embeddings = property(lambda self: self.chat)

    @property
    def thinking(self) -> Target:
        return Target(self.chat.base_url, SERVED, "vllm", extra=self.thinking_extra)

    @cached_property
    def embeddings(self) -> Target:
        return self.target(self._stack.enter_context(self.server("--runner", "pooling", "--convert", "embed")))

    @contextmanager
    def mortal(self) -> Iterator[tuple[Target, Kill]]:
        server = self.server()
        with server:
            yield self.target(server), server.kill


class _Played(Subject):
    """A server of ours. Its models answer by rule, so that the one for chats does what a script would."""

    played = True
    models: ClassVar[tuple[str, str, str]]
    """To chat with, to reason, to embed."""
    provider: ClassVar[str]

    def make(self) -> FakeOllama | FakeLmStudio:
        raise NotImplementedError

    @cached_property
    def fake(self) -> FakeOllama | FakeLmStudio:
        return self._stack.enter_context(self.make())

    def version(self) -> str:
        return f"{self.title}: as version {self.fake.version}, played"

    def _target(self, place: int) -> Target:
        return Target(self.fake.base_url, self.models[place], self.provider)

    chat = script = no_embeddings = property(lambda self: self._target(0))
    embeddings = property(lambda self: self._target(2))

    @property
    def thinking(self) -> Target:
        return self._target(1)

    @property
    def beyond_ascii(self) -> ChatRequest:
        schema = {"type": "object", "properties": {"text": {"const": UNICODE}}, "required": ["text"]}
        return ChatRequest(
            messages=({"role": "user", "content": "Say it beyond ASCII: Grüße"},),
            response_format=json_schema_format(schema),
        )

    @contextmanager
    def long_streams(self) -> Iterator[threading.Event]:
        """Streams go on for megabytes; set when the server finds that its reader has left before the end."""
        server, left = self.fake._server, threading.Event()
        real = server.play

        def frames(answer: Answer) -> Iterator[bytes]:
            told = answer.frames or ()
            try:
                yield from told[:2]
                yield from repeat(FILLER, FILLERS)
                yield from told[2:]
            except GeneratorExit:
                left.set()
                raise

        def play(asked: Asked) -> Answer:
            answer = real(asked)
            return answer if answer.frames is None else replace(answer, frames=frames(answer))

        server.play = play
        try:
            yield left
        finally:
            server.play = real


class Ollama(_Played):
    name = "ollama"
    title = "Ollama"
    models = ("llama3.2", "qwen3:4b", "nomic-embed-text")
    provider = "ollama"

    def make(self) -> FakeOllama:
        return FakeOllama()


class OldOllama(Ollama):
    name = "ollama-old"
    title = "Ollama, old"

    def make(self) -> FakeOllama:
        quirks = OllamaQuirks(
            usage_on_every_chunk=True,
            role_in_every_chunk=True,
            tool_index="missing",
            parallel_calls_always=True,
            no_embeddings_status=501,
        )
        return FakeOllama(version="0.5.7", quirks=quirks)


class OlderOllama(Ollama):
    name = "ollama-older"
    title = "Ollama, oldest"

    def make(self) -> FakeOllama:
        return FakeOllama(version="0.4.0", quirks=OllamaQuirks(tool_index="zero"))


# With a single model loaded any name is answered by that; which are loaded must not depend on the order of checks.
LM_STUDIO_LOADED = tuple(replace(model, loaded=True) for model in LM_STUDIO_MODELS)


class LmStudio(_Played):
    name = "lmstudio"
    title = "LM Studio"
    models = ("qwen3-4b", "deepseek-r1-distill-qwen-7b", "text-embedding-nomic-embed-text-v1.5")
    provider = "lmstudio"

    def make(self) -> FakeLmStudio:
        return FakeLmStudio(LM_STUDIO_LOADED)


class OldLmStudio(LmStudio):
    name = "lmstudio-old"
    title = "LM Studio, old"

    def make(self) -> FakeLmStudio:
        quirks = LmStudioQuirks(
            too_long="empty", error_objects=True, reasoning_field="reasoning", new_id_per_fragment=True
        )
        return FakeLmStudio(LM_STUDIO_LOADED, version="0.3.15", quirks=quirks)


class OddLmStudio(LmStudio):
    name = "lmstudio-odd"
    title = "LM Studio, odd"

    def make(self) -> FakeLmStudio:
        quirks = LmStudioQuirks(
            too_long="bare",
            errors_in_stream=True,
            unparsable_calls=True,
            unknown_embedding_is_200=True,
        )
        return FakeLmStudio(LM_STUDIO_LOADED, quirks=quirks)


SUBJECTS: dict[str, type[Subject]] = {
    kind.name: kind
    for kind in (Mlx, LlamaCpp, Vllm, Ollama, OldOllama, OlderOllama, LmStudio, OldLmStudio, OddLmStudio)
}


class Started:
    """The servers that were needed so far, each started once. Use as a context manager."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._subjects: dict[str, Subject] = {}

    def __enter__(self) -> Self:
        self._stack.__enter__()
        return self

    def __exit__(self, *reason: Any) -> None:
        self._stack.__exit__(*reason)

    def __getitem__(self, name: str) -> Subject:
        if name not in self._subjects:
            self._subjects[name] = self._stack.enter_context(SUBJECTS[name]())
        return self._subjects[name]


def installed(name: str) -> bool:
    """Whether the server can be started here."""
    return name != Vllm.name or vllm_installed()
