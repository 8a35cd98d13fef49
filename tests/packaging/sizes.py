"""What each extra costs: distributions and megabytes over the plain install, on this platform.

`python -m tests.packaging.sizes` writes docs/evidence/sizes.json.
"""

from __future__ import annotations

import datetime
import json
import platform
import tempfile
import tomllib
from pathlib import Path

from tests.packaging.building import DISTRIBUTION, build_both
from tests.packaging.environments import Environment, any_interpreter, run
from tests.support.cases import ROOT

FILE = ROOT / "docs" / "evidence" / "sizes.json"
# Without pip, which the environment brings; bytes as they are, not blocks of a disk.
MEASURE = """
import json, sysconfig
from importlib.metadata import distributions
from pathlib import Path
names = {d.metadata["Name"].lower() for d in distributions()} - {"pip", "setuptools"}
place = Path(sysconfig.get_path("purelib"))
ours = [f for f in place.rglob("*") if f.relative_to(place).parts[0].split("-")[0] not in
        {"pip", "setuptools", "pkg_resources", "_distutils_hack", "distutils"}]
print(json.dumps([len(names), sum(f.stat().st_size for f in ours if f.is_file() and f.suffix != ".pyc")]))
"""


def measure(wheel: Path, extra: str, interpreter: Path) -> tuple[int, int]:
    """The distributions and the bytes that an install brings."""
    with tempfile.TemporaryDirectory() as folder:
        environment = Environment.make(interpreter, Path(folder) / "one")
        wish = f"{DISTRIBUTION}[{extra}] @ {wheel.as_uri()}" if extra else str(wheel)
        environment.pip("install", "--quiet", "--no-compile", wish)
        count, size = json.loads(run(environment.python, "-c", MEASURE, cwd=environment.folder))
    return count, size


def sizes(interpreter: Path) -> dict[str, dict[str, float]]:
    """The plain install under "", and what each extra adds to it."""
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
    with tempfile.TemporaryDirectory() as folder:
        wheel = build_both(Path(folder)).wheel
        plain = measure(wheel, "", interpreter)
        found = {"": {"distributions": plain[0], "mb": round(plain[1] / 1e6, 1)}}
        for extra in extras:
            count, size = measure(wheel, extra, interpreter)
            found[extra] = {"distributions": count - plain[0], "mb": round((size - plain[1]) / 1e6, 1)}
    return found


def main() -> None:
    """Measure, and write the file."""
    interpreter = any_interpreter()
    said = {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "platform": f"{platform.system()} {platform.machine()}",
        "python": run(interpreter, "--version", cwd=ROOT).split()[1],
        "extras": sizes(interpreter),
    }
    FILE.parent.mkdir(parents=True, exist_ok=True)
    FILE.write_text(json.dumps(said, indent=2) + "\n", "utf-8")
    print(FILE.read_text("utf-8"), end="")


if __name__ == "__main__":
    main()
