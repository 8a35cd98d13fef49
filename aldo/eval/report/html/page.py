"""The page put together, with its content security policy."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from importlib.resources import files

from aldo.eval.report.html.cases import cases_section, regressions_section
from aldo.eval.report.html.evaluators import evaluator_section
from aldo.eval.report.html.facts import facts, title
from aldo.eval.report.html.markup import Markup, el
from aldo.eval.report.html.names import Names
from aldo.eval.report.html.speed import speed_section
from aldo.eval.report.html.verdicts import verdicts
from aldo.eval.report.model import Report


def render(report: Report) -> str:
    """One HTML page. Raises `UsageError` without the extra `eval`, which draws the plots."""
    names = Names.of(report)
    style, script = _resource("page.css"), _resource("page.js")
    head = el(
        "head",
        el("meta", charset="utf-8"),
        el("meta", http_equiv="Content-Security-Policy", content=_policy(style, script)),
        el("meta", name="viewport", content="width=device-width, initial-scale=1"),
        el("meta", name="referrer", content="no-referrer"),
        el("meta", name="color-scheme", content="light dark"),
        el("link", rel="icon", href="data:,"),
        el("title", f"{report.run.suite}: {', '.join(names.all)}"),
        el("style", style),
    )
    body = el(
        "body",
        el(
            "main",
            title(report),
            verdicts(report, names),
            [evaluator_section(evaluator, names) for evaluator in report.evaluators],
            speed_section(report, names),
            regressions_section(report, names),
            cases_section(report, names),
            facts(report, names),
        ),
        el("script", script),
    )
    return f"<!doctype html>\n{el('html', head, body, lang='en')}\n"


def _policy(style: str, script: str) -> str:
    """Nothing but our own style and script, by their hashes."""
    own = {kind: f"'sha256-{_digest(text)}'" for kind, text in (("style", style), ("script", script))}
    return (
        f"default-src 'none'; style-src {own['style']}; script-src {own['script']}; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def _digest(text: str) -> str:
    return b64encode(sha256(text.encode()).digest()).decode()


def _resource(name: str) -> Markup:
    return Markup((files(__package__) / name).read_text("utf-8"))
