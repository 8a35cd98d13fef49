"""Writes the list of what a plain install brings: CycloneDX 1.6, JSON.

`python -m tests.packaging.sbom` reads the wheel of this version in dist/ and writes beside it. What is listed is what
pip installs with the wheel today in an empty environment, without extras, and every file in the wheel that is no
program of ours, with its licence and where it is from.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

from aldo import __version__
from tests.packaging.building import DISTRIBUTION
from tests.packaging.environments import Environment
from tests.support.cases import ROOT

FORMAT = "1.6"
LICENCE = "Apache-2.0"
# Every file of the wheel that is no Python, by the longest prefix that fits: where it is from. All were written here.
ORIGINS = {
    "aldo/models.yaml": "Written for aldo. Prices, limits and names are facts, read on the day `asOf` of each entry"
    " from the pages that its `source` names.",
    "aldo/schema/kinds/": "Written for aldo, from what the servers do and document.",
    "aldo/schema/published/": "Generated from the types of aldo.",
    "aldo/eval/report/html/": "Written for aldo.",
    "aldo/cli/demo/files/": "Written for aldo.",
    "aldo/py.typed": "Written for aldo.",
}


def origin(name: str) -> str | None:
    """Where a file of the wheel is from, if anybody said it."""
    return next((ORIGINS[prefix] for prefix in sorted(ORIGINS, key=len, reverse=True) if name.startswith(prefix)), None)


def sources(catalog: str) -> list[str]:
    """The pages that a catalog has its prices from."""
    return sorted({entry["source"] for entry in yaml.safe_load(catalog)["models"] if "source" in entry})


def shipped(wheel: Path) -> Iterator[dict[str, Any]]:
    """A component for each file of the wheel that is no Python and that no packaging tool wrote."""
    with zipfile.ZipFile(wheel) as archive:
        for name in sorted(archive.namelist()):
            if name.endswith(".py") or ".dist-info/" in name:
                continue
            said = origin(name)
            if said is None:
                raise SystemExit(f"{name}: nobody said where this file is from; see ORIGINS in {__file__}")
            content = archive.read(name)
            component: dict[str, Any] = {
                "type": "data" if PurePosixPath(name).suffix in {".json", ".yaml"} else "file",
                "bom-ref": f"file:{name}",
                "name": name,
                "version": __version__,
                "description": said,
                "hashes": [{"alg": "SHA-256", "content": hashlib.sha256(content).hexdigest()}],
                "licenses": [{"license": {"id": LICENCE, "acknowledgement": "declared"}}],
            }
            if name == "aldo/models.yaml":
                pages = sources(content.decode())
                component["externalReferences"] = [{"type": "documentation", "url": page} for page in pages]
            yield component


def environment_bom(python: Path) -> dict[str, Any]:
    """What cyclonedx-py says of an environment."""
    command = [sys.executable, "-m", "cyclonedx_py", "environment", "--spec-version", FORMAT, "--output-format", "JSON"]
    if "SOURCE_DATE_EPOCH" in os.environ:
        command.append("--output-reproducible")
    done = subprocess.run([*command, str(python)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr)
    return json.loads(done.stdout)


def bom(wheel: Path) -> dict[str, Any]:
    """The list for a wheel: aldo at its root, with its files; what it needs as the components."""
    with tempfile.TemporaryDirectory() as folder:
        environment = Environment.make(Path(sys.executable), Path(folder) / "one")
        environment.pip("install", "--quiet", wheel)
        environment.pip("uninstall", "--quiet", "--yes", "setuptools", "pip")  # the environment's own, not aldo's
        made = environment_bom(environment.python)
    (root,) = (one for one in made["components"] if one["name"] == DISTRIBUTION)
    made["components"].remove(root)
    root["type"] = "application"
    root["purl"] = f"pkg:pypi/{DISTRIBUTION}@{__version__}"
    root["hashes"] = [{"alg": "SHA-256", "content": hashlib.sha256(wheel.read_bytes()).hexdigest()}]
    # Where the wheel lay when it was installed is nobody's business.
    kept = [one for one in root.pop("externalReferences", []) if not one["url"].startswith("file:")]
    if kept:
        root["externalReferences"] = kept
    root["components"] = list(shipped(wheel))
    made["metadata"]["component"] = root
    return made


def check(text: str) -> str | None:
    """What the schema of the format has against it."""
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    error = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
    return None if error is None else str(error)


def write(wheel: Path, into: Path) -> Path:
    """The file, written and checked."""
    text = json.dumps(bom(wheel), indent=2, ensure_ascii=False) + "\n"
    error = check(text)
    if error:
        raise SystemExit(error)
    file = into / f"{DISTRIBUTION}-{__version__}.cdx.json"
    file.write_text(text, "utf-8")
    return file


def main() -> None:
    """From the wheel in dist/."""
    wheels = list((ROOT / "dist").glob(f"aldo_gateway-{__version__}-*.whl"))
    if len(wheels) != 1:
        raise SystemExit(f"there is no wheel of {__version__} in dist/: run make dist")
    print(write(wheels[0], ROOT / "dist").relative_to(ROOT))


if __name__ == "__main__":
    main()
