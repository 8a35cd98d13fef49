"""JUnit's XML: a test suite for each file, a failed test case for each finding that fails the run."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from aldo.errors import Finding, printable
from aldo.validate.outcome import FileReport, LintReport

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render(report: LintReport) -> str:
    suites = [_suite(file, report) for file in report.files]
    failures = sum(report.fails(finding) for finding in report.findings)
    tests = sum(int(suite.get("tests", 0)) for suite in suites)
    root = ElementTree.Element("testsuites", name="aldo lint", tests=str(tests), failures=str(failures), errors="0")
    root.extend(suites)
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def _suite(file: FileReport, report: LintReport) -> ElementTree.Element:
    failing = [finding for finding in file.findings if report.fails(finding)]
    suite = ElementTree.Element(
        "testsuite",
        name=xml_text(file.path),
        tests=str(len(file.findings) or 1),
        failures=str(len(failing)),
        errors="0",
        skipped="0",
        time="0",
    )
    for finding in file.findings:
        case = ElementTree.SubElement(
            suite, "testcase", name=xml_text(_name(finding)), classname=xml_text(file.path), time="0"
        )
        told = "\n".join(map(xml_text, (f"{finding.place}: {finding.message}", finding.hint, finding.url)))
        if report.fails(finding):
            message = xml_text(finding.message)
            ElementTree.SubElement(case, "failure", type=finding.severity, message=message).text = told
        else:
            ElementTree.SubElement(case, "system-out").text = f"{finding.severity}: {told}"
    if not file.findings:
        ElementTree.SubElement(suite, "testcase", name="no findings", classname=xml_text(file.path), time="0")
    return suite


def _name(finding: Finding) -> str:
    place = f" at {finding.span.line}:{finding.span.column}" if finding.span else ""
    return f"{finding.code}{place}"


def xml_text(text: str) -> str:
    """Without the characters that XML cannot hold, and nothing that a terminal would act on."""
    return _NOT_XML.sub("?", printable(text))
