"""`aldo lint`: check catalog files, and mend them."""

from __future__ import annotations

import datetime
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from aldo.catalog.chosen import catalog_path, chosen_overlays, shipped_catalog
from aldo.cli.options import output_of, outputs_option, overlay_option
from aldo.cli.terminal import fold
from aldo.errors import UsageError, printable
from aldo.schema.printed import dumps
from aldo.validate import FORMATS, LintReport, all_rules, lint, render, rule
from aldo.validate.files import expanded
from aldo.validate.reports import text as text_report
from aldo.validate.select import known_prefixes

if TYPE_CHECKING:
    from aldo.validate.fix import FixedFile
    from aldo.validate.settings import Settings

_COLOURS = {"error": "red", "warning": "yellow", "info": "blue", "hint": "cyan", "ok": "green"}


def _codes(_ctx: click.Context, _param: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(code for value in values for code in value.split(","))


@click.command("lint")
@click.argument("files", nargs=-1, metavar="[FILE]...")
@overlay_option
@click.option("--format", "form", type=click.Choice(FORMATS), help="How to print findings. [default: text]")
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@outputs_option
@click.option(
    "--select", multiple=True, metavar="CODE", callback=_codes, help="Only these rules: AL304, or AL3 for all of them."
)
@click.option("--ignore", multiple=True, metavar="CODE", callback=_codes, help="Not these rules.")
@click.option("--strict/--no-strict", default=None, help="Warnings fail the run too.")
@click.option("--fix", "mend", is_flag=True, help="Mend what can be mended without changing any routing.")
@click.option("--unsafe", is_flag=True, help="With --fix or --diff: also what may change routing.")
@click.option("--diff", "as_diff", is_flag=True, help="Show what --fix would change, and write nothing.")
@click.option("--statistics", is_flag=True, help="Count the findings of each rule instead of listing them.")
@click.option(
    "--today",
    type=click.DateTime(["%Y-%m-%d"]),
    envvar="ALDO_TODAY",
    show_envvar=True,
    metavar="DATE",
    help="Day from which ages count. [default: today]",
)
@click.option("--max-age", type=click.IntRange(min=0), metavar="DAYS", help="How old asOf may be. [default: 180]")
@click.option("--config", metavar="FILE", help="TOML file with [tool.aldo.lint]. [default: the nearest pyproject.toml]")
@click.option("--explain", metavar="CODE", help="Print the documentation of a rule, or of all, and stop.")
def command(**options: Any) -> None:
    """Check catalog files and print every defect with file, line, reason and fix.

    Without FILE: those of [tool.aldo.lint] in pyproject.toml, else the catalog in use. `-` is standard input, and
    patterns such as 'catalogs/**/*.yaml' are expanded. FILE may be an agent, a suite of `aldo eval`, checked with
    its dataset, or an overlay, which is then checked alone; --overlay lays overlays over the catalogs, and checks
    what comes of it. Exits with 1 when there are errors (with --strict: or warnings), with 2 when a file cannot be
    read as one YAML document.

    \b
    aldo lint models.yaml
    aldo lint --format json --output sarif=lint.sarif catalogs/*.yaml
    aldo lint --diff models.yaml
    aldo lint models.yaml --overlay mine.yaml
    aldo lint --explain AL104
    """
    if options["explain"] is not None:
        click.echo(_explained(options["explain"]))
        return
    run = _Run.of(**options)
    sys.exit(run.fix() if options["mend"] or options["as_diff"] else run.report())


class _Run(NamedTuple):
    """One call of the command, its options put together with those of pyproject.toml."""

    files: tuple[str, ...]
    form: str
    outputs: tuple[tuple[str, str], ...]
    checks: dict[str, Any]
    options: dict[str, Any]

    @classmethod
    def of(cls, *, files: tuple[str, ...], form: str | None, as_json: bool, **options: Any) -> _Run:
        if options["unsafe"] and not (options["mend"] or options["as_diff"]):
            raise UsageError("--unsafe goes with --fix or --diff")
        if as_json and form not in (None, "json"):
            raise UsageError(f"--json and --format {form} are two formats; choose one")
        if options["overlays"] and (options["mend"] or options["as_diff"]):
            raise UsageError("--fix and --diff mend files one by one: name the overlay as a FILE, without --overlay")
        if options["as_diff"] and (form or as_json or options["outputs"] or options["statistics"]):
            raise UsageError("--diff prints a diff and nothing else: leave out --format, --output and --statistics")
        settings = _settings(options["config"])
        on_github = os.environ.get("GITHUB_ACTIONS") == "true"
        max_age = settings.max_age if options["max_age"] is None else options["max_age"]
        # What is selected here is wanted here, whatever the project ignores.
        select = options["select"] or settings.select
        ignore = options["ignore"] or (() if options["select"] else settings.ignore)
        checks = {
            "select": tuple(known_prefixes(select, "--select" if options["select"] else f"{settings.source} select")),
            "ignore": tuple(known_prefixes(ignore, "--ignore" if options["ignore"] else f"{settings.source} ignore")),
            "strict": settings.strict if options["strict"] is None else options["strict"],
            "today": options["today"].date() if options["today"] else datetime.date.today(),
            **({} if max_age is None else {"max_age_days": max_age}),
        }
        files = tuple(expanded(files or settings.files or (_catalog_in_use(mend=options["mend"]),)))
        source = "--output" if options["outputs"] else f"{settings.source} output"
        given = options["outputs"] or (() if options["as_diff"] else settings.output)
        return cls(
            files,
            "json" if as_json else form or ("github" if on_github else "text"),
            tuple(_output(one, source, files) for one in given),
            checks,
            options,
        )

    def report(self) -> int:
        """Lint and print; the exit code."""
        report = lint(self.files, overlays=chosen_overlays(self.options["overlays"]), **self.checks)
        self._print(report)
        return report.exit_code

    def fix(self) -> int:
        """Mend and print what is left, or show what would be mended; the exit code."""
        from aldo.catalog.write import encoded
        from aldo.validate.fix import fix_files

        fixed = fix_files(self.files, unsafe=self.options["unsafe"], **self.checks)
        if self.options["as_diff"]:
            return _show_diff(fixed.files, fixed.report.exit_code)
        standard_input = [file for file in fixed.files if file.document.path == "<stdin>"]
        unwritten: dict[str, str] = {}
        for file in fixed.files:
            if file.changed and file not in standard_input:
                try:
                    file.write()
                except UsageError as error:  # the others are written all the same
                    unwritten[file.document.path] = str(error)
        for file in standard_input:  # the mended text is the answer, so the rest is said aside
            click.echo(encoded(file.document, file.text), nl=False)
        for file in fixed.files:
            if file.document.path in unwritten:
                click.echo(f"error: {unwritten[file.document.path]}", err=True)
            else:
                _tell(file)
        # Of a file that could not be written is told what it holds, and not what it should.
        files = tuple(file.before if file.document.path in unwritten else file.report for file in fixed.files)
        report = fixed.report._replace(files=files + fixed.report.files[len(files) :])
        self._print(report, aside=bool(standard_input))
        return 2 if unwritten else report.exit_code

    def _print(self, report: LintReport, *, aside: bool = False) -> None:
        """Every report that was asked for. Where one cannot be written the others are, and that is told last."""
        if any(name == "-" for _, name in self.outputs):
            pass  # standard output is spoken for
        elif self.options["statistics"]:
            click.echo(_statistics(report, as_json=self.form == "json"), err=aside)
        elif self.form == "text":
            click.echo(text_report.render(report, _paint), nl=False, err=aside)
        else:
            click.echo(render(self.form, report), nl=False, err=aside)
        unwritten = []
        for form, name in self.outputs:
            if name == "-":
                click.echo(render(form, report), nl=False)
                continue
            try:
                Path(name).write_text(render(form, report), "utf-8", errors="replace", newline="")
            except OSError as error:
                unwritten.append(f"{name} cannot be written: {error.strerror}")
        if unwritten:
            raise UsageError("; ".join(unwritten))


def _catalog_in_use(*, mend: bool) -> str:
    path = catalog_path(None)
    if path == shipped_catalog() and not os.environ.get("ALDO_CATALOG"):
        if mend:
            raise UsageError("no models.yaml is here: name the file to mend")
        click.echo("no file is named and no models.yaml is here: checking the catalog that ships with aldo", err=True)
    return path


def _settings(config: str | None) -> Settings:
    from aldo.validate.settings import find_settings, read_settings

    if config is None:
        return find_settings(Path.cwd())
    try:
        return read_settings(Path(config))
    except UsageError as error:
        raise UsageError(f"--config: {error}") from None


def _output(given: str, source: str, files: tuple[str, ...]) -> tuple[str, str]:
    form, name = output_of(given, FORMATS, source)
    if name != "-" and os.path.realpath(name) in {os.path.realpath(file) for file in files}:
        raise UsageError(f"{source} {given}: {name} is one of the files to check; the report would take its place")
    return form, name


def _tell(file: FixedFile) -> None:
    """On stderr what was mended in a file, and what was not."""
    name = printable(file.document.path)
    for finding in file.made:
        title = finding.fix.title if finding.fix else ""
        click.echo(f"mended {printable(finding.place)}: {finding.code} {printable(title)}", err=True)
    for finding in file.undone:
        click.echo(f"left {name} as it is: the fix of {finding.code} would change more than it mends", err=True)


def _show_diff(files: tuple[FixedFile, ...], code: int) -> int:
    changed = [file for file in files if file.changed]
    for file in changed:
        click.echo(_coloured(file.diff()), nl=False)
    made = sum(len(file.made) for file in changed)
    left = sum(len(file.report.findings) for file in files)
    told = f"{made} to mend in {len(changed)} of {len(files)} files" if changed else "nothing to mend"
    click.echo(f"{told}; findings left: {left}; nothing was written", err=True)
    return max(code, 1 if changed else 0)


def _coloured(diff: str) -> str:
    colours = {"-": "red", "+": "green", "@": "cyan"}
    lines = (printable(line.rstrip("\r\n")) for line in diff.split("\n")[:-1])
    return "".join(click.style(line, fg=colours.get(line[:1])) + "\n" for line in lines)


def _statistics(report: LintReport, *, as_json: bool) -> str:
    counts: dict[str, int] = {}
    for finding in report.findings:
        counts[finding.code] = counts.get(finding.code, 0) + 1
    rows = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    if as_json:
        listed = [{"code": code, "name": rule(code).name, "count": count} for code, count in rows]
        return dumps({"version": 1, "statistics": listed, "checked": report.to_dict()["checked"]}, indent=2)
    width = max((len(str(count)) for _, count in rows), default=0)
    table = [f"{count:>{width}}  {code}  {rule(code).name}" for code, count in rows]
    return "\n".join([*table, text_report.summary(report, _paint)])


def _paint(text: str, style: str) -> str:
    if style == "dim":
        return click.style(text, dim=True)
    return click.style(text, fg=_COLOURS[style], bold=True)


def _explained(code: str) -> str:
    named = next((one.code for one in all_rules().values() if one.name == code.lower()), code)
    prefix = "" if code.lower() == "all" else named.upper()
    family = [one for one in all_rules().values() if one.code.startswith(prefix)]
    if len(family) > 1:
        return "\n".join(f"{one.code}  {one.severity:<7}  {one.name:<22} {one.summary}" for one in family)
    found = rule(named)
    bad, good = (example.rstrip() or "(an empty file)" for example in (found.bad, found.good))
    told = fold(" ".join(found.explanation.split()))
    head = click.style(f"{found.code} {found.name}", bold=True)
    under = f"Over this catalog:\n\n{found.base.rstrip()}\n\n" if found.base else ""
    over = f"\n\nUnder this overlay:\n\n{found.above.rstrip()}" if found.above else ""
    examples = f"{under}Bad:\n\n{bad}\n\nGood:\n\n{good}{over}"
    return f"{head} ({found.severity})\n\n{found.summary}\n\n{told}\n\n{examples}\n\n{found.url}"
