"""The shape of the code: layers, style, types, import weight, the face. What `make check` runs."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import aldo
from tests.support.cases import MODELS, ROOT

BIN = Path(sys.executable).parent


def _run(*command: str) -> subprocess.CompletedProcess[str]:
    program = shutil.which(command[0], path=str(BIN)) or command[0]
    return subprocess.run([program, *command[1:]], cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    "command",
    [
        ("lint-imports", "--no-cache"),
        ("ruff", "check", "."),
        ("ruff", "format", "--check", "."),
        ("mypy",),
    ],
    ids=lambda command: command[0] + command[-1].replace(".", ""),
)
def test_check(command: tuple[str, ...]) -> None:
    done = _run(*command)
    assert done.returncode == 0, done.stdout + done.stderr


def _modules_after(statement: str) -> set[str]:
    done = _run(sys.executable, "-c", f"{statement}\nimport sys\nprint(*sys.modules)")
    assert done.returncode == 0, done.stderr
    return {name.partition(".")[0] for name in done.stdout.split()}


HEAVY = {"httpx", "httpcore", "click", "yaml", "ruamel", "jsonschema", "pydantic", "asyncio", "ssl"}


def test_import_aldo_imports_nothing_heavy() -> None:
    assert HEAVY & _modules_after("import aldo") == set()


def test_routing_needs_neither_http_nor_yaml_nor_click() -> None:
    loaded = _modules_after("import aldo; aldo.route; aldo.RouteRequest")
    assert loaded & (HEAVY - {"pydantic", "asyncio", "ssl"}) == set()


def test_linting_and_routing_on_the_command_line_need_no_http() -> None:
    loaded = _modules_after(
        "import sys; sys.argv = ['aldo', 'lint']\nfrom aldo.cli.main import main\ntry:\n    main()\nexcept SystemExit:\n    print()"
    )
    assert {"httpx", "httpcore"} & loaded == set()


def test_linting_a_sound_catalog_loads_neither_the_types_nor_jsonschema() -> None:
    """That is what makes a check of a sound file quick. A defect loads them."""
    loaded = _modules_after(
        f"from aldo.validate import lint\nassert lint({str(MODELS)!r}, ignore=['AL407']).findings == ()"
    )
    assert {"pydantic", "jsonschema", "httpx", "click"} & loaded == set()
    text = MODELS.read_text("utf-8").replace("locality: local", "locality: lokal", 1)
    lines = f"import sys\nfrom aldo.catalog import parse_text\nfrom aldo.catalog import catalog_of\n{text=}"
    assert "pydantic" in _modules_after(f"{lines}\nassert catalog_of(parse_text('x', text)).findings")


def test_every_exported_name_exists_and_the_face_is_the_lazy_table() -> None:
    for name in aldo.__all__:
        assert getattr(aldo, name) is not None
    assert set(aldo.__all__) == {*aldo._ROOMS, "__version__"}
    assert set(dir(aldo)) == set(aldo.__all__)
    with pytest.raises(AttributeError, match="nope"):
        _ = aldo.nope


def test_import_aldo_makes_no_network_call_and_reads_no_catalog() -> None:
    done = _run(
        sys.executable,
        "-c",
        "import sys\n"
        "def hook(event, args):\n"
        "    if event.startswith('socket.') or (event == 'open' and str(args[0]).endswith(('.yaml', '.json'))):\n"
        "        sys.exit(f'{event} {args}')\n"
        "sys.addaudithook(hook)\n"
        "import aldo; aldo.route",
    )
    assert done.returncode == 0, done.stderr


def test_a_name_of_the_face_is_the_same_whichever_was_loaded_first() -> None:
    """A module that is called like a function it holds would take the function's place."""
    script = """
import importlib, sys
package, first = sys.argv[1:]
module = importlib.import_module(package)
getattr(module, first)
wrong = [name for name in module.__all__ if type(getattr(module, name)) is type(sys)]
assert not wrong, wrong
"""
    for package in ("aldo", "aldo.router", "aldo.schema"):
        names = __import__(package, fromlist=["__all__"]).__all__
        for name in names if package != "aldo.schema" else names[:3]:
            done = _run(sys.executable, "-c", script, package, name)
            assert done.returncode == 0, (package, name, done.stderr)


MOST_LINES = 330
MOST_STATEMENT_LINES = 45


def _functions() -> Iterator[tuple[str, int]]:
    """Every function of the package, and how many lines it has from its first statement on, its docstring aside."""
    for path in sorted((ROOT / "aldo").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                body = node.body[1:] if ast.get_docstring(node) else node.body
                if body:
                    yield f"{path.relative_to(ROOT)}: {node.name}", (node.end_lineno or 0) - body[0].lineno + 1


def test_no_function_is_longer_than_a_screen() -> None:
    assert [name for name, lines in _functions() if lines > MOST_STATEMENT_LINES] == []


def test_no_file_holds_more_than_one_concept_fills() -> None:
    long = {path: path.read_text("utf-8").count("\n") for path in (ROOT / "aldo").rglob("*.py")}
    assert {str(path.relative_to(ROOT)): lines for path, lines in long.items() if lines > MOST_LINES} == {}


@pytest.mark.heavy
def test_every_public_symbol_has_a_known_type() -> None:
    done = _run("pyright", "--verifytypes", "aldo", "--ignoreexternal")
    assert "Type completeness score: 100%" in done.stdout, done.stdout
