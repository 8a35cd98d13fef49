"""Options that several commands share: the catalog, and the fields of a request."""

from __future__ import annotations

from collections.abc import Callable, Collection
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import click

from aldo.catalog.chosen import chosen_overlays
from aldo.errors import InvalidRequestError, UsageError
from aldo.schema.vocabulary import LOCALITIES, PRIVACY_TIERS

if TYPE_CHECKING:
    from aldo.schema.agent import Agent
    from aldo.schema.request import RouteRequest

Command = TypeVar("Command", bound=Callable[..., Any])


class Option(Protocol):
    """A decorator that gives a command an option."""

    def __call__(self, command: Command, /) -> Command: ...


class Finite(click.FloatRange):
    """A range of numbers that nan is not in: click compares, and nan compares with nothing."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        number = super().convert(value, param, ctx)
        return number if isfinite(number) else self.fail(f"{value!r} is no finite number", param, ctx)


overlay_option: Option = click.option(
    "--overlay",
    "overlays",
    multiple=True,
    metavar="FILE",
    help="An overlay over the catalog; repeat for more, each over those before. [default: $ALDO_OVERLAYS]",
)


def catalog_option(command: Command) -> Command:
    """--catalog and --overlay; they arrive as `catalog` and `overlays`. See `chosen_catalog`."""
    command = overlay_option(command)
    return click.option(
        "--catalog", metavar="FILE", help="The catalog. [default: $ALDO_CATALOG, ./models.yaml, the shipped one]"
    )(command)


request_option: Option = click.option(
    "--request",
    "request_file",
    metavar="JSON|FILE",
    help="Take the request from JSON: itself, a file of it, or `-` for stdin.",
)
json_option: Option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


_ENDINGS = {".sarif": "sarif", ".json": "json", ".xml": "junit", ".html": "html", ".md": "markdown", ".txt": "text"}


def outputs_option(command: Command) -> Command:
    """-o, --output; they arrive as `outputs`. See `output_of`."""
    return click.option(
        "-o",
        "--output",
        "outputs",
        multiple=True,
        metavar="[FORMAT=]FILE",
        help="Write a report too, in the format that is named or that the file ends in. Repeat for more.",
    )(command)


def output_of(given: str, formats: Collection[str], source: str = "--output") -> tuple[str, str]:
    """Format and file. Raises `UsageError` where no format is said."""
    form, named, name = given.partition("=")
    if not named or not form.isalnum():  # a name of a file, in which a `=` may stand
        form, name = _ENDINGS.get(Path(given).suffix.lower(), ""), given
    if form not in formats or not name:
        raise UsageError(f"{source} {given}: say FORMAT=FILE, with one of the formats {', '.join(formats)}")
    return form, name


def refuse_existing(output: str | None) -> None:
    """Raises `UsageError` where a new file cannot be made, before any work is done for it."""
    if output is not None and Path(output).exists():
        raise UsageError(f"{output} exists already; nothing was written to it")


def side_options(command: Command) -> Command:
    """--overlay, --base-overlay and --head-overlay; see `sides`."""
    for side in ("head", "base"):
        text = f"An overlay over {side.upper()} alone."
        command = click.option(f"--{side}-overlay", f"{side}_overlays", multiple=True, metavar="FILE", help=text)(
            command
        )
    return overlay_option(command)


def sides(
    both: tuple[str, ...], base: tuple[str, ...], head: tuple[str, ...]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The overlays of two catalogs that are compared: those of both, then those of each.

    The environment counts only where no option names an overlay.
    """
    if not all(base + head):
        raise UsageError("an overlay is named by an empty text; name a file")
    common = both if base or head else chosen_overlays(both)
    return common + base, common + head


