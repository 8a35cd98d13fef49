"""script: a command that gets the case and the answer as JSON and prints a score. Bounded in time and in output.

It runs without a shell, in the folder of the suite, in a process group of its own that is killed as a whole, and
with the few variables of the environment that a program needs to start: no key of ours is among them.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import anyio
from anyio.abc import ByteReceiveStream, Process

from aldo.eval.evaluators.grade import Evaluate, Grade, graded
from aldo.schema.frozen import thawed
from aldo.schema.suite import Case, Script

_KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TMPDIR", "TEMP", "TMP", "SYSTEMROOT", "PATHEXT", "VIRTUAL_ENV")
_SAID = 2_000  # bytes of standard error that are kept for the reason


def evaluate_script(evaluator: Script, folder: str, environ: Mapping[str, str]) -> Evaluate:
    """The evaluator, ready. `folder`: where the command runs."""
    kept = {name: environ[name] for name in _KEPT if name in environ}

    async def evaluate(case: Case, answer: str) -> Grade:
        data = json.dumps(
            {
                "id": case.id,
                "input": case.input,
                "ground_truth": thawed(case.ground_truth),
                "tags": list(case.tags),
                "answer": answer,
            }
        ).encode("utf-8", "replace")
        try:
            return await _run(evaluator, folder, kept, data)
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            return Grade("error", None, f"{evaluator.command[0]} cannot be run: {reason}")

    return evaluate


async def _run(evaluator: Script, folder: str, environ: Mapping[str, str], data: bytes) -> Grade:
    # A file and no pipe: whether it reads what it gets is its own affair. Stopped half-way, it would leave what it has
    # started.
    with tempfile.TemporaryFile() as given, anyio.CancelScope(shield=True):
        given.write(data)
        given.seek(0)
        process = await anyio.open_process(
            list(evaluator.command),
            stdin=given,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=folder,
            env=environ,
            start_new_session=True,
        )
    said: dict[str, bytes] = {}
    too_much = False
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        with anyio.move_on_after(evaluator.timeout) as time:
            async with anyio.create_task_group() as group:
                group.start_soon(_read, process.stderr, _SAID, said, "stderr", False)
                too_much = await _read(process.stdout, evaluator.max_output, said, "stdout", True)
                if too_much:
                    group.cancel_scope.cancel()
            if not too_much:
                await process.wait()
    finally:
        await _end(process)
    if time.cancelled_caught:
        return Grade("error", None, f"the script took longer than {evaluator.timeout:g} s and was killed")
    if too_much:
        return Grade("error", None, f"the script printed more than {evaluator.max_output} bytes and was killed")
    return _grade(process.returncode, said.get("stdout", b""), said.get("stderr", b""))


async def _read(stream: ByteReceiveStream, most: int, said: dict[str, bytes], name: str, stop: bool) -> bool:
    """Read to the end and keep so many bytes; whether there were more. With `stop` reading ends there."""
    kept, more = b"", False
    async for piece in stream:
        more = more or len(kept) + len(piece) > most
        kept = (kept + piece)[:most]
        if more and stop:
            break
    said[name] = kept
    return more


async def _end(process: Process) -> None:
    """Kill what is left of it, its children too, and close its pipes."""
    with anyio.CancelScope(shield=True):
        with suppress(OSError):
            if hasattr(os, "killpg"):
                os.killpg(process.pid, signal.SIGKILL)
            elif process.returncode is None:
                process.kill()
        await process.aclose()


def _grade(code: int | None, out: bytes, err: bytes) -> Grade:
    if code != 0:
        last = err.decode("utf-8", "replace").strip().rpartition("\n")[2]
        return Grade("error", None, f"the script ended with {code}" + (f": {last}" if last else ""))
    try:
        value: Any = json.loads(out)
    except (ValueError, RecursionError):
        return Grade("error", None, f'the script printed no JSON such as {{"score": 1}}: {out[:80]!r}')
    if isinstance(value, dict):
        return graded(value.get("score"), str(value.get("reason") or ""))
    return graded(value)
