"""`action.yml` as a runner of GitHub executes it, and the other snippets of docs/how-to/ci.md.

The steps run in order, with the command line and the output file of the runner:
https://docs.github.com/en/actions/reference/workflow-syntax-for-github-actions#jobsjob_idstepsshell
https://docs.github.com/en/actions/reference/workflow-commands-for-github-actions#multiline-strings
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from xml.etree import ElementTree

import jsonschema
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from aldo import __version__
from aldo.validate.settings import read_settings
from tests.docs.test_documents import SNIPPETS
from tests.support.cases import MODELS, ROOT

ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))
STEPS: list[dict[str, Any]] = ACTION["runs"]["steps"]
LINT = [step for step in STEPS if step["id"] == "lint"]
BASH = shutil.which("bash") or "bash"

GOOD = MODELS.read_text("utf-8")
BAD = GOOD.replace("locality: local", "locality: lokal", 1)
WARNED = GOOD.replace("asOf: 2026-11-12", "asOf: 2024-11-12", 1)
LINE = BAD.splitlines().index("    locality: lokal") + 1

_TEXT = {"type": "string", "minLength": 1}
_STEP = {
    "oneOf": [{"required": ["run", "shell"]}, {"required": ["uses"]}],
    "additionalProperties": False,
    "properties": {
        **dict.fromkeys(("id", "name", "if", "run", "uses", "shell", "working-directory"), _TEXT),
        "env": {"type": "object", "additionalProperties": {"type": "string"}},
        "with": {"type": "object"},
        "continue-on-error": {"type": "boolean"},
    },
}
# https://docs.github.com/en/actions/reference/metadata-syntax-for-github-actions
COMPOSITE = {
    "required": ["name", "description", "runs"],
    "additionalProperties": False,
    "properties": {
        **dict.fromkeys(("name", "author", "description"), _TEXT),
        "branding": {"required": ["icon", "color"]},
        "inputs": {
            "propertyNames": {"pattern": "^[a-z_][a-z0-9_-]*$"},
            "additionalProperties": {
                "required": ["description"],
                "additionalProperties": False,
                "properties": {"description": _TEXT, "required": {"type": "boolean"}, "default": {"type": "string"}},
            },
        },
        "outputs": {
            "additionalProperties": {
                "required": ["description", "value"],
                "additionalProperties": False,
                "properties": {"description": _TEXT, "value": _TEXT},
            }
        },
        "runs": {
            "required": ["using", "steps"],
            "additionalProperties": False,
            "properties": {"using": {"const": "composite"}, "steps": {"type": "array", "minItems": 1, "items": _STEP}},
        },
    },
}


def _value(operand: str, contexts: Mapping[str, str]) -> str:
    return operand[1:-1] if operand.startswith("'") else contexts.get(operand, "")


def _evaluated(template: object, contexts: Mapping[str, str]) -> str:
    """What the runner makes of a value: `${{ a || b }}` is the first operand that is not empty."""
    if isinstance(template, bool):
        return str(template).lower()

    def first(match: re.Match[str]) -> str:
        return next(filter(None, (_value(operand.strip(), contexts) for operand in match[1].split("||"))), "")

    return re.sub(r"\$\{\{(.*?)\}\}", first, str(template))


def _holds(condition: str, contexts: Mapping[str, str]) -> bool:
    left, right = (_value(side.strip(), contexts) for side in condition.split("=="))
    return left == right


def _written(text: str) -> dict[str, str]:
    """The file behind GITHUB_OUTPUT: `name=value`, or `name<<mark`, lines, mark."""
    found: dict[str, str] = {}
    lines = iter(text.split("\n")[:-1])
    for line in lines:
        name, sign, value = re.fullmatch(r"([^=<]+)(=|<<)(.*)", line).groups()
        found[name] = value if sign == "=" else "\n".join(iter(lambda: next(lines), value))
    return found


@dataclass
class Job:
    """One use of the action: its workspace, what was said with it, and what came out."""

    workspace: Path
    temp: Path
    contexts: dict[str, str]
    path: str = os.environ["PATH"]
    code: int = 0
    log: str = ""
    used: list[dict[str, str]] = field(default_factory=list)

    def run(self, steps: Sequence[Mapping[str, Any]], **extra: str) -> Job:
        for step in steps:
            if not _holds(step.get("if", "'' == ''"), self.contexts):
                continue
            if "uses" in step:
                given = {name: _evaluated(value, self.contexts) for name, value in step["with"].items()}
                self.used.append({"uses": step["uses"], **given})
                continue
            self._shell(step, extra)
            if self.code:
                break
        return self

    def _shell(self, step: Mapping[str, Any], extra: Mapping[str, str]) -> None:
        assert step["shell"] == "bash"
        script, output = self.temp / "script.sh", self.temp / "output"
        script.write_text(step["run"], "utf-8")
        output.write_text("", "utf-8")
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith(("ALDO_", "GITHUB_", "PYTHON"))
        }
        env = kept | {name: _evaluated(value, self.contexts) for name, value in step.get("env", {}).items()}
        env |= {
            "PATH": self.path,
            "PYTHONPATH": str(self.workspace),
            "ALDO_TODAY": "2026-11-22",
            "PIP_NO_COMPILE": "1",
            "GITHUB_ACTIONS": "true",
            "GITHUB_ACTION_PATH": str(ROOT),
            "GITHUB_OUTPUT": str(output),
            "RUNNER_TEMP": str(self.temp),
            **extra,
        }
        done = subprocess.run(
            [BASH, "--noprofile", "--norc", "-eo", "pipefail", str(script)],
            cwd=self.workspace, env=env, stdin=subprocess.DEVNULL, capture_output=True, check=False,
        )  # fmt: skip
        self.code = done.returncode
        self.log += (done.stdout + done.stderr).decode("utf-8", "replace")
        found = _written(output.read_bytes().decode("utf-8"))
        self.contexts |= {f"steps.{step['id']}.outputs.{name}": value for name, value in found.items()}

    @property
    def outputs(self) -> dict[str, str]:
        return {name: _evaluated(output["value"], self.contexts) for name, output in ACTION["outputs"].items()}


def _inputs(given: Mapping[str, str]) -> dict[str, str]:
    assert given.keys() <= ACTION["inputs"].keys()
    return {f"inputs.{name}": given.get(name, one.get("default", "")) for name, one in ACTION["inputs"].items()}


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Job:
    """The steps before the last, in a workspace whose modules must not come between."""
    workspace = tmp_path_factory.mktemp("work space")
    for module in ("aldo", "click", "ensurepip", "pip", "venv", "yaml"):
        (workspace / f"{module}.py").write_text("raise SystemExit('a module of the workspace was imported')\n", "utf-8")
    job = Job(workspace, tmp_path_factory.mktemp("runner temp"), _inputs({}))
    job.run([step for step in STEPS if step not in LINT])
    assert (job.code, job.used) == (0, []), job.log
    return job


@pytest.fixture
def lint(installed: Job) -> Any:
    """Run the last step in a workspace that holds these files."""

    def run(files: Mapping[str, str], given: Mapping[str, str]) -> Job:
        for old in installed.workspace.iterdir():
            if old.suffix != ".py":
                shutil.rmtree(old) if old.is_dir() else old.unlink()
        for name, text in files.items():
            (installed.workspace / name).parent.mkdir(parents=True, exist_ok=True)
            (installed.workspace / name).write_text(text, "utf-8")
        return Job(installed.workspace, installed.temp, installed.contexts | _inputs(given)).run(LINT)

    return run


def _results(report: Path) -> list[tuple[str, str, int]]:
    """Code, path and line of what a SARIF report tells; what the catalog ignores stands in it as suppressed."""
    told = [one for one in json.loads(report.read_text("utf-8"))["runs"][0]["results"] if not one.get("suppressions")]
    places = ((one["ruleId"], one["locations"][0]["physicalLocation"]) for one in told)
    return [(code, unquote(at["artifactLocation"]["uri"]), at["region"]["startLine"]) for code, at in places]


def test_the_action_has_the_shape_of_a_composite_action() -> None:
    jsonschema.Draft202012Validator(COMPOSITE).validate(ACTION)
    identifiers = [step["id"] for step in STEPS]
    assert len(set(identifiers)) == len(identifiers)


def test_no_input_is_written_into_a_script() -> None:
    assert not [step["id"] for step in STEPS if "${{" in step.get("run", "")]


def test_every_expression_names_an_input_or_an_earlier_step_and_every_input_is_used() -> None:
    known = {f"inputs.{name}" for name in ACTION["inputs"]}
    used: set[str] = set()
    for step in [*STEPS, {"id": "", "outputs": ACTION["outputs"]}]:
        names = set(re.findall(r"\b(?:inputs|steps)\.[\w.-]+", json.dumps(step)))
        assert {name for name in names if name.startswith("inputs.")} <= known
        assert {name.split(".")[1] for name in names if name.startswith("steps.")} <= known
        used |= names
        known.add(step["id"])
    assert {f"inputs.{name}" for name in ACTION["inputs"]} <= used


@pytest.mark.parametrize(
    ("present", "wanted", "taken"),
    [
        ({"python3": "3.11"}, "", "python3"),
        ({"python3": "3.15", "python3.12": "3.12"}, "", "python3"),
        ({"python3": "3.9", "python3.12": "3.12"}, "", "python3.12"),
        ({"python3": "2.7", "python": "3.14"}, "", "python"),
        ({"python3": "3.12 without ensurepip", "python3.11": "3.11"}, "", "python3.11"),
        ({"python3": "3.13", "python3.12": "3.12"}, "3.12", "python3.12"),
        ({"python3": "3.12"}, "3.12", "python3"),
        ({"python3": "3.10"}, "", None),
        ({}, "", None),
        ({"python3": "3.12"}, "3.13", None),
        ({"python3": "3.12"}, "3.1", None),
        ({"python3": "3.12"}, "$(touch pwned); touch pwned", None),
    ],
)
def test_a_python_of_the_runner_is_taken_and_fetched_only_where_none_fits(
    present: dict[str, str], wanted: str, taken: str | None, tmp_path: Path
) -> None:
    runner = tmp_path / "bin"
    runner.mkdir()
    for name, version in present.items():
        lacks = "sys.modules['ensurepip'] = None; " if "without" in version else ""
        mimicked = (
            f"sys.version_info = ({version.split()[0].replace('.', ', ')}, 0); sys.executable = '{name}'; {lacks}"
        )
        (runner / name).write_text(
            f'#!{BASH}\nexec "{sys.executable}" -I -c "import sys; {mimicked}exec(sys.argv.pop(1))" "$3" "$4"\n',
            "utf-8",
        )
        (runner / name).chmod(0o755)
    job = Job(tmp_path, tmp_path, _inputs({"python-version": wanted}), path=str(runner))
    job.run([step for step in STEPS if step["id"] in ("python", "setup")])
    assert (job.code, job.log) == (0, "")
    assert job.contexts.get("steps.python.outputs.path") == taken
    assert [(one["uses"].partition("@")[0], one["python-version"]) for one in job.used] == (
        [] if taken else [("actions/setup-python", wanted or "3.x")]
    )
    assert not (tmp_path / "pwned").exists()


def test_a_good_catalog_passes_and_leaves_a_report(lint: Any) -> None:
    job = lint({"models.yaml": GOOD}, {"sarif": "out of aldo.sarif"})
    assert (job.code, job.outputs) == (0, {"exit-code": "0", "sarif": "out of aldo.sarif"}), job.log
    assert "::" not in job.log
    assert _results(job.workspace / "out of aldo.sarif") == []


def test_a_bad_catalog_fails_after_it_was_annotated_and_reported(lint: Any) -> None:
    job = lint({"models.yaml": GOOD, "catalogs/eu west.yaml": BAD}, {"files": "catalogs/*.yaml", "sarif": "a.sarif"})
    assert (job.code, job.outputs) == (1, {"exit-code": "1", "sarif": "a.sarif"}), job.log
    assert f"::error file=catalogs/eu west.yaml,line={LINE}," in job.log
    assert _results(job.workspace / "a.sarif") == [("AL106", "catalogs/eu west.yaml", LINE)]


@pytest.mark.parametrize(
    ("text", "given", "code"),
    [
        (WARNED, {}, 0),
        (WARNED, {"strict": "true"}, 1),
        (WARNED, {"strict": "true", "ignore": "AL5,AL4"}, 0),
        (WARNED, {"strict": "true", "select": "AL3"}, 0),
        (WARNED, {"args": "--max-age 2000\n--strict"}, 0),
        (GOOD, {"strict": "yes"}, 2),
        (GOOD, {"select": "nonsense"}, 2),
        (GOOD, {"files": "absent.yaml"}, 2),
        (GOOD, {"sarif": "no/such/folder.sarif"}, 2),
    ],
)
def test_the_inputs_decide_and_the_step_fails_with_the_exit_code(
    lint: Any, text: str, given: dict[str, str], code: int
) -> None:
    job = lint({"models.yaml": text}, given)
    assert (job.code, job.outputs["exit-code"]) == (code, str(code)), job.log
    assert bool(job.log.strip())


@pytest.mark.parametrize(("strict", "code"), [("", 1), ("true", 1), ("false", 0)])
def test_without_inputs_pyproject_says_what_to_check(lint: Any, strict: str, code: int) -> None:
    table = '[tool.aldo.lint]\nfiles = ["own.yaml"]\nstrict = true\n'
    job = lint({"models.yaml": BAD, "own.yaml": WARNED, "pyproject.toml": table}, {"strict": strict})
    assert job.code == code, job.log
    assert "file=own.yaml" in job.log


def test_a_workspace_without_a_catalog_does_not_pass(lint: Any) -> None:
    job = lint({"readme.md": ""}, {})
    assert (job.code, job.outputs["exit-code"]) == (2, "2"), job.log
    assert "file=models.yaml" in job.log


def test_a_report_of_an_earlier_run_is_not_taken_for_one_of_this(lint: Any) -> None:
    job = lint({"models.yaml": GOOD, "a.sarif": "{}"}, {"sarif": "a.sarif", "args": "--no-such-option"})
    assert job.outputs == {"exit-code": "2", "sarif": ""}


HOSTILE = ["with space.yaml", "--fix", "-", "; touch pwned", "$(touch pwned)", "`touch pwned`", "a' && touch pwned '.yaml",
           '"; touch pwned; "', "a\\b.yaml", "${{ github.token }}", "&& exit 0 #", "~", "$HOME", "[a]*.yaml"]  # fmt: skip


def test_files_of_any_name_are_checked_and_nothing_else_happens(lint: Any) -> None:
    names = [name for name in HOSTILE if name != "-"]  # which is standard input
    job = lint(dict.fromkeys(names, BAD), {"files": "\n".join(names), "sarif": "--; touch pwned $(touch pwned).sarif"})
    assert (job.code, job.outputs["sarif"]) == (1, "--; touch pwned $(touch pwned).sarif"), job.log
    assert sorted(_results(job.workspace / job.outputs["sarif"])) == sorted(("AL106", name, LINE) for name in names)
    left = {found.name for found in job.workspace.iterdir() if found.suffix != ".py"}
    assert left == {*names, job.outputs["sarif"]}
    assert {(job.workspace / name).read_text("utf-8") for name in names} == {BAD}


_signs = st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from(" \t\n'\"$`\\;&|*?(){}[]<>!#~-=%:,")
_texts = st.text(_signs, max_size=30) | st.sampled_from(HOSTILE)
_lines = st.lists(_texts, max_size=4).map("\n".join)

RECORDER = f"""#!{BASH}
printf '%s\\0' "$@" > "$RECORD"
for one in "$@"; do
  case "$one" in --output=sarif=*) : > "${{one#--output=sarif=}}" ;; esac