def _names(_ctx: click.Context, _param: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:
    """Repeated options and commas both make lists. An empty one is no way to say "none": it would mean "all"."""
    names = tuple(name.strip() for value in values for name in value.split(","))
    if not all(names):
        raise click.BadParameter("a name is empty")
    return names


def _list(flag: str, dest: str, metavar: str, text: str) -> Callable[[Command], Command]:
    return click.option(
        flag, dest, multiple=True, metavar=metavar, callback=_names, help=f"{text} Repeat, or separate by commas."
    )


_REQUEST_OPTIONS: tuple[Callable[[Any], Any], ...] = (
    click.option("--class", "capability_class", metavar="CLASS", help="Capability class, such as local-reasoning."),
    click.option("--privacy", type=click.Choice(PRIVACY_TIERS), help="Privacy tier of what is sent. Has no default."),
    click.option(
        "--agent", metavar="FILE", help="Take class, fallback and tier from an agent file; options take precedence."
    ),
    _list("--fallback", "fallback_classes", "CLASS", "Class to try when the first has no model."),
    _list("--requires", "requires", "TAG", "Capability the model must provide."),
    click.option(
        "--tokens-in",
        type=click.IntRange(min=0),
        metavar="N",
        help="Prompt size in tokens. [default: 256; of chat and embed: from the text]",
    ),
    click.option(
        "--max-tokens-out",
        "--max-tokens",
        "max_tokens_out",
        type=click.IntRange(min=0),
        metavar="N",
        help="Longest answer in tokens. [default: 1024]",
    ),
    click.option("--budget-usd", metavar="USD", help="The most the request may cost."),
    _list("--locality", "localities", "|".join(LOCALITIES), "Only this locality."),
    click.option("--pin", metavar="ID", help="Only this model; every other rule still holds."),
    _list("--exclude", "exclude", "ID", "Never this model."),
    _list("--down", "down", "ID", "This model is down."),
)


def request_options(command: Command) -> Command:
    """Every field of a request as an option. They arrive as keyword arguments; see `request_fields`."""
    for option in reversed(_REQUEST_OPTIONS):
        command = option(command)
    return command


_FIELDS = {
    "capability_class": "capabilityClass",
    "privacy": "privacy",
    "fallback_classes": "fallbackClasses",
    "requires": "requires",
    "tokens_in": "tokensIn",
    "max_tokens_out": "maxTokensOut",
    "budget_usd": "budgetUsd",
    "localities": "localities",
    "pin": "pin",
    "exclude": "exclude",
    "down": "down",
}


_FLAGS = {
    "capabilityClass": "--class",
    "fallbackClasses": "--fallback",
    "tokensIn": "--tokens-in",
    "maxTokensOut": "--max-tokens-out",
    "budgetUsd": "--budget-usd",
    "localities": "--locality",
    **{name: f"--{name}" for name in ("privacy", "requires", "pin", "exclude", "down")},
}


def request_of(options: dict[str, Any], agent: Agent | None) -> RouteRequest:
    """The request that the options say. Raises `InvalidRequestError`, which names the option and not the field."""
    from aldo.schema.request import request_from_value

    try:
        return request_from_value(request_fields(options, agent))
    except InvalidRequestError as error:
        field, colon, problem = str(error).partition(": ")
        flag = _FLAGS.get(field.partition(".")[0])
        if not flag or not colon:
            raise
        raise InvalidRequestError(f"{flag}: {problem}") from None


def agent_of(options: dict[str, Any]) -> Agent | None:
    """The agent that --agent names."""
    if options["agent"] is None:
        return None
    from aldo.catalog import load_agent

    return load_agent(options["agent"])


def request_fields(options: dict[str, Any], agent: Agent | None) -> dict[str, Any]:
    """The fields (camelCase) that were given as options, over those of the agent."""
    fields = {name: options[option] for option, name in _FIELDS.items() if options[option] not in (None, ())}
    if agent is not None:
        fields = {**agent.request().model_dump(mode="json", exclude_defaults=True), **fields}
    if "capabilityClass" not in fields:
        raise UsageError("say which class: --class CLASS, or --agent FILE")
    if "privacy" not in fields:
        raise UsageError("say which privacy tier: --privacy public|internal|sensitive; it has no default")
    return fields
