"""`aldo route`: which model serves a request, and why."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

import click

from aldo.catalog.chosen import chosen_catalog
from aldo.cli.failure import print_error, reported, unread
from aldo.cli.options import agent_of, catalog_option, json_option, request_of, request_option, request_options
from aldo.cli.verify import decision_record, opened, verified
from aldo.cli.wording import decision_text, trace_text, why_not_text
from aldo.errors import AldoError, InvalidRequestError, NoEligibleModelError, UsageError, printable
from aldo.router import route, why_not
from aldo.router.names import nearest
from aldo.schema import Catalog
from aldo.schema.printed import dumps
from aldo.schema.request import RouteRequest, request_from_json


@click.command("route")
@catalog_option
@request_options
@request_option
@click.option("--explain", is_flag=True, help="Show every stage and every entry's reason.")
@click.option("--why-not", "asked", metavar="ID", help="Why this entry is not the decision, and what would change it.")
@click.option("--requests", metavar="FILE", help="A JSON request per line (`-`: stdin); a JSON line out for each.")
@click.option("--verify", metavar="FILE", help="Recompute logged decisions, one JSON record per line (`-`: stdin).")
@json_option
def command(
    catalog: str | None,
    overlays: tuple[str, ...],
    explain: bool,
    asked: str | None,
    request_file: str | None,
    requests: str | None,
    verify: str | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Which model serves a request, and why.

    \b
    aldo route --class local-reasoning --privacy sensitive --requires tool-use
    aldo route --class fast-draft --privacy public --budget-usd 0.02 --explain
    aldo route --class fast-draft --privacy public --why-not openai-gpt-6-luna
    aldo route --agent agency/agents/code-reviewer.yaml --json
    aldo route --request request.json
    aldo route --requests log.jsonl
    aldo route --verify decision.json --catalog main:models.yaml
    """
    with reported(as_json=as_json or requests is not None):
        _check_alone({"--request": request_file, "--requests": requests, "--verify": verify}, asked, options)
        loaded = chosen_catalog(catalog, overlays)
        if requests is not None:
            sys.exit(_route_lines(loaded, requests, explain))
        if verify is not None:
            sys.exit(verified(loaded, verify, as_json=as_json))
        if request_file is not None:
            request = _read_request(request_file)
        else:
            request = request_of(options, agent_of(options))
            _tell_unknown(loaded, request)
        if asked is not None:
            verdict = why_not(loaded, request, asked)
            click.echo(_line(verdict.to_dict()) if as_json else why_not_text(verdict))
        else:
            _route_one(loaded, request, explain=explain, as_json=as_json)


def _check_alone(files: Mapping[str, str | None], asked: str | None, options: Mapping[str, Any]) -> None:
    """Raises `UsageError` where a file says what is asked, and another option says so too."""
    given = [flag for flag, name in files.items() if name is not None]
    others = any(value not in (None, ()) for value in options.values())
    if given and (others or given[1:] or (asked and given[0] != "--request")):
        raise UsageError(f"{given[0]} takes what is asked from its file; give no other request option with it")


def _route_one(catalog: Catalog, request: RouteRequest, *, explain: bool, as_json: bool) -> None:
    """Print the decision, or the refusal, which ends the command with its exit code."""
    try:
        decision = route(catalog, request)
    except NoEligibleModelError as refusal:
        if as_json:
            click.echo(_line({"error": _refusal(refusal, explain)}))
        else:
            if explain:
                click.echo(trace_text(refusal.explain()))
            print_error(refusal, as_json=False)
        sys.exit(refusal.exit_code)
    if as_json:
        click.echo(_line(decision_record(catalog, decision, explain=explain)))
    else:
        click.echo(decision_text(decision, catalog.by_id[decision.model]))
        if explain:
            click.echo("\n" + trace_text(decision.explain()))


def _tell_unknown(catalog: Catalog, request: RouteRequest) -> None:
    """Ids of --exclude and --down may be unknown, as a health snapshot may outlive a model; a typo looks the same."""
    for flag, names in (("--exclude", request.exclude), ("--down", request.down)):
        for name in names:
            if name not in catalog.by_id:
                near = nearest(name, catalog.by_id)
                hint = f"; did you mean {near[0]!r}?" if near else ""
                click.echo(printable(f"note: {flag} {name}: the catalog has no such model{hint}"), err=True)


def _refusal(refusal: NoEligibleModelError, explain: bool) -> dict[str, Any]:
    trace = {"trace": refusal.explain().to_dict()} if explain else {}
    return {**refusal.to_dict(), **trace}


def _route_lines(catalog: Catalog, path: str, explain: bool) -> int:
    """One JSON line out per request; blank lines are passed over. Gives the worst exit code."""
    worst = 0
    with opened(path) as lines, unread() as ending:
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            try:
                decision = route(catalog, request_from_json(_utf8(line)))
                record = decision_record(catalog, decision, explain=explain)
            except NoEligibleModelError as refusal:
                worst = max(worst, refusal.exit_code)
                record = {"error": {**_refusal(refusal, explain), "line": number}}
            except AldoError as error:
                worst = max(worst, error.exit_code)
                record = {"error": {**error.to_dict(), "line": number}}
            ending.code = worst  # also where nobody reads on
            click.echo(_line(record))
    return worst


def _utf8(line: str) -> str:
    """Bytes that are no UTF-8 arrive as lone surrogates; they must not be taken for other characters."""
    if any("\ud800" <= character <= "\udfff" for character in line):
        raise InvalidRequestError("the line is not UTF-8")
    return line


def _read_request(path: str) -> RouteRequest:
    if path.lstrip().startswith("{"):  # the request itself
        return request_from_json(path)
    with opened(path) as file:
        text = file.read()
    try:
        return request_from_json(_utf8(text))
    except InvalidRequestError as error:
        lines = [line for line in text.splitlines() if line.strip()]
        several = len(lines) > 1 and all(line.lstrip().startswith("{") for line in lines)
        hint = "; --requests takes a file of many, one a line" if several else ""
        said = "it is empty" if not lines else str(error)
        raise InvalidRequestError(f"{'<stdin>' if path == '-' else path}: {said}{hint}") from None


def _line(value: Any) -> str:
    return dumps(value)
