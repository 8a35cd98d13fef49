"""Examples of routing as others read them: text, JSON, JUnit, and as a file of their own."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from xml.etree import ElementTree

import click

from aldo.cli.terminal import fold
from aldo.errors import printable
from aldo.router.examples import ExampleResult
from aldo.schema.printed import dumps
from aldo.schema.route_tests import ROUTE_TESTS_KIND, ROUTE_TESTS_VERSION, RouteTests

Results = Mapping[str, tuple[ExampleResult, ...]]
"""What came of the examples of each file."""


def as_text(results: Results, over: str) -> str:
    """What failed, and how many passed; `over` names the catalog."""
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
    told = f"{len(total) - failed} of {len(total)} {word} passed ({files}, over {printable(over)})"
    summary = click.style(fold(told, rest="  "), fg="red" if failed else "green", bold=True)
    return "\n".join([*lines, summary])


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
    from aldo.validate.reports.junit import xml_text  # the rules of lint come with it

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


RENDERED: dict[str, Callable[[Results, str], str]] = {
    "text": as_text,
    "json": lambda results, _: _json(results),
    "junit": lambda results, _: _junit(results),
}


def as_yaml(tests: RouteTests) -> str:
    """A file that `aldo test` reads."""
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
