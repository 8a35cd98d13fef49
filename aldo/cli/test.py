"""`aldo test`: examples of requests, and what must come of them."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from xml.etree import ElementTree

import click

from aldo.catalog import load_route_tests
from aldo.catalog.revision import load_catalog_at
from aldo.cli.failure import reported
from aldo.cli.options import catalog_option, catalog_path
from aldo.cli.terminal import fold
from aldo.errors import UsageError, printable
from aldo.router.examples import ExampleResult, recorded, run_tests
from aldo.schema.printed import dumps
from aldo.schema.route_tests import ROUTE_TESTS_KIND, ROUTE_TESTS_VERSION, RouteTests
from aldo.validate.reports.junit import xml_text

_DEFAULT = "routes.test.yaml"
_FORMATS = ("text", "json", "junit")
Results = dict[str, tuple[ExampleResult, ...]]


@click.command("test")
@click.argument("files", nargs=-1, metavar="[FILE]...")
@catalog_option
@click.option("--format", "form", type=click.Choice(_FORMATS), help="[default: text]")
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@click.option("--output", "outputs", multiple=True, metavar="FORMAT=FILE", help="Write a report too. Repeat for more.")
@click.option("--record", is_flag=True, help="Write a first FILE from what the catalog does now; it must not exist.")
def command(
    files: tuple[str, ...], catalog: str | None, form: str | None, as_json: bool, outputs: tuple[str, ...], record: bool
) -> None:
    """Run examples of requests (`kind: RouteTests`) against the catalog.

    Without FILE: routes.test.yaml. Exits with 1 when an example fails.

    \b
    aldo test
    aldo test tests/*.test.yaml --output junit=routes.xml
    aldo test --record routes.test.yaml
    """
    with reported(as_json=as_json or form == "json"):
        if as_json and form not in (None, "json"):
            raise UsageError(f"--json and --format {form} are two formats; choose one")
        form = "json" if as_json else form or "text"
        if not files and not record and not Path(_DEFAULT).exists():
            raise UsageError(f"no {_DEFAULT} is here: name a file, or write a first one with aldo test --record")
        files = files or (_DEFAULT,)
        reports = [_output(given) for given in outputs]
        loaded = load_catalog_at(catalog_path(catalog))
        if record:
            _record(files, recorded(loaded))
            return
        results = {file: tuple(run_tests(loaded, load_route_tests(file))) for file in files}
        if all(target != "-" for _, target in reports):  # else standard output is spoken for
            click.echo(_RENDERED[form](results), nl=form != "junit")
        for name, target in reports:
            _write(target, click.unstyle(_RENDERED[name](results)).rstrip("\n") + "\n")
        sys.exit(0 if all(result.passed for tests in results.values() for result in tests) else 1)


def _output(given: str) -> tuple[str, str]:
    form, _, name = given.partition("=")
    if form not in _FORMATS or not name:
        raise UsageError(f"--output {given}: say FORMAT=FILE, with one of the formats {', '.join(_FORMATS)}")
    return form, name


def _write(target: str, text: str) -> None:
    if target == "-":
        click.echo(text, nl=False)
        return
    try:
        Path(target).write_text(text, "utf-8", errors="replace", newline="")
    except OSError as error:
        raise UsageError(f"{target} cannot be written: {error.strerror}") from None


def _text(results: Results) -> str:
    lines = []
    for file, tests in results.items():
        for result in tests:
            if not result.passed:
                lines += [f"{click.style('FAIL', fg='red', bold=True)} {printable(f'{file}: {result.test.name}')}"]
                lines += [_request(result), *_mismatches(result), ""]
    total = [result for tests in results.values() for result in tests]
    failed = sum(not result.passed for result in total)
    word = "example" if len(total) == 1 else "examples"
    files = "1 file" if len(results) == 1 else f"{len(results)} files"
    told = f"{len(total) - failed} of {len(total)} {word} passed ({files})"
    return "\n".join([*lines, click.style(told, fg="red" if failed else "green", bold=True)])


def _request(result: ExampleResult) -> str:
    return f"  {dumps(result.test.request.model_dump(mode='json', exclude_defaults=True))}"


def _mismatches(result: ExampleResult) -> list[str]:
    lines = []
    for one in result.mismatches:
        lines.append(fold(printable(f"{one.field}: expected {one.expected}"), first="  - ", rest="      "))
        lines.append(fold(printable(f"{one.field}: got {one.got}"), first="  + ", rest="      "))
        if one.why:
            lines.append(fold(printable(one.why), first="    ", rest="    "))
    return lines


def _json(results: Results) -> str:
    tests = [
        {
            "file": file,
            "name": result.test.name,
            "passed": result.passed,
            "mismatches": [one._asdict() for one in result.mismatches],
        }
        for file, ran in results.items()
        for result in ran
    ]
    return dumps({"version": 1, "tests": tests}, indent=2)


def _junit(results: Results) -> str:
    total = [result for tests in results.values() for result in tests]
    failures = str(sum(not result.passed for result in total))
    root = ElementTree.Element(
        "testsuites", name="aldo test", tests=str(len(total)), failures=failures, errors="0", time="0"
    )
    for file, tests in results.items():
        failed = str(sum(not result.passed for result in tests))
        attributes = {"tests": str(len(tests)), "failures": failed, "errors": "0", "skipped": "0", "time": "0"}
        suite = ElementTree.SubElement(root, "testsuite", {"name": xml_text(file), **attributes})
        for result in tests:
            name = xml_text(result.test.name)
            case = ElementTree.SubElement(suite, "testcase", name=name, classname=xml_text(file), time="0")
            if not result.passed:
                first = result.mismatches[0]
                message = xml_text(f"{first.field}: expected {first.expected}, got {first.got}")
                told = "\n".join(map(xml_text, [_request(result), *_mismatches(result)]))
                ElementTree.SubElement(case, "failure", type="mismatch", message=message).text = told
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


_RENDERED = {"text": _text, "json": _json, "junit": _junit}


def _record(files: tuple[str, ...], tests: RouteTests) -> None:
    if len(files) != 1:
        raise UsageError("--record writes one file; name one")
    if files[0] == "-":
        click.echo(_as_yaml(tests), nl=False)
        return
    try:
        with Path(files[0]).open("x", encoding="utf-8", newline="\n") as file:
            file.write(_as_yaml(tests))
    except FileExistsError:
        raise UsageError(f"{files[0]} exists; --record writes a new file only") from None
    except OSError as error:
        raise UsageError(f"{files[0]} cannot be written: {error.strerror}") from None
    click.echo(f"{len(tests.tests)} examples recorded in {printable(files[0])}", err=True)


def _as_yaml(tests: RouteTests) -> str:
    lines = [f"apiVersion: {ROUTE_TESTS_VERSION}", f"kind: {ROUTE_TESTS_KIND}", "tests:"]
    for test in tests.tests:
        request = test.request.model_dump(mode="json", exclude_defaults=True)
        expect = test.expect.model_dump(mode="json", exclude_defaults=True)
        lines += [f"  - name: {_plain(test.name)}", f"    request: {_flow(request)}", f"    expect: {_flow(expect)}"]
    return "\n".join(lines) + "\n"


def _flow(fields: dict[str, object]) -> str:
    pairs = (f"{key}: {_plain(value[0] if isinstance(value, list) else value)}" for key, value in fields.items())
    return f"{{ {', '.join(pairs)} }}"


def _plain(value: object) -> str:
    """A name as it is where no YAML reader could take it for something else; else as JSON, which is YAML, too."""
    text = value if isinstance(value, str) else json.dumps(value)
    is_name = re.fullmatch(r"[A-Za-z][A-Za-z0-9_. -]*[A-Za-z0-9]", text) and text.lower() not in _WORDS
    return text if is_name or not isinstance(value, str) else json.dumps(value)


_WORDS = {"true", "false", "yes", "no", "on", "off", "null"}