done
exit "$CODE"
"""


@pytest.fixture(scope="module")
def recorder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    program = tmp_path_factory.mktemp("re corder") / "aldo"
    program.write_text(RECORDER, "utf-8")
    program.chmod(0o755)
    return program


@settings(max_examples=60)
@given(
    files=_lines, select=_texts, ignore=_texts, args=_lines,
    strict=st.sampled_from(["", "true", "false"]), sarif=st.just("") | _texts.map(lambda text: "to " + text.replace("/", "")),
    code=st.sampled_from([0, 1, 2, 3]),
)  # fmt: skip
def test_what_an_input_says_reaches_aldo_as_it_was_written_and_no_input_writes_an_output(
    recorder: Path, files: str, select: str, ignore: str, args: str, strict: str, sarif: str, code: int
) -> None:
    given = {"files": files, "select": select, "ignore": ignore, "args": args, "strict": strict, "sarif": sarif}
    work, record = recorder.parent / "work", recorder.parent / "record"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    job = Job(work, recorder.parent, _inputs(given) | {"steps.install.outputs.aldo": str(recorder)})
    job.run(LINT, RECORD=str(record), CODE=str(code))
    named = [line.strip(" \t") for line in files.split("\n")]
    expected = ["lint", "--format", "github"]
    expected += [f"--select={select}"] if select else []
    expected += [f"--ignore={ignore}"] if ignore else []
    expected += [f"--output=sarif={sarif}"] if sarif else []
    expected += {"": [], "true": ["--strict"], "false": ["--no-strict"]}[strict]
    expected += [word for word in re.split("[ \t\n]+", args) if word]
    assert record.read_bytes().decode("utf-8").split("\0")[:-1] == [*expected, "--", *filter(None, named)]
    assert (job.code, job.log, job.outputs) == (code, "", {"exit-code": str(code), "sarif": sarif})
    assert [found.name for found in work.iterdir()] == ([sarif] if sarif else [])


def test_an_output_file_is_read_as_the_runner_does() -> None:
    assert _written("a=1=2\nb<<end\nexit-code=0\n\nend\nc=\n") == {"a": "1=2", "b": "exit-code=0\n", "c": ""}


DOCUMENT = ROOT / "docs" / "how-to" / "ci.md"
DOCUMENTED = [one for one in SNIPPETS if one.place.startswith("docs/how-to/ci.md:")]


def _documented(language: str, key: str = "") -> Any:
    (found,) = (one.text for one in DOCUMENTED if (one.language, one.words) == (language, ("ci",)) and key in one.text)
    return yaml.safe_load(found) if language == "yaml" else found


def test_every_snippet_of_the_page_is_tested_here_or_with_pre_commit() -> None:
    assert [one.language for one in DOCUMENTED if one.words == ("ci",)] == ["yaml", "yaml", "yaml", "sh", "toml"]
    assert {one.words for one in DOCUMENTED} == {("ci",), ("routing",)}  # the other by tests/docs


def test_the_documented_workflow_runs_with_the_inputs_it_gives(lint: Any) -> None:
    workflow = _documented("yaml", "runs-on:")
    (step,) = (one for one in workflow["jobs"]["lint"]["steps"] if one["uses"].startswith("OWNER/"))
    assert step["uses"] == f"OWNER/aldo@v{__version__}"
    given = {name: _evaluated(value, {}) for name, value in step["with"].items()}
    given["ignore"] = re.findall(r"'(AL[\d,AL]+)'", step["with"]["ignore"])[0]
    for text, code in ((WARNED, 0), (BAD, 1)):
        job = lint({"models.yaml": text, "catalogs/eu/a.yaml": GOOD}, given)
        assert (job.code, job.outputs) == (code, {"exit-code": str(code), "sarif": given["sarif"]}), job.log
    read = set(re.findall(r"steps\.aldo\.outputs\.([\w-]+)", json.dumps(workflow)))
    assert step["id"] == "aldo"
    assert read <= ACTION["outputs"].keys()


def test_the_page_has_a_row_or_a_word_for_every_input_and_output() -> None:
    text = DOCUMENT.read_text("utf-8")
    rows = "\n".join(line.split("|")[1] for line in text.splitlines() if line.startswith("| `"))
    assert set(re.findall(r"`([\w-]+)`", rows)) == ACTION["inputs"].keys()
    assert all(f"`{name}`" in text for name in ACTION["outputs"])


def _in_shell(script: str, cwd: Path) -> int:
    env = {name: value for name, value in os.environ.items() if not name.startswith(("ALDO_", "GITHUB_"))}
    env |= {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{env['PATH']}", "ALDO_TODAY": "2026-11-22"}
    return subprocess.run([BASH, "-ec", script], cwd=cwd, env=env, capture_output=True, check=False).returncode


@pytest.mark.parametrize(("text", "code"), [(GOOD, 0), (BAD, 1)])
def test_the_documented_gitlab_job_leaves_the_reports_it_names(text: str, code: int, tmp_path: Path) -> None:
    (job,) = _documented("yaml", "artifacts:").values()
    install, *script = job["script"]
    assert install == f"pip install git+https://github.com/OWNER/aldo@v{__version__}"
    (tmp_path / "models.yaml").write_text(text, "utf-8")
    assert _in_shell("\n".join(script), tmp_path) == code
    assert job["artifacts"]["when"] == "always"
    reports = job["artifacts"]["reports"]
    quality = json.loads((tmp_path / reports["codequality"]).read_text("utf-8"))
    places = [(one["check_name"].split()[0], one["location"]["path"]) for one in quality]
    assert places == [("AL106", "models.yaml")] * code
    suites = ElementTree.parse(tmp_path / reports["junit"])
    assert len([*suites.iter("failure"), *suites.iter("error")]) == code


@pytest.mark.parametrize(("text", "code"), [(WARNED, 0), (BAD, 1)])
def test_the_documented_command_fails_with_errors_and_leaves_its_report(text: str, code: int, tmp_path: Path) -> None:
    (tmp_path / "models.yaml").write_text(text, "utf-8")
    assert _in_shell(_documented("sh"), tmp_path) == code
    assert len(json.loads((tmp_path / "aldo.json").read_text("utf-8"))["findings"]) == code


def test_the_documented_settings_are_read(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(_documented("toml"), "utf-8")
    found = read_settings(tmp_path / "pyproject.toml")
    assert (len(found.files), found.ignore, found.strict) == (2, ("AL407", "AL408"), True)
